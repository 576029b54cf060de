import Primitives
import Tables

/// Statements that follow from a declaration.
enum SQLiteSchema {
    static func physicalColumns(_ column: Column) -> [String] {
        column.kind == .wide ? ["\(column.name)_hi", "\(column.name)_lo"] : [column.name]
    }

    private static func definition(_ column: Column) -> String {
        let null = column.isNullable ? "" : " NOT NULL"
        return switch column.kind {
        case .integer: "\"\(column.name)\" INTEGER\(null)"
        case .text: "\"\(column.name)\" TEXT\(null)"
        case .blob: "\"\(column.name)\" BLOB\(null)"
        case .wide: "\"\(column.name)_hi\" INTEGER\(null), \"\(column.name)_lo\" INTEGER\(null)"
        }
    }

    static func create(_ table: TableDeclaration) -> [String] {
        let columns = table.columns.map { column in
            table.kind == .state && column.name == "id" ? "\"id\" INTEGER PRIMARY KEY" : definition(column)
        }
        let key = table.key.map { "\"\($0)\"" }.joined(separator: ", ")
        var statements: [String] = []
        switch table.kind {
        case .state:
            statements.append(
                "CREATE TABLE IF NOT EXISTS \"\(table.name)\" (\(columns.joined(separator: ", "))) STRICT"
            )
            statements.append("CREATE UNIQUE INDEX IF NOT EXISTS \"\(table.name)_key\" ON \"\(table.name)\" (\(key))")
        case .sum:
            statements.append(
                "CREATE TABLE IF NOT EXISTS \"\(table.name)\" (\(columns.joined(separator: ", ")), PRIMARY KEY (\(key))) STRICT, WITHOUT ROWID"
            )
        }
        for index in table.indexes {
            let list = index.columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let condition = index.present.map { " WHERE \"\($0)\" IS NOT NULL" } ?? ""
            statements.append(
                "CREATE INDEX IF NOT EXISTS \"\(index.name)\" ON \"\(table.name)\" (\(list))\(condition)"
            )
        }
        return statements
    }

    private static func names(_ table: TableDeclaration) -> [String] { table.columns.flatMap(physicalColumns) }

    static func select(_ table: TableDeclaration, byKeyColumns count: Int) -> String {
        let columns = names(table).map { "\"\($0)\"" }.joined(separator: ", ")
        let condition = table.key.prefix(count).map { "\"\($0)\" = ?" }.joined(separator: " AND ")
        return "SELECT \(columns) FROM \"\(table.name)\"" + (count == 0 ? "" : " WHERE \(condition)")
    }

    /// Rows in order of `columns` and id: the first `equal` of them are given, the next lies in a range if `isRanged`.
    static func select(_ table: TableDeclaration, columns: [String], equal: Int, isRanged: Bool) -> String {
        var conditions = columns.prefix(equal).map { "\"\($0)\" = ?" }
        if isRanged { conditions.append("\"\(columns[equal])\" >= ? AND \"\(columns[equal])\" < ?") }
        let order = (columns + ["id"]).map { "\"\($0)\"" }.joined(separator: ", ")
        return select(table, byKeyColumns: 0)
            + (conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))")
            + " ORDER BY \(order) LIMIT ?"
    }

    static func upsert(_ table: TableDeclaration) -> String {
        let all = names(table)
        let columns = all.map { "\"\($0)\"" }.joined(separator: ", ")
        let marks = all.map { _ in "?" }.joined(separator: ", ")
        let sets = all.dropFirst().map { "\"\($0)\" = excluded.\"\($0)\"" }.joined(separator: ", ")
        if Mutant.isPlanted(.skippedUpsert()) {
            return "INSERT OR IGNORE INTO \"\(table.name)\" (\(columns)) VALUES (\(marks))"
        }
        return "INSERT INTO \"\(table.name)\" (\(columns)) VALUES (\(marks)) ON CONFLICT(\"id\") DO UPDATE SET \(sets)"
    }

    /// Adds to a sum; the low part carries into the high part, so wide sums stay exact.
    static func add(_ table: TableDeclaration) -> String {
        let all = names(table)
        let columns = all.map { "\"\($0)\"" }.joined(separator: ", ")
        let marks = all.map { _ in "?" }.joined(separator: ", ")
        let key = table.key.map { "\"\($0)\"" }.joined(separator: ", ")
        var sets: [String] = []
        for column in table.columns where !table.key.contains(column.name) {
            let name = column.name
            if Mutant.isPlanted(.replacedSum()) {
                sets += physicalColumns(column).map { "\"\($0)\" = excluded.\"\($0)\"" }
            } else if column.kind == .wide {
                sets.append(
                    "\"\(name)_hi\" = \"\(name)_hi\" + excluded.\"\(name)_hi\" + ((\"\(name)_lo\" + excluded.\"\(name)_lo\") >> 32)"
                )
                sets.append("\"\(name)_lo\" = (\"\(name)_lo\" + excluded.\"\(name)_lo\") & 4294967295")
            } else {
                sets.append("\"\(name)\" = \"\(name)\" + excluded.\"\(name)\"")
            }
        }
        return
            "INSERT INTO \"\(table.name)\" (\(columns)) VALUES (\(marks)) ON CONFLICT(\(key)) DO UPDATE SET \(sets.joined(separator: ", "))"
    }
}
