import Ports
import Primitives
import RetailModel
import Tables

/// The rows of a store that knows no SQL, in the form that they are compared in. In memory: for tests.
struct StoreRows {
    let rows: RowSet

    init(_ store: any TableStore) throws {
        var names: [String: [Int64: [Cell]]] = [:]
        for (column, reference) in TableShape.references {
            guard let table = RetailTables.all.first(where: { $0.name == reference.table }) else { continue }
            for row in try store.rows(of: table, prefix: []) {
                names[column, default: [:]][row[0].integer ?? 0] = reference.parts.map { row[table.index(of: $0)] }
            }
        }
        var sink = RowSink(nil, bufferBytes: 0, keeping: .all)
        var writer = RowWriter()
        for shape in TableShape.all {
            for row in try store.rows(of: shape.table, prefix: []) {
                let values = shape.cells.map { Self.value($0, row, shape, names) }
                let isZero = values[shape.keyCells...].allSatisfy { $0 == .integer(0) || $0 == .wide(0) }
                if shape.table.kind == .sum, isZero { continue }
                writer.begin(shape)
                for value in values { writer.cell(value) }
                try writer.end(into: &sink)
            }
        }
        rows = try sink.finish()
    }

    /// Null where a surrogate id stands for nothing.
    private static func value(
        _ cell: TableShape.Cell,
        _ row: [Cell],
        _ shape: TableShape,
        _ names: [String: [Int64: [Cell]]]
    ) -> Cell {
        let value = row[shape.table.index(of: cell.column.name)]
        guard let part = cell.part else { return cell.column.kind == .wide ? .wide(value.wide) : value }
        guard let id = value.integer, let name = names[cell.column.name]?[id],
            let index = TableShape.references[cell.column.name]?.parts.firstIndex(of: part)
        else { return .null }
        return name[index]
    }
}
