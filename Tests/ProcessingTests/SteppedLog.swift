import Contracts
import Foundation
import Ports
import Primitives
import RecordBatch
import Refine
import Synchronization

/// A log in memory whose batches become visible round by round, so that every run cuts it in the same portions.
final class SteppedLog: EventLog {
    /// What arrives together: records of one feed.
    struct Round {
        var feed: String
        /// Receipt time, seconds after ``TradeRounds/start``.
        var at: Int64
        var records: [String]
        var action = EnvelopeAction.receive
        /// Of the records; else the round's number and their place decide.
        var ids: [Identifier]?
        var contract: Contract
        var sender = ""
        var sequence: Int64?
    }

    private final class Reader: LogReader {
        private let log: SteppedLog
        private let partition: TopicPartition
        private var offset: Int64

        init(_ log: SteppedLog, _ partition: TopicPartition, _ offset: Int64) {
            self.log = log
            self.partition = partition
            self.offset = offset
        }

        func next(bytesMax: Int) throws(EventLogError) -> [LoggedBatch] {
            let found = log.visible(partition).filter { $0.baseOffset + Int64($0.recordCount) > offset }
            if let last = found.last { offset = last.baseOffset + Int64(last.recordCount) }
            return found
        }
    }

    private let batches: [(partition: TopicPartition, batch: LoggedBatch)]
    private let steps = Mutex(0)

    init(_ rounds: [Round]) {
        var ends: [TopicPartition: Int64] = [:]
        batches = rounds.enumerated().map { number, round in
            var builder = RecordBatchBuilder(baseTimestamp: 0)
            for (index, record) in round.records.enumerated() {
                builder.append(Array(record.utf8)[...], id: round.ids?[index])
            }
            var envelope = RecordEnvelope(
                feed: round.feed,
                contract: round.contract.digest,
                receivedAt: Timestamp(micros: (TradeRounds.start + round.at) * 1_000_000),
                format: .json,
                recordIDBase: TradeRounds.identifier(number)
            )
            envelope.action = round.action
            envelope.run = "run"
            envelope.sender = ByteString(round.sender)
            envelope.senderSequence = round.sequence
            let partition = TopicPartition(feed: round.feed)
            let bytes = builder.finish()
            let batch = LoggedBatch(
                envelope: envelope,
                baseOffset: ends[partition, default: 0],
                recordCount: round.records.count,
                buffer: bytes,
                range: bytes.indices
            )
            ends[partition, default: 0] += Int64(round.records.count)
            return (partition, batch)
        }
    }

    var roundCount: Int { batches.count }

    /// Makes the next round visible, or none before the first.
    func step() { steps.withLock { $0 += 1 } }
    func reset() { steps.withLock { $0 = 0 } }

    private func visible(_ partition: TopicPartition) -> [LoggedBatch] {
        let count = steps.withLock { $0 }
        return batches.prefix(count).filter { $0.partition == partition }.map(\.batch)
    }

    func reader(_ partition: TopicPartition, from offset: Int64) throws(EventLogError) -> any LogReader {
        Reader(self, partition, offset)
    }

    func durableEnd(of partition: TopicPartition) -> Int64 {
        visible(partition).last.map { $0.baseOffset + Int64($0.recordCount) } ?? 0
    }

    func partitions() -> [TopicPartition] { Set(batches.map(\.partition)).sorted() }
    func onDurable(_ notify: @escaping @Sendable () -> Void) {}
    func failure() -> EventLogError? { nil }
    func flush() {}

    func submit(
        _ batch: LogBatch,
        moreFollows: Bool,
        completion: @escaping @Sendable (Result<LogReceipt, EventLogError>) -> Void
    ) throws(EventLogError) {
        throw .closed
    }
}
