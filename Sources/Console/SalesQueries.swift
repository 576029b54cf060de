import Formats
import Ports
import Primitives
import Tables

/// Total sales, sales over time, top products, average order value, cancellations: read from the sums.
enum SalesQueries {
    /// Codes of three letters.
    private static let currenciesMax = 26 * 26 * 26

    static func total(_ query: Query) throws -> [UInt8] {
        let definition = try query.choice("definition", ["native", "reference"])
        let rows = try totals(query.snapshot, SalesFilter(query))
        return JSONWriter.object { json in
            json.field("definition", definition)
            json.key("totals")
            json.beginArray()
            for row in rows {
                json.beginObject()
                json.currency(row[0])
                if definition == "native" { native(row, &json) } else { json.money("sales", row[7].wide(row[8])) }
                json.endObject()
            }
            json.endArray()
        }
    }

    /// Rows of currency and gross, returns, adjustments, reference (each hi, lo), units, orders.
    static func totals(_ snapshot: any TableSnapshot, _ filter: SalesFilter = .open) throws -> [[Cell]] {
        if filter.isOpen {
            // Kept as they are: nothing is added up, however many days and countries there are.
            return try snapshot.query(
                """
                SELECT currency, gross_hi, gross_lo, returns_hi, returns_lo, adjustments_hi, adjustments_lo,
                  reference_hi, reference_lo, units, orders FROM sales_total ORDER BY currency
                """,
                [],
                limit: currenciesMax
            )
        }
        return try snapshot.query(
            """
            SELECT currency, SUM(gross_hi), SUM(gross_lo), SUM(returns_hi), SUM(returns_lo), SUM(adjustments_hi),
              SUM(adjustments_lo), SUM(reference_hi), SUM(reference_lo), SUM(units), SUM(orders)
            FROM sales_day t WHERE \(filter.holds("t")) GROUP BY currency ORDER BY currency
            """,
            filter.cells,
            limit: currenciesMax
        )
    }

    /// The totals of one currency by both definitions.
    static func both(_ row: [Cell], _ json: inout JSONWriter) {
        json.currency(row[0])
        native(row, &json)
        json.money("reference", row[7].wide(row[8]))
    }

    static func native(_ row: [Cell], _ json: inout JSONWriter) {
        json.spend(gross: row[1].wide(row[2]), returnLines: row[3].wide(row[4]))
        json.money("adjustments", row[5].wide(row[6]))
        json.field("orders", row[10].number)
        json.quantity("units", Int128(row[9].number))
    }

    static func countries(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let rows = try query.rows(
            "SELECT name FROM country WHERE name <> '' AND (?1 IS NULL OR name > ?1) ORDER BY name",
            [Cell(try query.cursor()?[0])],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [$0[0].string] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.optional("country", row[0])
                json.endObject()
            }
        }
    }

    // MARK: Over time

    private struct Bucket {
        var gross: Int128 = 0, returns: Int128 = 0
        var orders: Int64 = 0, units: Int128 = 0
    }

    private struct BucketKey: Hashable, Comparable {
        var period: String
        var currency: Int64
        static func < (a: Self, b: Self) -> Bool { (a.period, a.currency) < (b.period, b.currency) }
    }

    static func overTime(_ query: Query) throws -> [UInt8] {
        let grain = try query.choice("grain", ["day", "year", "quarter", "month", "week", "hour"])
        let filter = try SalesFilter(query)
        var buckets: [BucketKey: Bucket] = [:]
        for row in try grain == "hour" ? hourRows(query, filter) : dayRows(query, filter) {
            let key = BucketKey(period: period(row[0].number, grain), currency: row[1].number)
            var bucket = buckets[key] ?? Bucket()
            bucket.gross += row[2].wide(row[3])
            bucket.returns += row[4].wide(row[5])
            bucket.units += Int128(row[6].number)
            bucket.orders += row[7].number
            buckets[key] = bucket
        }
        return JSONWriter.list(extra: { $0.field("grain", grain) }) { json in
            for (key, bucket) in buckets.sorted(by: { $0.key < $1.key }) {
                json.beginObject()
                json.field("period", key.period)
                json.currency(.integer(key.currency))
                json.spend(gross: bucket.gross, returnLines: bucket.returns)
                if grain == "hour" { json.null("orders") } else { json.field("orders", bucket.orders) }
                json.quantity("units", bucket.units)
                json.endObject()
            }
        }
    }

    private static func dayRows(_ query: Query, _ filter: SalesFilter) throws -> [[Cell]] {
        try query.rows(
            """
            SELECT day, currency, SUM(gross_hi), SUM(gross_lo), SUM(returns_hi), SUM(returns_lo), SUM(units),
              SUM(orders)
            FROM sales_day t WHERE \(SalesFilter.isWithin("t")) GROUP BY day, currency
            """,
            filter.cells
        )
    }

    private static func hourRows(_ query: Query, _ filter: SalesFilter) throws -> [[Cell]] {
        if let country = filter.country {
            throw APIError.badParameter("country", country, "it with grain day or coarser; hours are kept by store")
        }
        return try query.rows(
            """
            SELECT hour, currency, SUM(gross_hi), SUM(gross_lo), SUM(returns_hi), SUM(returns_lo), SUM(units), 0
            FROM sales_hour WHERE hour BETWEEN ?1 AND ?2 GROUP BY hour, currency
            """,
            [.integer(filter.days.lowerBound * 24), .integer(filter.days.upperBound * 24 + 23)]
        )
    }

    /// The label of a day (or hour) in a grain: `2010`, `2010-Q4`, `2010-12`, `2010-W48`, `2010-12-01`, `2010-12-01T08`.
    static func period(_ number: Int64, _ grain: String) -> String {
        let (day, hour) = grain == "hour" ? number.flooredDivision(by: 24) : (number, 0)
        let date = CivilTime(epochSeconds: day * 86_400)
        switch grain {
        case "year": return padded(date.year, 4)
        case "quarter": return "\(padded(date.year, 4))-Q\((date.month + 2) / 3)"
        case "month": return "\(padded(date.year, 4))-\(padded(date.month, 2))"
        case "week":
            let week = CivilTime.isoWeek(epochDay: Int(day))
            return "\(padded(week.year, 4))-W\(padded(week.week, 2))"
        case "hour": return "\(date.dateText)T\(padded(hour, 2))"
        default: return date.dateText
        }
    }

    // MARK: Products

    static func topProducts(_ query: Query) throws -> [UInt8] {
        let limit = try query.integer("limit", in: 1...1_000, default: 10)
        let goodsOnly = try query.flag("exclude_non_products")
        let filter = try SalesFilter(query)
        let after = try query.cursor(parts: 6)
        let place: [Cell] = try (0..<5).map { part in
            guard let text = after?[part] else { return .null }
            guard part < 3 else { return Cell(text) }
            guard let number = Int64(text) else { throw query.badCursor() }
            return .integer(number)
        }
        let source =
            switch (filter.country, filter.isDated) {
            case (nil, false): "product_total t WHERE \(SalesFilter.everything)"
            case (nil, true): "product_day t WHERE ?3 IS NULL AND day BETWEEN ?1 AND ?2"
            case (_?, false):
                "product_country t WHERE ?1 <= ?2 AND country_id = (SELECT id FROM country WHERE name = ?3)"
            // No sum has products by day and country: it is added up here, in halves that no sum of them leaves. CROSS
            // makes SQLite look through the documents first: a country has few of them.
            default:
                """
                (SELECT l.product_id, l.currency, l.quantity * (l.kind = 0) AS units,
                   (l.amount >> 32) * (l.kind = 0) AS gross_hi, (l.amount & 4294967295) * (l.kind = 0) AS gross_lo
                 FROM document d CROSS JOIN line l ON l.document_id = d.id
                 WHERE d.status = 0 AND l.kind <> 2 AND l.day BETWEEN ?1 AND ?2 AND \(SalesFilter.isCountry("d"))) t
                WHERE 1
                """
            }
        let rows = try query.rows(
            """
            WITH t AS (SELECT product_id, currency, hi + (lo >> 32) AS hi, lo & 4294967295 AS lo, units
              FROM (SELECT product_id, currency, SUM(gross_hi) AS hi, SUM(gross_lo) AS lo, SUM(units) AS units
                FROM \(source) GROUP BY product_id, currency))
            SELECT p.source, p.source_key, p.description, t.currency, t.hi, t.lo, t.units
            FROM t JOIN product p ON p.id = t.product_id
            WHERE (?4 = 0 OR p.is_merchandise = 1) AND (?5 IS NULL OR t.currency = ?5) AND (?6 IS NULL
              OR (t.currency, -t.hi, -t.lo, p.source_key, p.source) > (?6, ?7, ?8, ?9, ?10))
            ORDER BY t.currency, t.hi DESC, t.lo DESC, p.source_key, p.source
            """,
            filter.cells + [.integer(goodsOnly ? 1 : 0), try query.currency()] + place,
            limit: limit + 1
        )
        // The rank goes on from page to page and begins again with every currency.
        var rank = after.flatMap { Int64($0[5]) } ?? 0
        var currency = place[0]
        var ranked: [(row: [Cell], rank: Int64)] = []
        for row in rows {
            rank = row[3] == currency ? rank + 1 : 1
            currency = row[3]
            ranked.append((row, rank))
        }
        let page = Page(ranked, limit: limit) { last in
            let numbers = [last.row[3].number, -last.row[4].number, -last.row[5].number].map(String.init)
            return numbers + [last.row[1].string, last.row[0].string, String(last.rank)]
        }
        return JSONWriter.list(next: page.next) { json in
            for (row, rank) in page.rows {
                json.beginObject()
                let isSold = row[4].number != 0 || row[5].number != 0 || row[6].number != 0
                json.number("rank", isSold ? .integer(rank) : .null)
                json.optional("source", row[0])
                json.optional("code", row[1])
                json.optional("description", row[2])
                json.quantity("units", Int128(row[6].number))
                json.money("gross", row[4].wide(row[5]))
                json.currency(row[3])
                json.endObject()
            }
        }
    }

    static func averageOrderValue(_ query: Query) throws -> [UInt8] {
        let definition = try query.choice("definition", ["native", "reference"])
        let filter = try SalesFilter(query)
        let totals = try totals(query.snapshot, filter)
        let counts = try referenceDocuments(query, filter)
        return JSONWriter.list(extra: { $0.field("definition", definition) }) { json in
            for row in totals {
                let isNative = definition == "native"
                let units = isNative ? row[1].wide(row[2]) : row[7].wide(row[8])
                let orders = isNative ? row[10].number : counts.first { $0[0] == row[0] }?[1].number ?? 0
                json.beginObject()
                json.currency(row[0])
                if orders == 0 {
                    json.null("average")
                } else {
                    json.money("average", roundedQuotient(units, Int128(orders)))
                }
                json.field("orders", orders)
                json.endObject()
            }
        }
    }

    /// The documents whose lines the reference sum adds up: closed, with a line, and no cancellation.
    static func referenceDocuments(_ query: Query, _ filter: SalesFilter) throws -> [[Cell]] {
        try query.rows(
            """
            SELECT currency, COUNT(*) FROM document d
            WHERE type <> 1 AND status = 0 AND gross_lines + return_lines + adjustment_lines > 0
              AND \(filter.holds("d")) GROUP BY currency
            """,
            filter.cells,
            limit: currenciesMax
        )
    }

    /// Half away from zero.
    static func roundedQuotient(_ value: Int128, _ divisor: Int128) -> Int128 {
        let half = divisor / 2
        return value >= 0 ? (value + half) / divisor : -((-value + half) / divisor)
    }

    // MARK: Cancellations

    /// Rows of day, currency, amount (hi, lo) and documents.
    private static func cancelledDays(_ query: Query, _ filter: SalesFilter) throws -> [[Cell]] {
        guard filter.country != nil else {
            return try query.rows(
                """
                SELECT day, currency, amount_hi, amount_lo, documents FROM cancellation_day
                WHERE ?3 IS NULL AND day BETWEEN ?1 AND ?2
                """,
                filter.cells
            )
        }
        // No sum has cancellations by country; the documents are few.
        return try query.rows(
            """
            SELECT t.day, t.currency, SUM(t.hi), SUM(t.lo), SUM(t.documents) FROM (
              SELECT l.day, l.currency, -abs(l.amount) >> 32 AS hi, -abs(l.amount) & 4294967295 AS lo, 0 AS documents
              FROM document d CROSS JOIN line l ON l.document_id = d.id
              WHERE d.type = 1 AND d.status = 0 AND \(SalesFilter.isCountry("d"))
              UNION ALL
              SELECT d.day, d.currency, 0, 0, 1 FROM document d
              WHERE d.type = 1 AND d.status = 0 AND d.gross_lines + d.return_lines + d.adjustment_lines > 0
                AND \(SalesFilter.isCountry("d"))
            ) t WHERE t.day BETWEEN ?1 AND ?2 GROUP BY t.day, t.currency
            """,
            filter.cells
        )
    }

    /// Cancelled documents that are listed beside their sums; ``total`` counts all.
    private static let latestCancellations = 20

    static func cancellations(_ query: Query) throws -> [UInt8] {
        let grain = try query.choice("grain", ["day", "year", "quarter", "month", "week"])
        let filter = try SalesFilter(query)
        var buckets: [BucketKey: (Int128, Int64)] = [:]
        var amounts: [Int64: Int128] = [:]
        var count: Int64 = 0
        for row in try cancelledDays(query, filter) {
            let key = BucketKey(period: period(row[0].number, grain), currency: row[1].number)
            let amount = row[2].wide(row[3])
            let old = buckets[key] ?? (0, 0)
            buckets[key] = (old.0 + amount, old.1 + row[4].number)
            amounts[row[1].number, default: 0] += amount
            count += row[4].number
        }
        let documents = try query.rows(
            """
            SELECT d.source, d.source_key, d.occurred_at, d.currency,
              (SELECT SUM(abs(l.amount) >> 32) FROM line l WHERE l.document_id = d.id),
              (SELECT SUM(abs(l.amount) & 4294967295) FROM line l WHERE l.document_id = d.id)
            FROM document d WHERE d.type = 1 AND \(SalesFilter.isWithin("d"))
            ORDER BY d.occurred_at DESC, d.source_key DESC
            """,
            filter.cells,
            limit: latestCancellations + 1
        )
        return JSONWriter.list(extra: { json in
            json.field("grain", grain)
            json.key("total")
            json.beginObject()
            json.field("documents", count)
            json.key("amounts")
            json.beginArray()
            for (currency, amount) in amounts.sorted(by: { $0.key < $1.key }) {
                json.beginObject()
                json.money("amount", amount)
                json.currency(.integer(currency))
                json.endObject()
            }
            json.endArray()
            json.endObject()
            json.key("documents")
            json.beginArray()
            for row in documents.prefix(latestCancellations) {
                json.beginObject()
                json.field("invoice", "\(row[0].string):\(row[1].string)")
                json.optional("number", row[1])
                json.time("occurred_at", row[2])
                json.money("amount", -row[4].wide(row[5]))
                json.currency(row[3])
                json.endObject()
            }
            json.endArray()
            json.field("documents_truncated", documents.count > latestCancellations)
        }) { json in
            for (key, value) in buckets.sorted(by: { $0.key < $1.key }) {
                json.beginObject()
                json.field("period", key.period)
                json.currency(.integer(key.currency))
                json.field("documents", value.1)
                json.money("amount", value.0)
                json.endObject()
            }
        }
    }
}
