/// One operation of the OpenAPI document as data.
struct Operation: Sendable {
    /// One status with what it means and how its body looks; the schema is in the notation of ``SchemaNotation``, nil
    /// for a body that is no JSON.
    struct Answer: Sendable {
        var status: String
        var meaning: String
        var schema: String?
        var mediaType = "application/json"
    }

    var path: String
    var method = "get"
    var summary: String
    var parameters: [(name: String, meaning: String, place: String)] = []
    /// Schema of a JSON body; nil for none, or for one that the summary describes.
    var body: String?
    var answers: [Answer]

    static let error = "{error:{code:s,message:s}}"

    static func answer(_ status: String, _ meaning: String, _ schema: String? = error) -> Answer {
        Answer(status: status, meaning: meaning, schema: schema)
    }

    private static let slow = "The disk does not keep up; send again after Retry-After."
    private static let notDurable = "It cannot be made durable now; send again after Retry-After."
    private static let full = "Quarantine is full, and the request has bad records: nothing of it was stored."
}

/// Operations that are in no table of routes: health, metrics, the live feed, and what takes records.
extension Operation {
    static let service: [Operation] = [
        Operation(
            path: "/health",
            summary: "The process answers. Open to everyone.",
            answers: [answer("200", "It does.", "{status:s}")]
        ),
        Operation(
            path: "/health/live",
            summary: "The process answers. Open to everyone.",
            answers: [answer("200", "It does.", "{status:s}")]
        ),
        Operation(
            path: "/health/ready",
            summary: "Whether every part works, and the reason of one that does not. Open to everyone.",
            answers: [answer("200", "All work.", ready), answer("503", "Some do not.", ready)]
        ),
        Operation(
            path: "/metrics",
            summary: "Counters and gauges as Prometheus text; docs/reference/metrics.md has their meanings.",
            answers: [
                Answer(status: "200", meaning: "The metrics.", schema: nil, mediaType: "text/plain")
            ]
        ),
        Operation(
            path: "/v1/live",
            summary:
                "Server-sent events: one named figures after each commit, with position, time, totals per currency and rates.",
            answers: [
                Answer(status: "200", meaning: "The stream.", schema: nil, mediaType: "text/event-stream"),
                answer("503", "Too many listen already."),
            ]
        ),
        Operation(
            path: "/v1/openapi.json",
            summary: "This document.",
            answers: [answer("200", "OpenAPI 3.1.", "o")]
        ),
        Operation(
            path: "/v1/contracts/{feed}",
            summary: "What a sender must know of a feed: its contract, how its CSV is written, and its columns.",
            parameters: [("feed", "Name of a feed, for example invoices.", "path")],
            answers: [
                answer(
                    "200",
                    "The contract that refines what is sent now.",
                    "{feed:s,contract:s,version:i,digest:s,text:s,row_identity:[s],csv:{separator:s,quote:s,encoding:s,resynchronise:b},columns:[{names:[s],required:b}]}"
                ), answer("404", "No such feed."),
            ]
        ),
        Operation(
            path: "/v1/feeds/{feed}",
            method: "post",
            summary:
                "Send events: one object, an array, NDJSON or CSV with a header row. Answered after they are durable.",
            parameters: [("feed", "Name of a feed, for example invoices.", "path")],
            answers: [
                answer("202", "Durable; some or all are good.", ingested),
                answer("400", "The body or a header cannot be used; nothing is stored."),
                answer("404", "No such feed."),
                answer(
                    "409",
                    "The batch would overtake another of its run (`expected_row` says where to go on), or the Idempotency-Key came before with other records.",
                    "{error:{code:s,message:s,expected_row~:i}}"
                ),
                answer("413", "The body is too large."), answer("415", "The content type is not known."),
                answer("422", "Durable and in quarantine; all are bad.", ingested), answer("429", slow),
                answer("503", notDurable), answer("507", full),
            ]
        ),
    ]

    private static let ready = "{status:s,data_id:s,parts:[{name:s,ok:b,detail:s}]}"
    private static let ingested =
        "{accepted:i,rejected:[{index:i,reasons:[{rule:s,field:s,value:s,message:s}]}],rejected_more~:i,repeated~:b,position:s}"

    /// Paths of reference systems with their own codes and bodies (spec invoices.md 3, pos.md 3), where they are on.
    static let reference: [Operation] = [
        Operation(
            path: "/invoicedata",
            method: "post",
            summary: "One invoice line, as the reference system takes it.",
            body: "o",
            answers: [
                answer(
                    "201",
                    "Durable; the canonical line.",
                    "{customerName:?s,InvoiceNo:s,StockCode:s,Description:?s,Quantity:n,InvoiceDate:s,UnitPrice:n,CustomerID:?i,Country:?s}"
                ),
                answer("400", "Durable and in quarantine: only the date is wrong.", "{detail:s,item:?o}"),
                answer(
                    "422",
                    "Durable and in quarantine, or without a byte.",
                    "{detail:[{loc:[s],msg:s,type:s,input:s}]}"
                ),
                answer("413", "The body is too large."), answer("429", slow), answer("503", notDurable),
                answer("507", full),
            ]
        ),
        Operation(
            path: "/validation-service/api/v1/pos/validate_transaction",
            method: "post",
            summary: "One transaction of a till, as the reference system takes it.",
            body: "o",
            answers: [
                answer("200", "Durable; the id as it is kept.", "{status:s,transaction_id:s,message:s}"),
                answer("401", "No credentials, or wrong ones.", detail),
                answer("403", "The identity may not send to this feed.", detail),
                answer("413", "The body is too large."),
                answer(
                    "422",
                    "Durable and in quarantine, or without a byte; one error for each violated rule.",
                    "{status:s,message:s,errors:[s]}"
                ),
                answer("429", slow, detail), answer("503", notDurable, detail), answer("507", full, detail),
            ]
        ),
        Operation(
            path: "/validation-service/api/v1/health",
            summary: "Whether every part works, as the reference system answers it. Open to everyone.",
            answers: [
                answer("200", "All work.", "{status:s,message:s}"), answer("503", "A part of till does not work."),
            ]
        ),
    ]

    private static let detail = "{detail:s}"
}
