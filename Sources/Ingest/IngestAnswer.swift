import Contracts
import Formats
import Ports
import Primitives
import Refine

/// What a sender is told, after durability: 202, or 422 when every record is bad.
struct IngestAnswer: Sendable {
    var accepted = 0
    private(set) var rejected = 0
    private var listed: [(index: Int, reasons: [Reason])] = []

    var tally: (accepted: Int, rejected: Int) { (accepted, rejected) }

    mutating func reject(_ index: Int, _ reasons: [Reason]) {
        rejected += 1
        if listed.count < IngestLimits.rejectionsListed { listed.append((index, reasons)) }
    }

    /// `{accepted, rejected:[{index, reasons}], position}`; `rejected_more` counts what is not listed.
    func response(position: String) -> HTTPResponse {
        var json = JSONWriter(reservingBytes: 128)
        json.beginObject()
        json.field("accepted", accepted)
        json.key("rejected")
        json.beginArray()
        for one in listed {
            json.beginObject()
            json.field("index", one.index)
            json.key("reasons")
            json.raw(Refiner.json(one.reasons))
            json.endObject()
        }
        json.endArray()
        if rejected > listed.count { json.field("rejected_more", rejected - listed.count) }
        json.field("position", position)
        json.endObject()
        return HTTPResponse(
            status: accepted == 0 && rejected > 0 ? 422 : 202,
            headers: [("content-type", "application/json")],
            body: json.bytes
        )
    }
}
