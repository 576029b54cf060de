public import Primitives

/// Which bytes structure a CSV file; lines end with LF or CRLF.
public struct CSVDialect: Sendable, Hashable {
    public let separator: UInt8
    public let quote: UInt8

    /// Two different bytes, neither CR nor LF; anything else is a bug of the caller.
    public init(separator: UInt8 = UInt8(ascii: ","), quote: UInt8 = UInt8(ascii: "\"")) {
        precondition(
            separator != quote && ![0x0A, 0x0D].contains(separator) && ![0x0A, 0x0D].contains(quote),
            "separator and quote are different bytes and not CR or LF"
        )
        self.separator = separator
        self.quote = quote
    }

    public static let standard = CSVDialect()
}

/// Why a row is not accepted.
public struct CSVError: OperationalError, Hashable {
    public enum Problem: String, Sendable, CaseIterable {
        case rowTooLarge = "csv.row_too_large"
        case unterminatedQuote = "csv.unterminated_quote"
        case bytesAfterQuote = "csv.bytes_after_quote"
        case tooManyFields = "csv.too_many_fields"
    }

    public let problem: Problem
    /// 1-based row; 0 when only the row's bytes were at hand.
    public let row: Int
    /// 1-based line of the file where the row begins; 0 when only the row's bytes were at hand.
    public let line: Int
    /// Byte offset from the row's start.
    public let offset: Int
    /// The exceeded limit, or 0.
    public let limit: Int

    init(_ problem: Problem, row: Int = 0, line: Int = 0, offset: Int = 0, limit: Int = 0) {
        self.problem = problem
        self.row = row
        self.line = line
        self.offset = offset
        self.limit = limit
    }

    public var code: String { problem.rawValue }
    public var domain: ErrorDomain { .user }
    public var retry: RetryHint { .never }

    public var description: String {
        let place = row > 0 ? "CSV row \(row) (line \(line)), byte \(offset): " : "CSV row, byte \(offset): "
        return switch problem {
        case .rowTooLarge: place + "the row exceeds the limit of \(limit) bytes; look for a quote without its partner."
        case .unterminatedQuote: place + "the quoted field has no closing quote; add it or double inner quotes."
        case .bytesAfterQuote: place + "something follows a closing quote; double the quotes inside a quoted field."
        case .tooManyFields: place + "the row exceeds the limit of \(limit) fields; check the separator."
        }
    }
}
