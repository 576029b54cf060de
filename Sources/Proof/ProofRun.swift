package import Ports
package import Primitives
package import Refine
import RetailModel

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
        var attempt = 1
        while true {
            let isLast = attempt == ProofLimits.snapshotTries
            // The snapshot ends as soon as the tables are read: beside a running till it keeps old pages alive.
            if let found = try reader.snapshot({ try read($0, isLast: isLast) }) { return try compare(found, started) }
            attempt += 1
            pause()
        }
    }

    /// What was read of the tables, while another thread still computes what should be there.
    private struct Snapshot {
        var positions: PositionVector
        var live: LiveRows
        var totals: ControlTotals
        var waitedInVain: Bool
        var proving: Pending<(SortedRuns, Int64)>
    }

    /// Nil when released records are about to be counted: another snapshot is better.
    private func read(_ snapshot: any TableSnapshot, isLast: Bool) throws -> Snapshot? {
        let waits = try !snapshot.query("SELECT id FROM parked_release", [], limit: 1).isEmpty
        if waits, !isLast { return nil }
        let positions = try snapshot.positions()
        let work = Work(book: book, scratch: scratch, bufferBytes: bufferBytes * 3 / 4, sources: try sources(positions))
        let proving = try Pending { try work.recompute() }
        return Snapshot(
            positions: positions,
            live: try LiveRows(snapshot, scratch, bufferBytes: bufferBytes / 4),
            totals: try ControlTotals(snapshot),
            waitedInVain: waits,
            proving: proving
        )
    }

    private func compare(_ found: Snapshot, _ started: Int64) throws -> ProofOutcome {
        let (rows, events) = try found.proving.result()
        var comparison = try Comparison(live: found.live.rows, proved: rows)
        for difference in found.totals.differences { comparison.add { difference } }
        return ProofOutcome(
            positions: found.positions,
            events: events,
            tables: TableShape.all.count,
            comparison: comparison,
            totals: found.totals,
            nanos: time.monotonicNanos() - started,
            waitedInVain: found.waitedInVain
        )
    }
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
            let partition = source.partition.description
            guard let first = batches.first else {
                throw ProofError.logEnds(partition: partition, wanted: source.end, end: position)
            }
            if first.baseOffset > position {
                throw ProofError.logStarts(partition: partition, start: first.baseOffset)
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
            // By index: a copy of a record would count references to all its parts.
            for index in records.indices where records[index].offset < source.end {
                try recomputation.add(records[index])
            }
            readings[next].position = batch.baseOffset + Int64(batch.recordCount)
            if readings[next].position >= source.end { readings[next].batches = [] }
        }
        let events = recomputation.records
        return (try recomputation.finish(), events)
    }
}
