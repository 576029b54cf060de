import Formats
import Primitives
import RetailModel
import Tables

/// Runs, status, the last proof, and reference views.
enum OperateQueries {
    private static let totals = ["read", "distinct", "duplicates", "quarantined", "parked"]

    /// Runs by feed and name. What arrives without a run counts for a run without a name, which is none.
    static func runs(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.cursor(parts: 2)
        let rows = try query.rows(
            """
            SELECT r.feed, r.name, t.received, t.distinct_events, t.duplicates, t.quarantined, t.parked FROM run r
            LEFT JOIN run_total t ON t.run_id = r.id
            WHERE r.name <> '' AND (?1 IS NULL OR r.feed = ?1) AND (?2 IS NULL OR (r.feed, r.name) > (?2, ?3))
            ORDER BY r.feed, r.name
            """,
            [try query.feed(), Cell(after?[0]), Cell(after?[1])],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [$0[0].string, $0[1].string] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.optional("feed", row[0])
                json.optional("run", row[1])
                for (name, cell) in zip(totals, row[2...]) { json.field(name, cell.number) }
                json.endObject()
            }
        }
    }

    static func run(_ query: Query) throws -> [UInt8] {
        let rows = try query.rows(
            """
            SELECT r.feed, t.received, t.distinct_events, t.duplicates, t.quarantined, t.parked FROM run r
            LEFT JOIN run_total t ON t.run_id = r.id WHERE r.name = ?1 AND (?2 IS NULL OR r.feed = ?2) ORDER BY r.feed
            """,
            [.text(ByteString(query.path[0])), try query.feed()],
            limit: APIError.candidatesMax + 1
        )
        guard let row = rows.first else { throw APIError.notFound("run", query.path[0]) }
        if rows.count > 1 {
            throw APIError.ambiguous("feeds have a run \(query.path[0].quotedForMessage)", rows.map { $0[0].string })
        }
        return JSONWriter.object { json in
            json.field("run", query.path[0])
            json.optional("feed", row[0])
            for (name, cell) in zip(totals, row[1...]) { json.field(name, cell.number) }
        }
    }

    /// Runs of such names had ids of their rows' bytes.
    static func rowIdentity(_ query: Query) throws -> [UInt8] {
        let feed = try query.feed()
        guard feed != .null else { throw APIError.badParameter("feed", "", "the name of a feed") }
        let rows = try query.rows(
            "SELECT 1 FROM run WHERE feed = ?1 AND (name GLOB 'file-*' OR name GLOB 'stdin-*') LIMIT 1",
            [feed],
            limit: 1
        )
        return JSONWriter.object { json in
            json.optional("feed", feed)
            json.field("by_bytes", !rows.isEmpty)
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

    /// A part of a cursor: `i` and a number, or `t` and a text.
    private static func part(_ cell: Cell) -> String {
        if case .integer(let number) = cell { "i\(number)" } else { "t\(cell.string)" }
    }

    private static func cell(_ part: String) -> Cell? {
        switch part.first {
        case "i": Int64(part.dropFirst()).map { .integer($0) }
        case "t": Cell(String(part.dropFirst()))
        default: nil
        }
    }

    /// One of the views, as they stand.
    static func view(_ query: Query) throws -> [UInt8] {
        let name = query.path[0]
        guard views.contains(name) else { throw APIError.notFound("view", name) }
        let columns = try query.rows("SELECT name FROM pragma_table_info(?1)", [.text(ByteString(name))])
        let limit = try query.integer("limit", in: 1...Query.rowsMax, default: 1_000)
        let keys = RetailViews.keys[name] ?? []
        let after = try query.cursor(parts: keys.count)?.map { part in
            guard let cell = Self.cell(part) else { throw query.badCursor() }
            return cell
        }
        let key = keys.joined(separator: ", ")
        let behind = after.map { "WHERE (\(key)) > (\((1...$0.count).map { "?\($0)" }.joined(separator: ", ")))" } ?? ""
        let rows = try query.rows(
            "SELECT *, \(key) FROM \"\(name)\" \(behind) ORDER BY \(key)",
            after ?? [],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { $0.suffix(keys.count).map(Self.part) }
        return JSONWriter.list(next: page.next, extra: { $0.field("view", name) }) { json in
            for row in page.rows {
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
