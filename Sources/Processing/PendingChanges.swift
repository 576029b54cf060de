import Tables

/// Changes on their way into the tables, for look-ups that must see them before, while and after they are written.
///
/// What a change set says of a row is final, so it does not matter how much of it the tables hold already: rows that it
/// touches are taken from it, all others from the tables. Where that is not enough to tell, the answer is nil and the
/// caller waits for the end of the commit.
struct PendingChanges {
    /// Rows of one table, found by the first columns of their natural key.
    private struct View {
        let rows: [[Cell]]
        /// Ids of rows that are written or deleted: what the tables say of them is past.
        let touched: Set<Int64>
        private let keyColumns: [Int]
        /// By number of key columns and hash of their cells, the last such row, and from there the ones before. Hashes
        /// instead of keys, so that a row costs no allocation; who finds a row compares it.
        private var chains: [Int: (last: [Int: Int], before: [Int])] = [:]

        init(_ change: TableChanges, _ table: TableDeclaration) {
            rows = change.upserts
            touched = Set(change.deletes).union(change.upserts.lazy.compactMap { $0[0].integer })
            keyColumns = table.key.map(table.index)
        }

        /// Calls `body` with every row whose natural key starts with `prefix`.
        mutating func forEach(prefix: [Cell], _ body: ([Cell]) -> Void) {
            if chains[prefix.count] == nil { chains[prefix.count] = chain(prefix.count) }
            guard let chain = chains[prefix.count] else { return }
            var next = chain.last[hash(prefix.indices) { prefix[$0] }] ?? -1
            while next >= 0 {
                let row = rows[next]
                if prefix.indices.allSatisfy({ row[keyColumns[$0]] == prefix[$0] }) { body(row) }
                next = chain.before[next]
            }
        }

        private func chain(_ count: Int) -> (last: [Int: Int], before: [Int]) {
            var last: [Int: Int] = [:]
            var before: [Int] = []
            last.reserveCapacity(rows.count)
            before.reserveCapacity(rows.count)
            for (index, row) in rows.enumerated() {
                let hash = hash(0..<count) { row[keyColumns[$0]] }
                before.append(last.updateValue(index, forKey: hash) ?? -1)
            }
            return (last, before)
        }

        private func hash(_ places: Range<Int>, _ cell: (Int) -> Cell) -> Int {
            var hasher = Hasher()
            for place in places { hasher.combine(cell(place)) }
            return hasher.finalize()
        }
    }

    private let changes: ChangeSet
    private var views: [String: View] = [:]

    init(_ changes: ChangeSet) { self.changes = changes }

    func touches(_ table: TableDeclaration) -> Bool { changes[table.name] != nil }

    /// Rows by natural key, given what the tables hold now under these keys.
    mutating func rows(of table: TableDeclaration, keys: [[Cell]], stored: [[Cell]?]) -> [[Cell]?]? {
        guard var view = takeView(table) else { return nil }
        defer { views[table.name] = view }
        var out = stored
        var areNumbered = true
        for (place, key) in keys.enumerated() {
            if let id = stored[place]?[0].integer, view.touched.contains(id) { out[place] = nil }
            view.forEach(prefix: key) { row in
                out[place] = row
                areNumbered = areNumbered && row[0] != .null
            }
        }
        // A row without an id gets it from the tables, and nobody knows it yet.
        return areNumbered ? out : nil
    }

    /// Rows whose natural key starts with `prefix`, in any order, given those that the tables hold now.
    mutating func rows(of table: TableDeclaration, prefix: [Cell], stored: [[Cell]]) -> [[Cell]]? {
        guard !prefix.isEmpty, var view = takeView(table) else { return nil }
        defer { views[table.name] = view }
        var out = stored.filter { row in row[0].integer.map { !view.touched.contains($0) } ?? true }
        var areNumbered = true
        view.forEach(prefix: prefix) { row in
            out.append(row)
            areNumbered = areNumbered && row[0] != .null
        }
        return areNumbered ? out : nil
    }

    /// Nil for a sum, whose rows depend on how much is added already. Taken out, so that it is changed in place.
    private mutating func takeView(_ table: TableDeclaration) -> View? {
        guard table.kind == .state, let change = changes[table.name] else { return nil }
        return views.removeValue(forKey: table.name) ?? View(change, table)
    }
}
