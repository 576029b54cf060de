/// Rows in columns for people: a heading, columns as wide as their content, numbers to the right.
struct TextTable {
    private let heads: [String]
    private let numbers: Set<Int>
    private var rows: [[String]] = []

    /// - Parameter numbers: Positions of the columns that are aligned to the right.
    init(_ heads: [String], numbers: Set<Int> = []) {
        self.heads = heads
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row.map(Self.printable)) }

    /// Text from outside cannot steer the terminal.
    static func printable(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value
            let isDirection = 0x202A...0x202E ~= scalar.value || 0x2066...0x2069 ~= scalar.value
            out.append(isControl || isDirection ? "\u{FFFD}" : scalar)
        }
        return String(out)
    }

    var lines: [String] {
        let all = [heads] + rows
        let widths = heads.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - text.count)
                if column > 0 { line += "  " }
                line += numbers.contains(column) ? space + text : text + space
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
