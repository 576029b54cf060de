/// Routes of turnover windows, order counters, reference data, quarantine, senders and the proof.
extension Route {
    private static let page = [
        Parameter("limit", "Items at most, 1 to 1000; default 50."),
        Parameter("cursor", "The value of next of the page before."),
    ]
    private static let store = "store:s,store_key:s,store_name:?s"
    private static let revision =
        "{\(store),start:t,currency:s,revision:i,old_total:m,new_total:m,delta:m,old_count:i,new_count:i,cause:s,published_at:t}"
    private static let reasons = "reasons:[{rule:s,field:s,value:s,message:s}]"
    private static let original = "bytes:s,encoding:s,bytes_size:i,bytes_complete:b"
    private static let user = "user:{id:s,key:s,name:?s,login:?s}"
    private static let counts =
        "received:i,distinct:i,duplicates:i,quarantined:i,parked:i,current:i,superseded:i,conflicting:i"

    static let windows: [Route] = [
        Route(
            path: "/v1/windows",
            access: .sales,
            summary:
                "Turnover windows, latest first: closed sales by store and window, with the first and last of them.",
            parameters: [
                .init("store", "Only of this store: SOURCE:KEY, or the bare key."),
                .init("from", "Windows that start then or later: a time (ISO 8601, UTC) or date."),
                .init("to", "Windows that start earlier."),
                .init("open", "true: only those not published yet; false: only published ones."),
            ] + page,
            schema:
                "{items:[{event_id:s,\(store),start:t,end:t,currency:s,total:m,sale_count:i,revision:i,late_count:i,state:s,first_at:?t,last_at:?t}],next:?s}",
            answer: WindowQueries.list
        ),
        Route(
            path: "/v1/windows/revisions",
            access: .sales,
            summary: "The latest publications of windows over all stores: what each said before and says now, and why.",
            parameters: [.init("corrections", "true: only those that a late sale or a correction caused.")] + page,
            schema: "{items:[\(revision)],next:?s}",
            answer: WindowQueries.latest
        ),
        Route(
            path: "/v1/windows/{store}/{start}/revisions",
            access: .sales,
            summary: "Every publication of one window, in order; cause is watermark, idle, late or correction.",
            parameters: page,
            schema: "{items:[\(revision)],next:?s}",
            answer: WindowQueries.revisions
        ),
        Route(
            path: "/v1/late",
            access: .sales,
            summary: "Sales that came after their window was published, latest first.",
            parameters: page,
            schema:
                "{items:[{sale:s,\(store),window_start:t,occurred_at:t,received_at:t,total:m,currency:s}],next:?s}",
            answer: WindowQueries.late
        ),
        Route(
            path: "/v1/stores",
            access: .sales,
            summary: "Stores by key, with how far the event time of each has come.",
            parameters: page,
            schema:
                "{items:[{id:s,key:s,name:?s,time_zone:s,watermark:?t,last_sale_received_at:?t,open_windows:i}],next:?s}",
            answer: WindowQueries.stores
        ),
        Route(
            path: "/v1/users/{id}/products",
            access: .customers,
            summary: "The products in most closed orders of a user; ties by name.",
            parameters: [.init("limit", "1 to 1000; default 10."), page[1]],
            schema: "{\(user),items:[{product:s,key:s,name:s,orders:i,last_order_at:?t}],next:?s}",
            answer: CounterQueries.products
        ),
        Route(
            path: "/v1/users/{id}/categories",
            access: .customers,
            summary: "The categories in most closed orders of a user; ties by name.",
            parameters: [.init("limit", "1 to 1000; default 10."), page[1]],
            schema: "{\(user),items:[{source:s,category:s,orders:i,last_order_at:?t}],next:?s}",
            answer: CounterQueries.categories
        ),
    ]

    static let operation: [Route] = [
        Route(
            path: "/v1/quarantine",
            access: .operate,
            summary:
                "Rejected records, newest first, with the first \(QuarantineQueries.bytesListed) bytes (bytes_complete: these are all) and the first \(QuarantineQueries.reasonsListed) reasons; the entry itself has everything.",
            parameters: [
                .init("state", "all (default), open or resolved."), .init("feed", "Only of this feed."),
                .init("rule", "Only those that broke this rule."),
            ] + page,
            schema:
                "{items:[{id:i,feed:s,position:s,first_seen:t,attempts:i,resolved_at:?t,\(reasons),reasons_count:i,\(original)}],next:?s}",
            answer: QuarantineQueries.list
        ),
        Route(
            path: "/v1/quarantine/rules",
            access: .operate,
            summary:
                "Open entries by feed and rule, most first; complete is false when only the latest \(QuarantineQueries.countedMax) were looked at.",
            schema: "{open:i,complete:b,items:[{feed:s,rule:s,entries:i}],next:?s}",
            answer: QuarantineQueries.rules
        ),
        Route(
            path: "/v1/quarantine/count",
            access: .operate,
            summary:
                "How many open entries of a feed (and rule) a redrive or discard would take, or how many of ids are open.",
            parameters: [
                .init("feed", "Of this feed."), .init("rule", "Only those that broke this rule."),
                .init("ids", "Ids with commas, at most \(QuarantineQueries.countedIDsMax), instead of feed and rule."),
            ],
            schema: "{entries:i,oldest:?t,newest:?t}",
            answer: QuarantineQueries.count
        ),
        Route(
            path: "/v1/quarantine/{entry}",
            access: .operate,
            summary:
                "One entry of quarantine; text is null when the bytes are no text. withheld: the bytes, and what reasons quote, need the scope read:customers; in lists the encoding is then withheld.",
            schema:
                "{id:i,feed:s,position:s,first_seen:t,attempts:i,resolved_at:?t,\(reasons),record_id:s,content_hash:s,contract:s,csv_header:?s,size:i,withheld:b,text:?s,base64:s}",
            answer: QuarantineQueries.detail
        ),
        Route(
            path: "/v1/parked",
            access: .operate,
            summary:
                "Records that wait for a reference record, newest first, with their first \(QuarantineQueries.bytesListed) bytes and \(ReferenceQueries.missingListed) missing references; they count when it arrives.",
            parameters: [.init("feed", "Only of this feed.")] + page,
            schema:
                "{items:[{feed:s,position:s,first_seen:t,missing:[s],missing_count:i,run:s,sender:s,\(original)}],next:?s}",
            answer: ReferenceQueries.parked
        ),
        Route(
            path: "/v1/conflicts",
            access: .operate,
            summary:
                "Versions that lost against another of the same version time: kind is document, line, customer or store. Documents and lines first, newest first.",
            parameters: page,
            schema:
                "{items:[{kind:s,id:s,key:s,line:?s,version_at:?t,content_hash:s,current_hash:?s,offset:i}],next:?s}",
            answer: ReferenceQueries.conflicts
        ),
        Route(
            path: "/v1/references",
            access: .operate,
            summary: "Reference records by entity and source; those of products are the menus of stores.",
            schema:
                "{items:[{entity:s,source:s,keys:i,versions:i,superseded:?i,conflicting:?i,latest:?t}],next:?s}",
            answer: ReferenceQueries.references
        ),
        Route(
            path: "/v1/senders",
            access: .operate,
            summary:
                "Senders by epoch (X-Till-Epoch, or the time when a number came again with other records; null for the first) with the sequence numbers that are missing (the first 100 ranges) and up to where nothing is; clock_offset is the least difference of receipt and event time in seconds. Of a sender with more than a thousand gaps those below gaps_listed_from are neither listed nor counted, save the first, and complete_until ends before them.",
            parameters: [.init("feed", "Only of this feed.")] + page,
            schema:
                "{items:[{feed:s,name:s,epoch:?s,records:i,first_seen:t,last_seen:t,clock_offset:?n,missing:[s],missing_count:i,complete_until:?{sequence:i,time:?t},gaps_listed_from:?i}],next:?s}",
            answer: SenderQueries.list
        ),
        Route(
            path: "/v1/proof",
            access: .operate,
            summary: "The report of the last till prove; 404 before the first.",
            schema:
                "{proved_at:t,position:s,tables:i,rows:i,events:i,records_behind:i,differences:i,seconds:n,found:[o],feeds:[{feed:s,\(counts),agrees:b}],figures:[{currency:s,figure:s,sums:[{table:s,sum:m}],agrees:b}],days:[{currency:s,days:i,differing:i,first_differing:?s,left_out:i,items:[{day:s,gross:m,returns:m,adjustments:m,reference:m,cancelled:m,windows:m,agrees:b}]}]}",
            answer: OperateQueries.proof
        ),
    ]
}
