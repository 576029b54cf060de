package import Ports

/// Copies of the tables beside a running till. Thread: any that may block.
package enum SQLiteCopy {
    /// What a copy contains.
    package struct Contents: Sendable, Equatable {
        package var schema: Int
        package var positions: PositionVector
    }

    /// Writes one consistent state of the tables at `path` to the new file `copy`. The caller makes it durable.
    ///
    /// Reads in one snapshot and takes no lock that a writer waits for; commits go on meanwhile and are not contained.
    package static func make(of path: String, to copy: String) throws(TableStoreError) -> Contents {
        let source = try SQLiteHandle(path: path, readOnly: true)
        var quoted = ""
        for letter in copy { quoted += letter == "'" ? "''" : String(letter) }
        do throws(TableStoreError) {
            try source.execute("VACUUM INTO '\(quoted)'")
        } catch {
            // Which of the two files refused is not known to SQLite's message: name both.
            guard case .unavailable(_, let cause) = error else { throw error }
            throw .unavailable(operation: "copy \(path) to \(copy)", cause: cause)
        }
        let made = try SQLiteHandle(path: copy, readOnly: true)
        return Contents(
            schema: Int(try made.integer("PRAGMA user_version") ?? 0),
            positions: try SQLiteTables.positions(made)
        )
    }
}
