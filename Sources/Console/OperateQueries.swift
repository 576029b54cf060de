import Formats
import Primitives
import RetailModel
import Tables

/// Runs, status, the last proof, and reference views.
enum OperateQueries {
    static func run(_ query: Query) throws -> [UInt8] {
        let rows = try query.rows(
            """
            SELECT r.feed, t.received, t.distinct_events, t.duplicates, t.quarantined, t.parked FROM run r
            LEFT JOIN run_total t ON t.run_id = r.id WHERE r.name = ?1 AND (?2 IS NULL OR r.feed = ?2) ORDER BY r.feed
            """,
            [.text(ByteString(query.path[0])), Cell(query.text("feed"))],
            limit: 20
        )
        guard let row = rows.first else { throw APIError.notFound("run", query.path[0]) }
        if rows.count > 1 {
            throw APIError(
                status: 409,
                code: "ambiguous",
                message:
                    "\(rows.count) feeds have a run \(query.path[0].quotedForMessage); name one of the candidates as feed.",
                candidates: rows.map { $0[0].string }
            )
        }
        return JSONWriter.object { json in
            json.field("run", query.path[0])
            json.optional("feed", row[0])
            json.field("read", row[1].number)
            json.field("distinct", row[2].number)
            json.field("duplicates", row[3].number)
            json.field("quarantined", row[4].number)
            json.field("parked", row[5].number)
        }
    }

    static func status(_ query: Query) throws -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        query.status.write(&json)
        json.field("proof", storedProof(query) != nil)
        try controlTotals(query, &json)
        json.endObject()
        return json.bytes
    }

    /// Larger reports of a proof are not served.
    private static let proofBytesMax = 1 << 20

    /// The stored report as it is.
    static func proof(_ query: Query) throws -> [UInt8] {
        guard let bytes = storedProof(query) else {
            throw APIError(
                status: 404,
                code: "not_found",
                message: "There is no report of a proof; run till prove on the data directory."
            )
        }
        return bytes
    }

    private static func storedProof(_ query: Query) -> [UInt8]? {
        var tape = JSONTape()
        guard let bytes = query.proof(), bytes.count < proofBytesMax, (try? tape.parse(bytes)) != nil,
            tape.kind(0) == .object
        else { return nil }
        return bytes
    }

    /// The control totals over all feeds.
    static func controlTotals(_ query: Query, _ json: inout JSONWriter) throws {
        let names = [
            "received", "distinct_events", "duplicates", "quarantined", "parked", "current", "superseded",
            "conflicting",
        ]
        let row =
            try query.rows(
                "SELECT " + names.map { "coalesce(SUM(\($0)), 0)" }.joined(separator: ", ") + " FROM feed_total"
            ).first ?? []
        json.key("totals")
        json.beginObject()
        for (name, cell) in zip(names, row) { json.field(name == "distinct_events" ? "distinct" : name, cell.number) }
        // Of these, received from `till simulate`, which names its runs so.
        let simulated = try query.rows(
            """
            SELECT coalesce(SUM(t.received), 0) FROM run r JOIN run_total t ON t.run_id = r.id
            WHERE r.name >= 'simulate-' AND r.name < 'simulate.'
            """
        ).first
        json.field("simulated", simulated?[0].number ?? 0)
        json.endObject()
    }

    private static let views = Set(RetailViews.all.map(\.name))

    /// Views that name no customer: the scope of sales is enough for them.
    private static let salesViews: Set<String> = [
        "vw_TotalSales", "vw_SalesByTime", "vw_Top10SellingProducts", "vw_AverageOrderValue", "vw_CancelledOrders",
    ]

    static func viewAccess(_ name: String) -> Access { salesViews.contains(name) ? .sales : .customers }

    /// One of the views, as they stand.
    static func view(_ query: Query) throws -> [UInt8] {
        let name = query.path[0]
        guard views.contains(name) else { throw APIError.notFound("view", name) }
        let columns = try query.rows("SELECT name FROM pragma_table_info(?1)", [.text(ByteString(name))])
        let rows = try query.rows(
            "SELECT * FROM \"\(name)\"",
            limit: query.integer("limit", in: 1...100_000, default: 1_000)
        )
        return JSONWriter.list(extra: { $0.field("view", name) }) { json in
            for row in rows {
                json.beginObject()
                for (column, cell) in zip(columns, row) {
                    switch cell {
                    case .null: json.null(column[0].string)
                    case .integer(let value): json.field(column[0].string, value)
                    case .text(let text): json.field(column[0].string, text)
                    case .blob(let bytes): json.field(column[0].string, Hex.text(bytes.bytes))
                    case .wideParts, .tooWide: json.field(column[0].string, String(cell.wide))
                    }
                }
                json.endObject()
            }
        }
    }
}
