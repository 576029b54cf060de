import RetailModel
import Tables

/// Sums over the largest two tables, added up while their rows are read for the comparison: of closed documents only.
struct DocumentTotals: Sendable {
    /// Lines, by their own day and by that of their document.
    private(set) var lines = DaySums(), linesOfDocuments = DaySums()
    /// Documents; those with a customer (day 0); those in turnover windows, by the UTC day of the window.
    private(set) var documents = DaySums(), withCustomer = DaySums(), windows = DaySums()

    /// By the kind of a line.
    private static let money: [MoneyFigure] = [.gross, .returns, .adjustments]
    private static let cancellation: Int64 = 1
    private static let dayMicros: Int64 = 86_400_000_000

    /// What is asked of a row: integers, see ``add(line:)``. Columns of the table itself are written as
    /// ``TableShape/selected(named:)`` writes them, and are read once where both ask for them.
    static func columns(of table: TableDeclaration) -> [String] {
        switch table.name {
        case RetailTables.line.name:
            [
                "r_document_id.status", "t.\"currency\"", "t.\"day\"", "t.\"kind\"", "t.\"amount\"",
                "r_document_id.type", "r_document_id.day",
            ]
        case RetailTables.document.name:
            [
                "t.\"status\"", "t.\"currency\"", "t.\"day\"", "t.customer_id IS NOT NULL",
                "t.window_start IS NOT NULL AND t.traits & 1 = 1 AND t.gross_lines > 0", "t.\"window_start\"",
            ] + money.flatMap { ["t.\"\($0.name)_hi\"", "t.\"\($0.name)_lo\""] }
        default: []
        }
    }

    /// - Parameter n: The values of ``columns(of:)``.
    mutating func add(line n: [Int64]) {
        guard n[0] == SaleStatus.closed.rawValue, Self.money.indices.contains(Int(n[3])) else { return }
        let currency = n[1]
        let figure = Self.money[Int(n[3])]
        let amount = Int128(n[4])
        lines.add(currency, n[2], figure, amount)
        linesOfDocuments.add(currency, n[6], figure, amount)
        if n[5] == Self.cancellation {
            lines.add(currency, n[2], .cancelled, -Int128(n[4].magnitude))
        } else {
            lines.add(currency, n[2], .reference, amount)
        }
    }

    /// - Parameter n: As above.
    mutating func add(document n: [Int64]) {
        guard n[0] == SaleStatus.closed.rawValue else { return }
        let currency = n[1]
        for (index, figure) in Self.money.enumerated() {
            let value = Int128(n[6 + 2 * index]) << 32 + Int128(n[7 + 2 * index])
            documents.add(currency, n[2], figure, value)
            if n[3] != 0 { withCustomer.add(currency, 0, figure, value) }
            if n[4] != 0, figure == .gross { windows.add(currency, Self.floorDay(n[5]), .windows, value) }
        }
    }

    private static func floorDay(_ micros: Int64) -> Int64 {
        let (day, rest) = micros.quotientAndRemainder(dividingBy: dayMicros)
        return rest < 0 ? day - 1 : day
    }
}
