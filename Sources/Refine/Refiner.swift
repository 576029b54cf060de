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
    /// What one record became, and why.
    package enum Verdict {
        case accepted(RetailEvent)
        case rejected([Reason])
    }

    private let book: ContractBook
    private var plans: [Digest: ContractPlan] = [:]
    private var lastPlan: ContractPlan?
    private var tape = JSONTape()
    private var fields = Formats.CSVFields()
    private var headers: [HeaderKey: [Int?]] = [:]
    private var lastHeader: (key: HeaderKey, columns: [Int?])?
    private var values: [FieldValue] = []

    private struct HeaderKey: Hashable {
        var contract: Digest
        var header: ByteString
        var separator: UInt8
    }

    package init(book: ContractBook) { self.book = book }

    /// Judges the records of a logged batch from an offset on.
    ///
    /// - Throws: ``ContractMissing``, or `RecordBatchError` when the stored batch cannot be read.
    package mutating func judge(
        _ batch: LoggedBatch,
        topic: String,
        from: Int64,
        into records: inout [JudgedRecord]
    ) throws {
        let envelope = batch.envelope
        let view = try RecordBatchView(batch.buffer, at: batch.range.lowerBound, end: batch.range.upperBound)
        var found: [RecordBatchView.Record] = []
        found.reserveCapacity(view.recordCount)
        try view.forEach(in: batch.buffer) { found.append($0) }
        let topicName = ByteString(topic)
        let feed = ByteString(envelope.feed)
        for record in found {
            let offset = batch.baseOffset + Int64(record.offsetDelta)
            if offset < from { continue }
            let id = record.id ?? envelope.recordIDBase.item(record.offsetDelta)
            var judged = JudgedRecord(
                outcome: .quarantined(reasons: ""),
                offset: offset,
                topic: topicName,
                feed: feed,
                run: envelope.run,
                recordID: id,
                contract: envelope.contract,
                receivedAt: envelope.receivedAt,
                bytes: ""
            )
            judged.sender = envelope.sender
            judged.senderSequence = envelope.senderSequence
            switch envelope.action {
            case .receive: break
            case .redrive: judged.action = .redrive
            case .discard: judged.action = .discard
            case .tick:
                judged.outcome = .tick
                records.append(judged)
                continue
            }
            try judge(batch.buffer, record.value, envelope, &judged)
            records.append(judged)
        }
    }

    /// Judges one record; bytes are kept where somebody will need them again.
    package mutating func judge(
        _ buffer: [UInt8],
        _ range: Range<Int>,
        _ envelope: RecordEnvelope,
        _ judged: inout JudgedRecord
    ) throws(ContractMissing) {
        var keepsBytes = judged.action != .receive
        switch try refine(buffer, range, envelope, recordID: judged.recordID) {
        case .accepted(let event):
            judged.outcome = .accepted(event)
            keepsBytes = keepsBytes || !judged.requires.isEmpty
        case .rejected(let reasons):
            judged.outcome = .quarantined(reasons: ByteString(Self.json(reasons)))
            keepsBytes = true
        }
        guard keepsBytes else { return }
        judged.bytes = ByteString(buffer[range])
        if case .csv(let header, let separator) = envelope.format {
            judged.csvHeader = header
            judged.csvSeparator = Int64(separator)
        }
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
        values.removeAll(keepingCapacity: true)
        switch envelope.format {
        case .json: readJSON(bytes, range, plan.contract, &reasons)
        case .csv(let header, let separator): readCSV(bytes, range, header, separator, plan.contract, &reasons)
        }
        // Bytes that are no event at all have no values to ask rules about.
        guard values.count == plan.contract.fields.count else { return .rejected(reasons) }
        let judgement = plan.contract.judge(&values)
        if !reasons.isEmpty {
            // A value that cannot be read is null to the rules; they are asked so that the sender hears all
            // reasons at once.
            let unreadable = Set(reasons.map(\.field))
            return .rejected(reasons + judgement.reasons.filter { !unreadable.contains($0.field) })
        }
        if !judgement.reasons.isEmpty { return .rejected(judgement.reasons) }
        switch Mappers.run(plan, values, judgement, recordID, hashes: hashes) {
        case .event(let event): return .accepted(event)
        case .reason(let reason): return .rejected([reason])
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

    // MARK: JSON

    private mutating func readJSON(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        do throws(JSONError) {
            try tape.parse(bytes, in: range)
        } catch {
            return reasons.append(
                Reason(
                    rule: "bad_json",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message: "\(error); send one JSON object per event"
                )
            )
        }
        guard tape.kind(0) == .object else {
            return reasons.append(
                Reason(
                    rule: "bad_json",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message: "The event is no JSON object; send an object with the fields of the contract"
                )
            )
        }
        readObject(0, bytes, contract.fields, contract.unknownFields, row: nil, into: &values, &reasons)
    }

    /// Reads the members of an object in the order of the contract's fields.
    private func readObject(
        _ object: Int,
        _ bytes: [UInt8],
        _ table: FieldTable,
        _ unknown: UnknownFields,
        row: Int?,
        into values: inout [FieldValue],
        _ reasons: inout [Reason]
    ) {
        var nodes = [Int](repeating: -1, count: table.count)
        tape.forEachMember(object) { key, value in
            let range = tape.raw(key)
            let index =
                tape.hasEscapes(key) ? table.index(of: tape.text(key, in: bytes)) : table.index(of: bytes[range])
            guard let index else {
                if unknown == .reject { reasons.append(.unknownField(bytes[range])) }
                return
            }
            if nodes[index] >= 0 {
                let field = table.fields[index]
                reasons.append(
                    Reason(
                        rule: "given_twice",
                        field: field.path,
                        value: Self.shown(bytes[range]),
                        message: "\(field.path) is given twice, under its name and an alias; send it once"
                    )
                )
            }
            nodes[index] = value
        }
        for index in 0..<table.count {
            let node = nodes[index]
            let reading: FieldReading
            if table.isList(index) {
                reading = readList(node, bytes, table.fields[index], unknown, &reasons)
            } else {
                reading = table.read(index, node < 0 ? .missing : raw(node, bytes), row: row)
            }
            switch reading {
            case .value(let value): values.append(value)
            case .reason(let reason):
                reasons.append(reason)
                values.append(.null)
            }
        }
    }

    private func readList(
        _ node: Int,
        _ bytes: [UInt8],
        _ field: Field,
        _ unknown: UnknownFields,
        _ reasons: inout [Reason]
    ) -> FieldReading {
        if node < 0 || tape.kind(node) == .null { return field.readList(nil) }
        guard tape.kind(node) == .array else {
            return .reason(
                Reason(
                    rule: "type",
                    field: field.path,
                    value: Self.shown(bytes[tape.raw(node)]),
                    message: "\(field.path) is not an array; send a list of objects"
                )
            )
        }
        if let reason = field.judgeCount(tape.count(node)) { return .reason(reason) }
        var rows: [[FieldValue]] = []
        var child = tape.firstChild(node)
        while let element = child {
            if tape.kind(element) == .object {
                var row: [FieldValue] = []
                readObject(element, bytes, field.fields, unknown, row: rows.count, into: &row, &reasons)
                rows.append(row)
            } else {
                reasons.append(
                    Reason(
                        rule: "type",
                        field: "\(field.path)[\(rows.count)]",
                        value: Self.shown(bytes[tape.raw(element)]),
                        message: "\(field.path)[\(rows.count)] is no object; send an object"
                    )
                )
                rows.append([FieldValue](repeating: .null, count: field.fields.count))
            }
            child = tape.next(after: element, in: node)
        }
        return field.readList(rows)
    }

    private func raw(_ node: Int, _ bytes: [UInt8]) -> RawValue {
        switch tape.kind(node) {
        case .null: .null
        case .true: .boolean(true)
        case .false: .boolean(false)
        case .number: .number(bytes[tape.raw(node)])
        case .string: .text(tape.hasEscapes(node) ? tape.text(node, in: bytes).bytes[...] : bytes[tape.raw(node)])
        case .array: .other("an array")
        case .object: .other("an object")
        }
    }

    // MARK: CSV

    private mutating func readCSV(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ header: ByteString,
        _ separator: UInt8,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        let dialect = Formats.CSVDialect(separator: separator, quote: contract.csv.quote)
        let columns: [Int?]
        switch Result(catching: { () throws(CSVError) in try columnMap(header, dialect, contract) }) {
        case .success(let found): columns = found
        case .failure(let error):
            return reasons.append(
                Reason(
                    rule: "bad_csv",
                    field: "",
                    value: Self.shown(header.bytes[...]),
                    message: "The header row: \(error)"
                )
            )
        }
        do throws(CSVError) {
            try fields.parse(bytes, in: range, dialect: dialect)
        } catch {
            return reasons.append(
                Reason(rule: "bad_csv", field: "", value: Self.shown(bytes[range]), message: "\(error)")
            )
        }
        guard fields.count == columns.count else {
            return reasons.append(
                Reason(
                    rule: "bad_csv",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message:
                        "The row has \(fields.count) fields and the header \(columns.count); quote values that contain the separator"
                )
            )
        }
        var places = [Int](repeating: -1, count: contract.fields.count)
        for (column, index) in columns.enumerated() {
            guard let index else { continue }
            places[index] = column
        }
        for index in 0..<contract.fields.count {
            let place = places[index]
            let reading: FieldReading
            if contract.fields.isList(index) {
                reading = contract.fields.fields[index].readList(nil)
            } else if place < 0 {
                reading = contract.fields.read(index, .missing)
            } else if fields.hasDoubledQuotes(place) {
                reading = contract.fields.read(index, .csv(fields.text(place, in: bytes).bytes[...]))
            } else {
                reading = contract.fields.read(index, .csv(bytes[fields.raw(place)]))
            }
            switch reading {
            case .value(let value): values.append(value)
            case .reason(let reason):
                reasons.append(reason)
                values.append(.null)
            }
        }
    }

    /// Which field each column of a header fills; nil for a column that the contract does not know.
    private mutating func columnMap(
        _ header: ByteString,
        _ dialect: Formats.CSVDialect,
        _ contract: Contract
    ) throws(CSVError) -> [Int?] {
        let key = HeaderKey(contract: contract.digest, header: header, separator: dialect.separator)
        if let lastHeader, lastHeader.key == key { return lastHeader.columns }
        if let known = headers[key] {
            lastHeader = (key, known)
            return known
        }
        try fields.parse(header.bytes, in: 0..<header.count, dialect: dialect)
        let map = (0..<fields.count).map { contract.fields.index(of: fields.text($0, in: header.bytes)) }
        if headers.count > 100 { headers.removeAll() }
        headers[key] = map
        return map
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        String(String(decoding: bytes.prefix(320), as: UTF8.self).unicodeScalars.prefix(80).map(Character.init))
    }
}
