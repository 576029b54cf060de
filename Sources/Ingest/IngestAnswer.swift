import Contracts
import Formats
import Ports
import Primitives
import Refine
import RetailModel
import Telemetry

/// What a sender is told, after durability: 202, or 422 when every record is bad.
struct IngestAnswer: Sendable {
    private(set) var tally = IngestTally()
    /// The same request came before under its Idempotency-Key.
    var isRepeated = false
    private var listed: [(index: Int, reasons: [Reason])] = []
    private static let headers = [(name: "content-type", value: "application/json")]

    mutating func accept(_ event: RetailEvent) { tally.accept(event) }

    mutating func reject(_ index: Int, _ reasons: [Reason]) {
        tally.reject(reasons)
        if listed.count < IngestLimits.rejectionsListed { listed.append((index, reasons)) }
    }

    /// The answer to one good record as far as its position, which is all that differs.
    private static let oneAccepted: [UInt8] = {
        var answer = IngestAnswer()
        answer.tally.acceptOne()
        return answer.json(position: "").dropLast(2)
    }()

    /// `{accepted, rejected:[{index, reasons}], position}`; `rejected_more` counts what is not listed.
    func response(position: ByteString) -> HTTPResponse {
        var body: [UInt8]
        if tally.accepted == 1, tally.rejected == 0, !isRepeated {
            // A name of a feed and numbers: nothing in a position is escaped.
            body = Self.oneAccepted
            body.append(position)
            body.append(UInt8(ascii: "\""))
            body.append(UInt8(ascii: "}"))
        } else {
            body = json(position: position)
        }
        return HTTPResponse(
            status: tally.accepted == 0 && tally.rejected > 0 ? 422 : 202,
            headers: Self.headers,
            body: body
        )
    }

    private func json(position: ByteString) -> [UInt8] {
        var json = JSONWriter(reservingBytes: 128)
        json.beginObject()
        json.field("accepted", tally.accepted)
        json.key("rejected")
        json.beginArray()
        var shown = 0
        for one in listed where json.bytes.count < IngestLimits.rejectionBytesListed {
            shown += 1
            json.beginObject()
            json.field("index", one.index)
            json.key("reasons")
            json.raw(Refiner.json(one.reasons))
            json.endObject()
        }
        json.endArray()
        if tally.rejected > shown { json.field("rejected_more", tally.rejected - shown) }
        if isRepeated { json.field("repeated", true) }
        json.field("position", position)
        json.endObject()
        return json.bytes
    }
}

/// What the metrics are told of a batch once it is durable.
struct IngestTally: Sendable {
    private(set) var accepted = 0
    private(set) var rejected = 0
    /// Rejected records by each rule that they broke.
    private var violations: [String: Int64] = [:]
    private var corrected = 0
    private var receiptsDiffering = 0
    private var paymentsFailed = 0

    mutating func acceptOne() { accepted += 1 }

    mutating func accept(_ event: RetailEvent) {
        acceptOne()
        guard case .sale(let sale) = event else { return }
        if sale.header.flags.contains(.corrected) { corrected += 1 }
        if sale.header.flags.contains(.receiptDiffers) { receiptsDiffering += 1 }
        if sale.header.status == .failed { paymentsFailed += 1 }
    }

    mutating func reject(_ reasons: [Reason]) {
        rejected += 1
        for (index, reason) in reasons.enumerated()
        where !reasons[..<index].contains(where: { $0.rule == reason.rule }) {
            violations[reason.rule, default: 0] += 1
        }
    }

    func book(_ metrics: Metrics, feed: String) {
        for (rule, count) in violations {
            metrics.labelled.add(.ingest_rule_violations_total, [feed, rule], count)
        }
        metrics.add(.ingest_records_accepted_total, Int64(accepted))
        metrics.add(.ingest_records_rejected_total, Int64(rejected))
        metrics.add(.ingest_sales_corrected_total, Int64(corrected))
        metrics.add(.ingest_receipts_differing_total, Int64(receiptsDiffering))
        metrics.add(.ingest_payments_failed_total, Int64(paymentsFailed))
    }
}
