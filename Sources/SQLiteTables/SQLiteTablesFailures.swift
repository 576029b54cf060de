import CSQLite
package import Ports

/// SQLite's result codes as errors of the port.
package enum SQLiteTablesFailures {
    package static func translate(_ code: Int32, _ message: String, _ operation: String) -> TableStoreError {
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(cause: message)
        case SQLITE_INTERRUPT: .overBudget
        case SQLITE_FULL: .unavailable(operation: operation, cause: "no space left on the device, free some")
        // The shared index of the write-ahead log could not grow (SQLITE_IOERR_SHMSIZE).
        case SQLITE_IOERR where code >> 8 == 19:
            .unavailable(operation: operation, cause: "no space left on the device, free some")
        case SQLITE_BUSY, SQLITE_LOCKED: .unavailable(operation: operation, cause: "another process holds the file")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN:
            .unavailable(operation: operation, cause: "\(message), till needs to own the data directory")
        default: .unavailable(operation: operation, cause: "\(message) (SQLite \(code))")
        }
    }
}
