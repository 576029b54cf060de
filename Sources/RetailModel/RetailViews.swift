/// Views over the state tables: the tables that the specification names, and the six invoice views of the reference
/// system. Money is shown as exact decimal text; sums are integer arithmetic, never floating point.
package enum RetailViews {
    /// Units of 1e-5 as decimal text with five fraction digits.
    private static func decimal(_ units: String) -> String {
        "(CASE WHEN \(units) < 0 THEN '-' ELSE '' END || (abs(\(units)) / 100000) || '.' || substr('0000' || (abs(\(units)) % 100000), -5))"
    }

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
        """
        SELECT d.id, d.source, d.source_key, d.store_id, d.customer_id, d.country, d.status, d.occurred_at,
          (d.\(total)_hi * 4294967296 + d.\(total)_lo) AS total_units, d.currency, d.log_offset
        FROM document d WHERE \(condition)
        """
    }

    /// Sums of integer amounts raise an error instead of rounding when they pass 64 bits.
    private static let sold = "SUM(l.amount)"
    private static let notCancelled = "d.type <> 1"

    package static let all: [(name: String, select: String)] = [
        ("sale", documentView("d.gross_lines > 0", "gross")),
        ("sale_line", lineView(0)),
        ("return", documentView("d.return_lines > 0", "returns")),
        ("return_line", lineView(1)),
        ("adjustment", lineView(2)),
        ("vw_TotalSales", "SELECT \(decimal("coalesce(\(sold), 0)")) AS SALES FROM \(lines) AND \(notCancelled)"),
        (
            "vw_SalesByTime",
            """
            SELECT strftime('%Y', l.day * 86400, 'unixepoch') AS Year, strftime('%m', l.day * 86400, 'unixepoch')
              AS Month,
              (CAST(strftime('%m', l.day * 86400, 'unixepoch') AS INTEGER) + 2) / 3 AS Quarter,
              (strftime('%j', l.day * 86400, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1 AS WeekNumber,
              CASE strftime('%w', l.day * 86400, 'unixepoch') WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday'
                WHEN '2' THEN 'Tuesday' WHEN '3' THEN 'Wednesday' WHEN '4' THEN 'Thursday' WHEN '5' THEN 'Friday'
                ELSE 'Saturday' END AS DayOfWeek,
              \(decimal(sold)) AS TotalRevenue
            FROM \(lines) AND \(notCancelled) GROUP BY 1, 2, 3, 4, 5
            """
        ),
        (
            "vw_Top10SellingProducts",
            """
            SELECT p.source_key AS StockCode, p.description AS Description, \(decimal(sold)) AS SOLD_PRODUCTS
            FROM \(lines) AND \(notCancelled) GROUP BY p.id ORDER BY \(sold) DESC, p.source_key LIMIT 10
            """
        ),
        (
            // Rounded half up to scale 5; null without orders.
            "vw_AverageOrderValue",
            """
            SELECT CASE WHEN n = 0 THEN NULL ELSE \(decimal("((2 * s + n) / (2 * n))")) END AS AvgOrderValue
            FROM (SELECT coalesce(\(sold), 0) AS s, COUNT(DISTINCT d.id) AS n FROM \(lines) AND \(notCancelled))
            """
        ),
        (
            "vw_CancelledOrders",
            """
            SELECT d.source_key AS InvoiceNo, COUNT(DISTINCT d.id) AS Cancelled_Order,
              \(decimal("SUM(-abs(l.amount))")) AS CancelledRevenue
            FROM \(lines) AND d.type = 1 GROUP BY d.id
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
