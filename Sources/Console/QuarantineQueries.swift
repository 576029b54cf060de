import Formats
import Primitives
import RetailModel
import Tables

/// Rejected records: lists by state, feed and rule, one with its original bytes, and how many break which rule.
enum QuarantineQueries {
    /// Open entries whose reasons are counted by rule; the latest.
    static let countedMax = 10_000
    /// What a list shows of one entry: with 10 reasons of 500 bytes, a page of 1,000 entries is at most some 10 MiB.
    static let reasonsListed = 10
    static let bytesListed = 4_096

    /// The text that the reasons of an entry hold when it breaks `rule`; nil for any rule.
    ///
    /// Reasons are compact JSON, and a quotation mark inside a value is escaped there, so nothing else matches.
    static func mark(_ rule: String?) -> Cell {
        guard let rule else { return .null }
        var json = JSONWriter()
        json.string(rule)
        return .text(ByteString(Array("\"rule\":".utf8) + json.bytes))
    }

    static func list(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT id, feed, topic, log_offset, first_seen,
              (SELECT json_group_array(json(value)) FROM (SELECT value FROM json_each(reasons) LIMIT \(reasonsListed))),
              substr(bytes, 1, \(bytesListed)), attempts, resolved_at, json_array_length(reasons), length(bytes)
            FROM quarantine
            WHERE (?1 IS NULL OR id < CAST(?1 AS INTEGER)) AND (?2 IS NULL OR feed = ?2)
              AND (?3 = 'all' OR CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END = ?3)
              AND (?4 IS NULL OR instr(reasons, ?4) > 0)
            ORDER BY id DESC
            """,
            [
                Cell(after?[0]), try query.feed(),
                Cell(try query.choice("state", ["all", "open", "resolved"])), mark(try query.rule()),
            ],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[0].number)] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                entry(row, query, &json)
                json.field("reasons_count", row[9].number)
                json.original(row[6], size: row[10].number, isShown: query.showsOriginals)
                json.endObject()
            }
        }
    }

    /// Columns id, feed, topic, log_offset, first_seen, reasons, bytes, attempts, resolved_at; not the bytes.
    private static func entry(_ row: [Cell], _ query: Query, _ json: inout JSONWriter) {
        json.field("id", row[0].number)
        json.optional("feed", row[1])
        json.field("position", "\(row[2].string)/0:\(row[3].number)")
        json.time("first_seen", row[4])
        json.field("attempts", row[7].number)
        json.time("resolved_at", row[8])
        json.key("reasons")
        let reasons = row[5].bytes?.bytes ?? []
        if query.showsOriginals { json.raw(reasons) } else { withheld(reasons, &json) }
    }

    /// Rules and fields; values, and the messages that quote them, are parts of the record.
    private static func withheld(_ reasons: [UInt8], _ json: inout JSONWriter) {
        json.beginArray()
        var tape = JSONTape()
        if (try? tape.parse(reasons)) != nil, tape.kind(0) == .array {
            tape.forEachElement(0) { reason in
                func text(_ name: String) -> String {
                    let node = tape.member(reason, named: Array(name.utf8), in: reasons)
                    return node.map { tape.text($0, in: reasons).description } ?? ""
                }
                json.beginObject()
                json.field("rule", text("rule"))
                json.field("field", text("field"))
                json.field("value", "")
                json.field("message", "The message quotes the record; reading it needs the scope read:customers.")
                json.endObject()
            }
        }
        json.endArray()
    }

    static func detail(_ query: Query) throws -> [UInt8] {
        let rows = try query.rows(
            """
            SELECT id, feed, topic, log_offset, first_seen, reasons, bytes, attempts, resolved_at, record_id,
              content_hash, contract, csv_header
            FROM quarantine WHERE id = ?1
            """,
            [Cell(Int64(query.path[0]))],
            limit: 1
        )
        guard let row = rows.first else { throw APIError.notFound("quarantine entry", query.path[0]) }
        let bytes = row[6].bytes?.bytes ?? []
        return JSONWriter.object { json in
            entry(row, query, &json)
            json.field("record_id", row[9].bytes.flatMap { Identifier($0.bytes) }?.description)
            json.field("content_hash", Hex.text(row[10].bytes?.bytes ?? []))
            json.field("contract", Hex.text(row[11].bytes?.bytes ?? []))
            json.optional("csv_header", row[12])
            json.field("size", bytes.count)
            json.field("withheld", !query.showsOriginals)
            json.field("text", query.showsOriginals ? String(validating: bytes, as: UTF8.self) : nil)
            json.field("base64", query.showsOriginals ? Base64.encode(bytes) : "")
        }
    }

    /// Ids that one request counts: 20 digits each and a comma stay below the limit of a request line.
    static let countedIDsMax = 300

    /// How many open entries a redrive or discard of a feed (and rule) would take, or how many of some ids are open.
    static func count(_ query: Query) throws -> [UInt8] {
        let condition: (sql: String, cells: [Cell]) =
            try query.text("ids").map { try named($0, query) } ?? chosen(query)
        let rows = try query.rows(
            "SELECT COUNT(*), MIN(first_seen), MAX(first_seen) FROM quarantine WHERE resolved_at IS NULL AND \(condition.sql)",
            condition.cells
        )
        return JSONWriter.object { json in
            json.field("entries", rows.first?[0].number ?? 0)
            json.time("oldest", rows.first?[1] ?? .null)
            json.time("newest", rows.first?[2] ?? .null)
        }
    }

    private static func named(_ text: String, _ query: Query) throws -> (String, [Cell]) {
        let ids = text.split(separator: ",", omittingEmptySubsequences: false).map { Int64($0) }
        guard ids.count <= countedIDsMax, ids.allSatisfy({ $0 != nil }), query.text("feed") == nil,
            query.text("rule") == nil
        else {
            throw APIError.badParameter("ids", text, "1 to \(countedIDsMax) ids with commas, and neither feed nor rule")
        }
        let list = ids.map { "\($0 ?? 0)" }.joined(separator: ",")
        return ("id IN (SELECT value FROM json_each(?1))", [Cell("[\(list)]")])
    }

    private static func chosen(_ query: Query) throws -> (String, [Cell]) {
        guard let feed = query.text("feed") else {
            throw APIError.badParameter("feed", "", "the feed whose open entries are counted")
        }
        try query.checkFeed(feed)
        let rule = try query.rule()
        return ("feed = ?1 AND (?2 IS NULL OR instr(reasons, ?2) > 0)", [Cell(feed), mark(rule)])
    }

    /// Open entries by feed and rule; an entry counts once for each of its rules.
    static func rules(_ query: Query) throws -> [UInt8] {
        let open = try query.rows("SELECT coalesce(SUM(entries), 0) FROM quarantine_usage").first?[0].number ?? 0
        let rows = try query.rows(
            """
            SELECT q.feed, json_extract(reason.value, '$.rule') AS rule, COUNT(DISTINCT q.id) AS entries
            FROM (SELECT id, feed, reasons FROM quarantine WHERE resolved_at IS NULL ORDER BY id DESC LIMIT \(countedMax)) q,
              json_each(q.reasons) reason
            GROUP BY q.feed, rule ORDER BY entries DESC, q.feed, rule
            """
        )
        return JSONWriter.list(extra: { json in
            json.field("open", open)
            json.field("complete", open < countedMax)
        }) { json in
            for row in rows {
                json.beginObject()
                json.optional("feed", row[0])
                json.optional("rule", row[1])
                json.field("entries", row[2].number)
                json.endObject()
            }
        }
    }
}
