import Primitives

extension Pattern {
    /// ``capture(_:)`` for programs with ``closures``. Most patterns leave no choice: at every place at most one
    /// instruction that can be reached takes the scalar, so one walk forwards is enough.
    func captureByBits(_ text: ByteString) -> [Range<Int>?]? {
        var walk = Walk(pattern: self)
        var reader = ScalarReader(text)
        var pc = 0
        while true {
            let (at, isStart) = (reader.at, reader.at == 0)
            let scalar = reader.next()
            let closure = closure((isStart ? 1 : 0) + (scalar == nil ? 2 : 0), pc)
            var taking: UInt64 = 0
            if let scalar {
                var rest = closure & readers
                while rest != 0 {
                    let reached = rest.trailingZeroBitCount
                    rest &= rest - 1
                    if takes(reached, scalar) { taking |= 1 << reached }
                }
                if taking & (taking &- 1) != 0 { return captureWithChoice(text) }
            } else {
                taking = closure & 1 << (instructions.count - 1)
            }
            if taking == 0 { return nil }
            if taking == 1 << pc, scalar != nil {
                // Inside a run of plain scalars there is no group to note.
                pc += 1
                continue
            }
            walk.begin(at: at, taking, isStart: isStart, isEnd: scalar == nil)
            guard let next = walk.reader(from: pc) else { return nil }
            if scalar == nil { return ranges(walk.slots) }
            pc = next + 1
        }
    }

    /// The same for any pattern: backwards over the text, which instructions can still finish from
    /// each place; then forwards along the most preferred of them, so no dead end is ever entered.
    private func captureWithChoice(_ text: ByteString) -> [Range<Int>?]? {
        var scalars: [(value: UInt32, at: Int)] = []
        scalars.reserveCapacity(text.count)
        var reader = ScalarReader(text)
        while true {
            let at = reader.at
            guard let scalar = reader.next() else { break }
            scalars.append((scalar, at))
        }
        // Per place the instructions that read on there and can finish; at the end only the match itself.
        var finishing = [UInt64](repeating: 0, count: scalars.count + 1)
        finishing[scalars.count] = 1 << (instructions.count - 1)
        var next = finishing[scalars.count]
        for index in scalars.indices.reversed() {
            let context = context(index + 1, scalars.count)
            var here: UInt64 = 0
            var rest = readers
            while rest != 0 {
                let pc = rest.trailingZeroBitCount
                rest &= rest - 1
                if closure(context, pc + 1) & next != 0, takes(pc, scalars[index].value) { here |= 1 << pc }
            }
            if here == 0 { return nil }
            finishing[index] = here
            next = here
        }
        var walk = Walk(pattern: self)
        var pc = 0
        for index in finishing.indices {
            walk.begin(
                at: index < scalars.count ? scalars[index].at : text.count,
                finishing[index],
                isStart: index == 0,
                isEnd: index == scalars.count
            )
            guard let reader = walk.reader(from: pc) else { return nil }
            pc = reader + 1
        }
        return ranges(walk.slots)
    }

    /// Index of ``closures`` for a place between scalars.
    private func context(_ index: Int, _ count: Int) -> Int { (index == 0 ? 1 : 0) + (index == count ? 2 : 0) }
}

/// Looks for the most preferred instruction that reads on at one place, and notes the groups passed on the way.
private struct Walk {
    let pattern: Pattern
    var slots: [Int]
    private var at = 0
    private var finishing: UInt64 = 0
    private var isStart = false, isEnd = false
    private var visited: UInt64 = 0

    init(pattern: Pattern) {
        self.pattern = pattern
        // One by one: `repeating:` is not specialised here and costs three times as much.
        slots = []
        slots.reserveCapacity(2 * (pattern.groups + 1))
        for _ in 0..<2 * (pattern.groups + 1) { slots.append(-1) }
    }

    mutating func begin(at: Int, _ finishing: UInt64, isStart: Bool, isEnd: Bool) {
        self.at = at
        self.finishing = finishing
        self.isStart = isStart
        self.isEnd = isEnd
        visited = 0
    }

    /// Nil when none is reached. The recursion visits each of at most 64 instructions once.
    mutating func reader(from pc: Int) -> Int? {
        guard visited & (1 << pc) == 0, pattern.closure((isStart ? 1 : 0) + (isEnd ? 2 : 0), pc) & finishing != 0 else {
            return nil
        }
        visited |= 1 << pc
        switch pattern.instructions[pc] {
        case .jump(let to): return reader(from: to)
        case .split(let a, let b): return reader(from: a) ?? reader(from: b)
        case .save(let slot):
            let before = slots[slot]
            slots[slot] = at
            if let found = reader(from: pc + 1) { return found }
            slots[slot] = before
            return nil
        case .start: return isStart ? reader(from: pc + 1) : nil
        case .end: return isEnd ? reader(from: pc + 1) : nil
        case .scalar, .any, .set, .match: return finishing & (1 << pc) != 0 ? pc : nil
        }
    }
}
