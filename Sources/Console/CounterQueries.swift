import Formats
import Primitives
import RetailModel
import Tables

/// Order counters of a user: the products and categories of most closed orders, with names joined at read.
enum CounterQueries {
    /// A counter's row in the order of all lists: most orders, then name, then key.
    private struct Page {
        var rows: ArraySlice<[Cell]>
        var next: String?
    }

    /// - Parameter from: Joins the counter u with what it counts, x.
    private static func page(_ query: Query, _ user: Cell, _ from: String, name: String, key: String) throws -> Page {
        let limit = try query.integer("limit", in: 1...1_000, default: 10)
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT x.source, \(key), \(name), u.orders, x.id FROM \(from)
            WHERE u.customer_id = ?1 AND u.orders > 0
              AND (?2 IS NULL OR (-u.orders, \(name), \(key), x.source) > (CAST(?2 AS INTEGER), ?3, ?4, ?5))
            ORDER BY u.orders DESC, \(name), \(key), x.source
            """,
            [user, Cell(after?[0])]
                + (1...3).map { part in
                    Cell(after.map { $0.indices.contains(part) ? $0[part] : "" })
                },
            limit: limit + 1
        )
        let shown = rows.prefix(limit)
        let next =
            rows.count > limit
            ? shown.last.map { Query.cursor([String(-$0[3].number), $0[2].string, $0[1].string, $0[0].string]) } : nil
        return Page(rows: shown, next: next)
    }

    /// When a closed order of the user last contained each thing; `thing` is an expression over document d and line l.
    private static func lastOrders(_ query: Query, _ user: Cell, _ thing: String) throws -> [Int64: Cell] {
        let rows = try query.rows(
            """
            SELECT \(thing), MAX(d.occurred_at) FROM document d JOIN line l ON l.document_id = d.id
            WHERE d.customer_id = ?1 AND d.status = 0 AND (d.traits & 2) <> 0 GROUP BY 1
            """,
            [user]
        )
        return Dictionary(rows.map { ($0[0].number, $0[1]) }, uniquingKeysWith: { first, _ in first })
    }

    private static func find(_ query: Query) throws -> [Cell] {
        try Entity.find(query.path[0], table: "customer", what: "user", columns: "name, login", query)
    }

    private static func user(_ row: [Cell], _ json: inout JSONWriter) {
        json.key("user")
        json.beginObject()
        json.entity("id", row[1], row[2])
        json.optional("key", row[2])
        json.optional("name", row[3])
        json.optional("login", row[4])
        json.endObject()
    }

    static func products(_ query: Query) throws -> [UInt8] {
        let customer = try find(query)
        let page = try page(
            query,
            customer[0],
            "user_product u JOIN product x ON x.id = u.product_id",
            name: "coalesce(x.description, x.source_key)",
            key: "x.source_key"
        )
        let last = page.rows.isEmpty ? [:] : try lastOrders(query, customer[0], "l.product_id")
        return JSONWriter.list(next: page.next, extra: { user(customer, &$0) }) { json in
            for row in page.rows {
                json.beginObject()
                json.entity("product", row[0], row[1])
                json.optional("key", row[1])
                json.optional("name", row[2])
                json.field("orders", row[3].number)
                json.time("last_order_at", last[row[4].number] ?? .null)
                json.endObject()
            }
        }
    }

    static func categories(_ query: Query) throws -> [UInt8] {
        let customer = try find(query)
        let page = try page(
            query,
            customer[0],
            "user_category u JOIN category x ON x.id = u.category_id",
            name: "x.name",
            key: "x.name"
        )
        // The menu that was valid at the order's time; before the first menu, the first.
        let menu =
            "SELECT m.category_id FROM menu_item m WHERE m.store_id = d.store_id AND m.product_id = l.product_id AND m.is_winner = 1"
        let category =
            "coalesce((\(menu) AND m.valid_from <= d.occurred_at ORDER BY m.valid_from DESC LIMIT 1), (\(menu) ORDER BY m.valid_from LIMIT 1))"
        let last = page.rows.isEmpty ? [:] : try lastOrders(query, customer[0], category)
        return JSONWriter.list(next: page.next, extra: { user(customer, &$0) }) { json in
            for row in page.rows {
                json.beginObject()
                json.optional("source", row[0])
                json.optional("category", row[2])
                json.field("orders", row[3].number)
                json.time("last_order_at", last[row[4].number] ?? .null)
                json.endObject()
            }
        }
    }
}
