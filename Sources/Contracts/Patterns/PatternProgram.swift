/// A compiled pattern. Matching takes time linear in the text (Thompson's construction, Pike's captures); there is no
/// backtracking and no pattern that hangs.
///
/// `.` and negated classes match any scalar, line breaks included: values are single texts, not lines.
///
/// A class: it is asked once an event and more, and a copy would count references to all its lists.
package final class Pattern: Sendable {
    enum Instruction: Equatable, Sendable {
        case scalar(UInt32)
        case any
        /// Index into `sets`.
        case set(Int)
        /// The first way is preferred.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case start, end, match
    }

    package let source: String
    /// Capturing groups, 0 to ``ContractLimits/patternGroupsMax``.
    package let groups: Int
    let instructions: [Instruction]
    let sets: [ScalarSet]
    /// For programs of at most 64 instructions: the instructions reached from each without reading, as bits, see
    /// ``closure(_:_:)``. Empty for longer programs. One list: a list of lists would be counted at every step.
    let closures: [UInt64]
    /// For the same: the instructions that read a scalar.
    let readers: UInt64

    /// - Throws: ``PatternError`` for a mistake or a pattern that compiles to too much.
    init(_ source: String) throws(PatternError) {
        self.source = source
        let parsed = try PatternParser.parse(source)
        let compiler = try PatternCompiler(parsed.syntax)
        groups = parsed.groups
        instructions = compiler.instructions
        sets = compiler.sets
        var readers: UInt64 = 0
        if instructions.count <= 64 {
            closures = (0..<4).flatMap { compiler.closures(context: $0) }
            for (pc, instruction) in instructions.enumerated() {
                switch instruction {
                case .scalar, .any, .set: readers |= 1 << pc
                case .split, .jump, .save, .start, .end, .match: break
                }
            }
        } else {
            closures = []
        }
        self.readers = readers
    }

    /// The compiled pattern; nil when `source` has a mistake. For settings that hold patterns.
    package static func compiled(_ source: String) -> Pattern? { try? Pattern(source) }

    /// What is reached from an instruction without reading.
    ///
    /// - Parameter context: (At start ? 1 : 0) + (at end ? 2 : 0).
    @inline(__always) func closure(_ context: Int, _ pc: Int) -> UInt64 {
        closures[context * instructions.count + pc]
    }

    /// False when no text that begins with this byte matches; true may be wrong.
    package func mayBegin(with byte: UInt8) -> Bool {
        guard byte < 0x80, !closures.isEmpty else { return true }
        let first = closure(1, 0)
        return instructions.indices.contains { first & readers & (1 << $0) != 0 && takes($0, UInt32(byte)) }
    }
}

/// Makes the instructions of a pattern.
private struct PatternCompiler {
    typealias Instruction = Pattern.Instruction

    var instructions: [Instruction] = []
    var sets: [ScalarSet] = []
    private var budget = ContractLimits.patternInstructionsMax * 4

    init(_ syntax: PatternSyntax) throws(PatternError) {
        try emit(.save(0))
        try compile(syntax)
        try emit(.save(1))
        try emit(.match)
    }

    private mutating func emit(_ instruction: Instruction) throws(PatternError) {
        instructions.append(instruction)
        if instructions.count > ContractLimits.patternInstructionsMax { throw tooLarge }
    }

    private var tooLarge: PatternError {
        PatternError(
            offset: 0,
            sentence:
                "the pattern compiles to more than \(ContractLimits.patternInstructionsMax) instructions; use smaller "
                + "repetitions"
        )
    }

    private mutating func compile(_ syntax: PatternSyntax) throws(PatternError) {
        // Empty parts emit nothing, so that nested repetitions of them are bounded by this count instead.
        budget -= 1
        if budget < 0 { throw tooLarge }
        switch syntax {
        case .empty: break
        case .scalar(let value): try emit(.scalar(value))
        case .any: try emit(.any)
        case .start: try emit(.start)
        case .end: try emit(.end)
        case .set(let set):
            sets.append(set)
            try emit(.set(sets.count - 1))
        case .sequence(let parts): for part in parts { try compile(part) }
        case .group(let inside, let number):
            guard let number else { return try compile(inside) }
            try emit(.save(2 * number))
            try compile(inside)
            try emit(.save(2 * number + 1))
        case .either(let branches):
            var jumps: [Int] = []
            for (index, branch) in branches.enumerated() {
                let split = instructions.count
                if index < branches.count - 1 { try emit(.split(split + 1, 0)) }
                try compile(branch)
                guard index < branches.count - 1 else { break }
                jumps.append(instructions.count)
                try emit(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
            for jump in jumps { instructions[jump] = .jump(instructions.count) }
        case .repetition(let part, let least, let most): try compile(part, least, most)
        }
    }

    private mutating func compile(_ part: PatternSyntax, _ least: Int, _ most: Int?) throws(PatternError) {
        for _ in 0..<least { try compile(part) }
        guard let most else {
            let split = instructions.count
            try emit(.split(split + 1, 0))
            try compile(part)
            try emit(.jump(split))
            instructions[split] = .split(split + 1, instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(instructions.count)
            try emit(.split(instructions.count + 1, 0))
            try compile(part)
        }
        for split in splits { instructions[split] = .split(split + 1, instructions.count) }
    }

    func closures(context: Int) -> [UInt64] {
        instructions.indices.map { first in
            var reached: UInt64 = 0
            var open = [first]
            while let pc = open.popLast() {
                guard reached & (1 << pc) == 0 else { continue }
                reached |= 1 << pc
                switch instructions[pc] {
                case .jump(let to): open.append(to)
                case .split(let a, let b): open += [a, b]
                case .save: open.append(pc + 1)
                case .start: if context & 1 != 0 { open.append(pc + 1) }
                case .end: if context & 2 != 0 { open.append(pc + 1) }
                case .scalar, .any, .set, .match: break
                }
            }
            return reached
        }
    }
}
