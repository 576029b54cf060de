package import Executors
package import Ports
package import Primitives
import RecordBatch
import Synchronization

/// ``EventLog`` on local files: one writer thread, group commit, one fdatasync per changed partition and wake-up.
package final class EmbeddedLog: EventLog {
    /// A class: it is handed on several times, and a copy would count references to each field of the envelope.
    private final class Waiting: Sendable {
        let batch: LogBatch
        let completion: @Sendable (Result<LogReceipt, EventLogError>) -> Void
        /// Bytes that the batch takes in a group's header.
        let entrySize: Int
        /// Bytes that the batch takes in memory and on disk.
        var size: Int { batch.bytes.count + entrySize }

        init(_ batch: LogBatch, _ completion: @escaping @Sendable (Result<LogReceipt, EventLogError>) -> Void) {
            self.batch = batch
            self.completion = completion
            entrySize = 10 + RecordEnvelopeCodec.size(batch.envelope)
        }
    }

    private struct Queue: Sendable {
        var waiting: [Waiting] = []
        var bytes = 0
        var closing = false
        /// Set while the senders of a refused group are told: what comes meanwhile must not overtake it.
        var refusal: EventLogError?
        /// The writer waits and nobody woke it since.
        var asleep = false

        /// True when the writer has to be woken for what waits.
        mutating func wake() -> Bool {
            guard asleep, !waiting.isEmpty else { return false }
            asleep = false
            return true
        }
    }

    private struct Shared: Sendable {
        var logs: [TopicPartition: PartitionLog] = [:]
        var listeners: [@Sendable () -> Void] = []
        var poison: EventLogError?
        /// The latest try met a full disk, with a group of so many bytes.
        var full: (error: EventLogError, bytes: Int)?
    }

    private let directory: String
    private let disk: any LogDisk
    private let settings: EmbeddedLogSettings
    private let time: any TimeSource
    private let queue = Guarded(Queue())
    private let shared: Mutex<Shared>
    private let thread = Mutex<DedicatedThread?>(nil)
    /// Held while a partition is made, by the writer or a reader: two recoveries of one directory would cut each other.
    private let making = Mutex<Void>(())

    /// What recovery cut off, by partition; empty after a clean stop.
    package let cuts: [PartitionLog.Cut]

    /// Opens all partitions below `directory` (TOPIC/PARTITION/*.log) and starts the writer.
    ///
    /// - Parameter stored: Offsets up to which tables have stored results.
    /// - Throws: ``EventLogError/corrupt(partition:segment:byte:defect:)``, ``EventLogError/unavailable(operation:cause:)``.
    package init(
        directory: String,
        disk: any LogDisk,
        settings: EmbeddedLogSettings,
        time: any TimeSource,
        stored: [TopicPartition: Int64] = [:]
    ) throws(EventLogError) {
        self.directory = directory
        self.disk = disk
        self.settings = settings
        self.time = time
        var logs: [TopicPartition: PartitionLog] = [:]
        var cuts: [PartitionLog.Cut] = []
        for partition in try Self.found(in: directory, disk).union(stored.keys).sorted() {
            let log: PartitionLog
            do throws(EventLogError) {
                log = try PartitionLog(
                    partition,
                    directory: "\(directory)/\(partition)",
                    disk: disk,
                    segmentBytes: settings.segmentBytes,
                    reserveBytes: settings.reserveBytes,
                    storedBelow: stored[partition] ?? 0
                )
            } catch {
                // Nobody sent anything yet: the start fails, and no request was refused.
                if case .full(let operation, let cause) = error {
                    throw .unavailable(operation: operation, cause: cause)
                }
                throw error
            }
            logs[partition] = log
            if let cut = log.cut { cuts.append(cut) }
        }
        self.cuts = cuts
        shared = Mutex(Shared(logs: logs))
    }

    static func found(in directory: String, _ disk: any LogDisk) throws(EventLogError) -> Set<TopicPartition> {
        try onDisk { () throws(DiskError) in
            var all: Set<TopicPartition> = []
            for topic in try disk.list(directory) {
                for number in try disk.list(directory + "/" + topic) {
                    if let partition = Int32(number) { all.insert(TopicPartition(topic, partition)) }
                }
            }
            return all
        }
    }

    /// Starts the writer thread. Call once.
    package func start() throws(ThreadError) {
        // Every sender waits for this thread, which sleeps in each sync and must not queue for a processor afterwards.
        let started = try DedicatedThread(name: "till-log", sliceMicros: 300) { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Writes what waits, then stops the writer; later submissions throw `closed`.
    package func close() {
        queue.withLock { $0.closing = true }
        queue.broadcast()
        thread.withLock { $0.take() }?.join()
        for log in shared.withLock({ Array($0.logs.values) }) { log.trim() }
    }

    package func submit(
        _ batch: LogBatch,
        moreFollows: Bool,
        completion: @escaping @Sendable (Result<LogReceipt, EventLogError>) -> Void
    ) throws(EventLogError) {
        guard batch.bytes.count <= RecordBatchLayout.bytesMax else {
            throw .batchTooLarge(bytes: batch.bytes.count, limit: RecordBatchLayout.bytesMax)
        }
        if let (bytes, limit) = RecordEnvelopeCodec.oversized(batch.envelope) {
            throw .envelopeTooLarge(bytes: bytes, limit: limit)
        }
        precondition(batch.isPlausible, "a logged batch states its own size and record count")
        if let poison = shared.withLock({ $0.poison }) { throw poison }
        let waiting = Waiting(batch, completion)
        let (problem, wakes) = queue.withLock { queue -> (EventLogError?, Bool) in
            if queue.closing { return (.closed, false) }
            if let refusal = queue.refusal { return (refusal, false) }
            guard queue.bytes + waiting.size <= settings.waitingBytesMax || queue.waiting.isEmpty else {
                return (.saturated(waitingBytes: queue.bytes, limit: settings.waitingBytesMax), false)
            }
            queue.waiting.append(waiting)
            queue.bytes += waiting.size
            return (nil, moreFollows ? false : queue.wake())
        }
        if let problem { throw problem }
        if wakes { queue.signal() }
    }

    package func flush() { if queue.withLock({ $0.wake() }) { queue.signal() } }

    package func reader(_ partition: TopicPartition, from offset: Int64) throws(EventLogError) -> any LogReader {
        let log = try log(partition)
        let start = log.start
        let end = log.durableEnd
        guard offset >= start, offset <= end else {
            throw .offsetOutOfRange(partition: partition.description, offset: offset, start: start, end: end)
        }
        return PartitionReader(log: log, from: offset)
    }

    package func durableEnd(of partition: TopicPartition) -> Int64 {
        shared.withLock { $0.logs[partition] }?.durableEnd ?? 0
    }

    package func partitions() -> [TopicPartition] { shared.withLock { $0.logs.keys.sorted() } }

    package func onDurable(_ notify: @escaping @Sendable () -> Void) { shared.withLock { $0.listeners.append(notify) } }

    package func failure() -> EventLogError? { shared.withLock { $0.poison ?? $0.full?.error } }

    /// The partition's files, made when it is new.
    private func log(_ partition: TopicPartition) throws(EventLogError) -> PartitionLog {
        if let log = shared.withLock({ $0.logs[partition] }) { return log }
        return try making.withLock { _ throws(EventLogError) in try make(partition) }
    }

    private func make(_ partition: TopicPartition) throws(EventLogError) -> PartitionLog {
        if let log = shared.withLock({ $0.logs[partition] }) { return log }
        guard shared.withLock({ $0.logs.count }) < EmbeddedLogLimits.partitionsMax else {
            throw .unavailable(
                operation: "create partition \(partition)",
                cause: "\(EmbeddedLogLimits.partitionsMax) partitions exist, which is the limit"
            )
        }
        do throws(EventLogError) {
            let log = try PartitionLog(
                partition,
                directory: "\(directory)/\(partition)",
                disk: disk,
                segmentBytes: settings.segmentBytes,
                reserveBytes: settings.reserveBytes
            )
            shared.withLock { $0.logs[partition] = log }
            return log
        } catch {
            // A directory entry whose sync failed: a later sync that succeeds would prove nothing.
            if case .poisoned = error { shared.withLock { $0.poison = error } }
            throw error
        }
    }

    // MARK: The writer thread

    private func run() {
        // Partitions whose last group no seal follows, and when it was written.
        var unsealed = shared.withLock { $0.logs.mapValues { _ in time.monotonicNanos() } }
        defer { seal(&unsealed, olderThan: .max) }
        while true {
            let isFull = shared.withLock { $0.full != nil }
            let micros = isFull ? EmbeddedLogLimits.spaceProbeMicros : -1
            let next = queue.wait(micros: unsealed.isEmpty ? micros : EmbeddedLogLimits.sealMicros) {
                queue -> [Waiting]? in
                if queue.waiting.isEmpty {
                    queue.asleep = true
                    return queue.closing ? [] : nil
                }
                queue.asleep = false
                defer { queue.bytes = 0 }
                return queue.waiting.take(keepingCapacity: true)
            }
            guard let taken = next else {
                if unsealed.isEmpty { probeSpace() } else { seal(&unsealed, olderThan: .max) }
                continue
            }
            if taken.isEmpty { return }
            let groups = Self.groups(of: taken)
            for (number, group) in groups.enumerated() {
                unsealed[group[0].batch.partition] = time.monotonicNanos()
                guard let refusal = commit(group) else { continue }
                refuse(Array(groups[number...].joined()), refusal)
                break
            }
            for listener in shared.withLock({ $0.listeners }) { listener() }
            seal(&unsealed, olderThan: time.monotonicNanos() - EmbeddedLogLimits.sealMicros * 1_000)
        }
    }

    /// Seals the partitions that took nothing since `limit`.
    private func seal(_ unsealed: inout [TopicPartition: Int64], olderThan limit: Int64) {
        for (partition, written) in unsealed where written <= limit {
            unsealed[partition] = nil
            guard let log = shared.withLock({ $0.logs[partition] }) else { continue }
            do throws(EventLogError) {
                try log.seal(committedAt: time.now().micros)
            } catch {
                shared.withLock { $0.poison = error }
            }
        }
    }

    /// Splits what arrived into groups: by partition, in order, none over the targets of ``EmbeddedLogLimits``.
    private static func groups(of taken: [Waiting]) -> [[Waiting]] {
        var open: [TopicPartition: Int] = [:]
        var sizes: [(body: Int, header: Int)] = []
        var groups: [[Waiting]] = []
        for one in taken {
            if let index = open[one.batch.partition], groups[index].count < EmbeddedLogLimits.groupBatchesMax,
                sizes[index].body + one.batch.bytes.count <= EmbeddedLogLimits.groupBytesTarget,
                sizes[index].header + one.entrySize <= EmbeddedLogLimits.groupHeaderBytesMax
            {
                groups[index].append(one)
                sizes[index].body += one.batch.bytes.count
                sizes[index].header += one.entrySize
            } else {
                open[one.batch.partition] = groups.count
                groups.append([one])
                sizes.append((one.batch.bytes.count, CommitGroup.fixedSize + one.entrySize))
            }
        }
        return groups
    }

    /// Makes a group durable and answers its senders; returns the error, unanswered, when there was no room.
    private func commit(_ group: [Waiting]) -> EventLogError? {
        do throws(EventLogError) {
            let log = try log(group[0].batch.partition)
            let receipts = try log.append(group.map(\.batch), committedAt: time.now().micros)
            shared.withLock { $0.full = nil }
            for (one, receipt) in zip(group, receipts) { one.completion(.success(receipt)) }
        } catch {
            if case .full = error {
                let bytes = group.reduce(0) { $0 + $1.size }
                shared.withLock { $0.full = (error, bytes) }
                return error
            }
            // Nothing was written: as without room, no later batch may be stored without this one.
            if case .unavailable = error { return error }
            if case .poisoned = error { shared.withLock { $0.poison = error } }
            for one in group { one.completion(.failure(error)) }
        }
        return nil
    }

    /// Refuses a group, all groups after it and all that was submitted until its senders know: a sender of several
    /// batches in a row would otherwise find the later ones stored without the earlier.
    private func refuse(_ refused: [Waiting], _ error: EventLogError) {
        let behind = queue.withLock { queue in
            queue.refusal = error
            queue.bytes = 0
            return queue.waiting.take(keepingCapacity: true)
        }
        for one in refused + behind { one.completion(.failure(error)) }
        queue.withLock { $0.refusal = nil }
    }

    /// Nobody sends while the log is full: tries whether what failed would fit now, in a file beside the partitions.
    private func probeSpace() {
        guard let bytes = shared.withLock({ $0.full?.bytes }) else { return }
        do throws(DiskError) {
            try disk.makeDirectory(directory)
            let file = try disk.open(directory + "/space.probe", create: true, readOnly: false)
            do throws(DiskError) {
                try file.write([UInt8](repeating: 0, count: min(bytes, EmbeddedLogLimits.groupBytesMax)), at: 0)
            } catch {
                try file.truncate(to: 0)
                throw error
            }
            try file.truncate(to: 0)
            shared.withLock { $0.full = nil }
        } catch {}
    }
}

extension Array {
    /// Empties the array and returns what it held.
    fileprivate mutating func take(keepingCapacity: Bool) -> Self {
        let all = self
        self = []
        if keepingCapacity { reserveCapacity(Swift.min(all.count, 1 << 14)) }
        return all
    }
}
