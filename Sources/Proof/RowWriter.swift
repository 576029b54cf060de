import Primitives
package import Tables

/// A natural key that stands in the place of a surrogate id.
struct NaturalName: Hashable {
    var source: ByteString
    var key: ByteString
}

/// Writes one row after the other in the form of ``TableShape``. The cells of a row come in the order of its shape.
struct RowWriter {
    private var row = ByteBuilder()
    private var keyLength = 0
    private var shape = TableShape.all[0]
    private var written = 0
    private var keyCells = 0, cells = 0

    mutating func begin(_ shape: TableShape) {
        row.removeAll()
        row.append(shape.number)
        self.shape = shape
        written = 0
        keyCells = shape.keyCells
        cells = shape.cells.count
    }

    private mutating func count() {
        written += 1
        if written == keyCells { keyLength = row.count }
    }

    mutating func int(_ value: Int64) {
        row.appendCell(value)
        count()
    }

    mutating func int(_ value: Int64?) {
        if let value { int(value) } else { null() }
    }

    mutating func text(_ value: ByteString) { value.withSpan { bytes(.text, $0) } }

    mutating func text(_ value: ByteString?) {
        if let value { text(value) } else { null() }
    }

    mutating func text(_ value: Span<UInt8>) { bytes(.text, value) }
    mutating func blob(_ value: [UInt8]) { bytes(.blob, value.span) }
    mutating func blob(_ value: Span<UInt8>) { bytes(.blob, value) }

    mutating func digest(_ value: Digest) {
        if UInt64.hasZeroByte(value.a) || UInt64.hasZeroByte(value.b) || UInt64.hasZeroByte(value.c)
            || UInt64.hasZeroByte(value.d)
        {
            return blob(value.bytes)
        }
        row.append(CellTag.blob.rawValue, bigEndian: UInt128(value.a) << 64 | UInt128(value.b))
        row.appendBigEndian(UInt128(value.c) << 64 | UInt128(value.d))
        row.appendBigEndian(UInt16(1))
        count()
    }

    private mutating func bytes(_ tag: CellTag, _ value: Span<UInt8>) {
        row.appendCell(tag, value)
        count()
    }

    mutating func wide(_ value: Int128) {
        row.append(CellTag.wide.rawValue, bigEndian: UInt128(bitPattern: value) ^ 1 << 127)
        count()
    }

    mutating func null() {
        row.append(CellTag.null.rawValue)
        count()
    }

    mutating func cell(_ cell: Cell) {
        switch cell {
        case .null: null()
        case .integer(let value): int(value)
        case .text(let text): self.text(text)
        case .blob(let blob): blob.withSpan { self.blob($0) }
        case .wideParts, .tooWide: wide(cell.wide)
        }
    }

    /// Cells that are encoded already.
    mutating func cells(_ encoded: ArraySlice<UInt8>, count cells: Int) {
        row.append(encoded.span)
        // Cells that stand for one id are all in the key or all behind it.
        written += cells - 1
        count()
    }

    /// Two cells: source and key.
    mutating func name(_ source: ByteString, _ key: ByteString) {
        text(source)
        text(key)
    }

    mutating func end(into sink: inout RowSink) throws(ProofError) {
        precondition(written == cells, "a row of \(shape.table.name) has other cells than its table")
        try sink.add(row.bytes, keyLength: keyLength)
    }
}

/// A row that was read back, for people and tests.
package struct CanonicalRow: Sendable, Hashable {
    package let shape: TableShape
    package let cells: [Cell]

    init(_ record: SortedRecord) {
        var reader = KeyReader(record.bytes, at: 1)
        shape = TableShape.all[Int(record.bytes[0])]
        var cells: [Cell] = []
        while !reader.isAtEnd { cells.append(reader.cell()) }
        self.cells = cells
    }

    package subscript(name: String) -> Cell? {
        shape.cells.firstIndex { $0.name == name }.map { cells[$0] }
    }

    /// `column=value` of the cells that are not hidden; parts of one reference are joined with `/`.
    package func text(_ range: Range<Int>, hiding: Set<String> = []) -> String {
        var words: [(column: String, word: String)] = []
        for at in range {
            let cell = shape.cells[at]
            let column = cell.column.name
            if hiding.contains(column) { continue }
            let value = CellText.text(cells[at], cell.column)
            if let last = words.last, last.column == column {
                words[words.count - 1].word += "/" + value
            } else {
                words.append((column, (cell.part == nil ? column : String(column.dropLast(3))) + "=" + value))
            }
        }
        return words.map(\.word).joined(separator: " ")
    }

    package var keyText: String { text(0..<shape.keyCells) }

    package static func == (a: Self, b: Self) -> Bool { a.shape.number == b.shape.number && a.cells == b.cells }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(shape.number)
        hasher.combine(cells)
    }
}

/// Values of cells for people.
enum CellText {
    static func text(_ cell: Cell, _ column: Column) -> String {
        switch cell {
        case .null: return "null"
        case .tooWide: return "more than 96 bits"
        case .wideParts:
            return column.meaning.contains("thousandths") ? String(cell.wide) : MoneyScale.text(cell.wide)
        case .text(let text): return shown(text)
        case .blob(let blob): return Hex.text(blob.bytes.prefix(64))
        case .integer(let value):
            if column.name == "currency", let currency = Currency(code: value) { return currency.description }
            if column.name == "day" { return CivilTime(epochSeconds: value * 86_400).dateText }
            if column.meaning.contains("money") { return MoneyScale.text(Int128(value)) }
            return String(value)
        }
    }

    private static func shown(_ text: ByteString) -> String {
        let plain = String(decoding: text.bytes.prefix(200), as: UTF8.self)
        return plain.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 } ? plain : plain.quotedForMessage
    }
}
