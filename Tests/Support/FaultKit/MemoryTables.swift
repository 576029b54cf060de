package import Ports
package import Tables

/// ``TableStore`` in memory, as simple as the port's promises allow: every commit works on a copy that replaces the
/// state when it is complete. What it stands for survives the object: ``Storage`` is the disk.
package final class MemoryTables: TableStore {
    /// One table: rows by natural key, as cells.
    fileprivate struct Table {
        var rows: [[Cell]: [Cell]] = [:]
        var keys: [Int64: [Cell]] = [:]
        var greatest: Int64 = 0
    }

    /// What outlives an owner.
    package final class Storage {
        fileprivate var tables: [String: Table] = [:]
        fileprivate var positions = PositionVector()
        fileprivate var epoch: Int64 = 0
        fileprivate let declarations: [String: TableDeclaration]

        package init(_ declarations: [TableDeclaration]) {
            self.declarations = Dictionary(uniqueKeysWithValues: declarations.map { ($0.name, $0) })
            for table in declarations { tables[table.name] = Table() }
        }
    }

    private let storage: Storage

    package init(_ storage: Storage) { self.storage = storage }

    package func claim() -> Int64 {
        storage.epoch += 1
        return storage.epoch
    }

    package func positions() -> PositionVector { storage.positions }

    package func rows(of table: TableDeclaration, keys: [[Cell]]) -> [[Cell]?] {
        let rows = tables[table.name]?.rows ?? [:]
        return keys.map { rows[$0] }
    }

    package func rows(of table: TableDeclaration, prefix: [Cell]) -> [[Cell]] {
        (tables[table.name]?.rows ?? [:]).filter { $0.key.starts(with: prefix) }.map(\.value)
    }

    package func rows(of table: TableDeclaration, ids: [Int64]) -> [[Cell]?] {
        let stored = tables[table.name]
        return ids.map { id in stored?.keys[id].flatMap { stored?.rows[$0] } }
    }

    package func rows(
        of table: TableDeclaration,
        index: String?,
        prefix: [Cell],
        range: Range<Int64>?,
        limit: Int
    ) -> [[Cell]] {
        let columns = (table.columns(of: index) + ["id"]).map(table.index)
        let found = (tables[table.name]?.rows ?? [:]).values.filter { row in
            zip(columns, prefix).allSatisfy { row[$0] == $1 }
                && (range.map { $0.contains(row[columns[prefix.count]].integer ?? 0) } ?? true)
        }
        let sorted = found.sorted { a, b in
            for column in columns where a[column] != b[column] { return Self.isLess(a[column], b[column]) }
            return false
        }
        return Array(sorted.prefix(limit))
    }

    private static func isLess(_ a: Cell, _ b: Cell) -> Bool {
        switch (a, b) {
        case (.integer(let x), .integer(let y)): x < y
        case (.text(let x), .text(let y)), (.blob(let x), .blob(let y)): x < y
        case (.null, _): true
        default: false
        }
    }

    package func greatestID(of table: TableDeclaration) -> Int64 {
        tables[table.name]?.keys.keys.max() ?? 0
    }

    /// The tables with what was written and is not committed; nil while nothing is.
    private var draft: [String: Table]?

    private var tables: [String: Table] { draft ?? storage.tables }

    package func begin() {}

    package func write(_ change: TableChanges, to table: String) throws(TableStoreError) {
        var draft = tables
        self.draft = nil
        try apply([table: change], to: &draft)
        self.draft = draft
    }

    package func commit(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer {
        var tables = tables
        draft = nil
        guard owner == storage.epoch else { return .fenced }
        let stored = storage.positions
        let isMoved = to.offsets.keys.contains { stored.offsets[$0, default: 0] != from.offsets[$0, default: 0] }
        if isMoved {
            if stored.covers(to) { return .alreadyMine }
            throw .positionMismatch(stored: stored.description, expected: from.description)
        }
        try apply(changes, to: &tables)
        storage.tables = tables
        storage.positions.offsets.merge(to.offsets) { $1 }
        return .committed
    }

    private func apply(_ changes: ChangeSet, to tables: inout [String: Table]) throws(TableStoreError) {
        for (name, change) in changes {
            guard let declaration = storage.declarations[name], var table = tables.removeValue(forKey: name) else {
                preconditionFailure("table \(name) is not declared")
            }
            try Self.apply(change, declaration, &table)
            tables[name] = table
        }
    }

    private static func apply(
        _ change: TableChanges,
        _ declaration: TableDeclaration,
        _ table: inout Table
    ) throws(TableStoreError) {
        let key = declaration.key.map(declaration.index)
        for id in change.deletes {
            if let old = table.keys.removeValue(forKey: id) { table.rows[old] = nil }
        }
        for row in change.upserts {
            try check(row, declaration)
            var row = row
            let id = row[0].integer ?? (table.greatest + 1)
            row[0] = .integer(id)
            table.greatest = max(table.greatest, id)
            let natural = key.map { row[$0] }
            if let old = table.keys[id] { table.rows[old] = nil }
            guard table.rows[natural] == nil else {
                throw .unavailable(operation: "write \(declaration.name)", cause: "two rows have one natural key")
            }
            table.keys[id] = natural
            table.rows[natural] = row
        }
        let summed = declaration.columns.indices.filter { !key.contains($0) }
        for (place, values) in change.additions {
            let natural = key.indices.map { Cell.integer(place[$0]) }
            var row =
                table.rows[natural] ?? natural
                + summed.map { declaration.columns[$0].kind == .wide ? .wide(0) : .integer(0) }
            for (column, value) in zip(summed, values) {
                let (sum, overflow) = row[column].wide.addingReportingOverflow(value)
                let isWide = declaration.columns[column].kind == .wide
                guard !overflow, isWide ? sum >> 95 == 0 || sum >> 95 == -1 : Int64(exactly: sum) != nil else {
                    throw .unavailable(operation: "write \(declaration.name)", cause: "a sum does not fit")
                }
                row[column] = isWide ? .wide(sum) : .integer(Int64(truncatingIfNeeded: sum))
            }
            table.rows[natural] = row
        }
    }

    private static func check(_ row: [Cell], _ declaration: TableDeclaration) throws(TableStoreError) {
        for (column, cell) in zip(declaration.columns, row) where !(column.name == "id" && cell == .null) {
            let fits =
                switch (cell, column.kind) {
                case (.null, _): column.isNullable
                case (.integer, .integer), (.text, .text), (.blob, .blob): true
                case (.wideParts, .wide): true
                default: false
                }
            if !fits {
                throw .unavailable(operation: "write \(declaration.name)", cause: "\(column.name) is of another kind")
            }
        }
    }
}
