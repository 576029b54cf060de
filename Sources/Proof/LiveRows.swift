import Ports
import Primitives
import RetailModel
import Tables

/// The rows of the tables as they are, in the form that they are compared in.
struct LiveRows {
    let rows: SortedRuns

    /// Reads every table of one snapshot in bounded memory.
    init(_ snapshot: any TableSnapshot, _ scratch: Scratch?, bufferBytes: Int) throws {
        var sorter = Sorter(scratch, bufferBytes: bufferBytes)
        var writer = RowWriter()
        for shape in TableShape.all {
            try snapshot.forEach(shape.select, []) { selected in
                if try Self.write(selected, shape, &writer) { try writer.end(into: &sorter) }
            }
        }
        rows = try sorter.finish()
    }

    /// False for a row of a sum that is all zeros: it says the same as no row.
    private static func write(_ selected: [Cell], _ shape: TableShape, _ writer: inout RowWriter) throws -> Bool {
        writer.begin(shape)
        var at = 0
        var isZero = true
        for (number, cell) in shape.cells.enumerated() {
            if cell.column.kind == .wide {
                let value = Int128(selected[at].integer ?? 0) << 32 + Int128(selected[at + 1].integer ?? 0)
                writer.wide(value)
                isZero = isZero && value == 0
                at += 2
            } else {
                writer.cell(selected[at])
                if number >= shape.keyCells, selected[at] != .integer(0) { isZero = false }
                at += 1
            }
        }
        return shape.table.kind == .state || !isZero
    }
}
