import Formats
import Primitives
import RetailModel
import Tables

/// Turnover windows: what they are, every publication, late sales, and how far each store has come.
enum WindowQueries {
    private static let causes = ["watermark", "idle", "late", "correction"]
    /// A watermark before the first one.
    private static let noWatermark: Int64 = -4_611_686_018_427_387_904

    static func list(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let store = try query.text("store").map { try find($0, query)[0] } ?? .null
        let wanted = try query.choice("open", ["", "true", "false"])
        // First and last sale are read from state rows: an extreme cannot be taken back from a sum.
        let sales =
            "FROM document d WHERE d.store_id = w.store_id AND d.window_start = w.window_start AND d.currency = w.currency AND d.status = 0 AND d.gross_lines > 0 AND (d.traits & 1) <> 0"
        let rows = try query.rows(
            """
            SELECT w.id, s.source, s.source_key, s.name, w.window_start, w.window_end, w.currency, w.total_hi,
              w.total_lo, w.sale_count, w.revision, w.late_count, (SELECT MIN(d.occurred_at) \(sales)),
              (SELECT MAX(d.occurred_at) \(sales))
            FROM store_window w JOIN store s ON s.id = w.store_id
            WHERE (?1 IS NULL OR w.store_id = ?1) AND w.window_start >= ?2 AND w.window_start < ?3
              AND (?4 = '' OR CASE WHEN w.revision = 0 THEN 'true' ELSE 'false' END = ?4)
              AND (?5 IS NULL OR (w.window_start, w.id) < (CAST(?5 AS INTEGER), CAST(?6 AS INTEGER)))
            ORDER BY w.window_start DESC, w.id DESC
            """,
            [
                store, .integer(try query.instant("from") ?? .min), .integer(try query.instant("to") ?? .max),
                .text(ByteString(wanted)), Cell(after?[0]), Cell(after?.last),
            ],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[4].number), String($0[0].number)] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                let start = Timestamp(micros: row[4].number).description
                let id = Identifier.surrogate(
                    entity: "store_window",
                    source: row[1].string,
                    key: [row[2].string, start]
                )
                json.field("event_id", id.description)
                identity(row[1...3], &json)
                json.field("start", start)
                json.time("end", row[5])
                json.currency(row[6])
                json.money("total", row[7].wide(row[8]))
                json.field("sale_count", row[9].number)
                json.field("revision", row[10].number)
                json.field("late_count", row[11].number)
                json.field("state", row[10].number == 0 ? "open" : "published")
                json.time("first_at", row[12])
                json.time("last_at", row[13])
                json.endObject()
            }
        }
    }

    private static func find(_ store: String, _ query: Query) throws -> [Cell] {
        try Entity.find(store, table: "store", what: "store", columns: "name", query)
    }

    private static func identity(_ row: ArraySlice<Cell>, _ json: inout JSONWriter) {
        let first = row.startIndex
        json.entity("store", row[first], row[first + 1])
        json.optional("store_key", row[first + 1])
        json.optional("store_name", row[first + 2])
    }

    // MARK: Publications

    private static let revisionColumns = """
        SELECT s.source, s.source_key, s.name, r.window_start, r.currency, r.revision, r.old_total_hi, r.old_total_lo,
          r.total_hi, r.total_lo, r.old_count, r.sale_count, r.cause, r.published_at, r.id
        FROM window_revision r JOIN store s ON s.id = r.store_id
        """

    private static func revision(_ row: [Cell], _ json: inout JSONWriter) {
        let old = row[6].wide(row[7])
        let new = row[8].wide(row[9])
        json.beginObject()
        identity(row[0...2], &json)
        json.time("start", row[3])
        json.currency(row[4])
        json.field("revision", row[5].number)
        json.money("old_total", old)
        json.money("new_total", new)
        json.money("delta", new - old)
        json.field("old_count", row[10].number)
        json.field("new_count", row[11].number)
        json.field("cause", causes[Int(row[12].number)])
        json.time("published_at", row[13])
        json.endObject()
    }

    /// Every publication of one window, in order.
    static func revisions(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let store = try find(query.path[0], query)
        guard let start = Query.instant(query.path[1]) else {
            throw APIError.badParameter("start", query.path[1], "the start of a window as 2024-11-15T00:00:00Z")
        }
        let key: [Cell] = [store[0], .integer(start)]
        let windows = try query.rows(
            "SELECT id FROM store_window WHERE store_id = ?1 AND window_start = ?2",
            key,
            limit: 1
        )
        if windows.isEmpty {
            throw APIError.notFound("window", "\(store[2].string) \(Timestamp(micros: start))")
        }
        let rows = try query.rows(
            """
            \(revisionColumns) WHERE r.store_id = ?1 AND r.window_start = ?2
              AND (?3 IS NULL OR (r.currency, r.revision) > (CAST(?3 AS INTEGER), CAST(?4 AS INTEGER)))
            ORDER BY r.currency, r.revision
            """,
            key + [Cell(after?[0]), Cell(after?.last)],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[4].number), String($0[5].number)] }
        return JSONWriter.list(next: page.next) { json in for row in page.rows { revision(row, &json) } }
    }

    /// The latest publications over all stores.
    static func latest(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            \(revisionColumns)
            WHERE (?1 IS NULL OR (r.published_at, r.id) < (CAST(?1 AS INTEGER), CAST(?2 AS INTEGER)))
              AND (?3 = 'false' OR r.cause >= 2)
            ORDER BY r.published_at DESC, r.id DESC
            """,
            [Cell(after?[0]), Cell(after?.last), Cell(try query.choice("corrections", ["false", "true"]))],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[13].number), String($0[14].number)] }
        return JSONWriter.list(next: page.next) { json in for row in page.rows { revision(row, &json) } }
    }

    // MARK: Late sales

    static func late(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT l.id, s.source, s.source_key, s.name, d.source, d.source_key, l.window_start, l.occurred_at,
              l.received_at, d.gross_hi, d.gross_lo, d.currency
            FROM late_sale l JOIN document d ON d.id = l.document_id JOIN store s ON s.id = l.store_id
            WHERE (?1 IS NULL OR l.id < CAST(?1 AS INTEGER)) ORDER BY l.id DESC
            """,
            [Cell(after?[0])],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[0].number)] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.entity("sale", row[4], row[5])
                identity(row[1...3], &json)
                json.time("window_start", row[6])
                json.time("occurred_at", row[7])
                json.time("received_at", row[8])
                json.money("total", row[9].wide(row[10]))
                json.currency(row[11])
                json.endObject()
            }
        }
    }

    // MARK: Stores

    static func stores(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.cursor()
        let rows = try query.rows(
            """
            SELECT s.source, s.source_key, s.name, s.time_zone, m.watermark, m.received_at,
              (SELECT COUNT(*) FROM open_window o WHERE o.store_id = s.id)
            FROM store s LEFT JOIN store_watermark m ON m.store_id = s.id
            WHERE (?1 IS NULL OR s.source_key > ?1 OR (s.source_key = ?1 AND s.source > ?2))
            ORDER BY s.source_key, s.source
            """,
            [Cell(after?[0]), Cell(after?.last)],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [$0[1].string, $0[0].string] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.entity("id", row[0], row[1])
                json.optional("key", row[1])
                json.optional("name", row[2])
                json.optional("time_zone", row[3])
                json.time("watermark", row[4].integer == noWatermark ? .null : row[4])
                json.time("last_sale_received_at", row[5])
                json.field("open_windows", row[6].number)
                json.endObject()
            }
        }
    }
}
