/// How the SQLite tables are kept.
package struct SQLiteTablesSettings: Sendable, Equatable {
    /// Page cache of the writing connection in KiB (1 MiB to 1 GiB).
    package var cacheKibibytes = 65_536
    /// Page cache of each reading connection in KiB.
    package var readerCacheKibibytes = 8_192
    /// Connections that are kept for reading (1 to 32); each thread that reads uses one at a time.
    package var readers = 4

    package init() {}
}

/// Limits of the adapter, with their arithmetic.
package enum SQLiteTablesLimits {
    /// Prepared statements kept per connection: 16 tables × 5 kinds, and the queries of the API.
    package static let statementsMax = 300
    /// How long a connection waits for another's lock, ms: WAL readers never wait for the writer, checkpoints are
    /// short.
    package static let busyMillis: Int32 = 5_000
    /// The WAL is checkpointed at about this many pages (4 KiB) after a large commit: 64 MiB.
    package static let checkpointPages: Int32 = 16_384
    /// The same after a small one: 4 MiB, some milliseconds of the disk.
    package static let checkpointPagesSmall: Int32 = 1_024
    /// Bytes of the WAL beyond which a commit empties it: twice what large commits let it grow to.
    package static let walBytesMax: Int64 = 128 << 20
    /// Bytes of the WAL's file that are kept for the next commits once it was emptied: what large commits fill.
    package static let walBytesKept: Int64 = 64 << 20
    /// How long emptying the WAL waits for a reader, ms.
    package static let truncateMillis: Int32 = 100
    /// Rows and sums of a small commit: what 5,000 events a second leave of a tenth of a second.
    package static let smallCommit = 4_000
    /// Schema number of this till; a greater one in the file is refused, a smaller one is folded again from the log.
    package static let schemaVersion = 7
}
