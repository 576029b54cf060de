package import Contracts
import Formats
package import Ports
package import Primitives
import RecordBatch
package import RetailModel

/// Refining: a pure function of bytes, envelope and the contract of its digest. Work space is reused; single owner.
///
/// It runs at the source, to answer the sender, and in processing, for effect: one function, so the two agree.
package struct Refiner {
    /// Names of the rules that every record is under whatever its contract says, beside ``BuiltInRule``.
    package static let rules: Set<String> = [
        "amount_limit", "bad_csv", "bad_json", "currency", "given_twice", "out_of_range", "payment_status", "status",
        "too_many_decimals", "type",
    ]

    /// What one record became, and why.
    package enum Verdict {
        case accepted(RetailEvent)
        case rejected([Reason])
    }

    private let book: ContractBook
    private var plans: [Digest: ContractPlan] = [:]
    private var lastPlan: ContractPlan?
    var tape = JSONTape()
    var fields = Formats.CSVFields()
    var headers: [HeaderKey: [Int?]] = [:]
    var lastHeader: (key: HeaderKey, columns: [Int?])?
    var values: [FieldValue] = []
    /// Of the record received last: its neighbours are of the same feed.
    private var lastFeed: (name: String, feed: ByteString, topic: ByteString)?
    /// JSON: where fields were found, see ``readJSON(_:_:_:_:)``.
    var nodes: [Int] = []
    /// What content hashes are of.
    private var canonical = ByteBuilder()

    struct HeaderKey: Hashable {
        var contract: Digest
        var header: ByteString
        var separator: UInt8
    }

    package init(book: ContractBook) { self.book = book }

    /// Refines the records of a logged batch from an offset on.
    ///
    /// - Throws: ``ContractMissing``, or `RecordBatchError` when the stored batch cannot be read.
    package mutating func refine(
        _ batch: LoggedBatch,
        topic: String,
        from: Int64,
        into records: inout [RefinedRecord]
    ) throws {
        var slices = try BatchSlices(batch)
        var budget = SliceBudget.unlimited
        try refine(&slices, topic: topic, from: from, budget: &budget, into: &records)
    }

    /// Refines the next records of a logged batch, from an offset on, until the batch ends or the budget is spent. The
    /// last record may exceed the budget.
    package mutating func refine(
        _ slices: inout BatchSlices,
        topic: String,
        from: Int64,
        budget: inout SliceBudget,
        into records: inout [RefinedRecord]
    ) throws {
        let batch = slices.batch
        let envelope = batch.envelope
        let topicName = ByteString(topic)
        let feed = ByteString(envelope.feed)
        while !budget.isSpent, let record = try slices.cursor.next(in: batch.buffer) {
            let offset = batch.baseOffset + Int64(record.offsetDelta)
            if offset < from { continue }
            let id = record.id ?? envelope.recordIDBase.item(record.offsetDelta)
            // Made and filled in its place: a copy would count references to all its parts.
            let last = records.count
            records.append(RefinedRecord(envelope, feed: feed, topic: topicName, recordID: id, offset: offset))
            switch envelope.action {
            case .receive: break
            case .redrive: records[last].action = .redrive
            case .discard: records[last].action = .discard
            case .tick:
                records[last].outcome = .tick
                budget.spend(records[last].weight(originalBytes: 0))
                continue
            }
            do {
                try refine(batch.buffer, record.value, envelope, &records[last])
            } catch {
                records.removeLast()
                throw error
            }
            budget.spend(records[last].weight(originalBytes: record.value.count))
        }
    }

    /// Refines one record; bytes are kept where somebody will need them again.
    package mutating func refine(
        _ buffer: [UInt8],
        _ range: Range<Int>,
        _ envelope: RecordEnvelope,
        _ refined: inout RefinedRecord
    ) throws(ContractMissing) {
        let verdict = try refine(buffer, range, envelope, recordID: refined.recordID)
        Self.settle(verdict, buffer, range, envelope, &refined)
    }

    /// Writes a verdict down.
    private static func settle(
        _ verdict: Verdict,
        _ buffer: [UInt8],
        _ range: Range<Int>,
        _ envelope: RecordEnvelope,
        _ refined: inout RefinedRecord
    ) {
        var keepsBytes = refined.action != .receive
        switch verdict {
        case .accepted(let event):
            refined.outcome = .accepted(event)
            keepsBytes = keepsBytes || !refined.requires.isEmpty
        case .rejected(let reasons):
            refined.outcome = .quarantined(reasons: ByteString(json(reasons)))
            keepsBytes = true
        }
        guard keepsBytes else { return }
        refined.bytes = ByteString(buffer[range])
        if case .csv(let header, let separator) = envelope.format {
            refined.csvHeader = header
            refined.csvSeparator = Int64(separator)
        }
    }

    /// Refines a record that is received now.
    ///
    /// - Parameter isKept: Whether the record is wanted too: what ``refine(_:topic:from:into:)`` makes of it when it is
    ///   read from the log, except for the offset, which it does not have yet. Else its hashes are not needed either.
    package mutating func receive(
        _ buffer: [UInt8],
        _ range: Range<Int>,
        _ envelope: RecordEnvelope,
        recordID: Identifier,
        isKept: Bool
    ) throws(ContractMissing) -> (verdict: Verdict, record: RefinedRecord?) {
        let verdict = try refine(buffer, range, envelope, recordID: recordID, hashes: isKept)
        guard isKept else { return (verdict, nil) }
        if lastFeed?.name != envelope.feed {
            let topic = TopicPartition(feed: envelope.feed).topic
            lastFeed = (envelope.feed, ByteString(envelope.feed), ByteString(topic))
        }
        var refined = RefinedRecord(
            envelope,
            feed: lastFeed?.feed ?? "",
            topic: lastFeed?.topic ?? "",
            recordID: recordID,
            offset: 0
        )
        Self.settle(verdict, buffer, range, envelope, &refined)
        return (verdict, refined)
    }

    /// Refines one record.
    ///
    /// - Parameter hashes: False leaves the content hash of an invoice line at zero: the source only asks whether a
    ///   record is accepted, and no answer depends on the hash.
    package mutating func refine(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ envelope: RecordEnvelope,
        recordID: Identifier,
        hashes: Bool = true
    ) throws(ContractMissing) -> Verdict {
        let plan = try plan(envelope.contract)
        var reasons: [Reason] = []
        read(bytes, range, envelope.format, plan.contract, &reasons)
        // Bytes that are no event at all have no values to ask rules about.
        guard values.count == plan.contract.fields.count else { return .rejected(Reason.listed(reasons)) }
        let validation = plan.contract.validate(&values)
        if !reasons.isEmpty {
            // A value that cannot be read is null to the rules; they are asked so that the sender hears all
            // reasons at once.
            return .rejected(Reason.listed(reasons + validation.reasons.filter { !Self.isInside($0.field, reasons) }))
        }
        if !validation.reasons.isEmpty { return .rejected(Reason.listed(validation.reasons)) }
        switch Mappers.run(plan, values, validation, recordID, hashes: hashes, &canonical) {
        case .event(let event): return .accepted(event)
        case .reason(let reason): return .rejected([reason])
        }
    }

    /// Reads the values of a record, without asking any rule; false when one cannot be read.
    mutating func readValues(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ format: PayloadFormat,
        _ contract: Contract
    ) -> Bool {
        var reasons: [Reason] = []
        read(bytes, range, format, contract, &reasons)
        return reasons.isEmpty && values.count == contract.fields.count
    }

    private mutating func read(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ format: PayloadFormat,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        values.removeAll(keepingCapacity: true)
        switch format {
        case .json: readJSON(bytes, range, contract, &reasons)
        case .unknown(let type): reasons.append(.contentType(type))
        case .csv(let header, let separator): readCSV(bytes, range, header, separator, contract, &reasons)
        }
    }

    private mutating func plan(_ digest: Digest) throws(ContractMissing) -> ContractPlan {
        if let lastPlan, lastPlan.contract.digest == digest { return lastPlan }
        if let plan = plans[digest] {
            lastPlan = plan
            return plan
        }
        guard let contract = book.contract(digest) else { throw ContractMissing(digest: digest) }
        let plan = ContractPlan(contract)
        plans[digest] = plan
        return plan
    }

    /// Reasons as a JSON array of rule, field, value, message.
    package static func json(_ reasons: [Reason]) -> [UInt8] {
        var json = JSONWriter()
        json.beginArray()
        for reason in reasons {
            json.beginObject()
            json.field("rule", reason.rule)
            json.field("field", reason.field)
            json.field("value", reason.value)
            json.field("message", reason.message)
            json.endObject()
        }
        json.endArray()
        return json.bytes
    }

    static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        String(String(decoding: bytes.prefix(320), as: UTF8.self).unicodeScalars.prefix(80).map(Character.init))
    }

    /// Whether a field, or an object or list that it is in, has a reason already.
    private static func isInside(_ field: String, _ reasons: [Reason]) -> Bool {
        reasons.contains { reason in
            guard field.utf8.starts(with: reason.field.utf8) else { return false }
            let next = field.utf8.dropFirst(reason.field.utf8.count).first
            return next == nil || next == UInt8(ascii: ".") || next == UInt8(ascii: "[")
        }
    }
}

extension RefinedRecord {
    /// A record with nothing said about it yet.
    fileprivate init(
        _ envelope: RecordEnvelope,
        feed: ByteString,
        topic: ByteString,
        recordID: Identifier,
        offset: Int64
    ) {
        self.init(
            outcome: .quarantined(reasons: ""),
            offset: offset,
            topic: topic,
            feed: feed,
            run: envelope.run,
            recordID: recordID,
            contract: envelope.contract,
            receivedAt: envelope.receivedAt,
            bytes: ""
        )
        sender = envelope.sender
        senderSequence = envelope.senderSequence
        senderEpoch = envelope.senderEpoch
    }
}
