import CSQLite
import CShims
import Ports
import Primitives
import Tables

/// One connection. Thread: the owner's; opened without SQLite's own mutex.
///
/// Lifetime: made by open, closed in deinit after its statements, which it owns.
@safe final class SQLiteHandle {
    private let database: OpaquePointer
    /// Monotonic nanoseconds; statements that run longer are interrupted. Owned: SQLite looks at it until the end.
    private let deadline: UnsafeMutablePointer<Int64>
    private var statements: [String: SQLiteStatement] = [:]
    let path: String

    /// SQLite's statistics of memory take a mutex that all connections share, for each allocation; nobody reads them.
    /// A process that has used SQLite before keeps them, which is as correct.
    private static let memoryStatisticsAreOff: Bool = csqlite_without_memory_statistics() == SQLITE_OK

    init(path: String, readOnly: Bool) throws(TableStoreError) {
        self.path = path
        _ = Self.memoryStatisticsAreOff
        var opened: OpaquePointer?
        let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX
        let result = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let handle = unsafe opened else {
            throw SQLiteTablesFailures.translate(result, "out of memory", "open \(path)")
        }
        guard result == SQLITE_OK else {
            let message = unsafe String(cString: sqlite3_errmsg(handle))
            _ = unsafe sqlite3_close_v2(handle)
            throw SQLiteTablesFailures.translate(result, message, "open \(path)")
        }
        unsafe database = handle
        unsafe deadline = .allocate(capacity: 1)
        unsafe deadline.initialize(to: .max)
        _ = unsafe sqlite3_extended_result_codes(database, 1)
        _ = unsafe sqlite3_busy_timeout(database, SQLiteTablesLimits.busyMillis)
    }

    deinit {
        statements.removeAll()
        _ = unsafe sqlite3_close_v2(database)
        unsafe deadline.deallocate()
    }

    /// From now on, interrupts statements that run beyond this time of the monotonic clock; `.max` for none.
    func interrupt(atNanos nanos: Int64) {
        unsafe deadline.pointee = nanos
        unsafe csqlite_watch(database, deadline)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(TableStoreError) {
        let result = unsafe sqlite3_exec(database, sql, nil, nil, nil)
        if result != SQLITE_OK { throw failure(result, String(sql.prefix(80))) }
    }

    /// Has commits from now on checkpoint the WAL when it has so many pages.
    func checkpoint(atPages pages: Int32) {
        _ = unsafe sqlite3_wal_autocheckpoint(database, pages)
    }

    /// Bytes of the write-ahead log beside the file; 0 without one.
    var walBytes: Int64 { max(0, unsafe cshims_path_size(path + "-wal")) }

    /// Brings the write-ahead log into the file and empties it, unless a reader is in the way for longer than a moment.
    ///
    /// - Returns: Whether it is empty.
    @discardableResult func truncateWAL(busyMillis: Int32) -> Bool {
        _ = unsafe sqlite3_busy_timeout(database, busyMillis)
        defer { _ = unsafe sqlite3_busy_timeout(database, SQLiteTablesLimits.busyMillis) }
        return (try? integer("PRAGMA wal_checkpoint(TRUNCATE)")) == 0
    }

    /// A prepared statement, kept for the next use. At most ``SQLiteTablesLimits/statementsMax`` are kept.
    func statement(_ sql: String) throws(TableStoreError) -> SQLiteStatement {
        if let known = statements[sql] { return known }
        if statements.count >= SQLiteTablesLimits.statementsMax { statements.removeAll() }
        var prepared: OpaquePointer?
        let result = unsafe sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard result == SQLITE_OK, let handle = unsafe prepared else { throw failure(result, String(sql.prefix(200))) }
        let statement = unsafe SQLiteStatement(handle, of: self)
        statements[sql] = statement
        return statement
    }

    func failure(_ result: Int32, _ operation: String) -> TableStoreError {
        let message = unsafe String(cString: sqlite3_errmsg(database))
        // When the disk is full or failing, where matters more than what.
        let isDisk = [SQLITE_FULL, SQLITE_IOERR].contains(result & 0xFF)
        return SQLiteTablesFailures.translate(result, message, isDisk ? "write \(path)" : operation)
    }

    /// The single integer that a statement gives, or nil.
    func integer(_ sql: String) throws(TableStoreError) -> Int64? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }
}

extension SQLiteHandle {
    /// A connection on its way between threads: taken out of a pool under its lock, used by one thread, put back.
    final class Pooled: @unchecked Sendable {
        let handle: SQLiteHandle
        init(_ handle: SQLiteHandle) { self.handle = handle }
    }
}

/// A prepared statement. Lifetime: owned and finalised here; its connection keeps it and outlives it.
@safe final class SQLiteStatement {
    private let handle: OpaquePointer
    private unowned let connection: SQLiteHandle
    /// Number of the parameter that is bound next.
    private var next: Int32 = 1

    init(_ handle: OpaquePointer, of connection: SQLiteHandle) {
        unsafe self.handle = unsafe handle
        self.connection = connection
    }

    deinit { _ = unsafe sqlite3_finalize(handle) }

    func bind(_ value: Int64) {
        let result = unsafe sqlite3_bind_int64(handle, next, value)
        precondition(result == SQLITE_OK, "parameter \(next) does not exist")
        next += 1
    }

    /// Binds the next parameter, or two for a wide cell.
    func bind(_ cell: Cell) {
        var result = SQLITE_OK
        switch cell {
        case .null: result = unsafe sqlite3_bind_null(handle, next)
        case .integer(let value): result = unsafe sqlite3_bind_int64(handle, next, value)
        case .text(let text):
            // Lifetime: SQLite copies the bytes before the call returns (TRANSIENT).
            result = unsafe text.withUnsafeBytes {
                unsafe $0.isEmpty
                    ? sqlite3_bind_text(handle, next, "", 0, csqlite_transient())
                    : sqlite3_bind_text(
                        handle,
                        next,
                        $0.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32($0.count),
                        csqlite_transient()
                    )
            }
        case .blob(let blob):
            result = unsafe blob.withUnsafeBytes {
                unsafe $0.isEmpty
                    ? sqlite3_bind_zeroblob(handle, next, 0)
                    : sqlite3_bind_blob(handle, next, $0.baseAddress, Int32($0.count), csqlite_transient())
            }
        case .wideParts(let high, let low):
            bind(high)
            bind(Int64(low))
            return
        case .tooWide: preconditionFailure("a sum that does not fit is refused before it is bound")
        }
        precondition(result == SQLITE_OK, "parameter \(next) does not exist")
        next += 1
    }

    /// One step; true when there is a row.
    func step() throws(TableStoreError) -> Bool {
        let result = unsafe sqlite3_step(handle)
        switch result {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = connection.failure(result, "run a statement")
            reset()
            throw error
        }
    }

    /// Steps a statement that gives no row, and makes it ready for the next use.
    func run() throws(TableStoreError) {
        _ = try step()
        reset()
    }

    func reset() {
        _ = unsafe sqlite3_reset(handle)
        next = 1
    }

    var columnCount: Int32 { unsafe sqlite3_column_count(handle) }

    func integer(_ column: Int32) -> Int64? {
        unsafe sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
    }

    /// The column by its stored type; a REAL is a bug of the query and shows as text.
    func cell(_ column: Int32) -> Cell {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(handle, column))
        case SQLITE_BLOB: .blob(bytes(column, isBlob: true))
        default: .text(bytes(column, isBlob: false))
        }
    }

    func visit<Visitor: RowVisitor>(_ column: Int32, _ visitor: inout Visitor) {
        // One look-up of the column instead of two or three. The value is "unprotected", which matters only where
        // connections are shared by threads (SQLITE_OPEN_NOMUTEX).
        let value = unsafe sqlite3_column_value(handle, column)
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_NULL: visitor.null()
        case SQLITE_INTEGER: visitor.integer(unsafe sqlite3_value_int64(value))
        case SQLITE_BLOB: visitor.blob(unsafe raw(value, isBlob: true).span)
        default: visitor.text(unsafe raw(value, isBlob: false).span)
        }
    }

    private func bytes(_ column: Int32, isBlob: Bool) -> ByteString {
        unsafe ByteString(copying: raw(column, isBlob: isBlob).span)
    }

    private func raw(_ column: Int32, isBlob: Bool) -> UnsafeBufferPointer<UInt8> {
        unsafe raw(sqlite3_column_value(handle, column), isBlob: isBlob)
    }

    /// Lifetime: SQLite's buffer is valid until the next step or reading of the column; callers copy or pass it on at
    /// once.
    private func raw(_ value: OpaquePointer?, isBlob: Bool) -> UnsafeBufferPointer<UInt8> {
        let start = unsafe isBlob ? sqlite3_value_blob(value) : UnsafeRawPointer(sqlite3_value_text(value))
        let count = Int(unsafe sqlite3_value_bytes(value))
        return unsafe UnsafeBufferPointer(start: start?.assumingMemoryBound(to: UInt8.self), count: count)
    }
}
