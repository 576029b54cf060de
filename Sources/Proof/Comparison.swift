import Ports
import Primitives
import Tables

/// A place where the tables and the proof disagree.
package struct Difference: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Proved and not in the tables.
        case missing
        /// In the tables and not proved.
        case extra
        /// In both, with other values.
        case differs([Column])
        /// Two sums that must be equal.
        case total(String)
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        package var live: String, proved: String
    }

    package var table: String
    package var key: String
    package var kind: Kind

    package var kindName: String {
        switch kind {
        case .missing: "missing"
        case .extra: "extra"
        case .differs: "differs"
        case .total: "total"
        }
    }

    package var description: String {
        switch kind {
        case .missing: "\(table) \(key): missing in the tables"
        case .extra: "\(table) \(key): extra in the tables"
        case .differs(let columns):
            "\(table) \(key): differs: "
                + columns.map { "\($0.name) live=\($0.live) proved=\($0.proved)" }.joined(separator: ", ")
        case .total(let text): "\(table) \(key): \(text)"
        }
    }
}

/// What a comparison of all rows found.
package struct Comparison: Sendable {
    /// The first ``ProofLimits/differencesShown``.
    package private(set) var differences: [Difference] = []
    package private(set) var differenceCount = 0
    /// Rows of the tables as they are.
    package private(set) var rows = 0
    /// Tables with a difference in a row.
    private var tables = TableSet.none

    /// Walks through the kept rows of both in order of table and key.
    init(live: RowSet, proved: RowSet) throws(ProofError) {
        rows = live.printed
        var lives = live.kept.records()
        var proofs = proved.kept.records()
        var live = try lives.next()
        var proof = try proofs.next()
        while live != nil || proof != nil {
            let order = if let live, let proof { keyOrder(live, proof) } else { live == nil ? 1 : -1 }
            if order == 0, let live, let proof, live.bytes != proof.bytes {
                add(live) { Self.difference(CanonicalRow(live), CanonicalRow(proof)) }
            } else if order < 0, let live {
                add(live) { Self.difference(CanonicalRow(live), .extra) }
            } else if order > 0, let proof {
                add(proof) { Self.difference(CanonicalRow(proof), .missing) }
            }
            if order <= 0 {
                rows += 1
                live = try lives.next()
            }
            if order >= 0 { proof = try proofs.next() }
        }
    }

    private mutating func add(_ row: SortedRecord, _ difference: () -> Difference) {
        tables.insert(row.bytes[0])
        add(difference)
    }

    /// Adds the tables whose fingerprints differed at an earlier position and whose rows now agree.
    mutating func addVanished(_ suspects: TableSet, seenAt: PositionVector, now: PositionVector) {
        for shape in TableShape.all where suspects.contains(shape.number) && !tables.contains(shape.number) {
            let text = "rows differed at \(seenAt) and agree at \(now): the tables were wrong for a while"
            add { Difference(table: shape.table.name, key: "all rows", kind: .total(text)) }
        }
    }

    /// Adds a difference that was found otherwise.
    mutating func add(_ difference: () -> Difference) {
        differenceCount += 1
        if differences.count < ProofLimits.differencesShown { differences.append(difference()) }
    }

    private static func difference(_ row: CanonicalRow, _ kind: Difference.Kind) -> Difference {
        Difference(table: row.shape.table.name, key: row.keyText, kind: kind)
    }

    private static func difference(_ live: CanonicalRow, _ proved: CanonicalRow) -> Difference {
        var columns: [Difference.Column] = []
        for (index, cell) in live.shape.cells.enumerated() where live.cells[index] != proved.cells[index] {
            columns.append(
                Difference.Column(
                    name: cell.name,
                    live: CellText.text(live.cells[index], cell.column),
                    proved: CellText.text(proved.cells[index], cell.column)
                )
            )
        }
        return difference(live, .differs(columns))
    }
}
