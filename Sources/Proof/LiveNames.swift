import Ports
import Primitives
import RetailModel
import Tables

/// The natural keys that stand in the place of the ids of one small table, encoded as the cells of a row: looking them
/// up here costs a third of a join for every row (measured).
struct LiveNames: Sendable {
    /// Cells of one name.
    let cells: Int
    private var places: [Int64: Range<Int>] = [:]
    private var bytes: [UInt8] = []

    /// Nil for a table of more than ``ProofLimits/liveNamesMax`` rows.
    init?(_ reference: TableShape.Reference, _ snapshot: any TableSnapshot) throws {
        cells = reference.parts.count
        let columns = reference.parts.map { "\"\($0)\"" }.joined(separator: ", ")
        let sql = "SELECT id, \(columns) FROM \"\(reference.table)\" LIMIT \(ProofLimits.liveNamesMax + 1)"
        let rows = try snapshot.query(sql, [], limit: ProofLimits.liveNamesMax + 1)
        if rows.count > ProofLimits.liveNamesMax { return nil }
        for row in rows {
            let start = bytes.count
            for cell in row.dropFirst() { bytes.appendCell(text: cell.bytes ?? "") }
            places[row[0].integer ?? 0] = start..<bytes.count
        }
    }

    /// The cells of a name; nil for an id that stands for nothing.
    func cells(of id: Int64) -> ArraySlice<UInt8>? { places[id].map { bytes[$0] } }
}
