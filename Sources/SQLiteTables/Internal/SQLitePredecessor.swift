import CShims
package import Ports
import Primitives

/// Tables of an older schema, set aside beside the file that replaces them until that one has passed them.
///
/// Tables are a fold of the log, so an older schema is not altered in place: the file is renamed, an empty one takes
/// its place, and processing folds the log again from its start. A crash at any point leaves the old file under one of
/// its two names, complete. Thread: any.
package struct SQLitePredecessor: Sendable {
    package let path: String
    package let schema: Int
    /// Where the old tables were; nil when the file cannot be read. It is then kept for ever.
    package let positions: PositionVector?

    /// Where the tables at `path` of an older schema are set aside: `tables.sqlite` becomes `tables.v1.sqlite`.
    static func place(_ path: String, schema: Int) -> String {
        path.hasSuffix(".sqlite") ? "\(path.dropLast(7)).v\(schema).sqlite" : "\(path).v\(schema)"
    }

    /// What is set aside beside the tables at `path`, oldest first.
    package static func all(of path: String) -> [SQLitePredecessor] {
        (1..<SQLiteTablesLimits.schemaVersion).compactMap { schema in
            let place = place(path, schema: schema)
            guard exists(place) else { return nil }
            // Opened for writing, so that closing leaves no files of its own behind.
            let positions = try? SQLiteTables.positions(SQLiteHandle(path: place, readOnly: false))
            return SQLitePredecessor(path: place, schema: schema, positions: positions)
        }
    }

    /// Moves the tables at `path` aside. They must be complete in their one file: see ``complete(_:)``.
    static func setAside(_ path: String, schema: Int) throws(TableStoreError) {
        for suffix in ["-wal", "-shm"] { try removeFile(path + suffix) }
        let place = place(path, schema: schema)
        try check(unsafe cshims_rename(path, place), "rename \(path) to \(place)")
        try syncDirectory(of: path)
    }

    /// Brings everything that the write-ahead log holds into the file.
    static func complete(_ connection: SQLiteHandle) throws(TableStoreError) {
        guard try connection.integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0 else {
            throw .unavailable(
                operation: "set \(connection.path) aside",
                cause: "another process reads it; end that one and start till again"
            )
        }
    }

    /// Removes the file for good.
    package func remove() throws(TableStoreError) {
        for suffix in ["-wal", "-shm", ""] { try Self.removeFile(path + suffix) }
        try Self.syncDirectory(of: path)
    }

    private static func exists(_ path: String) -> Bool { unsafe cshims_path_size(path) >= 0 }

    private static func removeFile(_ path: String) throws(TableStoreError) {
        if exists(path) { try check(unsafe cshims_unlink(path), "remove \(path)") }
    }

    private static func syncDirectory(of path: String) throws(TableStoreError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try check(unsafe cshims_fsync_directory(directory.isEmpty ? "/" : directory), "sync directory \(directory)")
    }

    private static func check(_ result: Int32, _ operation: String) throws(TableStoreError) {
        if result < 0 { throw .unavailable(operation: operation, cause: errorText(-result)) }
    }
}
