import Ports
import Primitives
import RetailModel
import Tables

/// The rows of the tables as they are, in the form that they are compared in, and what sums of them must agree.
struct LiveRows {
    let rows: RowSet
    let documents: DocumentTotals

    /// Reads every table of one snapshot in bounded memory.
    init(
        _ snapshot: any TableSnapshot,
        _ scratch: Scratch?,
        bufferBytes: Int,
        keeping: TableSet = .all
    ) throws {
        // Documents are always joined: a line's totals need the state of its document.
        let named = TableShape.references.filter { $0.value.table != RetailTables.document.name }
        let names = try named.compactMapValues { try LiveNames($0, snapshot) }
        var reader = LiveRowReader(RowSink(scratch, bufferBytes: bufferBytes, keeping: keeping), names)
        for shape in TableShape.all {
            reader.begin(shape)
            let columns = DocumentTotals.columns(of: shape.table)
            try snapshot.visit(shape.select(named: Set(names.keys), and: columns), &reader)
        }
        rows = try reader.sink.finish()
        documents = reader.documents
    }
}

/// Takes the selected rows of one table after the other.
private struct LiveRowReader: RowVisitor {
    /// What a selected column is.
    private enum Kind { case plain, high, low, name(LiveNames), extra }

    var sink: RowSink
    var documents = DocumentTotals()
    private var writer = RowWriter()
    private var shape = TableShape.all[0]
    private var isSum = false
    private var kinds: [Kind] = []
    private var column = 0
    private var cell = 0
    /// A row of a sum that is all zeros says the same as no row.
    private var isZero = true
    private var high: Int64 = 0
    /// Of the columns that ``DocumentTotals`` asks for.
    private var extras: [Int64] = []

    private let names: [String: LiveNames]

    init(_ sink: RowSink, _ names: [String: LiveNames]) {
        self.sink = sink
        self.names = names
    }

    mutating func begin(_ shape: TableShape) {
        self.shape = shape
        isSum = shape.table.kind == .sum
        kinds = shape.cells.flatMap { cell -> [Kind] in
            if let names = names[cell.column.name] { return cell.isFirstPart ? [.name(names)] : [] }
            return cell.column.kind == .wide ? [.high, .low] : [.plain]
        }
        kinds += DocumentTotals.columns(of: shape.table).map { _ in .extra }
        beginRow()
    }

    private mutating func beginRow() {
        writer.begin(shape)
        column = 0
        cell = 0
        isZero = true
        extras.removeAll(keepingCapacity: true)
    }

    private var isKey: Bool { cell < shape.keyCells }

    mutating func integer(_ value: Int64) {
        let kind = kinds[column]
        column += 1
        switch kind {
        case .plain:
            writer.int(value)
            if isSum, value != 0, !isKey { isZero = false }
        case .high:
            high = value
            return
        case .low:
            let wide = Int128(high) << 32 + Int128(value)
            writer.wide(wide)
            if wide != 0 { isZero = false }
        case .name(let names):
            if let cells = names.cells(of: value) {
                writer.cells(cells, count: names.cells)
            } else {
                for _ in 0..<names.cells { writer.null() }
            }
            cell += names.cells - 1
        case .extra: return extras.append(value)
        }
        cell += 1
    }

    mutating func null() {
        switch kinds[column] {
        case .high, .low, .name, .extra: integer(0)
        case .plain:
            writer.null()
            other()
        }
    }

    mutating func text(_ bytes: Span<UInt8>) {
        writer.text(bytes)
        other()
    }

    mutating func blob(_ bytes: Span<UInt8>) {
        writer.blob(bytes)
        other()
    }

    private mutating func other() {
        if !isKey { isZero = false }
        column += 1
        cell += 1
    }

    mutating func endRow() throws {
        if !isSum || !isZero { try writer.end(into: &sink) }
        if !extras.isEmpty { documents.add(shape.table, extras) }
        beginRow()
    }
}
