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
    }

    /// Kept at most: about 1 kB a record.
    package static let recordsMax = 32_768
    /// Original bytes of what is kept at most; refined, a record takes several times its bytes.
    package static let bytesMax = 16 << 20

    private let state = Mutex(State())

    package init() {}

    /// Whether keeping something now is worth the work: there is room, and processing is not so far behind that senders
    /// only pay for it. By the time it is durable that may have changed.
    package var hasRoom: Bool {
        state.withLock { $0.records < Self.recordsMax && $0.bytes < Self.bytesMax && $0.lag <= Self.recordsMax }
    }

    /// Takes note of how many durable records processing has not taken.
    package func note(lag: Int64) { state.withLock { $0.lag = lag } }

    /// Keeps the records of a batch that became durable, when there is room.
    ///
    /// - Parameter bytes: Original bytes of the records.
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
    /// - Parameter bytesMax: Original bytes of what is taken; one batch more at the most.
    /// - Returns: The offset after the last record taken; nil when the record at `offset` is not here.
    package func take(
        _ partition: TopicPartition,
        from offset: Int64,
        bytesMax: Int = .max,
        into out: inout [RefinedRecord]
    ) -> Int64? {
        let taken = state.withLock { state -> [Batch] in
            guard var line = state.lines.removeValue(forKey: partition) else { return [] }
            defer { state.lines[partition] = line }
            var taken: [Batch] = []
            var next = offset
            var bytes = 0
            while line.first < line.batches.count, line.batches[line.first].base <= next, bytes < bytesMax {
                let batch = line.removeFirst()
                state.records -= batch.records.count
                state.bytes -= batch.bytes
                // What was read from the log meanwhile; part of a batch never was.
                if batch.base < next { continue }
                next = batch.end
                bytes += batch.bytes
                taken.append(batch)
            }
            return taken
        }
        guard let last = taken.last else { return nil }
        for batch in taken {
            for (place, record) in batch.records.enumerated() {
                out.append(record)
                out[out.count - 1].offset = batch.base + Int64(place)
            }
        }
        return last.end
    }
}
