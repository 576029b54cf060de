import Primitives
import RetailModel

/// A record that may have a row of its own, in `quarantine` or `parked`: found by (feed, record_id, hash of its bytes).
struct StoredRecord {
    /// Bytes of a key behind what identifies the record: its place in the order.
    static let suffix = 8

    var origin: Origin
    var action: RecordAction
    var outcome: Outcome
    var recordID: Identifier
    var contract: Digest
    var bytes: ByteString
    var csvHeader: ByteString?
    var csvSeparator: Int64
    var run: ByteString

    init(_ record: RefinedRecord, _ origin: Origin) {
        self.origin = origin
        action = record.action
        outcome = record.outcome
        recordID = record.recordID
        contract = record.contract
        bytes = record.bytes
        csvHeader = record.csvHeader
        csvSeparator = record.csvSeparator
        run = record.run
    }

    func write(_ feed: ByteString, into sorter: inout Sorter) throws(ProofError) {
        var fact = FactWriter()
        fact.ordered(feed)
        fact.raw(recordID.bytes)
        fact.digest(Digest.sha256(of: bytes.bytes))
        fact.ordered(origin.sequence)
        let keyLength = fact.count
        fact.origin(origin)
        fact.raw(recordID.bytes)
        fact.digest(contract)
        fact.text(bytes)
        fact.text(csvHeader)
        fact.int(csvSeparator)
        fact.text(run)
        switch action {
        case .receive: fact.int(0)
        case .redrive: fact.int(1)
        case .discard: fact.int(2)
        case .release: preconditionFailure("a release is never in a log")
        }
        if case .quarantined(let reasons) = outcome { fact.text(reasons) } else { fact.text(ByteString?.none) }
        if case .accepted(let event) = outcome { fact.event(event) }
        try sorter.add(fact.bytes, keyLength: keyLength)
    }

    init(_ record: SortedRecord) {
        var reader = FactReader(record)
        origin = reader.origin()
        var identifier: [UInt8] = []
        for _ in 0..<16 { identifier.append(reader.byte()) }
        recordID = Identifier(identifier) ?? .zero
        contract = reader.digest()
        bytes = reader.text()
        csvHeader = reader.optionalText()
        csvSeparator = reader.int()
        run = reader.text()
        switch reader.int() {
        case 0: action = .receive
        case 1: action = .redrive
        default: action = .discard
        }
        if let reasons = reader.optionalText() {
            outcome = .quarantined(reasons: reasons)
        } else {
            outcome = .accepted(reader.event())
        }
    }

    /// Key cells of its row.
    func writeKey(_ feed: ByteString, _ writer: inout RowWriter) {
        writer.text(feed)
        writer.blob(recordID.bytes)
        writer.blob(Digest.sha256(of: bytes.bytes).bytes)
    }
}
