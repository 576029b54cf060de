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
            let columns = DocumentTotals.columns(of: shape.table)
            let selected = shape.selected(named: Set(names.keys))
            let others = columns.filter { !selected.contains($0) }
            reader.begin(shape, (selected + others).map { columns.firstIndex(of: $0) ?? -1 })
            try snapshot.visit(shape.select(named: Set(names.keys), and: others), &reader)
        }
        rows = try reader.sink.finish()
        documents = reader.documents
    }
}

/// Takes the selected rows of one table after the other.
private struct LiveRowReader: RowVisitor {
    /// What a selected column is; beside it, where it is kept in ``extras`` too, or −1.
    private enum Kind {
        case plain, high, low, extra
        /// Index in ``tables``.
        case name(Int)
    }

    var sink: RowSink
    var documents = DocumentTotals()
    private var writer = RowWriter()
    private var shape = TableShape.all[0]
    private var isSum = false
    private var columns: [(kind: Kind, place: Int)] = []
    private var isLine = false
    private var column = 0
    private var cell = 0
    /// A row of a sum that is all zeros says the same as no row.
    private var isZero = true
    private var high: Int64 = 0
    /// Of the columns that ``DocumentTotals`` asks for.
    private var extras: [Int64] = []

    /// By column.
    private let names: [String: Int]
    private let tables: [LiveNames]

    init(_ sink: RowSink, _ names: [String: LiveNames]) {
        self.sink = sink
        let columns = names.keys.sorted()
        self.names = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, $0) })
        tables = columns.compactMap { names[$0] }
    }

    /// - Parameter places: For each selected column its place among those of ``DocumentTotals``, or −1.
    mutating func begin(_ shape: TableShape, _ places: [Int]) {
        self.shape = shape
        isSum = shape.table.kind == .sum
        isLine = shape.table.name == RetailTables.line.name
        var kinds = shape.cells.flatMap { cell -> [Kind] in
            if let table = names[cell.column.name] { return cell.isFirstPart ? [.name(table)] : [] }
            return cell.column.kind == .wide ? [.high, .low] : [.plain]
        }
        for _ in kinds.count..<places.count { kinds.append(.extra) }
        columns = Array(zip(kinds, places))
        extras = [Int64](repeating: 0, count: places.count { $0 >= 0 })
        beginRow()
    }

    private mutating func beginRow() {
        writer.begin(shape)
        column = 0
        cell = 0
        isZero = true
    }

    private var isKey: Bool { cell < shape.keyCells }

    mutating func integer(_ value: Int64) {
        let (kind, place) = columns[column]
        if place >= 0 { extras[place] = value }
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
        case .name(let table):
            let count = tables[table].cells
            if let cells = tables[table].cells(of: value) {
                writer.cells(cells, count: count)
            } else {
                for _ in 0..<count { writer.null() }
            }
            cell += count - 1
        case .extra: return
        }
        cell += 1
    }

    mutating func null() {
        switch columns[column].kind {
        case .high, .low, .name, .extra: integer(0)
        case .plain:
            if columns[column].place >= 0 { extras[columns[column].place] = 0 }
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
        if !extras.isEmpty {
            if isLine { documents.add(line: extras) } else { documents.add(document: extras) }
        }
        beginRow()
    }
}
