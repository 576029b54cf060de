import Formats
import Primitives

/// Looks at the header row of a CSV file before anything is sent: a file without a required column would go to
/// quarantine row by row.
struct HeaderCheck {
    /// A column that the feed's contract knows.
    struct Column {
        /// What a header may call it; the first is the field's own name.
        var names: [String]
        var isRequired: Bool
    }

    let columns: [Column]

    /// - Parameter description: Of `GET /v1/contracts/{feed}`.
    init(_ description: JSONValue) {
        columns = description["columns"].elements.map { column in
            Column(names: column["names"].elements.map(\.text), isRequired: column["required"].text == "true")
        }
    }

    /// Columns of the file that no field takes.
    ///
    /// - Throws: `UsageError` when a required column is missing, with what was found and what the cause may be.
    func ignored(in header: [UInt8], dialect: CSVDialect, path: String) throws -> [String] {
        if header.contains(0) || header.starts(with: [0xFF, 0xFE]) || header.starts(with: [0xFE, 0xFF]) {
            throw refusal(path, "is not UTF-8, by its zero bytes it is UTF-16", "say --encoding utf-16")
        }
        var fields = CSVFields()
        // What is no CSV at all is said by the server, for each row, as for every other body.
        guard (try? fields.parse(header, in: 0..<header.count, dialect: dialect)) != nil else { return [] }
        let found = (0..<fields.count).map { fields.text($0, in: header).description }
        let missing = columns.filter { column in column.isRequired && !column.names.contains(where: found.contains) }
        guard missing.isEmpty else {
            let wanted = missing.map { $0.names[0] }.joined(separator: ", ")
            throw refusal(path, "has no column \(wanted); found \(Self.listed(found))", remedy(found, header, dialect))
        }
        return found.filter { name in !columns.contains { $0.names.contains(name) } }
    }

    private func remedy(_ found: [String], _ header: [UInt8], _ dialect: CSVDialect) -> String {
        let others = [(";", UInt8(ascii: ";")), (",", UInt8(ascii: ",")), ("tab", 9), ("|", UInt8(ascii: "|"))]
        if found.count == 1,
            let other = others.first(where: { $0.1 != dialect.separator && header.contains($0.1) })
        {
            return "the columns seem to be separated otherwise, try --separator '\(other.0)'"
        }
        return "correct the header row or add an alias to the contract"
    }

    private func refusal(_ path: String, _ fact: String, _ remedy: String) -> UsageError {
        UsageError(
            "cli.header_wrong",
            "\(path.quotedForMessage) \(fact). Nothing was sent: \(remedy), or send it as it is with --force."
        )
    }

    /// At most 20 names.
    static func listed(_ names: [String]) -> String {
        let shown = names.prefix(20).map { String($0.prefix(64)) }.joined(separator: ", ")
        return names.count > 20 ? shown + " and \(names.count - 20) more" : shown
    }
}
