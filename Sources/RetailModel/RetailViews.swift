/// Views over the state tables: the tables that the specification names, and the six invoice views of the reference
/// system. Money is shown as exact decimal text; sums are integer arithmetic of 128 bits, never floating point.
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

    private static let lines =
        "line l JOIN document d ON d.id = l.document_id JOIN product p ON p.id = l.product_id WHERE d.source = 'invoices'"

    private static func lineView(_ kind: Int) -> String {
        """
        SELECT l.id, d.source, d.source_key AS document, l.identity, p.source_key AS product, l.description,
          l.quantity / 1000 AS quantity, \(decimal("l.unit_price")) AS unit_price, \(decimal("l.amount")) AS line_total,
          l.occurred_at, l.flags, l.log_offset
        FROM line l JOIN document d ON d.id = l.document_id JOIN product p ON p.id = l.product_id WHERE l.kind = \(kind)
        """
    }

    private static func documentView(_ condition: String, _ total: String) -> String {
        let documents = "SELECT *, \(total)_hi AS h, \(total)_lo AS l FROM document d WHERE \(condition)"
        return """
            SELECT id, source, source_key, store_id, customer_id, country, status, occurred_at, \(wide) AS total,
              currency, log_offset
            FROM (\(magnitude(documents)))
            """
    }

    private static let notCancelled = "d.type <> 1"

    package static let all: [(name: String, select: String)] = [
        ("sale", documentView("d.gross_lines > 0", "gross")),
        ("sale_line", lineView(0)),
        ("return", documentView("d.return_lines > 0", "returns")),
        ("return_line", lineView(1)),
        ("adjustment", lineView(2)),
        (
            "vw_TotalSales",
            "SELECT \(wide) AS SALES FROM (\(magnitude("SELECT \(sum("l.amount")) FROM \(lines) AND \(notCancelled)")))"
        ),
        (
            "vw_SalesByTime",
            """
            SELECT Year, Month, Quarter, WeekNumber, DayOfWeek, \(wide) AS TotalRevenue FROM (\(magnitude(
                """
                SELECT strftime('%Y', l.day * 86400, 'unixepoch') AS Year, strftime('%m', l.day * 86400, 'unixepoch')
                  AS Month,
                  (CAST(strftime('%m', l.day * 86400, 'unixepoch') AS INTEGER) + 2) / 3 AS Quarter,
                  (strftime('%j', l.day * 86400, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1 AS WeekNumber,
                  CASE strftime('%w', l.day * 86400, 'unixepoch') WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday'
                    WHEN '2' THEN 'Tuesday' WHEN '3' THEN 'Wednesday' WHEN '4' THEN 'Thursday' WHEN '5' THEN 'Friday'
                    ELSE 'Saturday' END AS DayOfWeek,
                  \(sum("l.amount"))
                FROM \(lines) AND \(notCancelled) GROUP BY 1, 2, 3, 4, 5
                """
            )))
            """
        ),
        (
            "vw_Top10SellingProducts",
            """
            SELECT StockCode, Description, \(wide) AS SOLD_PRODUCTS FROM (\(magnitude(
                """
                SELECT p.source_key AS StockCode, p.description AS Description, \(sum("l.amount"))
                FROM \(lines) AND \(notCancelled) GROUP BY p.id
                """
            ))) ORDER BY \(high) DESC, \(low) DESC, StockCode LIMIT 10
            """
        ),
        (
            // Rounded half away from zero to scale 5, as the API does; null without orders.
            "vw_AverageOrderValue",
            """
            SELECT CASE WHEN n = 0 THEN NULL ELSE \(wide) END AS AvgOrderValue FROM (
              SELECT n, negative, q + (r >> 32) AS a, r & 4294967295 AS b FROM (
                SELECT n, negative, a / n AS q,
                  (a % n * 4294967296 + b) / n + (2 * ((a % n * 4294967296 + b) % n) >= n) AS r
                FROM (\(magnitude(
                    "SELECT \(sum("l.amount")), COUNT(DISTINCT d.id) AS n FROM \(lines) AND \(notCancelled)"
                )))))
            """
        ),
        (
            "vw_CancelledOrders",
            """
            SELECT InvoiceNo, Cancelled_Order, \(wide) AS CancelledRevenue FROM (\(magnitude(
                """
                SELECT d.source_key AS InvoiceNo, COUNT(DISTINCT d.id) AS Cancelled_Order, \(sum("-abs(l.amount)"))
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
