import Primitives

/// Evaluates parts of a program over the values of one event.
///
/// Null spreads: arithmetic with a null is null, a comparison with a null is unknown, `and`, `or`, `not` are
/// three-valued, a sum over a null cell or list is null. Overflow and exhausted steps end the rule (``failure``).
struct RuleEvaluator {
    let program: RuleProgram
    var values: [FieldValue]
    /// Why the last expressions have no answer; set back by the caller.
    var failure: BuiltInRule?
    /// Row at which the last `all` or `unique` was found false.
    var failedRow: Int?
    /// Row that cells are read from.
    var row = 0
    private var stepsLeft = ContractLimits.stepsMax

    init(program: RuleProgram, values: [FieldValue]) {
        self.program = program
        self.values = values
    }

    private mutating func spend(_ steps: Int) -> Bool {
        stepsLeft -= steps
        if stepsLeft < 0 { failure = .tooCostly }
        return failure == nil
    }

    private mutating func result(_ value: Decimal?) -> Decimal? {
        if value == nil { failure = failure ?? .overflow }
        return value
    }

    private func rows(_ field: Int32) -> [[FieldValue]]? {
        guard case .list(let rows) = values[Int(field)] else { return nil }
        return rows
    }

    private func cell(_ part: RuleProgram.Part) -> FieldValue {
        guard case .list(let rows) = values[Int(part.a)], row < rows.count else { return .null }
        return rows[row][Int(part.b)]
    }

    // MARK: Numbers

    mutating func decimal(_ index: Int32) -> Decimal? {
        guard spend(1) else { return nil }
        let part = program.parts[Int(index)]
        switch part.operation {
        case .decimalConstant: return program.decimals[Int(part.a)]
        case .decimalField:
            guard case .decimal(let value) = values[Int(part.a)] else { return nil }
            return value
        case .decimalCell:
            guard case .decimal(let value) = cell(part) else { return nil }
            return value
        case .timeField:
            guard case .time(let time) = values[Int(part.a)] else { return nil }
            return Decimal(Int(time.instant.micros))
        case .timeCell:
            guard case .time(let time) = cell(part) else { return nil }
            return Decimal(Int(time.instant.micros))
        case .seconds:
            guard let micros = decimal(part.a) else { return nil }
            return result(Decimal(coefficient: micros.coefficient, scale: 6))
        case .negate:
            guard let value = decimal(part.a) else { return nil }
            return result(value.negated)
        case .add, .subtract, .multiply:
            guard let a = decimal(part.a), let b = decimal(part.b) else { return nil }
            return result(
                part.operation == .add
                    ? a.adding(b) : part.operation == .subtract ? a.subtracting(b) : a.multiplied(by: b)
            )
        case .absolute:
            guard let value = decimal(part.a) else { return nil }
            return value.coefficient < 0 ? result(value.negated) : value
        case .round: return decimal(part.a)?.rounded(toScale: Int(part.b))
        case .count: return rows(part.a).map { Decimal($0.count) }
        case .length:
            guard let text = text(part.a) else { return nil }
            return TextCheck.characters(text.bytes[...]).map { Decimal($0) } ?? Decimal(text.count)
        case .number: return text(part.a).flatMap { DecimalText.read($0) }
        case .sum: return sum(part)
        default: preconditionFailure("\(part.operation) yields no number: the compiler checks types")
        }
    }

    private mutating func sum(_ part: RuleProgram.Part) -> Decimal? {
        guard let count = rows(part.a)?.count else { return nil }
        var total = Decimal(0)
        let outer = row
        defer { row = outer }
        for index in 0..<count {
            row = index
            guard let value = decimal(part.b), let sum = result(total.adding(value)) else { return nil }
            total = sum
        }
        return total
    }

    // MARK: Texts

    mutating func text(_ index: Int32) -> ByteString? {
        guard spend(1) else { return nil }
        let part = program.parts[Int(index)]
        switch part.operation {
        case .textConstant: return program.texts[Int(part.a)]
        case .textField:
            guard case .text(let value) = values[Int(part.a)] else { return nil }
            return value
        case .textCell:
            guard case .text(let value) = cell(part) else { return nil }
            return value
        case .lower, .upper:
            guard let value = text(part.a), spend(value.count) else { return nil }
            let isLower = part.operation == .lower
            return ByteString(isLower ? value.description.lowercased() : value.description.uppercased())
        case .concatenate:
            guard let a = text(part.a), let b = text(part.b), spend(a.count + b.count) else { return nil }
            guard a.count + b.count <= ContractLimits.textBytesMax else {
                failure = .overflow
                return nil
            }
            return ByteString(a.bytes + b.bytes)
        case .capture:
            guard let value = text(part.a) else { return nil }
            for pattern in program.patterns[Int(part.b)] {
                guard spend(value.count * pattern.instructions.count * 4) else { return nil }
                guard let ends = pattern.capture(value) else { continue }
                return ends[Int(part.c)].map { value[$0] }
            }
            return nil
        default: preconditionFailure("\(part.operation) yields no text: the compiler checks types")
        }
    }

    // MARK: Truths

    mutating func truth(_ index: Int32) -> Truth {
        guard spend(1) else { return .unknown }
        let part = program.parts[Int(index)]
        switch part.operation {
        case .compareDecimals:
            guard let a = decimal(part.a), let b = decimal(part.b) else { return .unknown }
            return Truth(Self.holds(part.comparison, a, b))
        case .compareTexts:
            guard let a = text(part.a), let b = text(part.b) else { return .unknown }
            return Truth(Self.holds(part.comparison, a, b))
        case .compareTruths:
            let a = truth(part.a)
            let b = truth(part.b)
            guard a != .unknown, b != .unknown else { return .unknown }
            return Truth((a == b) == (part.comparison == .equal))
        case .truthConstant: return Truth(part.a != 0)
        case .truthField: return Self.truth(of: values[Int(part.a)])
        case .truthCell: return Self.truth(of: cell(part))
        case .isNullField: return Truth(values[Int(part.a)].isNull)
        case .isNullCell: return Truth(cell(part).isNull)
        case .isNullDecimal: return Truth(decimal(part.a) == nil)
        case .isNullText: return Truth(text(part.a) == nil)
        case .isNullTruth: return Truth(truth(part.a) == .unknown)
        case .not: return truth(part.a).inverted
        case .and, .or:
            // The value that decides alone: no for and, yes for or.
            let decisive: Truth = part.operation == .and ? .no : .yes
            let a = truth(part.a)
            if a == decisive { return a }
            let b = truth(part.b)
            return b == decisive ? b : a == .unknown ? a : b
        case .inDecimals:
            guard let value = decimal(part.a) else { return .unknown }
            return Truth(program.decimalLists[Int(part.b)].contains(value))
        case .inTexts:
            guard let value = text(part.a) else { return .unknown }
            return Truth(program.textLists[Int(part.b)].contains(value))
        case .matches:
            guard let value = text(part.a) else { return .unknown }
            for pattern in program.patterns[Int(part.b)] {
                guard spend(value.count * pattern.instructions.count) else { return .unknown }
                if pattern.matches(value) { return .yes }
            }
            return .no
        case .all, .any: return quantified(part, decisive: part.operation == .all ? .no : .yes)
        case .unique: return unique(part)
        default: preconditionFailure("\(part.operation) yields no truth: the compiler checks types")
        }
    }

    private static func truth(of value: FieldValue) -> Truth {
        guard case .boolean(let truth) = value else { return .unknown }
        return Truth(truth)
    }

    @inline(__always) private static func holds(_ comparison: Comparison, _ a: Decimal, _ b: Decimal) -> Bool {
        if comparison.isEquality {
            return (a.scale == b.scale && a.coefficient == b.coefficient) == (comparison == .equal)
        }
        // Equal scales need no alignment; most comparisons are of whole numbers or of amounts with zero.
        let isLess = a.scale == b.scale ? a.coefficient < b.coefficient : a < b
        switch comparison {
        case .less: return isLess
        case .greaterOrEqual: return !isLess
        case .greater: return a.scale == b.scale ? a.coefficient > b.coefficient : b < a
        default: return a.scale == b.scale ? a.coefficient <= b.coefficient : !(b < a)
        }
    }

    private static func holds(_ comparison: Comparison, _ a: ByteString, _ b: ByteString) -> Bool {
        switch comparison {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: !(b < a)
        case .greater: b < a
        case .greaterOrEqual: !(a < b)
        }
    }

    private mutating func quantified(_ part: RuleProgram.Part, decisive: Truth) -> Truth {
        guard let count = rows(part.a)?.count else { return .unknown }
        var answer = decisive.inverted
        let outer = row
        defer { row = outer }
        for index in 0..<count {
            row = index
            let value = truth(part.b)
            if failure != nil { return .unknown }
            if value == decisive {
                if decisive == .no { failedRow = index }
                return decisive
            }
            if value == .unknown { answer = .unknown }
        }
        return answer
    }

    /// Whether an `all` that failed at ``failedRow`` fails at a later row too, which is then ``failedRow``.
    mutating func failsLater(_ index: Int32) -> Bool {
        let part = program.parts[Int(index)]
        guard let last = failedRow, let count = rows(part.a)?.count else { return false }
        defer { row = 0 }
        for index in (last + 1)..<max(last + 1, count) {
            row = index
            let value = truth(part.b)
            if failure != nil { return false }
            if value == .no {
                failedRow = index
                return true
            }
        }
        return false
    }

    /// Times by their instant, however they are written.
    private static func isSame(_ a: FieldValue, _ b: FieldValue) -> Bool {
        if case .time(let x) = a, case .time(let y) = b { return x.instant == y.instant }
        return a == b
    }

    /// Null cells differ from everything.
    private mutating func unique(_ part: RuleProgram.Part) -> Truth {
        guard let rows = rows(part.a), spend(rows.count) else { return .unknown }
        if rows.count <= 8 {
            // Comparing few cells is cheaper than hashing them.
            for later in rows.indices.dropFirst() where !rows[later][Int(part.b)].isNull {
                for earlier in 0..<later where Self.isSame(rows[earlier][Int(part.b)], rows[later][Int(part.b)]) {
                    failedRow = later
                    return .no
                }
            }
            return .yes
        }
        var seen: Set<FieldValue> = []
        for (index, cells) in rows.enumerated() {
            var value = cells[Int(part.b)]
            if case .time(let time) = value { value = .decimal(Decimal(Int(time.instant.micros))) }
            if !value.isNull, !seen.insert(value).inserted {
                failedRow = index
                return .no
            }
        }
        return .yes
    }
}
