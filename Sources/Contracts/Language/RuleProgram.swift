import Primitives

/// What an expression yields.
enum RuleType: Equatable {
    case decimal, text, truth, time, null

    init?(_ type: FieldType) {
        switch type {
        case .text, .uuid: self = .text
        case .integer, .decimal, .money: self = .decimal
        case .boolean: self = .truth
        case .time: self = .time
        case .list: return nil
        }
    }

    var phrase: String {
        switch self {
        case .decimal: "a number"
        case .text: "a text"
        case .truth: "true or false"
        case .time: "a time"
        case .null: "null"
        }
    }
}

/// True, false, or unknown because a value is null. A check holds unless it is false (as in SQL's CHECK); a guard
/// applies only when it is true.
enum Truth: UInt8, Sendable {
    case no, yes, unknown

    init(_ value: Bool) { self = value ? .yes : .no }

    var inverted: Truth {
        switch self {
        case .no: .yes
        case .yes: .no
        case .unknown: .unknown
        }
    }
}

/// All expressions of a contract as one array of small parts that refer to each other and to constants by index:
/// validating an event looks nothing up by name and counts no references for plain numbers. A class: every event gets
/// one, and a copy would count references to all its lists.
final class RuleProgram: Sendable {
    enum Operation: Sendable {
        // Numbers; times are numbers of microseconds here.
        case decimalConstant, decimalField, decimalCell, timeField, timeCell
        case negate, add, subtract, multiply, sum, count, length, number, absolute, round, seconds
        // Texts.
        case textConstant, textField, textCell, lower, upper, concatenate, capture
        // Truths.
        case truthConstant, truthField, truthCell, compareDecimals, compareTexts, compareTruths
        case isNullField, isNullCell, isNullDecimal, isNullText, isNullTruth
        case and, or, not, inDecimals, inTexts, matches, all, any, unique
    }

    /// `a`, `b`, `c`: parts, fields, columns or constants, as the operation says.
    struct Part: Sendable {
        var operation: Operation
        var comparison = Comparison.equal
        var a: Int32 = 0
        var b: Int32 = 0
        var c: Int32 = 0
    }

    /// What the compiler fills.
    struct Draft {
        var parts: [Part] = []
        var decimals: [Decimal] = []
        var texts: [ByteString] = []
        var decimalLists: [Set<Decimal>] = []
        var textLists: [Set<ByteString>] = []
        var patterns: [[Pattern]] = []
    }

    let parts: [Part]
    let decimals: [Decimal]
    let texts: [ByteString]
    let decimalLists: [Set<Decimal>]
    let textLists: [Set<ByteString>]
    /// A text matches when any pattern of the list does.
    let patterns: [[Pattern]]

    init(_ draft: Draft) {
        parts = draft.parts
        decimals = draft.decimals
        texts = draft.texts
        decimalLists = draft.decimalLists
        textLists = draft.textLists
        patterns = draft.patterns
    }
}
