import Primitives

/// What is known of a row beyond the limit while its end is looked for.
struct SkippedRow {
    var head: [UInt8] = []
    var size = 0
    let digest = DigestStream()
    /// Whether what follows is the middle of a line.
    var isInsideLine = false

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        head += bytes.prefix(CutRow.headMax - head.count)
        size += bytes.count
        digest.add(bytes)
    }
}

/// Where rows go on after a quote without its partner, or a row that is too large.
extension CSVRowSplitter {
    /// Every byte of the file may be read again so many times in search of rows, so that no file costs its square.
    static let rescansMax = 16

    /// Whether these bytes are a row with as many fields as wanted.
    mutating func isRow(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        do throws(CSVError) {
            try parser.parse(bytes, in: range, dialect: dialect)
        } catch {
            return false
        }
        return parser.count == fieldsWanted
    }

    /// The line that begins at `start`, and the offset behind its end; nil when it does not end before `limit`.
    private func line(at start: Int, before limit: Int) -> (range: Range<Int>, next: Int)? {
        let end = ByteScan.find(bytes.span, start, limit, cursor.lineEnd, cursor.lineEnd, cursor.lineEnd)
        guard end < limit else { return nil }
        return (start..<trimmed(end, from: start), end + 1)
    }

    private func trimmed(_ end: Int, from start: Int) -> Int {
        cursor.lineEnd == 0x0A && end > start && bytes[end - 1] == 0x0D ? end - 1 : end
    }

    /// A line of the current row, behind its first, that is a row by itself.
    struct FoundLine {
        /// Where it begins, and the line's end before it.
        var start: Int, endBefore: Int
        /// Lines of the row before it.
        var lines: Int
    }

    /// - Parameter endsThere: Whether `limit` is the row's end, and with it that of its last line.
    mutating func nextLineThatIsARow(until limit: Int, endsThere: Bool) -> FoundLine? {
        guard spendRescan(to: limit), var (_, at) = line(at: cursor.rowStart, before: limit) else { return nil }
        var lines = 1
        while at < limit {
            guard let next = line(at: at, before: limit) ?? (endsThere ? (at..<limit, limit) : nil) else { break }
            if isRow(next.range) { return FoundLine(start: at, endBefore: at - 1, lines: lines) }
            lines += 1
            at = next.next
        }
        return nil
    }

    /// How many lines of a row behind its first are rows by themselves.
    mutating func rowLikeLines(until limit: Int) -> Int {
        guard spendRescan(to: limit), var (_, at) = line(at: cursor.rowStart, before: limit) else {
            return 0
        }
        var count = 0
        while at < limit {
            let next = line(at: at, before: limit) ?? (at..<limit, limit)
            if isRow(next.range) { count += 1 }
            at = next.next
        }
        return count
    }

    /// Whether the current row may be read again; by its place in the file, not by how the file was cut into chunks.
    private mutating func spendRescan(to limit: Int) -> Bool {
        let count = limit - cursor.rowStart
        guard rescanned + count <= Self.rescansMax * (bytesBefore + limit) else { return false }
        rescanned += count
        return true
    }

    /// The current row as far as a line that is a row; that line is next.
    mutating func rowBefore(_ found: FoundLine) -> CSVRow {
        let end = trimmed(found.endBefore, from: cursor.rowStart)
        let error = CSVError(.unterminatedQuote, row: rowNumber, line: rowLine, offset: end - cursor.rowStart)
        cursor.line = rowLine + found.lines
        cursor.scanned = found.start
        return emit(cursor.rowStart..<end, lines: found.lines, next: found.start, error: error)
    }

    /// A row has more bytes than a row may have.
    mutating func tooLarge() -> CSVRow? {
        // At least as many bytes are there, however the file was cut.
        let limit = cursor.rowStart + rowBytesMax + 1
        if fieldsWanted != nil, let found = nextLineThatIsARow(until: limit, endsThere: false) {
            return rowBefore(found)
        }
        skipped = SkippedRow()
        // Read again from its start, now to be dropped.
        cursor.line = rowLine
        cursor.scanned = cursor.rowStart
        cursor.place = .plain
        return restOfSkipped()
    }

    /// Drops what belongs to a row beyond the limit; the row, cut, once its end is known.
    mutating func restOfSkipped() -> CSVRow? {
        fieldsWanted == nil ? skipToEndOfRow() : skipToNextRow()
    }

    /// By the quotes.
    private mutating func skipToEndOfRow() -> CSVRow? {
        var moving = cursor
        let found = moving.scan(bytes.span, dialect)
        cursor = moving
        if let end = found {
            drop(to: trimmed(end, from: cursor.rowStart))
            return endOfSkipped(next: end + 1)
        }
        if isFinished {
            drop(to: bytes.count)
            return endOfSkipped(next: bytes.count)
        }
        // Two bytes stay: whether a quote opens a field depends on the byte before it, and a CR may end the line.
        drop(to: max(cursor.rowStart, bytes.count - 2))
        return nil
    }

    /// To the next line that is a row by itself, whatever quotes are open.
    private mutating func skipToNextRow() -> CSVRow? {
        while true {
            let start = cursor.rowStart
            let isFirst = skipped?.size == 0
            guard let (range, next) = line(at: start, before: bytes.count) else {
                if isFinished {
                    let isInside = skipped?.isInsideLine ?? false
                    if !isFirst, !isInside, bytes.count - start <= rowBytesMax, isRow(start..<bytes.count) {
                        return endOfSkipped(next: start)
                    }
                    drop(to: bytes.count)
                    return endOfSkipped(next: bytes.count)
                }
                if bytes.count - start > rowBytesMax + 1 {
                    drop(to: bytes.count)
                    skipped?.isInsideLine = true
                }
                return nil
            }
            let isInside = skipped?.isInsideLine ?? false
            if !isFirst, !isInside, range.count <= rowBytesMax, isRow(range) { return endOfSkipped(next: start) }
            drop(to: next)
            cursor.line += 1
            skipped?.isInsideLine = false
        }
    }

    /// Takes bytes of the skipped row, from where it stands.
    private mutating func drop(to end: Int) {
        guard end > cursor.rowStart else { return }
        skipped?.take(bytes[cursor.rowStart..<end])
        cursor.rowStart = end
        cursor.scanned = max(cursor.scanned, end)
    }

    private mutating func endOfSkipped(next: Int) -> CSVRow? {
        guard let skipped else { return nil }
        self.skipped = nil
        cursor.rowStart = next
        cursor.scanned = next
        let error = CSVError(.rowTooLarge, row: rowNumber, line: rowLine, offset: rowBytesMax, limit: rowBytesMax)
        let cut = CutRow(head: skipped.head, size: skipped.size, digest: skipped.digest.finish())
        return emit(next..<next, lines: max(1, cursor.line - rowLine), next: next, error: error, cut: cut)
    }
}
