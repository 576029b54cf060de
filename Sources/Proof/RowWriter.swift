import Primitives
package import Tables

/// A natural key that stands in the place of a surrogate id.
struct NaturalName: Hashable {
    var source: ByteString
    var key: ByteString
}

/// Writes one row after the other in the form of ``TableShape``. The cells of a row come in the order of its shape.
struct RowWriter {
    private(set) var bytes: [UInt8] = []
    private(set) var keyLength = 0
    private var shape = TableShape.all[0]
    private var written = 0

    mutating func begin(_ shape: TableShape) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(shape.number)
        self.shape = shape
        written = 0
    }

    private mutating func count() {
        written += 1
        if written == shape.keyCells { keyLength = bytes.count }
    }

    mutating func int(_ value: Int64) {
        bytes.appendCell(value)
        count()
    }

    mutating func int(_ value: Int64?) {
        if let value { bytes.appendCell(value) } else { bytes.append(0) }
        count()
    }

    mutating func text(_ value: ByteString) {
        bytes.appendCell(text: value)
        count()
    }

    mutating func text(_ value: ByteString?) {
        if let value { bytes.appendCell(text: value) } else { bytes.append(0) }
        count()
    }

    mutating func blob(_ value: [UInt8]) {
        bytes.appendCell(blob: value)
        count()
    }

    mutating func wide(_ value: Int128) {
        bytes.appendCell(wide: value)
        count()
    }

    mutating func null() {
        bytes.append(0)
        count()
    }

    mutating func cell(_ cell: Cell) {
        bytes.appendCell(cell)
        count()
    }

    /// Two cells: source and key.
    mutating func name(_ source: ByteString, _ key: ByteString) {
        text(source)
        text(key)
    }

    mutating func end(into sorter: inout Sorter) throws(ProofError) {
        precondition(written == shape.cells.count, "a row of \(shape.table.name) has other cells than its table")
        try sorter.add(bytes, keyLength: keyLength)
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
        case .wide(let value): return column.meaning.contains("thousandths") ? String(value) : MoneyScale.text(value)
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
