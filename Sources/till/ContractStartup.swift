import Contracts
import EmbeddedLog
import Executors
import Ports
import Primitives
import RecordBatch
import Refine

/// Contract texts are records of the control topic: an event is judged for ever under the text its digest names.
enum ContractStartup {
    static let topic = TopicPartition("till.contracts")

    /// Reads all known texts, then makes `current` (built-in and configured) durable where they are new.
    static func load(_ log: EmbeddedLog, _ book: ContractBook, current: [Contract], other: [Contract], now: Timestamp)
        throws
    {
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
                    for text in texts { try add(text, book) }
                }
            }
        }
        for contract in other + current {
            if book.contract(contract.digest) == nil { try append(contract, log, now) }
        }
        for contract in other { book.add(contract, isCurrent: false) }
        for contract in current { book.add(contract, isCurrent: true) }
    }

    /// Reads all known texts of a log that another process may be writing.
    static func read(_ directory: String, _ disk: PosixDisk, into book: ContractBook) throws {
        var texts: [[UInt8]] = []
        try LogInspection.dump(topic, directory, disk, from: 0, limit: .max) { record in
            texts.append(Array(record.value))
            return true
        }
        for text in texts { try add(text, book) }
    }

    private static func add(_ text: [UInt8], _ book: ContractBook) throws {
        switch Contract.parse(text, mappers: Mappers.signatures) {
        case .success(let contract): book.add(contract, isCurrent: false)
        case .failure(let problems):
            throw UsageError(
                "contract.stored_invalid",
                "A contract in the log cannot be read by this till: \(problems)"
            )
        }
    }

    private static func append(_ contract: Contract, _ log: EmbeddedLog, _ now: Timestamp) throws {
        var builder = RecordBatchBuilder(baseTimestamp: now.micros / 1_000, reserving: contract.text.count + 64)
        builder.append(contract.text[...])
        let envelope = RecordEnvelope(
            feed: contract.name,
            contract: contract.digest,
            receivedAt: now,
            format: .json,
            recordIDBase: Identifier(contract.digest)
        )
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

    /// The contracts of the built-in feeds and of the files in the settings; a file replaces a built-in of its name.
    static func configured(_ paths: [String]) throws -> [Contract] {
        var contracts = BuiltInContracts.feeds.map(BuiltInContracts.parse)
        for path in paths {
            switch Contract.parse(try WholeFile.read(path, bytesMax: 1 << 20), mappers: Mappers.signatures) {
            case .success(let contract):
                contracts.removeAll { $0.name == contract.name }
                contracts.append(contract)
            case .failure(let problems):
                let lines = problems.problems.map { "\(path):\($0.line):\($0.column): \($0.message)" }
                throw UsageError("contract.invalid", lines.joined(separator: "\n"))
            }
        }
        return contracts
    }
}
