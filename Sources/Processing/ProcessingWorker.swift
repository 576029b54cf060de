package import Ports
package import Primitives
package import Refine
import RetailFolds
import RetailModel
import Tables
package import Telemetry

/// One owner's work on one store: the positions it continues from, the fold's memory, and a reader per partition.
/// Single owner; made anew after any failure, so nothing half-done is ever continued.
package final class ProcessingWorker {
    package enum Step: Sendable, Equatable { case idle, committed, fenced }

    /// Bytes of log that one commit takes at most (about 40,000 lines of a CSV file).
    package static let batchBytes = 4 << 20

    private let log: any EventLog
    private let store: any TableStore
    private let board: PositionBoard
    private let metrics: Metrics
    private let time: any TimeSource
    private let owner: Int64
    private var positions: PositionVector
    private var fold = RetailFold()
    private var refiner: Refiner
    private var readers: [TopicPartition: any LogReader] = [:]

    /// Claims the store and reads its positions.
    package init(
        log: any EventLog,
        store: any TableStore,
        book: ContractBook,
        board: PositionBoard,
        metrics: Metrics,
        time: any TimeSource
    ) throws {
        self.log = log
        self.store = store
        self.board = board
        self.metrics = metrics
        self.time = time
        refiner = Refiner(book: book)
        owner = try store.claim()
        positions = try store.positions()
        board.publish(positions)
    }

    /// Folds and commits one batch of each partition that has more.
    package func step() throws -> Step {
        var to = positions
        var records: [JudgedRecord] = []
        for partition in log.partitions() where partition.topic.hasPrefix("feed.") {
            let from = positions.offsets[partition, default: 0]
            guard log.durableEnd(of: partition) > from else { continue }
            let reader = try readers[partition] ?? log.reader(partition, from: from)
            readers[partition] = reader
            for batch in try reader.next(bytesMax: Self.batchBytes) {
                try refiner.judge(batch, topic: partition.topic, from: from, into: &records)
                to.offsets[partition] = batch.baseOffset + Int64(batch.recordCount)
            }
        }
        guard to != positions else { return .idle }
        let (changes, tally) = try fold.apply(records, from: StoreSource(store: store))
        let started = time.monotonicNanos()
        switch try store.commit(changes, from: positions, to: to, owner: owner) {
        case .fenced: return .fenced
        case .committed, .alreadyMine: break
        }
        metrics.add(.process_commit_micros_total, (time.monotonicNanos() - started) / 1_000)
        metrics.add(.process_commits_total)
        metrics.add(.process_records_total, tally.received)
        metrics.add(.process_duplicates_total, tally.duplicates)
        metrics.add(.process_quarantined_total, tally.quarantined)
        metrics.add(.process_superseded_total, tally.superseded)
        metrics.add(.process_conflicting_total, tally.conflicting)
        positions = to
        board.publish(to)
        return .committed
    }
}

/// The store as the fold reads it.
private struct StoreSource: FoldSource {
    let store: any TableStore

    func rows(of table: TableDeclaration, keys: [[Cell]]) throws(TableStoreError) -> [[Cell]?] {
        try store.rows(of: table, keys: keys)
    }

    func rows(of table: TableDeclaration, prefix: [Cell]) throws(TableStoreError) -> [[Cell]] {
        try store.rows(of: table, prefix: prefix)
    }

    func greatestID(of table: TableDeclaration) throws(TableStoreError) -> Int64 { try store.greatestID(of: table) }
}
