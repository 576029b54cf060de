import Primitives
package import Tables

/// A natural key that stands in the place of a surrogate id.
struct NaturalName: Hashable {
    var source: ByteString
    var key: ByteString
}

/// Writes one row after the other in the form of ``TableShape``. The cells of a row come in the order of its shape.
struct RowWriter {
    /// The row is at its beginning; it only grows, so that a cell costs no allocation.
    private var buffer = [UInt8](repeating: 0, count: 1_024)
    private var end = 0
    private var keyLength = 0
    private var shape = TableShape.all[0]
    private var written = 0

    mutating func begin(_ shape: TableShape) {
        buffer[0] = shape.number
        end = 1
        self.shape = shape
        written = 0
    }

    /// Makes room for so many bytes behind the row.
    private mutating func need(_ count: Int) {
        if end + count > buffer.count { buffer += [UInt8](repeating: 0, count: max(count, buffer.count)) }
    }

    private mutating func count() {
        written += 1
        if written == shape.keyCells { keyLength = end }
    }

    mutating func int(_ value: Int64) {
        need(9)
        // Lifetime: the pointer does not leave the closure; there is room for nine bytes.
        unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe raw[end] = CellTag.integer.rawValue
            let ordered = UInt64(bitPattern: value) ^ 1 << 63
            unsafe raw.storeBytes(of: ordered.bigEndian, toByteOffset: end + 1, as: UInt64.self)
        }
        end += 9
        count()
    }

    mutating func int(_ value: Int64?) {
        if let value { int(value) } else { null() }
    }

    mutating func text(_ value: ByteString) { bytes(.text, value.bytes.span) }

    mutating func text(_ value: ByteString?) {
        if let value { text(value) } else { null() }
    }

    mutating func text(_ value: Span<UInt8>) { bytes(.text, value) }
    mutating func blob(_ value: [UInt8]) { bytes(.blob, value.span) }
    mutating func blob(_ value: Span<UInt8>) { bytes(.blob, value) }

    mutating func digest(_ value: Digest) {
        let parts = (value.a.bigEndian, value.b.bigEndian, value.c.bigEndian, value.d.bigEndian)
        // Lifetime: the pointer to the local value does not leave the closure.
        unsafe withUnsafeBytes(of: parts) { raw in
            unsafe bytes(.blob, raw.bindMemory(to: UInt8.self).span)
        }
    }

    private mutating func bytes(_ tag: CellTag, _ value: Span<UInt8>) {
        // Every zero may become two bytes, and two end the cell.
        need(2 * value.count + 3)
        buffer[end] = tag.rawValue
        end += 1
        for index in value.indices {
            let byte = value[index]
            buffer[end] = byte
            end += 1
            if byte == 0 {
                buffer[end] = 0xFF
                end += 1
            }
        }
        buffer[end] = 0
        buffer[end + 1] = 1
        end += 2
        count()
    }

    mutating func wide(_ value: Int128) {
        need(17)
        // Lifetime: as in ``int(_:)``.
        unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe raw[end] = CellTag.wide.rawValue
            let ordered = UInt128(bitPattern: value) ^ 1 << 127
            unsafe raw.storeBytes(of: ordered.bigEndian, toByteOffset: end + 1, as: UInt128.self)
        }
        end += 17
        count()
    }

    mutating func null() {
        need(1)
        buffer[end] = CellTag.null.rawValue
        end += 1
        count()
    }

    mutating func cell(_ cell: Cell) {
        switch cell {
        case .null: null()
        case .integer(let value): int(value)
        case .text(let text): self.text(text)
        case .blob(let blob): self.blob(blob.bytes)
        case .wideParts, .tooWide: wide(cell.wide)
        }
    }

    /// Cells that are encoded already.
    mutating func cells(_ encoded: ArraySlice<UInt8>, count cells: Int) {
        need(encoded.count)
        for byte in encoded {
            buffer[end] = byte
            end += 1
        }
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
        precondition(written == shape.cells.count, "a row of \(shape.table.name) has other cells than its table")
        try sink.add(buffer[..<end], keyLength: keyLength)
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
