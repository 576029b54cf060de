package import Ports
import Primitives
import RecordBatch
import Synchronization
import Testing

/// An adapter of ``EventLog`` under test, with the hands on its storage that the cases need.
package protocol EventLogSubject: Sendable {
    /// Opens the log, the first time or again after ``close()``.
    func open() throws -> any EventLog
    /// Stops the log that was opened last; what it accepted is finished first.
    func close()
    /// Loses what the storage did not promise to keep; the log is closed.
    func cutPower()
    /// Makes syncs wait; returns when the next one does not pass.
    func holdSyncs()
    /// Waits until a sync is held back.
    func waitUntilHeld() -> Bool
    func releaseSyncs()
    /// Makes storage refuse from now on, or work again.
    func breakStorage(_ broken: Bool)
    /// Makes storage have no room for what is written from now on, or room again.
    func fillStorage(_ full: Bool)
    /// The limit of waiting bytes that ``open()`` sets; the cases go beyond it.
    var waitingBytesMax: Int { get }
}

/// The guarantees of ``EventLog`` as executable cases. Every adapter runs all of them.
package struct EventLogConformance: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    package let check: @Sendable (any EventLogSubject) async throws -> Void

    package static let all: [Self] = [
        Self(testDescription: "L1 an acknowledged record survives a power cut") { subject in
            let log = try subject.open()
            for value in ["a", "b", "c"] { _ = try await log.append([value]) }
            subject.close()
            subject.cutPower()
            #expect(try subject.open().values() == ["a", "b", "c"])
        },
        Self(testDescription: "L1 nothing is acknowledged while its sync has not returned") { subject in
            let log = try subject.open()
            let acknowledged = Mutex(false)
            subject.holdSyncs()
            try log.submit(.of(["a"])) { _ in acknowledged.withLock { $0 = true } }
            #expect(subject.waitUntilHeld())
            #expect(!acknowledged.withLock { $0 })
            subject.releaseSyncs()
            _ = try await log.append(["b"])
            #expect(acknowledged.withLock { $0 })
        },
        Self(testDescription: "L2 offsets are consecutive from 0 in the order of submission") { subject in
            let log = try subject.open()
            let receipts = Mutex<[LogReceipt]>([])
            for size in 1...50 {
                try log.submit(.of((0..<size).map { "\(size).\($0)" })) { result in
                    if case .success(let receipt) = result { receipts.withLock { $0.append(receipt) } }
                }
            }
            _ = try await log.append(["last"])
            let found = receipts.withLock { $0 }
            #expect(found.map(\.offsets.count) == Array(1...50))
            #expect(found.first?.offsets.lowerBound == 0)
            for (one, next) in zip(found, found.dropFirst()) {
                #expect(one.offsets.upperBound == next.offsets.lowerBound)
            }
            #expect(try log.values() == (1...50).flatMap { size in (0..<size).map { "\(size).\($0)" } } + ["last"])
        },
        Self(testDescription: "L2 each partition counts from 0, and offsets go on after a restart") { subject in
            var log = try subject.open()
            #expect(try await log.append(["a", "b"]).offsets == 0..<2)
            #expect(try await log.append(["c"], to: other).offsets == 0..<1)
            subject.close()
            log = try subject.open()
            #expect(try await log.append(["d"]).offsets == 2..<3)
            #expect(try await log.append(["e"], to: other).offsets == 1..<2)
            #expect(log.partitions() == [feed, other])
            #expect(log.durableEnd(of: feed) == 3)
            #expect(log.durableEnd(of: TopicPartition("feed.none")) == 0)
        },
        Self(testDescription: "L3 a batch is stored whole, with its envelope") { subject in
            let log = try subject.open()
            var batch = LogBatch.of(["x;1", "y;2"])
            batch.envelope.format = .csv(header: "name;count", separator: 0x3B)
            batch.envelope.sender = "till 7"
            batch.envelope.senderSequence = -3
            batch.envelope.senderEpoch = "second"
            batch.envelope.run = "run"
            batch.envelope.subject = "subject"
            batch.envelope.key = "key"
            _ = try await log.append(batch)
            var odd = batch
            odd.envelope.format = .unknown(mediaType: "text/plain")
            odd.envelope.action = .discard
            _ = try await log.append(odd)
            let stored = try log.batches()
            #expect(stored.map(\.envelope) == [batch.envelope, odd.envelope])
            #expect(stored.map(\.recordCount) == [2, 2])
            #expect(stored.flatMap(\.values) == ["x;1", "y;2", "x;1", "y;2"])
        },
        Self(testDescription: "L3 of a batch that is not acknowledged nothing or everything is there") { subject in
            let log = try subject.open()
            _ = try await log.append(["a"])
            subject.breakStorage(true)
            await #expect(throws: EventLogError.self) { _ = try await log.append(["b", "c", "d"]) }
            subject.close()
            subject.breakStorage(false)
            subject.cutPower()
            let values = try subject.open().values()
            #expect(values == ["a"] || values == ["a", "b", "c", "d"])
        },
        Self(testDescription: "L4 reading twice gives the same bytes, also after a restart") { subject in
            let log = try subject.open()
            for number in 0..<20 { _ = try await log.append(["\(number)", "\(number)!"]) }
            func bytes(_ log: any EventLog) throws -> [[UInt8]] { try log.batches().map { Array($0.buffer[$0.range]) } }
            let once = try bytes(log)
            #expect(once.count == 20)
            #expect(try bytes(log) == once)
            subject.close()
            #expect(try bytes(subject.open()) == once)
        },
        Self(testDescription: "L4 a reader may start at any offset and gets the batch around it") { subject in
            let log = try subject.open()
            for number in 0..<10 { _ = try await log.append(["\(number)a", "\(number)b", "\(number)c"]) }
            for offset in Int64(0)...30 {
                let found = try log.batches(from: offset)
                #expect(found.count == 10 - Int(offset / 3))
                if let first = found.first { #expect(first.baseOffset == offset / 3 * 3) }
            }
            #expect(throws: EventLogError.offsetOutOfRange(partition: "feed.test/0", offset: 31, start: 0, end: 30)) {
                _ = try log.reader(feed, from: 31)
            }
        },
        Self(testDescription: "L5 a reader sees a batch only when it is durable") { subject in
            let log = try subject.open()
            _ = try await log.append(["a"])
            let reader = try log.reader(feed, from: 0)
            #expect(try reader.next(bytesMax: 1).flatMap(\.values) == ["a"])
            subject.holdSyncs()
            try log.submit(.of(["b"])) { _ in }
            #expect(subject.waitUntilHeld())
            #expect(try reader.next(bytesMax: 1 << 20).isEmpty)
            #expect(try log.values() == ["a"])
            #expect(log.durableEnd(of: feed) == 1)
            subject.releaseSyncs()
            _ = try await log.append(["c"])
            var later: [String] = []
            while case let batches = try reader.next(bytesMax: 1), !batches.isEmpty {
                later += batches.flatMap(\.values)
            }
            #expect(later == ["b", "c"])
        },
        Self(testDescription: "L6 after a failed sync nothing is accepted until the log is opened again") { subject in
            var log = try subject.open()
            _ = try await log.append(["a"])
            subject.breakStorage(true)
            await #expect { _ = try await log.append(["b"]) } throws: { isPoisoned($0) }
            subject.breakStorage(false)
            await #expect { _ = try await log.append(["c"]) } throws: { isPoisoned($0) }
            #expect(log.failure().map { isPoisoned($0) } == true)
            #expect(try log.values() == ["a"])
            subject.close()
            log = try subject.open()
            #expect(log.failure() == nil)
            _ = try await log.append(["d"])
            let values = try log.values()
            #expect(values == ["a", "d"] || values == ["a", "b", "d"])
        },
        Self(testDescription: "L6 without room a batch is refused whole, and the log goes on once there is room") {
            subject in
            let log = try subject.open()
            _ = try await log.append(["a"])
            subject.fillStorage(true)
            for _ in 0..<2 {
                await #expect { _ = try await log.append(["b", "c"]) } throws: { isFull($0) }
                #expect(log.failure().map { isFull($0) } == true)
            }
            #expect(try log.values() == ["a"])
            subject.fillStorage(false)
            #expect(try await log.append(["d"]).offsets == 1..<2)
            #expect(log.failure() == nil)
            subject.close()
            subject.cutPower()
            #expect(try subject.open().values() == ["a", "d"])
        },
        Self(testDescription: "L7 beyond the limit of waiting bytes a batch is refused, and taken again later") {
            subject in
            let log = try subject.open()
            subject.holdSyncs()
            try log.submit(.of(["first"])) { _ in }
            #expect(subject.waitUntilHeld())
            let big = String(repeating: "x", count: subject.waitingBytesMax / 4)
            var taken = 0
            let refusal = #expect(throws: EventLogError.self) {
                for _ in 0..<100 {
                    try log.submit(.of([big])) { _ in }
                    taken += 1
                }
            }
            #expect((1...4).contains(taken))
            guard case .saturated(let waiting, let limit)? = refusal else {
                Issue.record("expected saturated, got \(String(describing: refusal))")
                return subject.releaseSyncs()
            }
            #expect(limit == subject.waitingBytesMax && waiting <= limit)
            #expect(refusal?.retry == .afterBackoff)
            subject.releaseSyncs()
            while (try? await log.append(["after"])) == nil { await Task.yield() }
            #expect(try log.values().count == 1 + taken + 1)
        },
        Self(testDescription: "what was accepted before close is finished, what comes after is refused") { subject in
            let log = try subject.open()
            let done = Mutex(0)
            for number in 0..<100 { try log.submit(.of(["\(number)"])) { _ in done.withLock { $0 += 1 } } }
            subject.close()
            #expect(done.withLock { $0 } == 100)
            #expect(throws: EventLogError.closed) { try log.submit(.of(["late"])) { _ in } }
            #expect(try subject.open().values().count == 100)
        },
        Self(testDescription: "what more follows is stored by a flush, by a submission behind it and by a close") {
            subject in
            var log = try subject.open()
            let done = Mutex<[String]>([])
            func submit(_ value: String, moreFollows: Bool) throws {
                try log.submit(.of([value]), moreFollows: moreFollows) { result in
                    if case .success = result { done.withLock { $0.append(value) } }
                }
            }
            log.flush()
            try submit("a", moreFollows: true)
            try submit("b", moreFollows: true)
            log.flush()
            while done.withLock({ $0.count < 2 }) { await Task.yield() }
            try submit("c", moreFollows: true)
            _ = try await log.append(["d"])
            #expect(done.withLock { $0 } == ["a", "b", "c"])
            try submit("e", moreFollows: true)
            subject.close()
            #expect(done.withLock { $0 } == ["a", "b", "c", "e"])
            log = try subject.open()
            #expect(try log.values() == ["a", "b", "c", "d", "e"])
        },
        Self(testDescription: "listeners are told after records became durable") { subject in
            let log = try subject.open()
            let seen = Mutex<[Int64]>([])
            log.onDurable { [weak log] in
                let end = log?.durableEnd(of: feed) ?? -1
                seen.withLock { $0.append(end) }
            }
            for number in 0..<5 { _ = try await log.append(["\(number)"]) }
            subject.close()
            #expect(seen.withLock { $0.last } == 5)
        },
        Self(testDescription: "a batch or an envelope over its limit is refused before it is taken") { subject in
            let log = try subject.open()
            var huge = LogBatch.of(["a"])
            huge.bytes = [UInt8](repeating: 0, count: RecordBatchLayout.bytesMax + 1)
            #expect(throws: EventLogError.batchTooLarge(bytes: huge.bytes.count, limit: RecordBatchLayout.bytesMax)) {
                try log.submit(huge) { _ in }
            }
            var wide = LogBatch.of(["a"])
            wide.envelope.sender = ByteString([UInt8](repeating: 0x61, count: 70_000))
            #expect {
                try log.submit(wide) { _ in }
            } throws: { error in
                if case .envelopeTooLarge(bytes: 70_000, limit: _)? = error as? EventLogError { return true }
                return false
            }
            #expect(log.durableEnd(of: feed) == 0)
        },
    ]
}

private let feed = TopicPartition("feed.test")
private let other = TopicPartition("feed.test", 1)

private func isPoisoned(_ error: any Error) -> Bool {
    if case .poisoned? = error as? EventLogError { return true }
    return false
}

private func isFull(_ error: any Error) -> Bool {
    guard case .full? = error as? EventLogError else { return false }
    return (error as? EventLogError)?.retry == .afterBackoff
}

extension LogBatch {
    /// A JSON batch for tests: one record a text.
    package static func of(
        _ values: [String],
        to partition: TopicPartition = TopicPartition("feed.test")
    ) -> LogBatch {
        var builder = RecordBatchBuilder(baseTimestamp: 1_700_000_000_000)
        for value in values { builder.append(Array(value.utf8)[...]) }
        let envelope = RecordEnvelope(
            feed: "test",
            contract: .sha256(of: Array("contract".utf8)),
            receivedAt: Timestamp(micros: 1_700_000_000_000_000),
            format: .json,
            recordIDBase: Identifier(high: 1, low: 2)
        )
        return LogBatch(partition: partition, envelope: envelope, bytes: builder.finish(), recordCount: values.count)
    }
}

extension LoggedBatch {
    /// The records as text; empty when the batch is malformed.
    package var values: [String] {
        var all: [String] = []
        guard let view = try? RecordBatchView(buffer, at: range.lowerBound, end: range.upperBound),
            (try? view.forEach(in: buffer, { all.append(String(decoding: buffer[$0.value], as: UTF8.self)) })) != nil
        else { return [] }
        return all
    }
}

extension EventLog {
    /// Submits and waits for the answer.
    package func append(_ batch: LogBatch) async throws -> LogReceipt {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try submit(batch) { continuation.resume(with: $0) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    package func append(_ values: [String], to partition: TopicPartition = TopicPartition("feed.test")) async throws
        -> LogReceipt
    {
        try await append(.of(values, to: partition))
    }

    /// Everything durable from an offset on.
    package func batches(
        of partition: TopicPartition = TopicPartition("feed.test"),
        from offset: Int64 = 0
    ) throws -> [LoggedBatch] {
        let reader = try reader(partition, from: offset)
        var all: [LoggedBatch] = []
        while case let found = try reader.next(bytesMax: 4 << 10), !found.isEmpty { all += found }
        return all
    }

    package func values(of partition: TopicPartition = TopicPartition("feed.test"), from offset: Int64 = 0) throws
        -> [String]
    {
        try batches(of: partition, from: offset).flatMap(\.values)
    }
}
