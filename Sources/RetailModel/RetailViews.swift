/// Views over the state tables: the tables that the specification names, and the six invoice views of the reference
/// system. They are for people: money and quantities are exact decimal text, currencies are letters, times are ISO 8601
/// in UTC, and rows have natural keys. Sums are integer arithmetic of 128 bits, never floating point, and never of two
/// currencies.
package enum RetailViews {
    /// Units of 1e-5 of one line as decimal text with five fraction digits.
    private static func decimal(_ units: String) -> String {
        "(CASE WHEN \(units) < 0 THEN '-' ELSE '' END || (abs(\(units)) / 100000) || '.' || substr('0000' || (abs(\(units)) % 100000), -5))"
    }

    /// A sum of units of 1e-5 in two columns, `h` (whole 2³²) and `l` (what is left of each line): SQLite's sums of 64
    /// bits, which raise an error instead of rounding, hold 2³¹ lines of any amount.
    private static func sum(_ units: String) -> String {
        "coalesce(SUM(\(units) >> 32), 0) AS h, coalesce(SUM(\(units) & 4294967295), 0) AS l"
    }

    /// `h` and `l` with 0 ≤ l < 2³².
    private static let high = "(h + (l >> 32))"
    private static let low = "(l & 4294967295)"

    /// Rows of `inner`, which has `h` and `l`, with their sign and their magnitude `a` · 2³² + `b`.
    private static func magnitude(_ inner: String) -> String {
        """
        SELECT *, \(high) < 0 AS negative, CASE WHEN \(high) < 0 THEN -\(high) - (\(low) > 0) ELSE \(high) END AS a,
          CASE WHEN \(high) < 0 THEN (4294967296 - \(low)) & 4294967295 ELSE \(low) END AS b FROM (\(inner))
        """
    }

    /// Decimal text with five fraction digits of `negative`, `a` and `b`; exact below 2⁶³ whole units.
    private static let wide =
        "(CASE WHEN negative AND (a > 0 OR b > 0) THEN '-' ELSE '' END || (a / 100000 * 4294967296 + (a % 100000 * 4294967296 + b) / 100000) || '.' || substr('0000' || ((a % 100000 * 4294967296 + b) % 100000), -5))"

    /// Thousandths as decimal text without needless zeros: 6, 1.5.
    private static func quantity(_ thousandths: String) -> String {
        "(CASE WHEN \(thousandths) < 0 THEN '-' ELSE '' END || (abs(\(thousandths)) / 1000) || CASE WHEN \(thousandths) % 1000 = 0 THEN '' ELSE '.' || rtrim(substr('00' || (abs(\(thousandths)) % 1000), -3), '0') END)"
    }

    /// The letters of a currency; null for null.
    private static func currency(_ code: String) -> String {
        "CASE WHEN \(code) IS NULL THEN NULL ELSE char(\(code) >> 16 & 255, \(code) >> 8 & 255, \(code) & 255) END"
    }

    /// Microseconds as ISO 8601 in UTC, with as many fraction digits as there are; null for null.
    private static func time(_ micros: String) -> String {
        let fraction = "((\(micros)) % 1000000 + 1000000) % 1000000"
        return
            "(strftime('%Y-%m-%dT%H:%M:%S', (\(micros) - \(fraction)) / 1000000, 'unixepoch') || CASE WHEN \(fraction) = 0 THEN '' ELSE '.' || rtrim(substr('00000' || (\(fraction)), -6), '0') END || 'Z')"
    }

    /// Names of the bits that are set, with commas.
    private static func flags(_ bits: String) -> String {
        let names = LineFlags.names.map { "CASE WHEN \(bits) & \($0.0.rawValue) THEN ',\($0.1)' ELSE '' END" }
        return "ltrim(\(names.joined(separator: " || ")), ',')"
    }

    private static func status(_ number: String) -> String {
        let names = SaleStatus.allCases.map { "WHEN \($0.rawValue) THEN '\($0.name)'" }
        return "CASE \(number) \(names.joined(separator: " ")) END"
    }

    /// The client's line number, or the record's id in hex.
    private static func identity(_ bytes: String) -> String {
        "CASE WHEN CAST(\(bytes) AS TEXT) GLOB '*[^ -~]*' OR instr(\(bytes), x'00') > 0 THEN lower(hex(\(bytes))) ELSE CAST(\(bytes) AS TEXT) END"
    }

    private static let lines =
        "line l JOIN document d ON d.id = l.document_id JOIN product p ON p.id = l.product_id WHERE d.source = 'invoices'"

    private static func lineView(_ kind: Int) -> String {
        """
        SELECT d.source AS source, d.source_key AS document, \(identity("l.identity")) AS line,
          p.source_key AS product, l.description, \(quantity("l.quantity")) AS quantity,
          \(decimal("l.unit_price")) AS unit_price, \(decimal("l.amount")) AS line_total,
          \(currency("l.currency")) AS currency, \(time("l.occurred_at")) AS occurred_at, \(flags("l.flags")) AS flags,
          l.log_offset
        FROM line l JOIN document d ON d.id = l.document_id JOIN product p ON p.id = l.product_id WHERE l.kind = \(kind)
        """
    }

    private static func documentView(_ condition: String, _ total: String) -> String {
        let documents = "SELECT *, \(total)_hi AS h, \(total)_lo AS l FROM document d WHERE \(condition)"
        return """
            SELECT source, source_key, (SELECT s.source_key FROM store s WHERE s.id = store_id) AS store,
              (SELECT c.source_key FROM customer c WHERE c.id = customer_id) AS customer, country,
              \(status("status")) AS status, \(time("occurred_at")) AS occurred_at, \(wide) AS total,
              \(currency("currency")) AS currency, log_offset
            FROM (\(magnitude(documents)))
            """
    }

    private static let notCancelled = "d.type <> 1"

    /// What tells the rows of each view apart, in the order in which they are listed: expressions, all ascending.
    package static let keys: [String: [String]] = [
        "sale": ["source", "source_key"], "return": ["source", "source_key"],
        "sale_line": ["source", "document", "line"], "return_line": ["source", "document", "line"],
        "adjustment": ["source", "document", "line"], "vw_TotalSales": ["Currency"],
        "vw_SalesByTime": ["Year", "Month", "Quarter", "WeekNumber", "DayOfWeek", "Currency"],
        "vw_Top10SellingProducts": ["Currency", "Place"], "vw_AverageOrderValue": ["Currency"],
        "vw_CancelledOrders": ["InvoiceNo"], "vw_CustomerStats": ["-OrderCount", "CustomerID"],
        "vw_CustomerStats_without_cancellations": ["-OrderCount", "CustomerID"],
    ]

    package static let all: [(name: String, select: String)] = [
        ("sale", documentView("d.gross_lines > 0", "gross")),
        ("sale_line", lineView(0)),
        ("return", documentView("d.return_lines > 0", "returns")),
        ("return_line", lineView(1)),
        ("adjustment", lineView(2)),
        (
            "vw_TotalSales",
            // One row of 0 when nothing was sold.
            """
            SELECT \(wide) AS SALES, \(currency("code")) AS Currency FROM (\(magnitude(
                "SELECT l.currency AS code, \(sum("l.amount")) FROM \(lines) AND \(notCancelled) GROUP BY l.currency"
            ))) UNION ALL SELECT '0.00000', NULL WHERE NOT EXISTS (SELECT 1 FROM \(lines) AND \(notCancelled))
            """
        ),
        (
            "vw_SalesByTime",
            """
            SELECT Year, Month, Quarter, WeekNumber, DayOfWeek, \(wide) AS TotalRevenue,
              \(currency("code")) AS Currency FROM (\(magnitude(
                """
                SELECT strftime('%Y', l.day * 86400, 'unixepoch') AS Year, strftime('%m', l.day * 86400, 'unixepoch')
                  AS Month,
                  (CAST(strftime('%m', l.day * 86400, 'unixepoch') AS INTEGER) + 2) / 3 AS Quarter,
                  (strftime('%j', l.day * 86400, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1 AS WeekNumber,
                  CASE strftime('%w', l.day * 86400, 'unixepoch') WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday'
                    WHEN '2' THEN 'Tuesday' WHEN '3' THEN 'Wednesday' WHEN '4' THEN 'Thursday' WHEN '5' THEN 'Friday'
                    ELSE 'Saturday' END AS DayOfWeek,
                  l.currency AS code, \(sum("l.amount"))
                FROM \(lines) AND \(notCancelled) GROUP BY 1, 2, 3, 4, 5, 6
                """
            )))
            """
        ),
        (
            "vw_Top10SellingProducts",
            """
            SELECT StockCode, Description, \(wide) AS SOLD_PRODUCTS, \(currency("code")) AS Currency, Place FROM (
              SELECT *, ROW_NUMBER() OVER (PARTITION BY code ORDER BY \(high) DESC, \(low) DESC, StockCode) AS Place
              FROM (\(magnitude(
                """
                SELECT p.source_key AS StockCode, p.description AS Description, l.currency AS code, \(sum("l.amount"))
                FROM \(lines) AND \(notCancelled) GROUP BY p.id, l.currency
                """
            )))) WHERE Place <= 10 ORDER BY code, Place
            """
        ),
        (
            // Rounded half away from zero to scale 5, as the API does; one row of null without orders.
            "vw_AverageOrderValue",
            """
            SELECT \(wide) AS AvgOrderValue, \(currency("code")) AS Currency FROM (
              SELECT code, negative, q + (r >> 32) AS a, r & 4294967295 AS b FROM (
                SELECT code, negative, a / n AS q,
                  (a % n * 4294967296 + b) / n + (2 * ((a % n * 4294967296 + b) % n) >= n) AS r
                FROM (\(magnitude(
                    """
                    SELECT l.currency AS code, \(sum("l.amount")), COUNT(DISTINCT d.id) AS n
                    FROM \(lines) AND \(notCancelled) GROUP BY l.currency
                    """
                )))))
            UNION ALL SELECT NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM \(lines) AND \(notCancelled))
            """
        ),
        (
            "vw_CancelledOrders",
            """
            SELECT InvoiceNo, Cancelled_Order, \(wide) AS CancelledRevenue, \(currency("code")) AS Currency
            FROM (\(magnitude(
                """
                SELECT d.source_key AS InvoiceNo, COUNT(DISTINCT d.id) AS Cancelled_Order, d.currency AS code,
                  \(sum("-abs(l.amount)"))
                FROM \(lines) AND d.type = 1 GROUP BY d.id
                """
            )))
            """
        ),
        (
            "vw_CustomerStats",
            """
            SELECT c.source_key AS CustomerID, c.name AS CustomerName, COUNT(*) AS OrderCount,
              (SELECT COUNT(*) FROM customer WHERE source = 'invoices') AS TotalCustomers,
              MAX(COUNT(*)) OVER () AS MostRepeatingOrders
            FROM document d JOIN customer c ON c.id = d.customer_id WHERE d.source = 'invoices'
            GROUP BY c.id HAVING COUNT(*) > 1 ORDER BY 3 DESC, c.source_key
            """
        ),
        (
            "vw_CustomerStats_without_cancellations",
            """
            SELECT c.source_key AS CustomerID, c.name AS CustomerName, COUNT(*) AS OrderCount,
              (SELECT COUNT(*) FROM customer WHERE source = 'invoices') AS TotalCustomers,
              MAX(COUNT(*)) OVER () AS MostRepeatingOrders
            FROM document d JOIN customer c ON c.id = d.customer_id
            WHERE d.source = 'invoices' AND d.type <> 1 AND d.gross_lines > 0
            GROUP BY c.id HAVING COUNT(*) > 1 ORDER BY 3 DESC, c.source_key
            """
        ),
    ]
}
