import RetailModel
import Tables

/// Figures by currency and day (0 where a table has no days): gross, returns, adjustments.
typealias DayFigures = [Int64: [Int64: [Int128]]]

/// Sums over the largest two tables, added up while their rows are read for the comparison.
struct DocumentTotals: Sendable {
    /// Of closed documents: their lines; themselves; those with a customer.
    private(set) var lines: DayFigures = [:], all: DayFigures = [:], withCustomer: DayFigures = [:]

    /// What is selected beside a row: integers, see ``add(_:_:)``.
    static func columns(of table: TableDeclaration) -> [String] {
        switch table.name {
        case RetailTables.line.name:
            ["r_document_id.status", "t.currency", "t.day", "t.kind", "t.amount"]
        case RetailTables.document.name:
            ["t.status", "t.currency", "t.customer_id IS NOT NULL"]
                + ["gross", "returns", "adjustments"].flatMap { ["t.\($0)_hi", "t.\($0)_lo"] }
        default: []
        }
    }

    /// - Parameter n: The values of ``columns(of:)``.
    mutating func add(_ table: TableDeclaration, _ n: [Int64]) {
        guard n[0] == SaleStatus.closed.rawValue else { return }
        if table.name == RetailTables.line.name {
            guard 0...2 ~= n[3] else { return }
            lines[n[1], default: [:]][n[2], default: [0, 0, 0]][Int(n[3])] += Int128(n[4])
            return
        }
        for figure in 0...2 {
            let value = Int128(n[3 + 2 * figure]) << 32 + Int128(n[4 + 2 * figure])
            all[n[1], default: [:]][0, default: [0, 0, 0]][figure] += value
            if n[2] != 0 { withCustomer[n[1], default: [:]][0, default: [0, 0, 0]][figure] += value }
        }
    }
}
