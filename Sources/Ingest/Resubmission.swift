import Contracts
package import Ports
import Primitives
import RecordBatch
import Refine
import Synchronization
import Telemetry

/// Records of quarantine that go into the log again, as batches of their feed with their own record ids.
extension IngestService: RecordResubmission {
    /// What records of one batch have in common.
    private struct BatchKey: Hashable {
        var feed: String
        var contract: Digest
        var format: PayloadFormat
    }

    package func resubmit(
        _ records: [HeldRecord],
        action: EnvelopeAction,
        completion: @escaping @Sendable (Result<PositionVector, ResubmissionError>) -> Void
    ) {
        precondition(action == .redrive || action == .discard, "only redrive and discard take records again")
        precondition(!records.isEmpty, "there is at least one record to take again")
        let batches: [LogBatch]
        do throws(ResubmissionError) {
            batches = try self.batches(records, action)
        } catch {
            return completion(.failure(error))
        }
        let outcome = ResubmissionOutcome(open: batches.count, completion)
        for batch in batches {
            do throws(EventLogError) {
                try log.submit(batch) { [metrics] result in
                    if case .success = result {
                        metrics.add(.log_batches_total)
                        metrics.add(.log_bytes_total, Int64(batch.bytes.count))
                    }
                    outcome.settle(result)
                }
            } catch {
                outcome.settle(.failure(error))
            }
        }
    }

    private func batches(_ records: [HeldRecord], _ action: EnvelopeAction) throws(ResubmissionError) -> [LogBatch] {
        var order: [BatchKey] = []
        var groups: [BatchKey: [HeldRecord]] = [:]
        for record in records {
            var contract = record.contract
            if action == .redrive {
                guard let current = book.successor(of: record.contract, feed: record.feed) else {
                    throw .feedUnknown(feed: record.feed, known: book.feeds)
                }
                contract = current.digest
            }
            let key = BatchKey(feed: record.feed, contract: contract, format: record.format)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(record)
        }
        let now = time.now()
        var batches: [LogBatch] = []
        for key in order {
            var envelope = RecordEnvelope(
                feed: key.feed,
                contract: key.contract,
                receivedAt: now,
                format: key.format,
                recordIDBase: .zero
            )
            envelope.action = action
            var rest = (groups[key] ?? [])[...]
            while !rest.isEmpty {
                var builder = RecordBatchBuilder(baseTimestamp: now.micros / 1_000)
                while let record = rest.first, builder.count < IngestLimits.resubmittedRecords,
                    builder.count == 0 || builder.size + record.bytes.count <= IngestLimits.resubmittedBytes
                {
                    builder.append(record.bytes[...], id: record.id)
                    rest = rest.dropFirst()
                }
                let count = builder.count
                batches.append(
                    LogBatch(
                        partition: TopicPartition(feed: key.feed),
                        envelope: envelope,
                        bytes: builder.finish(),
                        recordCount: count
                    )
                )
            }
        }
        return batches
    }
}

/// Joins the answers of several batches into one. Thread: any.
private final class ResubmissionOutcome: Sendable {
    private struct State: Sendable {
        var open: Int
        var position = PositionVector()
        var failure: ResubmissionError?
    }

    private let state: Mutex<State>
    private let completion: @Sendable (Result<PositionVector, ResubmissionError>) -> Void

    init(open: Int, _ completion: @escaping @Sendable (Result<PositionVector, ResubmissionError>) -> Void) {
        state = Mutex(State(open: open))
        self.completion = completion
    }

    func settle(_ result: Result<LogReceipt, EventLogError>) {
        let ended = state.withLock { state -> State? in
            state.open -= 1
            switch result {
            case .success(let receipt):
                let end = receipt.offsets.upperBound
                state.position.offsets[receipt.partition] = max(end, state.position.offsets[receipt.partition] ?? 0)
            case .failure(let error): state.failure = state.failure ?? .log(error)
            }
            return state.open == 0 ? state : nil
        }
        guard let ended else { return }
        completion(ended.failure.map { .failure($0) } ?? .success(ended.position))
    }
}
