/// One row of a CSV file as a range of ``CSVRowSplitter/bytes``, without its line's end.
public struct CSVRow: Sendable, Hashable {
    public let range: Range<Int>
    /// 1-based; a header is row 1, and blank lines count.
    public let number: Int
    /// 1-based line of the file where the row begins; differs from `number` after fields with line feeds.
    public let line: Int
    /// `unterminatedQuote` when the file ended inside a quoted field; `range` still holds the bytes.
    public let error: CSVError?
}

/// Cuts a file that arrives in chunks into rows. Call ``feed(_:)``, then ``nextRow()`` until nil, and so on; after the
/// last chunk ``finish()`` and ``nextRow()`` until nil.
///
/// A quote opens a quoted field only where a field begins; there, line ends and separators are data and a doubled
/// quote is one quote. Elsewhere a quote is data (`15" RULER`). LF and CRLF end a row; a lone CR is data. A UTF-8 byte
/// order mark at the very start is dropped. A blank line is a row with an empty range. How the file was cut into chunks
/// makes no difference. Memory: one row of at most `rowBytesMax` plus one chunk.
public struct CSVRowSplitter: Sendable {
    private enum Place { case start, plain, quoted, afterQuote }

    /// How far the bytes are scanned, and what the scan knows.
    private struct Cursor {
        var place = Place.start
        var rowStart = 0
        var scanned = 0
        var line = 1

        /// Advances `scanned`; returns the offset of the LF that ends the row, or nil at the end of the bytes.
        mutating func scan(_ span: Span<UInt8>, _ dialect: CSVDialect) -> Int? {
            let end = span.count
            let quote = dialect.quote
            while scanned < end {
                switch place {
                case .start, .plain:
                    let at = ByteScan.find(span, scanned, end, quote, 0x0A, 0x0A)
                    scanned = at
                    guard at < end else { return nil }
                    scanned += 1
                    if span[at] == 0x0A {
                        line += 1
                        return at
                    }
                    if at == rowStart || span[at - 1] == dialect.separator { place = .quoted }
                case .quoted:
                    let at = ByteScan.find(span, scanned, end, quote, 0x0A, 0x0A)
                    scanned = at
                    guard at < end else { return nil }
                    scanned += 1
                    if span[at] == 0x0A { line += 1 } else { place = .afterQuote }
                case .afterQuote:
                    if span[scanned] == quote {
                        scanned += 1
                        place = .quoted
                    } else {
                        place = .plain
                    }
                }
            }
            return nil
        }
    }

    public let dialect: CSVDialect
    public let rowBytesMax: Int
    /// What ranges index; changed by ``feed(_:)``, so a row is valid until then.
    public private(set) var bytes: [UInt8] = []
    private var cursor = Cursor()
    private var rowNumber = 1
    private var rowLine = 1
    private var isFinished = false
    private var failure: CSVError?

    /// - Parameters:
    ///   - dialect: Separator and quote.
    ///   - rowBytesMax: Without the line's end; at least 1.
    public init(dialect: CSVDialect = .standard, rowBytesMax: Int = 1 << 20) {
        precondition(rowBytesMax >= 1, "rowBytesMax is at least 1")
        self.dialect = dialect
        self.rowBytesMax = rowBytesMax
    }

    /// Adds the next bytes of the file; the rows handed out before become invalid.
    public mutating func feed(_ chunk: [UInt8]) {
        precondition(!isFinished, "no chunk follows finish()")
        if failure != nil { return }
        if cursor.rowStart == bytes.count {
            bytes = chunk
        } else {
            bytes.removeSubrange(0..<cursor.rowStart)
            bytes.append(contentsOf: chunk)
        }
        cursor.scanned -= cursor.rowStart
        cursor.rowStart = 0
    }

    /// Says that the file has ended.
    public mutating func finish() { isFinished = true }

    /// The next complete row, or nil when more bytes are needed or, after ``finish()``, at the end.
    ///
    /// - Throws: `rowTooLarge` with row and line; then for good, since nobody can say where the next row begins.
    public mutating func nextRow() throws(CSVError) -> CSVRow? {
        if let failure { throw failure }
        if cursor.place == .start, !dropByteOrderMark() { return nil }
        var moving = cursor  // a borrow of the bytes covers all of self
        let found = moving.scan(bytes.span, dialect)
        cursor = moving
        guard let end = found else {
            if bytes.count - cursor.rowStart > rowBytesMax + 1 { throw tooLarge() }
            return isFinished ? try lastRow() : nil
        }
        let trimmed = end > cursor.rowStart && bytes[end - 1] == 0x0D ? end - 1 : end
        return try row(to: trimmed, next: end + 1, error: nil)
    }

    /// False while the first bytes may still become a byte order mark.
    private mutating func dropByteOrderMark() -> Bool {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if bytes.starts(with: mark) {
            cursor.rowStart = 3
            cursor.scanned = 3
        } else if bytes.count < 3, !isFinished, mark.starts(with: bytes) {
            return false
        }
        cursor.place = .plain
        return true
    }

    private mutating func lastRow() throws(CSVError) -> CSVRow? {
        guard cursor.rowStart < bytes.count else { return nil }
        let error =
            cursor.place == .quoted
            ? CSVError(.unterminatedQuote, row: rowNumber, line: rowLine, offset: bytes.count - cursor.rowStart) : nil
        return try row(to: bytes.count, next: bytes.count, error: error)
    }

    private mutating func row(to end: Int, next: Int, error: CSVError?) throws(CSVError) -> CSVRow {
        if end - cursor.rowStart > rowBytesMax { throw tooLarge() }
        let row = CSVRow(range: cursor.rowStart..<end, number: rowNumber, line: rowLine, error: error)
        rowNumber += 1
        rowLine = cursor.line
        cursor.rowStart = next
        cursor.place = .plain
        return row
    }

    private mutating func tooLarge() -> CSVError {
        let error = CSVError(.rowTooLarge, row: rowNumber, line: rowLine, offset: rowBytesMax, limit: rowBytesMax)
        failure = error
        bytes = []
        cursor.rowStart = 0
        cursor.scanned = 0
        return error
    }
}
