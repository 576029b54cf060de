import Contracts
import EmbeddedLog
import Executors
import Ingest
import Ports
import Primitives
import RecordBatch
import Refine

/// Contract texts are records of the control topic: an event is refined for ever under the text its digest names.
enum ContractStartup {
    static let topic = TopicPartition("till.contracts")

    /// Reads all known texts, then makes the configured ones durable where they are new.
    ///
    /// The sender of a control record is the profile whose path the contract refines, empty for the contract of a feed:
    /// so that a record of such a path is known as one when it is refined again.
    static func load(_ log: EmbeddedLog, _ book: ContractBook, _ configured: ConfiguredContracts, now: Timestamp) throws
    {
        var known: Set<Role> = []
        if log.durableEnd(of: topic) > 0 {
            let reader = try log.reader(topic, from: 0)
            while true {
                let batches = try reader.next(bytesMax: 1 << 20)
                if batches.isEmpty { break }
                for batch in batches {
                    let view = try RecordBatchView(
                        batch.buffer,
                        at: batch.range.lowerBound,
                        end: batch.range.upperBound
                    )
                    var texts: [[UInt8]] = []
                    try view.forEach(in: batch.buffer) { texts.append(Array(batch.buffer[$0.value])) }
                    for text in texts {
                        let role = Role(digest: .sha256(of: text), profile: batch.envelope.sender.description)
                        try add(text, book, profile: role.profile)
                        known.insert(role)
                    }
                }
            }
        }
        for (path, contract) in configured.compatible {
            let role = Role(digest: contract.contract.digest, profile: path.profile)
            if !known.contains(role) { try append(contract.contract, profile: path.profile, log, now) }
            book.add(contract.contract, profile: path.profile, isCurrent: true)
        }
        for contract in configured.feeds.map(\.contract) {
            if !known.contains(Role(digest: contract.digest, profile: "")) {
                try append(contract, profile: "", log, now)
            }
            book.add(contract, isCurrent: true)
        }
    }

    private struct Role: Hashable {
        var digest: Digest
        var profile: String
    }

    /// Reads all known texts of a log that another process may be writing.
    static func read(_ directory: String, _ disk: PosixDisk, into book: ContractBook) throws {
        var texts: [[UInt8]] = []
        try LogInspection.dump(topic, directory, disk, from: 0, limit: .max) { record in
            texts.append(Array(record.value))
            return true
        }
        for text in texts { try add(text, book, profile: "") }
    }

    private static func add(_ text: [UInt8], _ book: ContractBook, profile: String) throws {
        switch Contract.parse(text, mappers: Mappers.signatures) {
        case .success(let contract):
            if profile.isEmpty {
                book.add(contract, isCurrent: false)
            } else {
                book.add(contract, profile: profile, isCurrent: false)
            }
        case .failure(let problems):
            throw UsageError(
                "contract.stored_invalid",
                "A contract in the log cannot be read by this till: \(problems)"
            )
        }
    }

    private static func append(_ contract: Contract, profile: String, _ log: EmbeddedLog, _ now: Timestamp) throws {
        var builder = RecordBatchBuilder(baseTimestamp: now.micros / 1_000, reserving: contract.text.count + 64)
        builder.append(contract.text[...])
        var envelope = RecordEnvelope(
            feed: contract.name,
            contract: contract.digest,
            receivedAt: now,
            format: .json,
            recordIDBase: Identifier(contract.digest)
        )
        envelope.sender = ByteString(profile)
        let outcome = Guarded<Result<LogReceipt, EventLogError>?>(nil)
        try log.submit(LogBatch(partition: topic, envelope: envelope, bytes: builder.finish(), recordCount: 1)) {
            result in
            outcome.withLock { $0 = result }
            outcome.signal()
        }
        guard let result = outcome.wait(micros: 30_000_000, until: { $0 }) else {
            throw EventLogError.unavailable(
                operation: "store contract \(contract.name)",
                cause: "the disk did not answer within 30 s"
            )
        }
        _ = try result.get()
    }
}
