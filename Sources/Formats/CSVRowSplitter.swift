public import Primitives

/// One row of a CSV file as a range of ``CSVRowSplitter/bytes``, without its line's end.
public struct CSVRow: Sendable, Hashable {
    /// Empty when the row was cut.
    public let range: Range<Int>
    /// 1-based; a header is row 1, and blank lines count.
    public let number: Int
    /// 1-based line of the file where the row begins; differs from `number` after fields with line feeds.
    public let line: Int
    /// Lines of the file that the row spans, from 1.
    public let lines: Int
    /// `unterminatedQuote` when the file ended inside a quoted field; `range` still holds the bytes.
    public let error: CSVError?
    /// Of the lines that it spans, those that would be rows by themselves: probably a quote without its partner.
    public let rowLikeLines: Int
    /// Set when the row has more bytes than a row may have.
    public let cut: CutRow?
}

/// What is kept of a row beyond the limit.
public struct CutRow: Sendable, Hashable {
    public static let headMax = 4_096
    /// Its first bytes.
    public internal(set) var head: [UInt8]
    /// Bytes of the whole row.
    public internal(set) var size: Int
    /// SHA-256 of the whole row.
    public internal(set) var digest: Digest
}

/// Cuts a file that arrives in chunks into rows. Call ``feed(_:)``, then ``nextRow()`` until nil, and so on; after the
/// last chunk ``finish()`` and ``nextRow()`` until nil.
///
/// A quote opens a quoted field only where a field begins; there, line ends and separators are data and a doubled
/// quote is one quote. Elsewhere a quote is data (`15" RULER`). LF and CRLF end a row; a lone CR is data, unless the
/// file has no LF at all (in its first `rowBytesMax` bytes): then CR ends a row. A UTF-8 byte order mark at the very
/// start is dropped. A blank line is a row with an empty range. How the file was cut into chunks makes no difference.
/// Memory: one row of at most `rowBytesMax` plus one chunk.
///
/// After ``resynchronise(fields:)``, a quote without its partner costs one line: a row of several lines that is no row
/// with that many fields ends before the first of them that is one by itself.
/// Single owner.
public struct CSVRowSplitter {
    enum Place { case start, plain, quoted, afterQuote }

    /// How far the bytes are scanned, and what the scan knows.
    struct Cursor {
        var place = Place.start
        var rowStart = 0
        var scanned = 0
        var line = 1
        var lineEnd: UInt8 = 0x0A

        /// Advances `scanned`; returns the offset of the line end that ends the row, or nil at the end of the bytes.
        mutating func scan(_ span: Span<UInt8>, _ dialect: CSVDialect) -> Int? {
            let end = span.count
            let quote = dialect.quote
            while scanned < end {
                switch place {
                case .start, .plain:
                    let at = ByteScan.find(span, scanned, end, quote, lineEnd, lineEnd)
                    scanned = at
                    guard at < end else { return nil }
                    scanned += 1
                    if span[at] == lineEnd {
                        line += 1
                        return at
                    }
                    if at == rowStart || span[at - 1] == dialect.separator { place = .quoted }
                case .quoted:
                    let at = ByteScan.find(span, scanned, end, quote, lineEnd, lineEnd)
                    scanned = at
                    guard at < end else { return nil }
                    scanned += 1
                    if span[at] == lineEnd { line += 1 } else { place = .afterQuote }
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
    public internal(set) var bytes: [UInt8] = []
    var cursor = Cursor()
    /// False until the first bytes have told which byte ends a row.
    private var knowsLineEnd: Bool
    /// How many of the first bytes were looked at for an LF.
    private var lookedAt = 0
    var rowNumber = 1
    var rowLine = 1
    var isFinished = false
    /// Fields of a row, when the rows after a bad one are looked for.
    var fieldsWanted: Int?
    /// Of a row beyond the limit, while its end is looked for.
    var skipped: SkippedRow?
    var parser = CSVFields()
    /// Bytes of the file before `bytes`.
    var bytesBefore = 0
    /// Bytes that were read again in search of rows.
    var rescanned = 0

    /// - Parameters:
    ///   - dialect: Separator and quote.
    ///   - rowBytesMax: Without the line's end; at least 1.
    ///   - loneCREndsRows: Whether CR ends a row in a file without LF; false where CR is white space, as in NDJSON.
    public init(dialect: CSVDialect = .standard, rowBytesMax: Int = 1 << 20, loneCREndsRows: Bool = true) {
        precondition(rowBytesMax >= 1, "rowBytesMax is at least 1")
        self.dialect = dialect
        self.rowBytesMax = rowBytesMax
        knowsLineEnd = !loneCREndsRows
    }

    /// Adds the next bytes of the file; the rows handed out before become invalid.
    public mutating func feed(_ chunk: [UInt8]) {
        precondition(!isFinished, "no chunk follows finish()")
        bytesBefore += cursor.rowStart
        if cursor.rowStart == bytes.count {
            bytes = chunk
        } else {
            bytes.removeSubrange(0..<cursor.rowStart)
            bytes.append(contentsOf: chunk)
        }
        cursor.scanned -= cursor.rowStart
        cursor.rowStart = 0
    }

    /// From now on, looks for the next row with this many fields after a row that is none; see above.
    public mutating func resynchronise(fields: Int) { fieldsWanted = fields }

    /// Says that the file has ended.
    public mutating func finish() { isFinished = true }

    /// The next complete row, or nil when more bytes are needed or, after ``finish()``, at the end.
    ///
    /// A row beyond the limit comes as what is kept of it (``CSVRow/cut``); it ends with its last quoted field, or before
    /// the next line that is a row.
    public mutating func nextRow() -> CSVRow? {
        if !knowsLineEnd, !findLineEnd() { return nil }
        if skipped != nil { return restOfSkipped() }
        if cursor.place == .start, !dropByteOrderMark() { return nil }
        var moving = cursor  // a borrow of the bytes covers all of self
        let found = moving.scan(bytes.span, dialect)
        cursor = moving
        guard let end = found else {
            if bytes.count - cursor.rowStart > rowBytesMax + 1 { return tooLarge() }
            return isFinished ? lastRow() : nil
        }
        let trimmed = cursor.lineEnd == 0x0A && end > cursor.rowStart && bytes[end - 1] == 0x0D ? end - 1 : end
        return row(to: trimmed, next: end + 1, error: nil)
    }

    /// Decides by the first bytes whether CR ends a row; false while an LF may still follow.
    ///
    /// The look-ahead is a byte order mark and one row of `rowBytesMax` with its line's end: an LF file whose first LF
    /// lies behind that has a first row beyond the limit.
    private mutating func findLineEnd() -> Bool {
        let lookAhead = rowBytesMax + 5
        let end = min(bytes.count, lookAhead)
        let found = ByteScan.find(bytes.span, lookedAt, end, 0x0A, 0x0A, 0x0A)
        lookedAt = end
        guard found < end || end == lookAhead || isFinished else { return false }
        if found == end, ByteScan.find(bytes.span, 0, end, 0x0D, 0x0D, 0x0D) < end { cursor.lineEnd = 0x0D }
        knowsLineEnd = true
        return true
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

    private mutating func lastRow() -> CSVRow? {
        guard cursor.rowStart < bytes.count else { return nil }
        let error =
            cursor.place == .quoted
            ? CSVError(.unterminatedQuote, row: rowNumber, line: rowLine, offset: bytes.count - cursor.rowStart) : nil
        return row(to: bytes.count, next: bytes.count, error: error)
    }

    private mutating func row(to end: Int, next: Int, error: CSVError?) -> CSVRow? {
        if end - cursor.rowStart > rowBytesMax { return tooLarge() }
        // The line's end behind the row was counted; a last row has none.
        let lines = cursor.line - rowLine + (next == end && bytes[end - 1] != cursor.lineEnd ? 1 : 0)
        var rowLike = 0
        if lines > 1, fieldsWanted != nil {
            let isBad = error != nil || !isRow(cursor.rowStart..<end)
            if isBad, let found = nextLineThatIsARow(until: end, endsThere: true) { return rowBefore(found) }
            rowLike = rowLikeLines(until: end)
        }
        return emit(cursor.rowStart..<end, lines: lines, next: next, error: error, rowLike: rowLike)
    }

    mutating func emit(
        _ range: Range<Int>,
        lines: Int,
        next: Int,
        error: CSVError? = nil,
        rowLike: Int = 0,
        cut: CutRow? = nil
    ) -> CSVRow {
        let row = CSVRow(
            range: range,
            number: rowNumber,
            line: rowLine,
            lines: lines,
            error: error,
            rowLikeLines: rowLike,
            cut: cut
        )
        rowNumber += 1
        rowLine = cursor.line
        cursor.rowStart = next
        cursor.place = .plain
        return row
    }
}
