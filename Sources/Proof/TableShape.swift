import RetailModel
package import Tables

/// How the rows of a table are written for comparison: natural keys in the place of surrogate ids, the key's columns
/// first, no id. Both computations write this form; two rows are equal when their bytes are.
package final class TableShape: Sendable {
    package struct Cell: Sendable {
        /// `store_id.source_key` for a part of a reference, else the column's name.
        package var name: String
        package var column: Column
        /// The column of the table that is referred to; nil for a plain column.
        package var part: String?
        /// Of the cells that stand for one id.
        var isFirstPart: Bool { part != nil && part == TableShape.references[column.name]?.parts.first }
    }

    /// A column that holds the surrogate id of another table's row.
    struct Reference {
        var table: String
        var parts: [String]
    }

    static let references: [String: Reference] = [
        "store_id": Reference(table: "store", parts: ["source", "source_key"]),
        "customer_id": Reference(table: "customer", parts: ["source", "source_key"]),
        "product_id": Reference(table: "product", parts: ["source", "source_key"]),
        "document_id": Reference(table: "document", parts: ["source", "source_key"]),
        "country_id": Reference(table: "country", parts: ["name"]),
        "category_id": Reference(table: "category", parts: ["source", "name"]),
        "run_id": Reference(table: "run", parts: ["feed", "name"]),
    ]

    package let table: TableDeclaration
    /// First byte of its rows.
    let number: UInt8
    package let cells: [Cell]
    package let keyCells: Int

    private init(_ table: TableDeclaration, number: Int) {
        self.table = table
        self.number = UInt8(number)
        func cells(_ column: Column) -> [Cell] {
            guard let reference = Self.references[column.name] else {
                return [Cell(name: column.name, column: column, part: nil)]
            }
            return reference.parts.map { Cell(name: "\(column.name).\($0)", column: column, part: $0) }
        }
        let keys = table.key.flatMap { cells(table.columns[table.index(of: $0)]) }
        let rest = table.columns.filter { !table.key.contains($0.name) && $0.name != "id" }.flatMap(cells)
        self.cells = keys + rest
        keyCells = keys.count
    }

    package static let all: [TableShape] = RetailTables.all.enumerated().map { TableShape($1, number: $0) }

    package static func of(_ table: TableDeclaration) -> TableShape {
        guard let shape = all.first(where: { $0.table.name == table.name }) else {
            preconditionFailure("table \(table.name) is not in RetailTables.all")
        }
        return shape
    }

    /// What is selected for the cells: one column for each, two for a wide one.
    ///
    /// - Parameter named: Columns of references whose id is selected instead of the cells it stands for.
    func selected(named: Set<String>) -> [String] {
        var selected: [String] = []
        for cell in cells {
            let name = cell.column.name
            if named.contains(name) {
                if cell.isFirstPart { selected.append("t.\"\(name)\"") }
            } else if let part = cell.part {
                selected.append("r_\(name).\"\(part)\"")
            } else if cell.column.kind == .wide {
                selected += ["t.\"\(name)_hi\"", "t.\"\(name)_lo\""]
            } else {
                selected.append("t.\"\(name)\"")
            }
        }
        return selected
    }

    /// Reads all rows: what ``selected(named:)`` says, and then the others.
    func select(named: Set<String>, and others: [String]) -> String {
        var joins = ""
        for cell in cells where cell.isFirstPart && !named.contains(cell.column.name) {
            let name = cell.column.name
            guard let reference = Self.references[name] else { continue }
            joins += " LEFT JOIN \"\(reference.table)\" r_\(name) ON r_\(name).id = t.\"\(name)\""
        }
        let columns = (selected(named: named) + others).joined(separator: ", ")
        return "SELECT \(columns) FROM \"\(table.name)\" t\(joins)"
    }
}
