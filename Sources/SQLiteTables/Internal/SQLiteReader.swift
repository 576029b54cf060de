import CShims
package import Ports
import Primitives
import Synchronization
import Tables

/// Snapshots of a tables file for query threads: a small pool of read-only connections.
package final class SQLiteReader: TableReader {
    private let path: String
    private let settings: SQLiteTablesSettings
    private let idle = Mutex<[SQLiteHandle.Pooled]>([])
    /// The file that was there at the start: connections go on reading one that was deleted or replaced.
    private let identity: FileIdentity?

    /// - Parameter path: A file that ``SQLiteTables`` has made.
    package init(path: String, settings: SQLiteTablesSettings = SQLiteTablesSettings()) {
        self.path = path
        self.settings = settings
        identity = FileIdentity(path)
    }

    /// Tries what queries do: why they cannot be trusted now, nil when they can.
    package func failure() -> String? {
        guard let now = FileIdentity(path), now == identity else {
            return
                "\(path) was removed or replaced while till runs; restart till, it folds the tables again from the log."
        }
        do {
            _ = try snapshot { try $0.positions() }
            return nil
        } catch {
            return "\(error)"
        }
    }

    package func snapshot<Value>(until nanos: Int64, _ body: (any TableSnapshot) throws -> Value) throws -> Value {
        let slot = try idle.withLock { $0.popLast() } ?? make()
        slot.handle.interrupt(atNanos: nanos)
        defer {
            slot.handle.interrupt(atNanos: .max)
            try? slot.handle.execute("COMMIT")
            idle.withLock { if $0.count < settings.readers { $0.append(slot) } }
        }
        try slot.handle.execute("BEGIN")
        return try body(SQLiteSnapshot(slot.handle))
    }

    /// Closes what nobody uses, so that the writer is the last to close and can remove the write-ahead log.
    package func close() { idle.withLock { $0.removeAll() } }

    private func make() throws(TableStoreError) -> SQLiteHandle.Pooled {
        let handle = try SQLiteHandle(path: path, readOnly: true)
        try handle.execute("PRAGMA cache_size = -\(settings.readerCacheKibibytes)")
        try handle.execute("PRAGMA query_only = 1")
        return SQLiteHandle.Pooled(handle)
    }
}

/// Which file a path names: device and inode.
private struct FileIdentity: Sendable, Equatable {
    private var device: UInt64 = 0, inode: UInt64 = 0

    /// Nil when there is no such file.
    init?(_ path: String) {
        guard unsafe cshims_file_identity(path, &device, &inode) == 0 else { return nil }
    }
}

/// One read transaction.
private final class SQLiteSnapshot: TableSnapshot {
    private let handle: SQLiteHandle

    init(_ handle: SQLiteHandle) { self.handle = handle }

    func positions() throws(TableStoreError) -> PositionVector { try SQLiteTables.positions(handle) }

    func views() throws(TableStoreError) -> [String: String] {
        let rows = try query("SELECT name, sql FROM sqlite_master WHERE type = 'view'", [], limit: .max)
        var found: [String: String] = [:]
        for row in rows {
            guard let name = row[0].bytes?.description, let sql = row[1].bytes?.description else { continue }
            let head = SQLiteTables.viewHead(name)
            found[name] = sql.hasPrefix(head) ? String(sql.dropFirst(head.count)) : sql
        }
        return found
    }

    func query(_ sql: String, _ parameters: [Cell], limit: Int) throws(TableStoreError) -> [[Cell]] {
        let statement = try handle.statement(sql)
        defer { statement.reset() }
        for cell in parameters { statement.bind(cell) }
        var rows: [[Cell]] = []
        let width = statement.columnCount
        while rows.count < limit, try statement.step() { rows.append((0..<width).map(statement.cell)) }
        return rows
    }

    func forEach(_ sql: String, _ parameters: [Cell], _ body: ([Cell]) throws -> Void) throws {
        let statement = try handle.statement(sql)
        defer { statement.reset() }
        for cell in parameters { statement.bind(cell) }
        let width = statement.columnCount
        var row: [Cell] = []
        while try statement.step() {
            row.removeAll(keepingCapacity: true)
            for column in 0..<width { row.append(statement.cell(column)) }
            try body(row)
        }
    }

    func visit<Visitor: RowVisitor>(_ sql: String, _ visitor: inout Visitor) throws {
        let statement = try handle.statement(sql)
        defer { statement.reset() }
        let width = statement.columnCount
        while try statement.step() {
            for column in 0..<width { statement.visit(column, &visitor) }
            try visitor.endRow()
        }
    }
}
