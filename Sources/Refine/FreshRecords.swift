package import Ports
package import RetailModel
import Synchronization

/// Records as they were refined to answer their senders, until processing takes them: it need not read them from the
/// log and refine them again. What is not here is read from the log, where all of it is.
///
/// Refining is a function of bytes, envelope and contract, so it does not matter which way a record comes. Bounded in
/// records and bytes; beyond that nothing is kept. Thread: any.
package final class FreshRecords: Sendable {
    private struct Batch: Sendable {
        var base: Int64
        var records: [RefinedRecord]
        var bytes: Int
        var end: Int64 { base + Int64(records.count) }
    }

    /// Batches of one partition in order of their offsets; those before `first` are gone.
    private struct Line: Sendable {
        var batches: [Batch] = []
        var first = 0

        mutating func removeFirst() -> Batch {
            defer {
                first += 1
                // A line that is never empty must not grow at its end for ever.
                if first == batches.count || first >= 1_024 {
                    batches.removeFirst(first)
                    first = 0
                }
            }
            // The slot lets go of its records, so that whoever has them has them alone.
            let batch = batches[first]
            batches[first].records = []
            return batch
        }

        var slots: Int { batches.count }
    }

    private struct State: Sendable {
        var lines: [TopicPartition: Line] = [:]
        var records = 0
        var bytes = 0
        var lag: Int64 = 0
        /// Of batches that are on their way to the log.
        var promisedRecords = 0
        var promisedBytes = 0
    }

    /// Records that are kept at most.
    package static let recordsMax = 32_768
    /// Bytes of what is kept at most, as it is refined (`RefinedRecord.weight`): 32,768 lines of a CSV file at 1.5 kB.
    package static let bytesMax = 48 << 20
    /// Records of one batch that is kept at most: what `till ingest` sends at a time. A larger one would be a portion
    /// of its own; it is read from the log, slice by slice.
    package static let batchRecordsMax = 8_192
    /// Bytes of one batch that is kept at most, as it is refined.
    package static let batchBytesMax = 16 << 20

    private let state = Mutex(State())

    package init() {}

    /// Whether keeping something now is worth the work: there is room, and processing is not so far behind that senders
    /// only pay for it. By the time it is durable that may have changed.
    package var hasRoom: Bool {
        state.withLock { state in
            state.records + state.promisedRecords < Self.recordsMax && state.bytes + state.promisedBytes < Self.bytesMax
                && state.lag <= Self.recordsMax
        }
    }

    /// Makes room for a batch that is on its way to the log: until it is durable its records are in memory too. False
    /// when there is none; else ``keep(_:of:bytes:)`` or ``forget(promised:bytes:)`` follows.
    package func promise(records: Int, bytes: Int) -> Bool {
        state.withLock { state in
            guard state.records + state.promisedRecords + records <= Self.recordsMax,
                state.bytes + state.promisedBytes + bytes <= Self.bytesMax
            else { return false }
            state.promisedRecords += records
            state.promisedBytes += bytes
            return true
        }
    }

    /// Gives back the room of a batch that the log has taken or refused.
    package func forget(promised records: Int, bytes: Int) {
        state.withLock { state in
            state.promisedRecords -= records
            state.promisedBytes -= bytes
        }
    }

    /// Takes note of how many durable records processing has not taken.
    package func note(lag: Int64) { state.withLock { $0.lag = lag } }

    /// Keeps the records of a batch that became durable, when there is room.
    ///
    /// - Parameter bytes: Of the records as they are refined.
    package func keep(_ records: [RefinedRecord], of receipt: LogReceipt, bytes: Int) {
        precondition(records.count == receipt.offsets.count, "a batch is kept whole")
        state.withLock { state in
            guard state.records + records.count <= Self.recordsMax, state.bytes + bytes <= Self.bytesMax else { return }
            state.lines[receipt.partition, default: Line()].batches
                .append(Batch(base: receipt.offsets.lowerBound, records: records, bytes: bytes))
            state.records += records.count
            state.bytes += bytes
        }
    }

    /// Slots that hold batches or have held them, for the test that there are not ever more.
    var slots: Int { state.withLock { $0.lines.values.reduce(0) { $0 + $1.slots } } }

    /// Whether the record at an offset is here.
    package func has(_ partition: TopicPartition, at offset: Int64) -> Bool {
        state.withLock { state in
            guard let line = state.lines[partition] else { return false }
            return line.batches[line.first...].first { $0.base >= offset }?.base == offset
        }
    }

    /// Takes what follows on an offset without a gap, and forgets what comes before it.
    ///
    /// - Parameter budget: Spent by what is taken; one batch more at the most.
    /// - Returns: The offset after the last record taken; nil when the record at `offset` is not here.
    package func take(
        _ partition: TopicPartition,
        from offset: Int64,
        budget: inout SliceBudget,
        into out: inout [RefinedRecord]
    ) -> Int64? {
        let limit = budget
        let taken = state.withLock { state -> [Batch] in
            guard var line = state.lines.removeValue(forKey: partition) else { return [] }
            defer { state.lines[partition] = line }
            var taken: [Batch] = []
            var next = offset
            var left = limit
            while line.first < line.batches.count, line.batches[line.first].base <= next, !left.isSpent {
                let batch = line.removeFirst()
                state.records -= batch.records.count
                state.bytes -= batch.bytes
                // What was read from the log meanwhile; part of a batch never was.
                if batch.base < next { continue }
                next = batch.end
                left.bytes -= batch.bytes
                left.records -= batch.records.count
                taken.append(batch)
            }
            return taken
        }
        guard let last = taken.last else { return nil }
        for batch in taken {
            budget.bytes -= batch.bytes
            budget.records -= batch.records.count
            for (place, record) in batch.records.enumerated() {
                out.append(record)
                out[out.count - 1].offset = batch.base + Int64(place)
            }
        }
        return last.end
    }
}
