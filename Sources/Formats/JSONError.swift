public import Primitives

/// The bounds of one JSON value; a parse that would exceed one ends with an error.
public struct JSONLimits: Sendable, Hashable {
    /// Bytes of the whole text with its surrounding white space; at most 2^31.
    public var bytesMax = 1 << 20
    /// Containers inside each other; the root container has depth 1.
    public var depthMax = 32
    /// Values and keys together; at most 2^28 - 1.
    public var nodesMax = 100_000
    public var membersMax = 10_000
    /// Bytes between the quotes, before unescaping.
    public var stringBytesMax = 1 << 20
    public var numberBytesMax = 100

    public init() {}

    public static let standard = JSONLimits()
}

/// Why a text is not accepted as JSON, and where.
public struct JSONError: OperationalError, Hashable {
    public enum Problem: String, Sendable, CaseIterable {
        case unexpectedByte = "json.unexpected_byte"
        case unexpectedEnd = "json.unexpected_end"
        case trailingBytes = "json.trailing_bytes"
        case trailingComma = "json.trailing_comma"
        case byteOrderMark = "json.byte_order_mark"
        case wordUnknown = "json.word_unknown"
        case notFinite = "json.number_not_finite"
        case numberInvalid = "json.number_invalid"
        case leadingZero = "json.number_leading_zero"
        case escapeInvalid = "json.escape_invalid"
        case loneSurrogate = "json.lone_surrogate"
        case controlByte = "json.control_byte"
        case utf8Invalid = "json.utf8_invalid"
        case duplicateKey = "json.duplicate_key"
        case notAnArray = "json.not_an_array"
        case tooLarge = "json.too_large"
        case tooDeep = "json.too_deep"
        case tooManyNodes = "json.too_many_nodes"
        case tooManyMembers = "json.too_many_members"
        case tooManyValues = "json.too_many_values"
        case stringTooLong = "json.string_too_long"
        case numberTooLong = "json.number_too_long"
    }

    public let problem: Problem
    /// Byte offset from the start of the parsed range, where the problem was noticed.
    public let offset: Int
    /// The exceeded limit, or 0.
    public let limit: Int

    @usableFromInline init(_ problem: Problem, at offset: Int, limit: Int = 0) {
        self.problem = problem
        self.offset = offset
        self.limit = limit
    }

    public var code: String { problem.rawValue }
    public var domain: ErrorDomain { .user }
    public var retry: RetryHint { .never }

    public var description: String { "JSON at byte \(offset): \(sentence)" }

    private var sentence: String {
        switch problem {
        case .unexpectedByte: "this byte cannot stand here."
        case .unexpectedEnd: "the text ends inside a value; send the whole value."
        case .trailingBytes: "something follows the value; send exactly one value."
        case .trailingComma: "a comma before a closing bracket is not allowed; remove it."
        case .byteOrderMark: "a byte order mark is not allowed; send UTF-8 without it."
        case .wordUnknown: "only true, false and null may stand without quotes."
        case .notFinite: "NaN and Infinity are not JSON; send null or leave the field out."
        case .numberInvalid: "the number is not complete; write digits as in -12.5e3."
        case .leadingZero: "a number must not begin with 0 and another digit; send it as a string."
        case .escapeInvalid: "the escape is unknown; use one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX."
        case .loneSurrogate: "half of a surrogate pair stands alone; send both halves."
        case .controlByte: "a control byte stands in a string; escape it as \\u00XX."
        case .utf8Invalid: "the bytes are not UTF-8; send the text as UTF-8."
        case .duplicateKey: "the key stands twice in one object; send it once."
        case .notAnArray: "the text is not an array; begin it with [."
        case .tooLarge: "the value exceeds the limit of \(limit) bytes; split it."
        case .tooDeep: "containers exceed the depth limit of \(limit); flatten the value."
        case .tooManyNodes: "the value exceeds the limit of \(limit) values and keys; split it."
        case .tooManyMembers: "the object exceeds the limit of \(limit) members; split it."
        case .tooManyValues: "the body exceeds the limit of \(limit) values; split it."
        case .stringTooLong: "the string exceeds the limit of \(limit) bytes; shorten it."
        case .numberTooLong: "the number exceeds the limit of \(limit) bytes; shorten it or send it as a string."
        }
    }
}
