import Executors
package import Ports
package import Primitives
package import Refine
import RetailModel
import Synchronization

/// Where the records of one partition come from, up to the position of the tables.
package struct ProofSource: Sendable {
    package var partition: TopicPartition
    /// Records below this offset are proved.
    package var end: Int64
    /// Made on the thread that reads.
    package var open: @Sendable () throws -> any LogReader

    package init(partition: TopicPartition, end: Int64, open: @escaping @Sendable () throws -> any LogReader) {
        self.partition = partition
        self.end = end
        self.open = open
    }
}

/// What a proof found.
package struct ProofOutcome: Sendable {
    package var positions: PositionVector
    package var events: Int64
    package var tables: Int
    package var comparison: Comparison
    package var totals: ControlTotals
    package var nanos: Int64
    /// Released records that were still about to be counted when the snapshot was taken.
    package var waitedInVain: Bool
}

/// A proof of one snapshot of the tables: the tables are read on the calling thread while another one reads the log,
/// refines it and computes every table a second time.
package struct ProofRun {
    private let reader: any TableReader
    private let book: ContractBook
    private let scratch: Scratch
    private let time: any TimeSource
    private let bufferBytes: Int
    private let sources: @Sendable (PositionVector) throws -> [ProofSource]

    /// - Parameter sources: The feeds' partitions up to the given positions.
    package init(
        reader: any TableReader,
        book: ContractBook,
        scratch: Scratch,
        time: any TimeSource,
        bufferBytes: Int = ProofLimits.bufferBytes,
        sources: @escaping @Sendable (PositionVector) throws -> [ProofSource]
    ) {
        self.reader = reader
        self.book = book
        self.scratch = scratch
        self.time = time
        self.bufferBytes = bufferBytes
        self.sources = sources
    }

    /// - Parameter pause: Waits ``ProofLimits/snapshotPauseMillis``.
    package func run(pause: () -> Void) throws -> ProofOutcome {
        let started = time.monotonicNanos()
        for attempt in 1...ProofLimits.snapshotTries {
            let found = try reader.snapshot { snapshot -> ProofOutcome? in
                let waits = try !snapshot.query("SELECT id FROM parked_release", [], limit: 1).isEmpty
                if waits, attempt < ProofLimits.snapshotTries { return nil }
                return try prove(snapshot, started, waitedInVain: waits)
            }
            if let found { return found }
            pause()
        }
        preconditionFailure("the last try always proves")
    }

    private func prove(_ snapshot: any TableSnapshot, _ started: Int64, waitedInVain: Bool) throws -> ProofOutcome {
        let positions = try snapshot.positions()
        let bufferBytes = bufferBytes * 3 / 4
        let work = Work(book: book, scratch: scratch, bufferBytes: bufferBytes, sources: try sources(positions))
        let shared = Shared()
        let thread = try DedicatedThread(name: "till-prove") { shared.set(Result { try work.recompute() }) }
        defer { thread.join() }
        let live = try LiveRows(snapshot, scratch, bufferBytes: self.bufferBytes / 4)
        let totals = try ControlTotals(snapshot)
        thread.join()
        guard let (rows, events) = try shared.take()?.get() else {
            preconditionFailure("the thread that proves leaves a result")
        }
        var comparison = try Comparison(live: live.rows, proved: rows)
        for difference in totals.differences { comparison.add { difference } }
        return ProofOutcome(
            positions: positions,
            events: events,
            tables: TableShape.all.count,
            comparison: comparison,
            totals: totals,
            nanos: time.monotonicNanos() - started,
            waitedInVain: waitedInVain
        )
    }
}

/// Hands the result of the other thread over.
private final class Shared: Sendable {
    private let result = Mutex<Result<(SortedRuns, Int64), any Error>?>(nil)

    func set(_ value: Result<(SortedRuns, Int64), any Error>) { result.withLock { $0 = value } }
    func take() -> Result<(SortedRuns, Int64), any Error>? { result.withLock { $0 } }
}

/// Reads, refines and computes.
private struct Work: Sendable {
    var book: ContractBook
    var scratch: Scratch
    var bufferBytes: Int
    var sources: [ProofSource]

    /// A partition while it is read: the next batches and where they come from.
    private struct Reading {
        var source: ProofSource
        var reader: any LogReader
        var batches: ArraySlice<LoggedBatch> = []
        var position: Int64 = 0

        mutating func fill() throws {
            guard batches.isEmpty, position < source.end else { return }
            batches = try reader.next(bytesMax: 1 << 20)[...]
            if batches.isEmpty {
                throw ProofError.logEnds(
                    partition: source.partition.description,
                    wanted: source.end,
                    end: position
                )
            }
        }
    }

    /// Batches of several partitions are taken in the order of their receipt, which is about the order in which they
    /// were processed; within a partition the order is exact.
    func recompute() throws -> (SortedRuns, Int64) {
        var recomputation = Recomputation(scratch, bufferBytes: bufferBytes)
        var refiner = Refiner(book: book)
        var readings = try sources.map { Reading(source: $0, reader: try $0.open()) }
        var records: [JudgedRecord] = []
        while true {
            for index in readings.indices { try readings[index].fill() }
            let waiting = readings.indices.filter { !readings[$0].batches.isEmpty }
            let next = waiting.min {
                (readings[$0].batches.first?.envelope.receivedAt.micros ?? 0)
                    < (readings[$1].batches.first?.envelope.receivedAt.micros ?? 0)
            }
            guard let next, let batch = readings[next].batches.popFirst() else { break }
            let source = readings[next].source
            records.removeAll(keepingCapacity: true)
            try refiner.judge(batch, topic: source.partition.topic, from: readings[next].position, into: &records)
            for record in records where record.offset < source.end { try recomputation.add(record) }
            readings[next].position = batch.baseOffset + Int64(batch.recordCount)
            if readings[next].position >= source.end { readings[next].batches = [] }
        }
        let events = recomputation.records
        return (try recomputation.finish(), events)
    }
}
