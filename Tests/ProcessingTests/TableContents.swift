import Ports
import Primitives
import RetailModel
import Tables

/// The content of all tables as text, without what arrival order may decide: surrogate ids (natural keys stand in their
/// place), log offsets, who judged a rejected record first, which run brought the first copy, and sums that are zero.
struct TableContents: Equatable, CustomStringConvertible {
    /// Rows by table, each once.
    var rows: [String: Set<String>] = [:]

    var description: String {
        rows.sorted { $0.key < $1.key }.map { "\($0.key)\n  " + $0.value.sorted().joined(separator: "\n  ") }
            .joined(separator: "\n")
    }

    /// What arrival order decides by nature (spec model 1.8).
    static let byArrival: Set<String> = [
        "window_revision", "open_window", "late_sale", "store_watermark", "store_clock", "sender",
    ]

    /// What is here and not there, for a message that can be read.
    func difference(from other: Self) -> String {
        var out = ""
        for name in Set(rows.keys).union(other.rows.keys).sorted() {
            let mine = rows[name] ?? []
            let theirs = other.rows[name] ?? []
            for row in mine.subtracting(theirs).sorted() { out += "\n- \(name) \(row)" }
            for row in theirs.subtracting(mine).sorted() { out += "\n+ \(name) \(row)" }
        }
        return out
    }

    mutating func add(_ table: String, _ cells: [String]) {
        rows[table, default: []].insert(cells.joined(separator: "|"))
    }

    init() {}

    init(of store: any TableStore) throws {
        var names: [String: [Int64: String]] = ["country_id": [0: "none"]]
        for (table, column, key) in [
            (RetailTables.store, "store_id", 1...2), (RetailTables.country, "country_id", 1...1),
            (RetailTables.run, "run_id", 1...2), (RetailTables.customer, "customer_id", 1...2),
            (RetailTables.product, "product_id", 1...2), (RetailTables.document, "document_id", 1...2),
            (RetailTables.category, "category_id", 1...2),
        ] as [(TableDeclaration, String, ClosedRange<Int>)] {
            for row in try store.rows(of: table, prefix: []) {
                names[column, default: [:]][row[0].integer ?? 0] = row[key].map(Self.text).joined(separator: "/")
            }
        }
        let hidden: Set<String> = [
            "id", "log_offset", "contract", "first_seen", "revision", "late_count", "resolved_at",
        ]
        for table in RetailTables.all where !Self.byArrival.contains(table.name) {
            rows[table.name] = []
            var sum = [Int128](repeating: 0, count: table.columns.count)
            for row in try store.rows(of: table, prefix: []) {
                let isZero = zip(table.columns, row).allSatisfy {
                    table.key.contains($0.name) || $1 == .integer(0) || $1 == .wide(0)
                }
                if table.kind == .sum, isZero { continue }
                // A window that every sale left again may have been opened or not.
                if table == RetailTables.storeWindow, row[5] == .wide(0), row[6] == .integer(0) { continue }
                var cells: [String] = []
                for (index, (column, cell)) in zip(table.columns, row).enumerated() where !hidden.contains(column.name)
                {
                    if table == RetailTables.runTotal, index > 0 {
                        sum[index] += Int128(cell.integer ?? 0)
                        if index > 1 { continue }
                    }
                    if let known = names[column.name], case .integer(let id) = cell {
                        cells.append(known[id] ?? "unknown \(column.name) \(id)")
                    } else {
                        cells.append(Self.text(cell))
                    }
                }
                add(table.name, cells)
            }
            // Which of two runs is said to have brought an event first is a matter of arrival; their sum is not.
            if table == RetailTables.runTotal { add("runs together", sum.dropFirst().map(String.init)) }
        }
    }

    static func text(_ cell: Cell) -> String {
        switch cell {
        case .null: "null"
        case .integer(let value): String(value)
        case .wide(let value): String(value)
        case .text(let text), .blob(let text):
            text.bytes.allSatisfy { 0x20..<0x7F ~= $0 } ? text.description : Hex.text(text.bytes)
        }
    }
}
