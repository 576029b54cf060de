package import Ports
package import RetailModel
package import Tables

/// The second computation of every table, and its comparison with the tables as they are.
///
/// `till prove` runs it over the log on disk (``ProofRun``); tests run the same code in memory.
package enum Proof {
    /// The rows that records must give, which come in the order of processing.
    package static func contents(
        of records: [RefinedRecord],
        scratch: Scratch? = nil,
        bufferBytes: Int = ProofLimits.bufferBytes,
        capacity: ProofCapacity = ProofCapacity()
    ) throws -> ProofContents {
        var recomputation = Recomputation(scratch, bufferBytes: bufferBytes, capacity: capacity)
        for record in records { try recomputation.add(record) }
        return try ProofContents(recomputation.finish())
    }

    /// The rows of the tables as they are, in the same form.
    package static func contents(of snapshot: any TableSnapshot) throws -> ProofContents {
        try ProofContents(LiveRows(snapshot, nil, bufferBytes: ProofLimits.bufferBytes).rows)
    }

    /// The rows of a store that knows no SQL.
    package static func contents(of store: any TableStore) throws -> ProofContents {
        try ProofContents(StoreRows(store).rows)
    }
}

/// The content of all tables, for tests: rows in order of table and natural key; rows of sums that are all zeros are
/// left out.
package struct ProofContents: Sendable, Equatable, CustomStringConvertible {
    package private(set) var rows: [CanonicalRow] = []

    init(_ rows: RowSet) throws(ProofError) {
        var records = rows.kept.records()
        while let record = try records.next() { self.rows.append(CanonicalRow(record)) }
    }

    /// The rows of one table.
    package func rows(of table: TableDeclaration) -> [CanonicalRow] {
        rows.filter { $0.shape.table.name == table.name }
    }

    /// Every row as text: `TABLE KEY | VALUES`; columns in `hiding` and tables in `without` are left out.
    package func lines(hiding: Set<String> = [], without: Set<String> = []) -> [String] {
        rows.compactMap { row in
            let shape = row.shape
            if without.contains(shape.table.name) { return nil }
            let key = row.text(0..<shape.keyCells, hiding: hiding)
            return "\(shape.table.name) \(key) | " + row.text(shape.keyCells..<shape.cells.count, hiding: hiding)
        }
    }

    package var description: String { lines().joined(separator: "\n") }

    /// What is here and not there (−) and the other way round (+), for a message that can be read.
    package func difference(
        from other: Self,
        hiding: Set<String> = [],
        without: Set<String> = []
    ) -> String {
        let mine = Set(lines(hiding: hiding, without: without))
        let theirs = Set(other.lines(hiding: hiding, without: without))
        return mine.subtracting(theirs).sorted().map { "\n- " + $0 }.joined()
            + theirs.subtracting(mine).sorted().map { "\n+ " + $0 }.joined()
    }
}
