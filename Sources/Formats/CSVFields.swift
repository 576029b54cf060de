public import Primitives

/// The fields of one CSV row as ranges of the caller's bytes; reusable, allocates only while its list grows.
///
/// RFC 4180 with one relaxation that real retail exports need: a quote inside a field that does not begin with a quote
/// is data (`15" RULER`). Bytes after a closing quote are an error. A row of zero bytes has one empty field. Pass the
/// array of the last successful parse to the methods that take `bytes`; after an error there are no fields.
public struct CSVFields: Sendable {
    @usableFromInline struct Field: Sendable {
        /// Between the quotes, if any.
        @usableFromInline var range: Range<Int>
        @usableFromInline var isQuoted: Bool
        @usableFromInline var hasDoubledQuotes: Bool

        @usableFromInline init(range: Range<Int>, isQuoted: Bool, hasDoubledQuotes: Bool) {
            self.range = range
            self.isQuoted = isQuoted
            self.hasDoubledQuotes = hasDoubledQuotes
        }
    }

    public let fieldsMax: Int
    @usableFromInline var fields: [Field] = []
    @usableFromInline var quote = UInt8(ascii: "\"")

    public init(fieldsMax: Int = 4_096) {
        precondition(fieldsMax >= 1, "fieldsMax is at least 1")
        self.fieldsMax = fieldsMax
    }

    /// Splits one row, without its line's end, and forgets the one before.
    ///
    /// - Throws: ``CSVError`` with the offset from the row's start; its row and line are 0.
    public mutating func parse(
        _ bytes: [UInt8],
        in range: Range<Int>,
        dialect: CSVDialect = .standard
    ) throws(CSVError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies inside the bytes")
        fields.removeAll(keepingCapacity: true)
        quote = dialect.quote
        do throws(CSVError) {
            try split(bytes.span, range, dialect)
        } catch {
            fields.removeAll(keepingCapacity: true)
            throw error
        }
    }

    /// How many fields one row has; nil when it is none.
    public static func count(of row: [UInt8], dialect: CSVDialect) -> Int? {
        var fields = CSVFields()
        do throws(CSVError) {
            try fields.parse(row, in: 0..<row.count, dialect: dialect)
        } catch {
            return nil
        }
        return fields.count
    }

    @inlinable public var count: Int { fields.count }
    @inlinable public func isQuoted(_ index: Int) -> Bool { fields[index].isQuoted }
    /// True when the raw bytes differ from the text.
    @inlinable public func hasDoubledQuotes(_ index: Int) -> Bool { fields[index].hasDoubledQuotes }
    /// The field's bytes without the enclosing quotes; doubled quotes are still doubled.
    @inlinable public func raw(_ index: Int) -> Range<Int> { fields[index].range }

    /// The field's content.
    @inlinable public func text(_ index: Int, in bytes: [UInt8]) -> ByteString {
        let field = fields[index]
        guard field.hasDoubledQuotes else { return ByteString(bytes[field.range]) }
        var out: [UInt8] = []
        out.reserveCapacity(field.range.count)
        var at = field.range.lowerBound
        while at < field.range.upperBound {
            out.append(bytes[at])
            at += bytes[at] == quote ? 2 : 1
        }
        return ByteString(out)
    }

    private mutating func split(_ bytes: Span<UInt8>, _ range: Range<Int>, _ dialect: CSVDialect) throws(CSVError) {
        let start = range.lowerBound
        let end = range.upperBound
        let separator = dialect.separator
        var at = start
        while true {
            if fields.count >= fieldsMax { throw CSVError(.tooManyFields, offset: at - start, limit: fieldsMax) }
            if at < end, bytes[at] == quote {
                at = try quoted(bytes, start, at, end)
                guard at < end else { return }
                guard bytes[at] == separator else { throw CSVError(.bytesAfterQuote, offset: at - start) }
            } else {
                let stop = ByteScan.find(bytes, at, end, separator, separator, separator)
                fields.append(Field(range: at..<stop, isQuoted: false, hasDoubledQuotes: false))
                guard stop < end else { return }
                at = stop
            }
            at += 1
        }
    }

    /// A field whose opening quote is at `from`; returns the offset behind its closing quote.
    private mutating func quoted(
        _ bytes: Span<UInt8>,
        _ rowStart: Int,
        _ from: Int,
        _ end: Int
    ) throws(CSVError) -> Int {
        var at = from + 1
        var doubled = false
        while true {
            at = ByteScan.find(bytes, at, end, quote, quote, quote)
            guard at < end else { throw CSVError(.unterminatedQuote, offset: from - rowStart) }
            guard at + 1 < end, bytes[at + 1] == quote else { break }
            doubled = true
            at += 2
        }
        fields.append(Field(range: from + 1..<at, isQuoted: true, hasDoubledQuotes: doubled))
        return at + 1
    }
}
