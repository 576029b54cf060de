import Contracts
import Formats
import Ports
import Primitives
import RecordBatch
import Refine
import RetailModel

/// From the bytes of a request to a batch for the log and the answer to its sender.
extension IngestService {
    func refine(
        _ request: HTTPRequest,
        _ feed: String,
        _ contract: Contract,
        _ workspace: inout Workspace
    ) throws(IngestProblem) -> Refined {
        let records = try RequestRecords(request, contract: contract, tape: &workspace.tape)
        var envelope = try envelope(request, feed, contract, records.format, &workspace.random)
        var answer = IngestAnswer()
        if records.ranges.isEmpty {
            // A sender's own batch may be empty; any other body without a record is a mistake nobody should overlook.
            guard records.batch != nil else {
                throw IngestProblem(
                    status: 422,
                    code: "no_records",
                    message: "The body holds no record, so nothing was stored; send at least one event or row."
                )
            }
            return Refined(batch: nil, answer: answer)
        }
        // Of requests that a key or a number names.
        let key = records.batch == nil ? request.header("idempotency-key") ?? "" : ""
        let isNamed = !key.isEmpty || envelope.senderSequence != nil
        let content = isNamed ? SeenKeys.content(request.body, records.ranges, records.format) : .zero
        envelope.senderEpoch = epochs.epoch(of: envelope, content)
        let runRow = try holdRunOrder(request, envelope, count: records.ranges.count, &workspace)
        var builder: RecordBatchBuilder?
        if records.batch == nil {
            builder = RecordBatchBuilder(
                baseTimestamp: envelope.receivedAt.micros / 1_000,
                reserving: request.body.count + records.ranges.count * 16
            )
        }
        var isKept = records.ranges.count <= FreshRecords.batchRecordsMax && fresh.hasRoom
        var kept: [RefinedRecord] = []
        var weight = 0
        var quarantine: Int64 = 0
        let header = if case .csv(let header, _) = records.format { header.count } else { 0 }
        if isKept { kept.reserveCapacity(records.ranges.count) }
        for (index, range) in records.ranges.enumerated() {
            builder?.append(request.body[range])
            let id = (records.batch == nil ? nil : records.ids[index]) ?? envelope.recordIDBase.item(index)
            do throws(ContractMissing) {
                let (verdict, record) = try workspace.refiner.receive(
                    request.body,
                    range,
                    envelope,
                    recordID: id,
                    isKept: isKept
                )
                if let record {
                    weight += record.weight(originalBytes: range.count)
                    kept.append(record)
                    if weight > FreshRecords.batchBytesMax {
                        // Processing reads it from the log, slice by slice.
                        (isKept, kept) = (false, [])
                    }
                }
                switch verdict {
                case .accepted(let event): answer.accept(event)
                case .rejected(let reasons):
                    answer.reject(index, reasons)
                    quarantine +=
                        record?.quarantineBytes
                        ?? QuarantineSize.bytes(
                            record: range.count,
                            reasons: Refiner.json(reasons).count,
                            header: header
                        )
                }
            } catch {
                throw IngestProblem(status: 503, code: error.code, message: error.description)
            }
        }
        if let problem = quarantineProblem(quarantine) {
            if let runRow { workspace.resume(envelope.run, at: runRow) }
            throw problem
        }
        var newKey: Identifier?
        if !key.isEmpty {
            switch seen.claim(envelope.recordIDBase, content) {
            case .fresh: newKey = envelope.recordIDBase
            case .repeated: answer.isRepeated = true
            case .reused:
                quota.release(quarantine)
                if let runRow { workspace.resume(envelope.run, at: runRow) }
                throw IngestProblem(
                    status: 409,
                    code: "idempotency_key_reused",
                    message:
                        "Idempotency-Key \(key.quotedForMessage) came before with other records, so nothing of this request was stored; send them under a new key."
                )
            }
        }
        epochs.note(envelope, content)
        let bytes = builder?.finish() ?? request.body
        return Refined(
            batch: LogBatch(
                partition: TopicPartition(feed: feed),
                envelope: envelope,
                bytes: bytes,
                recordCount: records.ranges.count
            ),
            records: kept,
            weight: weight,
            quarantine: quarantine,
            newKey: newKey,
            answer: answer,
            runRow: runRow
        )
    }

    /// `X-Till-Run-Row` is how many rows of the run came before this batch; a batch that would overtake is refused.
    ///
    /// - Returns: That row; nil without a run.
    func holdRunOrder(
        _ request: HTTPRequest,
        _ envelope: RecordEnvelope,
        count: Int,
        _ workspace: inout Workspace
    ) throws(IngestProblem) -> Int64? {
        guard !envelope.run.isEmpty, let text = request.header("x-till-run-row") else { return nil }
        guard let row = Int64(text), row >= 0 else {
            throw IngestProblem(
                status: 400,
                code: "run_row_invalid",
                message: "X-Till-Run-Row is \(text.quotedForMessage); send a whole number."
            )
        }
        if let expected = workspace.nextRow(of: envelope.run), expected != row {
            throw IngestProblem(
                status: 409,
                code: "run_out_of_order",
                message: "The run continues at row \(expected), this batch begins at \(row); send it from there.",
                expectedRow: expected
            )
        }
        workspace.setNextRow(of: envelope.run, row + Int64(count))
        return row
    }

    func envelope(
        _ request: HTTPRequest,
        _ feed: String,
        _ contract: Contract,
        _ format: PayloadFormat,
        _ random: inout SeededRandom
    ) throws(IngestProblem) -> RecordEnvelope {
        func text(_ name: String) throws(IngestProblem) -> ByteString {
            let value = request.header(name) ?? ""
            guard value.utf8.count <= IngestLimits.headerBytesMax else {
                throw IngestProblem(
                    status: 400,
                    code: "header_too_long",
                    message:
                        "Header \(name) has \(value.utf8.count) bytes; the limit is \(IngestLimits.headerBytesMax)."
                )
            }
            return ByteString(value)
        }
        let idempotencyKey = try text("idempotency-key")
        let base =
            idempotencyKey.isEmpty
            ? Identifier.minted(by: &random)
            : Identifier(Digest.sha256(of: Array((feed + "\u{1f}").utf8) + idempotencyKey.bytes))
        var envelope = RecordEnvelope(
            feed: feed,
            contract: contract.digest,
            receivedAt: time.now(),
            format: format,
            recordIDBase: base
        )
        envelope.sender = try text("x-till-sender")
        envelope.run = try text("x-till-run")
        if let sequence = request.header("x-till-sequence") {
            guard let number = Int64(sequence) else {
                throw IngestProblem(
                    status: 400,
                    code: "sequence_invalid",
                    message: "X-Till-Sequence is \(sequence.quotedForMessage); send a whole number."
                )
            }
            guard !envelope.sender.isEmpty else {
                throw IngestProblem(
                    status: 400,
                    code: "sender_missing",
                    message:
                        "X-Till-Sequence is \(number) and there is no X-Till-Sender; send both: sequences are kept by sender."
                )
            }
            envelope.senderSequence = number
        }
        envelope.senderEpoch = try text("x-till-epoch")
        guard envelope.senderEpoch.isEmpty || envelope.senderSequence != nil else {
            throw IngestProblem(
                status: 400,
                code: "epoch_without_sequence",
                message: "X-Till-Epoch is there and X-Till-Sequence is not; send both: an epoch is a count of numbers."
            )
        }
        guard envelope.senderEpoch.count <= IngestLimits.epochBytesMax else {
            throw IngestProblem(
                status: 400,
                code: "epoch_invalid",
                message:
                    "X-Till-Epoch has \(envelope.senderEpoch.count) bytes; send a short name, at most \(IngestLimits.epochBytesMax)."
            )
        }
        return envelope
    }
}
