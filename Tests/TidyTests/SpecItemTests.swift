import Foundation
import Testing

/// The page of specification items: each item once, each state with its evidence, counts equal to the rows.
@Suite struct SpecItemTests {
    static let page = "docs/internals/spec-items.md"
    /// Systems of the specification with their number of items, 166 in all.
    static let systems: KeyValuePairs = ["POS": 35, "ORD": 32, "INV": 30, "PLC": 28, "BIL": 34, "XS": 7]
    static let states = ["done", "partial", "absent"]

    struct Item: Equatable {
        var id: String
        var state: String
        var tests: String
        var missing: String

        var system: String { String(id.prefix { $0 != "-" }) }
    }

    static func cells(of line: Substring) -> [String] {
        guard line.hasPrefix("| ") else { return [] }
        return line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// Rows whose first cell is the number of an item.
    static func items(in page: SourceFile) -> [Item] {
        page.lines.map(cells).compactMap { cells in
            guard cells.count == 5, cells[0].wholeMatch(of: /[A-Z]+-[0-9]+/) != nil else { return nil }
            return Item(id: cells[0], state: cells[1], tests: cells[3], missing: cells[4])
        }
    }

    /// Items that are missing, listed twice or unknown.
    static func numberingFaults(_ items: [Item]) -> [String] {
        let wanted = systems.flatMap { system, count in
            (1...count).map { system == "XS" ? "XS-\($0)" : String(format: "%@-%02d", system, $0) }
        }
        let found = Dictionary(grouping: items, by: \.id).mapValues(\.count)
        return wanted.filter { found[$0] == nil }.map { "\($0): not listed" }
            + found.filter { $0.value > 1 }.keys.sorted().map { "\($0): listed twice" }
            + found.keys.filter { !wanted.contains($0) }.sorted().map { "\($0): unknown item" }
    }

    /// Items whose state lacks its evidence: done and partial name a test or benchmark, partial says what is missing.
    static func evidenceFaults(_ items: [Item]) -> [String] {
        items.compactMap { item in
            guard states.contains(item.state) else { return "\(item.id): unknown state \(item.state)" }
            guard item.tests.contains("`") == (item.state != "absent") else {
                return "\(item.id): \(item.state), tests \"\(item.tests)\""
            }
            guard item.missing.isEmpty == (item.state != "partial") else {
                return "\(item.id): \(item.state), missing \"\(item.missing)\""
            }
            return nil
        }
    }

    /// Rows of the counts at the top that differ from the rows of the items.
    static func countFaults(_ page: SourceFile) -> [String] {
        let items = items(in: page)
        func row(_ name: String, _ counted: [Item]) -> [String] {
            let counts = states.map { state in counted.count { $0.state == state } } + [counted.count]
            return [name] + counts.map(String.init)
        }
        let rows = page.lines.map(cells)
        return (systems.map(\.key) + ["all"]).compactMap { system in
            let name = system == "all" ? system : "(\(system))"
            let wanted = row(name, system == "all" ? items : items.filter { $0.system == system })
            guard let found = rows.first(where: { $0.first?.hasSuffix(name) == true && $0.count == 5 }) else {
                return "\(system): no row of counts"
            }
            let same = found.dropFirst() == wanted.dropFirst()
            return same ? nil : "\(system): counts \(found.dropFirst()), rows \(wanted.dropFirst())"
        }
    }

    func read() throws -> SourceFile {
        try #require(Repository.files(under: "docs", extensions: ["md"]).first { $0.path == Self.page })
    }

    @Test func `every item appears once`() throws {
        report(Self.numberingFaults(Self.items(in: try read())))
    }

    @Test func `every state has its evidence`() throws {
        report(Self.evidenceFaults(Self.items(in: try read())))
    }

    @Test func `the counts at the top equal the rows`() throws {
        report(Self.countFaults(try read()))
    }

    @Test func `suites that the page names exist`() throws {
        let suites = try read().text.matches(of: /`([A-Z]\w+Tests)`/).map { String($0.output.1) }
        #expect(suites.count > 5)
        report(
            Set(suites).sorted().filter { suite in
                !Repository.files.contains {
                    $0.path.hasSuffix("/\(suite).swift") && $0.text.contains("struct \(suite)")
                }
            }.map { "\($0) does not exist" }
        )
    }

    @Test func `a missing item, a repeated one and an unknown one are named`() {
        let items = Self.systems.flatMap { system, count in
            (2...count).map {
                Item(
                    id: system == "XS" ? "XS-\($0)" : String(format: "%@-%02d", system, $0),
                    state: "",
                    tests: "",
                    missing: ""
                )
            }
        }
        let strange = Item(id: "XS-8", state: "", tests: "", missing: "")
        #expect(
            Self.numberingFaults(items + [items[0], strange]) == [
                "POS-01: not listed", "ORD-01: not listed", "INV-01: not listed", "PLC-01: not listed",
                "BIL-01: not listed", "XS-1: not listed", "POS-02: listed twice", "XS-8: unknown item",
            ]
        )
    }

    @Test func `a state without evidence is named`() {
        let items = [
            Item(id: "A-1", state: "done", tests: "`t`", missing: ""),
            Item(id: "A-2", state: "done", tests: "", missing: ""),
            Item(id: "A-3", state: "partial", tests: "`t`", missing: ""),
            Item(id: "A-4", state: "absent", tests: "`t`", missing: ""),
            Item(id: "A-5", state: "later", tests: "", missing: ""),
        ]
        #expect(Self.evidenceFaults(items).map { String($0.prefix(3)) } == ["A-2", "A-3", "A-4", "A-5"])
    }

    @Test func `a wrong count is named`() {
        func page(_ count: Int) -> SourceFile {
            let rows = Self.systems.map { "| X (\($0.key)) | 0 | 0 | 0 | 0 |" }.joined(separator: "\n")
            let right = rows.replacingOccurrences(
                of: "(XS) | 0 | 0 | 0 | 0",
                with: "(XS) | \(count) | 0 | 0 | \(count)"
            )
            return SourceFile(path: "a.md", text: right + "\n| all | 1 | 0 | 0 | 1 |\n| XS-1 | done | a | `t` | |\n")
        }
        #expect(Self.countFaults(page(1)) == [])
        #expect(Self.countFaults(page(2)).map { String($0.prefix(3)) } == ["XS:"])
    }
}
