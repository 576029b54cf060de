import Contracts
import EmbeddedLog
import Executors
import Ingest
import Ports
import Primitives
import RecordBatch
import Refine
import Telemetry

/// Contract texts are records of the control topic: an event is refined for ever under the text its digest names.
enum ContractStartup {
    static let topic = TopicPartition("till.contracts")

    /// Reads all known texts, then makes the configured ones durable where they are new.
    ///
    /// The sender of a control record is the profile whose path the contract refines, empty for the contract of a feed:
    /// so that a record of such a path is known as one when it is refined again.
    ///
    /// - Throws: `UsageError` when a configured contract may not replace the last one of its feed (``admit``).
    static func load(
        _ log: EmbeddedLog,
        _ book: ContractBook,
        _ configured: ConfiguredContracts,
        now: Timestamp,
        _ logger: Logger
    ) throws {
        var stored = StoredContracts()
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
                    let profile = batch.envelope.sender.description
                    for text in texts { stored.add(try add(text, book, profile: profile), profile: profile) }
                }
            }
        }
        let all = configured.compatible.map { ($0.contract, $0.path.profile) } + configured.feeds.map { ($0, "") }
        // All of them before the first is stored: a start that is refused leaves no trace.
        for (contract, profile) in all { try admit(contract, profile: profile, stored, log, logger) }
        for (contract, profile) in all {
            let contract = contract.contract
            if !stored.holds(contract, profile: profile) { try append(contract, profile: profile, log, now) }
            if profile.isEmpty {
                book.add(contract, isCurrent: true)
            } else {
                book.add(contract, profile: profile, isCurrent: true)
            }
        }
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

    /// The last contract of a feed in the log of a data directory; nil when there is none.
    static func last(of feed: String, _ directory: String) throws -> Contract? {
        let (disk, log) = (PosixDisk(), directory + "/log")
        guard disk.isDirectory("\(log)/\(topic)") else { return nil }
        var texts: [[UInt8]] = []
        try LogInspection.dump(topic, log, disk, from: 0, limit: .max) { record in
            if record.envelope.sender.description.isEmpty { texts.append(Array(record.value)) }
            return true
        }
        return try texts.map(parseStored).last { $0.name == feed }
    }

    @discardableResult
    private static func add(_ text: [UInt8], _ book: ContractBook, profile: String) throws -> Contract {
        let contract = try parseStored(text)
        if profile.isEmpty {
            book.add(contract, isCurrent: false)
        } else {
            book.add(contract, profile: profile, isCurrent: false)
        }
        return contract
    }

    private static func parseStored(_ text: [UInt8]) throws -> Contract {
        switch Contract.parse(text, mappers: Mappers.signatures) {
        case .success(let contract): return contract
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
