import Formats
import Ports
import Primitives
import RetailModel
import Tables

/// An entity as it is addressed: `{source}:{key}`, or the bare key when only one source has it.
enum Entity {
    /// The row of `columns` of the entity that `text` names.
    static func find(_ text: String, table: String, what: String, columns: String, _ query: Query) throws -> [Cell] {
        let all = "id, source, source_key" + (columns.isEmpty ? "" : ", " + columns)
        if let colon = text.firstIndex(of: ":") {
            let rows = try query.rows(
                "SELECT \(all) FROM \(table) WHERE source = ?1 AND source_key = ?2",
                [
                    .text(ByteString(String(text[..<colon]))),
                    .text(ByteString(String(text[text.index(after: colon)...]))),
                ]
            )
            if let row = rows.first { return row }
        }
        // The sources of the table one after the other, each found in the index of (source, source_key).
        let rows = try query.rows(
            """
            WITH RECURSIVE s(name) AS (SELECT MIN(source) FROM \(table)
              UNION ALL SELECT (SELECT MIN(t.source) FROM \(table) t WHERE t.source > s.name) FROM s WHERE s.name IS NOT NULL)
            SELECT \(all) FROM \(table) WHERE source IN (SELECT s.name FROM s WHERE s.name IS NOT NULL) AND source_key = ?1
            """,
            [.text(ByteString(text))],
            limit: APIError.candidatesMax + 1
        )
        guard let row = rows.first else { throw APIError.notFound(what, text) }
        if rows.count > 1 {
            throw APIError.ambiguous(
                "sources have a \(what) \(text.quotedForMessage)",
                rows.map { "\($0[1].string):\($0[2].string)" }
            )
        }
        return row
    }
}

/// Customers: list, spend, orders, returns, summary.
enum CustomerQueries {
    static func find(_ query: Query) throws -> [Cell] {
        // Another customer is, to a customer, none.
        if let own = query.caller.onlyCustomer, own != query.path[0] {
            throw APIError.notFound("customer", query.path[0])
        }
        return try Entity.find(query.path[0], table: "customer", what: "customer", columns: "name, country", query)
    }

    private static func identity(_ row: [Cell], _ json: inout JSONWriter) {
        json.field("id", "\(row[1].string):\(row[2].string)")
        json.optional("key", row[2])
        json.optional("name", row[3])
    }

    static func list(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let search = query.text("search")
        let after = try query.cursor()
        let pattern = search.map { "%" + $0.map { "%_\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "%" }
        let rows = try query.rows(
            """
            SELECT id, source, source_key, name, country FROM customer
            WHERE (?1 IS NULL OR source_key LIKE substr(?1, 2) ESCAPE '\\' OR name LIKE ?1 ESCAPE '\\')
              AND (?2 IS NULL OR source_key > ?2 OR (source_key = ?2 AND source > ?3))
            ORDER BY source_key, source
            """,
            [
                Cell(text: pattern.map { ByteString($0) }), Cell(text: after.map { ByteString($0[0]) }),
                Cell(text: after.map { ByteString($0.count > 1 ? $0[1] : "") }),
            ],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [$0[2].string, $0[1].string] }
        let totals = try page.rows.map { row in
            try query.rows(
                "SELECT currency, gross_hi, gross_lo, orders FROM customer_total WHERE customer_id = ?1 ORDER BY currency",
                [row[0]]
            )
        }
        return JSONWriter.list(next: page.next) { json in
            for (row, sums) in zip(page.rows, totals) {
                json.beginObject()
                identity(row, &json)
                json.optional("country", row[4])
                json.field("orders", sums.reduce(0) { $0 + $1[3].number })
                json.key("gross")
                json.beginArray()
                for sum in sums {
                    json.beginObject()
                    json.money("amount", sum[1].wide(sum[2]))
                    json.currency(sum[0])
                    json.endObject()
                }
                json.endArray()
                json.endObject()
            }
        }
    }

    static func spend(_ query: Query) throws -> [UInt8] {
        let customer = try find(query)
        let sums = try query.rows(
            """
            SELECT currency, gross_hi, gross_lo, returns_hi, returns_lo, orders FROM customer_total
            WHERE customer_id = ?1 ORDER BY currency
            """,
            [customer[0]]
        )
        // The last order is read from state rows: a maximum cannot be taken back from a sum.
        let last = try query.rows(
            "SELECT occurred_at FROM document WHERE customer_id = ?1 AND gross_lines > 0 AND status = 0 ORDER BY occurred_at DESC",
            [customer[0]],
            limit: 1
        )
        return JSONWriter.object { json in
            json.key("customer")
            json.beginObject()
            identity(customer, &json)
            json.optional("country", customer[4])
            json.endObject()
            json.key("spend")
            json.beginArray()
            for sum in sums {
                json.beginObject()
                json.currency(sum[0])
                json.spend(gross: sum[1].wide(sum[2]), returnLines: sum[3].wide(sum[4]))
                json.field("orders", sum[5].number)
                json.endObject()
            }
            json.endArray()
            json.time("last_order_at", last.first?[0] ?? .null)
        }
    }

    /// Items that one order names in its list; `/v1/invoices/{id}` has all lines.
    private static let itemsNamed = 500

    static func orders(_ query: Query) throws -> [UInt8] {
        let customer = try find(query)
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT id, source, source_key, occurred_at, currency,
              gross_hi + returns_hi + adjustments_hi, gross_lo + returns_lo + adjustments_lo,
              (SELECT SUM(quantity) FROM line l WHERE l.document_id = d.id), status, flags, reported_total,
              (SELECT group_concat(x, ', ') FROM (SELECT coalesce(l.description, p.description, p.source_key) AS x
                 FROM line l JOIN product p ON p.id = l.product_id WHERE l.document_id = d.id
                 ORDER BY l.occurred_at, l.identity LIMIT \(itemsNamed))),
              (SELECT COUNT(*) FROM line l WHERE l.document_id = d.id)
            FROM document d WHERE customer_id = ?1 AND occurred_at IS NOT NULL
              AND (?2 IS NULL OR (occurred_at, source_key) < (CAST(?2 AS INTEGER), ?3))
            ORDER BY occurred_at DESC, source_key DESC
            """,
            [
                customer[0], Cell(text: after.map { ByteString($0[0]) }),
                Cell(text: after.map { ByteString($0.last ?? "") }),
            ],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[3].number), $0[2].string] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.field("invoice", "\(row[1].string):\(row[2].string)")
                json.optional("number", row[2])
                json.time("occurred_at", row[3])
                json.money("amount", row[5].wide(row[6]))
                json.currency(row[4])
                json.quantity("quantity", Int128(row[7].number))
                json.field("items_purchased", row[11].string)
                json.field("items_truncated", row[12].number > itemsNamed)
                json.standing(status: row[8], flags: row[9], reportedTotal: row[10])
                json.endObject()
            }
        }
    }

    static func summary(_ query: Query) throws -> [UInt8] {
        let counted = try query.choice("cancellations", ["exclude", "include"]) == "include" ? "documents" : "orders"
        let limit = try query.integer("limit", in: 1...1_000, default: 10)
        let filter = try SalesFilter(query)
        let after = try query.cursor(parts: 3)
        // How many orders (or documents) each customer has.
        var counts = "SELECT customer_id, SUM(\(counted)) AS n FROM customer_total GROUP BY customer_id"
        var total = "(SELECT COUNT(*) FROM customer)"
        if !filter.isOpen {
            let isCounted = counted == "orders" ? "gross_lines > 0" : "1"
            counts = """
                SELECT customer_id, SUM(\(isCounted)) AS n FROM document d WHERE customer_id IS NOT NULL AND status = 0
                  AND gross_lines + return_lines + adjustment_lines > 0 AND \(filter.holds("d"))
                GROUP BY customer_id
                """
            total = "(SELECT COUNT(*) FROM t)"
        }
        let cells = filter.isOpen ? [] : filter.cells
        let figures = try query.rows(
            "WITH t AS (\(counts)) SELECT \(total), COUNT(*), MAX(n) FROM t WHERE n > 1",
            cells
        )
        let top = try query.rows(
            """
            WITH t AS (\(counts)) SELECT c.id, c.source, c.source_key, c.name, t.n FROM t
            JOIN customer c ON c.id = t.customer_id WHERE t.n > 1
              AND (?4 IS NULL OR (-t.n, c.source_key, c.source) > (CAST(?4 AS INTEGER), ?5, ?6))
            ORDER BY t.n DESC, c.source_key, c.source
            """,
            (filter.isOpen ? [.null, .null, .null] : filter.cells) + (0..<3).map { Cell(after?[$0]) },
            limit: limit + 1
        )
        let page = Page(top, limit: limit) { [String(-$0[4].number), $0[2].string, $0[1].string] }
        return JSONWriter.object { json in
            json.field("total_customers", figures.first?[0].number ?? 0)
            json.field("loyal_customers", figures.first?[1].number ?? 0)
            json.number("most_orders", figures.first?[2] ?? .null)
            json.key("top")
            json.beginArray()
            for row in page.rows {
                json.beginObject()
                identity(row, &json)
                json.field("orders", row[4].number)
                json.endObject()
            }
            json.endArray()
            json.field("next", page.next)
        }
    }
}

/// One invoice with its lines.
enum InvoiceQueries {
    static func detail(_ query: Query) throws -> [UInt8] {
        let own = query.caller.onlyCustomer
        // A key that several sources have would tell which of them have it.
        guard own == nil || query.path[0].contains(":") else { throw APIError.notFound("invoice", query.path[0]) }
        let document = try Entity.find(
            query.path[0],
            table: "document",
            what: "invoice",
            columns:
                """
                occurred_at, customer_id, country, currency, gross_hi, gross_lo, returns_hi, returns_lo, adjustments_hi,
                adjustments_lo, status, flags, reported_total, receipt_id, receipt_at, receipt_total, receipt_method,
                receipt_document
                """,
            query
        )
        let customer = try document[4].integer.flatMap { id in
            try query.rows("SELECT source, source_key, name FROM customer WHERE id = ?1", [.integer(id)]).first
        }
        if let own, own != customer.map({ "\($0[0].string):\($0[1].string)" }) {
            throw APIError.notFound("invoice", query.path[0])
        }
        // The line_no shown to people is the rank by time and identity: it is in no key (spec model 1.8).
        let lines = try query.rows(
            """
            SELECT p.source_key, coalesce(l.description, p.description), l.quantity, l.unit_price, l.amount,
              l.kind, l.flags, l.reported_amount
            FROM line l JOIN product p ON p.id = l.product_id WHERE l.document_id = ?1 ORDER BY l.occurred_at,
              l.identity
            """,
            [document[0]]
        )
        let history = try query.rows(
            "SELECT status, at FROM status_history WHERE document_id = ?1 ORDER BY at, status",
            [document[0]]
        )
        return JSONWriter.object { json in
            json.field("invoice", "\(document[1].string):\(document[2].string)")
            json.optional("number", document[2])
            json.time("occurred_at", document[3])
            json.key("customer")
            if let customer {
                json.beginObject()
                json.field("id", "\(customer[0].string):\(customer[1].string)")
                json.optional("key", customer[1])
                json.optional("name", customer[2])
                json.endObject()
            } else {
                json.null()
            }
            json.optional("country", document[5])
            json.standing(status: document[13], flags: document[14], reportedTotal: document[15])
            json.key("status_history")
            json.beginArray()
            for entry in history {
                json.beginObject()
                json.field("status", JSONWriter.statusName(entry[0]))
                json.time("at", entry[1])
                json.endObject()
            }
            json.endArray()
            receipt(document[16...], &json)
            json.key("lines")
            json.beginArray()
            for (index, line) in lines.enumerated() {
                json.beginObject()
                json.field("line_no", index + 1)
                json.optional("product", line[0])
                json.optional("description", line[1])
                json.quantity("quantity", Int128(line[2].number))
                json.money("unit_price", Int128(line[3].number))
                json.money("total", Int128(line[4].number))
                json.optionalMoney("reported_total", line[7])
                json.field("kind", ["gross", "return", "adjustment"][Int(line[5].number)])
                json.key("flags")
                json.beginArray()
                for (flag, name) in LineFlags.names where LineFlags(rawValue: line[6].number).contains(flag) {
                    json.string(name)
                }
                json.endArray()
                json.endObject()
            }
            json.endArray()
            json.key("totals")
            json.beginArray()
            json.beginObject()
            json.currency(document[6])
            json.spend(gross: document[7].wide(document[8]), returnLines: document[9].wide(document[10]))
            json.money("adjustments", document[11].wide(document[12]))
            json.endObject()
            json.endArray()
        }
    }

    /// The receipt as it was reported; it may differ from the sale.
    private static func receipt(_ row: ArraySlice<Cell>, _ json: inout JSONWriter) {
        let first = row.startIndex
        json.key("receipt")
        guard row[first] != .null else { return json.null() }
        json.beginObject()
        json.optional("number", row[first])
        json.time("at", row[first + 1])
        json.optionalMoney("total", row[first + 2])
        json.optional("payment_method", row[first + 3])
        json.optional("document", row[first + 4])
        json.endObject()
    }
}

extension JSONWriter {
    static func statusName(_ status: Cell) -> String { SaleStatus(rawValue: status.number)?.name ?? "unknown" }

    /// What a document counts as, what is remarkable about it, and its total as the sender stated it.
    fileprivate mutating func standing(status: Cell, flags: Cell, reportedTotal: Cell) {
        field("status", Self.statusName(status))
        key("flags")
        beginArray()
        for (flag, name) in DocumentFlags.names where DocumentFlags(rawValue: flags.number).contains(flag) {
            string(name)
        }
        endArray()
        optionalMoney("reported_total", reportedTotal)
    }

    fileprivate mutating func optionalMoney(_ name: String, _ units: Cell) {
        if let units = units.integer { money(name, Int128(units)) } else { null(name) }
    }
}
