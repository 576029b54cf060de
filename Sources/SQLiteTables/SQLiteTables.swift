package import Ports
import Primitives
package import Tables

/// ``TableStore`` on one SQLite file: WAL, STRICT tables, rows and positions in one transaction.
///
/// `synchronous = NORMAL`: a power cut may take back the latest commits, rows and positions together; processing then
/// folds those records again from the log, which is durable. Thread: the owner's.
package final class SQLiteTables: TableStore {
    private let connection: SQLiteHandle
    private var isInTransaction = false
    /// Rows and sums of the transaction so far.
    private var written = 0
    private let tables: [String: TableDeclaration]
    /// Texts that follow from the declarations, by table: building them costs as much as a small commit.
    private let upserts: [String: String], additions: [String: String], selections: [String: [String]]

    /// Opens or creates the file. One of an older schema is set aside (``SQLitePredecessor``) and an empty one begun.
    ///
    /// - Parameter views: Named views to (re)create: name and SELECT.
    /// - Throws: ``TableStoreError/schemaNewer(found:supported:)``, ``TableStoreError/damaged(cause:)``.
    package init(
        path: String,
        tables: [TableDeclaration],
        views: [(name: String, select: String)],
        settings: SQLiteTablesSettings = SQLiteTablesSettings()
    ) throws(TableStoreError) {
        self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
        upserts = Dictionary(
            uniqueKeysWithValues: tables.filter { $0.kind == .state }.map { ($0.name, SQLiteSchema.upsert($0)) }
        )
        additions = Dictionary(
            uniqueKeysWithValues: tables.filter { $0.kind == .sum }.map { ($0.name, SQLiteSchema.add($0)) }
        )
        selections = Dictionary(
            uniqueKeysWithValues: tables.map { table in
                (table.name, (0...table.key.count).map { SQLiteSchema.select(table, byKeyColumns: $0) })
            }
        )
        if let older = try Self.completeOlder(path, settings) { try SQLitePredecessor.setAside(path, schema: older) }
        connection = try Self.connect(path, settings)
        try connection.execute("BEGIN IMMEDIATE")
        for table in tables {
            for statement in SQLiteSchema.create(table) { try connection.execute(statement) }
        }
        try connection.execute(
            "CREATE TABLE IF NOT EXISTS till_position (topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID"
        )
        try connection.execute(
            "CREATE TABLE IF NOT EXISTS till_owner (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL) STRICT"
        )
        try connection.execute("INSERT OR IGNORE INTO till_owner VALUES (1, 0)")
        for view in views {
            try connection.execute("DROP VIEW IF EXISTS \"\(view.name)\"")
            try connection.execute(Self.viewHead(view.name) + view.select)
        }
        try connection.execute("PRAGMA user_version = \(SQLiteTablesLimits.schemaVersion)")
        try connection.execute("COMMIT")
    }

    /// How the definition of a view begins.
    static func viewHead(_ name: String) -> String { "CREATE VIEW \"\(name)\" AS " }

    private static func connect(_ path: String, _ settings: SQLiteTablesSettings) throws(TableStoreError)
        -> SQLiteHandle
    {
        let connection = try SQLiteHandle(path: path, readOnly: false)
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("PRAGMA synchronous = NORMAL")
        try connection.execute("PRAGMA cache_size = -\(settings.cacheKibibytes)")
        try connection.execute("PRAGMA temp_store = MEMORY")
        try connection.execute("PRAGMA journal_size_limit = \(SQLiteTablesLimits.walBytesKept)")
        return connection
    }

    /// The schema of a file that is older than this till, complete in itself and closed; nil for one to go on with.
    private static func completeOlder(_ path: String, _ settings: SQLiteTablesSettings) throws(TableStoreError) -> Int?
    {
        let connection = try connect(path, settings)
        let found = Int(try connection.integer("PRAGMA user_version") ?? 0)
        guard found <= SQLiteTablesLimits.schemaVersion else {
            throw .schemaNewer(found: found, supported: SQLiteTablesLimits.schemaVersion)
        }
        guard found > 0, found < SQLiteTablesLimits.schemaVersion else { return nil }
        try SQLitePredecessor.complete(connection)
        return found
    }

    /// Brings everything into the one file at `path` and removes the files beside it: for a till that ends. Another
    /// process that still reads keeps them; the next to end removes them.
    package static func complete(path: String) throws(TableStoreError) {
        let connection = try SQLiteHandle(path: path, readOnly: false)
        // The last connection that closes removes what is empty.
        connection.truncateWAL(busyMillis: SQLiteTablesLimits.busyMillis)
    }

    package func claim() throws(TableStoreError) -> Int64 {
        // One transaction: two claimants must never read back the same epoch.
        try connection.execute("BEGIN IMMEDIATE")
        do throws(TableStoreError) {
            try connection.execute("UPDATE till_owner SET epoch = epoch + 1")
            let epoch = try connection.integer("SELECT epoch FROM till_owner") ?? 0
            try connection.execute("COMMIT")
            return epoch
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    package func positions() throws(TableStoreError) -> PositionVector { try Self.positions(connection) }

    static func positions(_ connection: SQLiteHandle) throws(TableStoreError) -> PositionVector {
        let statement = try connection.statement("SELECT topic, partition, next_offset FROM till_position")
        defer { statement.reset() }
        var vector = PositionVector()
        while try statement.step() {
            let topic = statement.cell(0).bytes?.description ?? ""
            vector.offsets[TopicPartition(topic, Int32(statement.integer(1) ?? 0))] = statement.integer(2) ?? 0
        }
        return vector
    }

    package func rows(of table: TableDeclaration, keys: [[Cell]]) throws(TableStoreError) -> [[Cell]?] {
        if keys.isEmpty { return [] }
        let statement = try connection.statement(selection(table, table.key.count))
        var out: [[Cell]?] = []
        out.reserveCapacity(keys.count)
        for key in keys {
            for cell in key { statement.bind(cell) }
            out.append(try statement.step() ? Self.row(statement, table) : nil)
            statement.reset()
        }
        return out
    }

    package func rows(of table: TableDeclaration, prefix: [Cell]) throws(TableStoreError) -> [[Cell]] {
        let statement = try connection.statement(selection(table, prefix.count))
        defer { statement.reset() }
        for cell in prefix { statement.bind(cell) }
        var out: [[Cell]] = []
        while try statement.step() { out.append(Self.row(statement, table)) }
        return out
    }

    package func rows(of table: TableDeclaration, ids: [Int64]) throws(TableStoreError) -> [[Cell]?] {
        if ids.isEmpty { return [] }
        let statement = try connection.statement(SQLiteSchema.select(table, byKeyColumns: 0) + " WHERE id = ?")
        var out: [[Cell]?] = []
        for id in ids {
            statement.bind(id)
            out.append(try statement.step() ? Self.row(statement, table) : nil)
            statement.reset()
        }
        return out
    }

    package func rows(
        of table: TableDeclaration,
        index: String?,
        prefix: [Cell],
        range: Range<Int64>?,
        limit: Int
    ) throws(TableStoreError) -> [[Cell]] {
        let columns = table.columns(of: index)
        let statement = try connection.statement(
            SQLiteSchema.select(table, columns: columns, equal: prefix.count, isRanged: range != nil)
        )
        defer { statement.reset() }
        for cell in prefix { statement.bind(cell) }
        if let range {
            statement.bind(range.lowerBound)
            statement.bind(range.upperBound)
        }
        statement.bind(Int64(limit))
        var out: [[Cell]] = []
        while try statement.step() { out.append(Self.row(statement, table)) }
        return out
    }

    private func selection(_ table: TableDeclaration, _ count: Int) -> String {
        selections[table.name]?[count] ?? SQLiteSchema.select(table, byKeyColumns: count)
    }

    private static func row(_ statement: SQLiteStatement, _ table: TableDeclaration) -> [Cell] {
        var cells: [Cell] = []
        cells.reserveCapacity(table.columns.count)
        var at: Int32 = 0
        for column in table.columns {
            if column.kind == .wide {
                let low = UInt32(truncatingIfNeeded: statement.integer(at + 1) ?? 0)
                cells.append(.wideParts(high: statement.integer(at) ?? 0, low: low))
                at += 2
            } else {
                cells.append(statement.cell(at))
                at += 1
            }
        }
        return cells
    }

    package func greatestID(of table: TableDeclaration) throws(TableStoreError) -> Int64 {
        try connection.integer("SELECT max(id) FROM \"\(table.name)\"") ?? 0
    }

    package func begin() throws(TableStoreError) {
        if isInTransaction { return }
        try connection.execute("BEGIN IMMEDIATE")
        isInTransaction = true
        written = 0
    }

    package func write(_ change: TableChanges, to table: String) throws(TableStoreError) {
        try begin()
        do throws(TableStoreError) { try put(change, table) } catch {
            isInTransaction = false
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    package func commit(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer {
        try begin()
        isInTransaction = false
        do throws(TableStoreError) {
            let answer = try write(changes, from: from, to: to, owner: owner)
            // A checkpoint syncs, and for that long the disk serves nobody else: while little comes in, it is soon and
            // short, and who waits for the log hardly notices; in a backlog pages that change again and again are
            // written once.
            let isSmall = written <= SQLiteTablesLimits.smallCommit
            connection.checkpoint(
                atPages: isSmall ? SQLiteTablesLimits.checkpointPagesSmall : SQLiteTablesLimits.checkpointPages
            )
            try connection.execute(answer == .committed ? "COMMIT" : "ROLLBACK")
            // Readers that follow each other without a pause keep SQLite from beginning the WAL anew: it would only
            // grow. One that stays longer than a moment is not waited for; the next commit tries again.
            if connection.walBytes > SQLiteTablesLimits.walBytesMax {
                connection.truncateWAL(busyMillis: SQLiteTablesLimits.truncateMillis)
            }
            return answer
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private func write(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer {
        guard try connection.integer("SELECT epoch FROM till_owner") == owner else { return .fenced }
        let stored = try positions()
        for (partition, offset) in to.offsets
        where stored.offsets[partition, default: 0] != from.offsets[partition, default: 0]
            && !Mutant.isPlanted(.lostPosition())
        {
            if stored.covers(to) { return .alreadyMine }
            throw .positionMismatch(
                stored: stored.description,
                expected: "\(partition):\(from.offsets[partition, default: 0]) to \(offset)"
            )
        }
        for (name, change) in changes.sorted(by: { $0.key < $1.key }) { try put(change, name) }
        let move = try connection.statement(
            "INSERT INTO till_position VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset"
        )
        for (partition, offset) in to.offsets where from.offsets[partition] != offset {
            move.bind(.text(ByteString(partition.topic)))
            move.bind(Int64(partition.partition))
            move.bind(Mutant.isPlanted(.lostPosition()) ? from.offsets[partition, default: 0] : offset)
            try move.run()
        }
        return .committed
    }

    private func put(_ change: TableChanges, _ name: String) throws(TableStoreError) {
        guard let table = tables[name] else { preconditionFailure("table \(name) is not declared") }
        written += change.deletes.count + change.upserts.count + change.additions.count
        if !change.deletes.isEmpty {
            let delete = try connection.statement("DELETE FROM \"\(name)\" WHERE id = ?")
            for id in change.deletes {
                delete.bind(id)
                try delete.run()
            }
        }
        if !change.upserts.isEmpty {
            let upsert = try connection.statement(upserts[name] ?? SQLiteSchema.upsert(table))
            for row in change.upserts {
                for case .tooWide in row { throw Self.tooWide(table) }
                for cell in row { upsert.bind(cell) }
                try upsert.run()
            }
        }
        if !change.additions.isEmpty { try add(change.additions, to: table) }
    }

    private func add(_ additions: [SumKey: [Int128]], to table: TableDeclaration) throws(TableStoreError) {
        let statement = try connection.statement(self.additions[table.name] ?? SQLiteSchema.add(table))
        let summed = table.columns.filter { !table.key.contains($0.name) }
        // In key order: neighbours share pages.
        for (key, values) in additions.sorted(by: { $0.key < $1.key }) {
            // Checked before anything is bound: a statement that is left half bound would serve nobody.
            for (column, value) in zip(summed, values) {
                if column.kind == .wide {
                    if case .tooWide = Cell.wide(value) { throw Self.tooWide(table) }
                } else if Int64(exactly: value) == nil {
                    throw .unavailable(operation: "add to \(table.name)", cause: "a count does not fit 64 bits")
                }
            }
            for index in table.key.indices { statement.bind(key[index]) }
            for (column, value) in zip(summed, values) {
                statement.bind(column.kind == .wide ? .wide(value) : .integer(Int64(truncatingIfNeeded: value)))
            }
            try statement.run()
        }
    }

    private static func tooWide(_ table: TableDeclaration) -> TableStoreError {
        .unavailable(operation: "write \(table.name)", cause: "a sum does not fit 96 bits")
    }
}
