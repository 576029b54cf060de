/// Limits of a proof, with their arithmetic.
package enum ProofLimits {
    /// Bytes that the facts of documents and the rows to compare may take in memory before they are spilled.
    package static let bufferBytes = 128 << 20
    /// What `--memory` takes: below 4 sorters spill runs of a few records.
    package static let bufferMebibytes = 4...65_536
    /// What a sorter that is complete keeps in memory: 12 sorters × 1 MiB stay below the buffer.
    static let restBytes = 1 << 20
    /// Runs of one level that are merged into one of the next: 64 readers × 64 KiB are 4 MiB.
    static let fanIn = 64
    /// Threads that prove documents; the reader of the tables is done by then.
    static let documentShares = 2
    /// Threads that refine, each with about this much of the log: 1 MiB becomes about 8 MB of events.
    static let refiners = 3
    static let refineBytes = 1 << 20
    /// Bytes that the reader of a run asks the disk for.
    static let readBytes = 64 << 10
    /// Keys of sums in memory (about 250 bytes each, so 25 MB); more are spilled.
    static let sumKeys = 100_000
    /// Entities (customers, products …) in memory, about 300 bytes each; more are spilled.
    static let entityKeys = 50_000
    /// Rows of a table whose natural keys are held while the tables are read: at most seven such tables of about 100
    /// bytes a row, so 35 MB.
    static let liveNamesMax = 50_000
    /// Clocks of one store.
    static let clocksMax = 256
    /// Ranges of sequence numbers of one sender; then the second is joined with the third.
    static let rangesMax = 1_000
    /// Differences that are kept for the report; more are counted.
    package static let differencesShown = 100
    /// Days of a currency in the JSON report, the latest: five years and 170 bytes a day, so 310 kB a currency.
    package static let daysShown = 1_830
    /// Days of a currency on which something differs in the text report.
    static let differingDaysShown = 10
    /// How often a snapshot is taken anew while released records wait, and the pause between two, milliseconds.
    package static let snapshotTries = 20
    package static let snapshotPauseMillis: Int64 = 100
}

/// How many of what a proof holds in memory from its start to its end, since later records refer to it. More end the
/// proof with ``ProofError/tooLarge(what:limit:)``; everything else is sorted on disk. All limits together are 2.5 GB,
/// and a shop has a thousandth of that.
package struct ProofCapacity: Sendable {
    /// Menu items and references: about 200 bytes each and once more in the set of those that came, so 1.5 GB.
    package var references = 5_000_000
    /// Senders: about 200 bytes each, so 200 MB.
    package var senders = 1_000_000
    /// Ranges of sequence numbers of all senders: 40 bytes each, so 200 MB.
    package var senderRanges = 5_000_000
    /// Ingest runs: their totals, 150 bytes, are also in the shares that prove documents, so 450 MB.
    package var runs = 1_000_000
    /// Stores with turnover windows, their clocks and the windows that are open at one time: about 150 bytes each, so
    /// 150 MB.
    package var windowPlaces = 1_000_000

    package init() {}
}
