import Foundation
import Testing

/// Decision records are numbered once and have their parts; links between documents lead somewhere.
@Suite struct DocumentTests {
    static let decisionParts = [
        "## Context", "## Options", "## Decision", "## Consequences", "## How we would notice it was wrong",
    ]

    static func numberingFaults(_ names: [String]) -> [String] {
        let records = names.filter { $0.hasSuffix(".md") && $0 != "README.md" }
        let misnamed = records.filter {
            $0.range(of: #"^[0-9]{4}-[a-z0-9-]+\.md$"#, options: .regularExpression) == nil
        }
        let twice = Dictionary(grouping: records) { $0.prefix(4) }.filter { $0.value.count > 1 }.keys.sorted()
        return misnamed.map { "\($0): a record is named NNNN-subject.md" } + twice.map { "\($0): number used twice" }
    }

    /// Targets of relative links, without their fragments, as paths from the repository's root.
    static func linkTargets(of file: SourceFile) throws -> [String] {
        let expression = try NSRegularExpression(pattern: #"\]\(([^)#\s]+)(#[^)\s]*)?\)"#)
        let whole = file.text as NSString
        let folder = (file.path as NSString).deletingLastPathComponent
        return expression.matches(in: file.text, range: NSRange(location: 0, length: whole.length)).compactMap {
            match in
            let target = whole.substring(with: match.range(at: 1))
            guard !target.contains(":"), !target.hasPrefix("/") else { return nil }
            return (("/" + folder + "/" + target) as NSString).standardizingPath
        }
    }

    @Test func `decision numbers are unique`() {
        report(Self.numberingFaults(Repository.names(in: "docs/decisions")))
    }

    @Test func `a number used twice and a bad name are named`() {
        #expect(Self.numberingFaults(["0001-a.md", "0001-b.md", "README.md"]) == ["0001: number used twice"])
        #expect(Self.numberingFaults(["1-a.md"]) == ["1-a.md: a record is named NNNN-subject.md"])
    }

    @Test func `a decision record has its parts and fits a page`() {
        for record in Repository.files(under: "docs/decisions", extensions: ["md"])
        where !record.path.hasSuffix("README.md") {
            let missing = Self.decisionParts.filter { !record.text.contains($0) }
            report(missing.map { "\(record.path): \($0) is missing" })
            #expect(record.lines.count <= 60, "\(record.path) is longer than a page")
        }
    }

    @Test func `relative links of documents lead to a file`() throws {
        for file in Repository.files where file.fileExtension == "md" {
            report(
                try Self.linkTargets(of: file).filter { !Repository.exists($0) }.map {
                    "\(file.path): no file at \($0)"
                }
            )
        }
    }

    @Test func `the index leads to every page`() throws {
        let pages = Repository.files(under: "docs", extensions: ["md"])
        let index = try #require(pages.first { $0.path == "docs/README.md" })
        let linked = Set(try Self.linkTargets(of: index))
        report(
            pages.filter { $0.path != index.path && !linked.contains("/" + $0.path) }
                .map { "\($0.path): \(index.path) does not list it" }
        )
    }

    /// Names of tests in backquotes, `FILE::TEST`, that are not there.
    static func absentTests(in text: String, files: [SourceFile]) throws -> [String] {
        let expression = try NSRegularExpression(pattern: #"`(test_\w+\.py)::(test_\w+)`"#)
        let whole = text as NSString
        return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).compactMap { match in
            let (path, test) = (whole.substring(with: match.range(at: 1)), whole.substring(with: match.range(at: 2)))
            let file = files.first { $0.path == "Tests/integration/" + path }
            return file?.text.contains("def \(test)(") == true ? nil : "\(path)::\(test) is not there"
        }
    }

    @Test func `tests that documents name are there`() throws {
        for page in Repository.files(under: "docs", extensions: ["md"]) {
            report(try Self.absentTests(in: page.text, files: Repository.files).map { "\(page.path): \($0)" })
        }
    }

    @Test func `a test that is not there is named`() throws {
        let file = SourceFile(path: "Tests/integration/test_a.py", text: "def test_one():\n")
        let text = "`test_a.py::test_one`, `test_a.py::test_two`, `test_b.py::test_one`"
        let absent = try Self.absentTests(in: text, files: [file])
        #expect(absent == ["test_a.py::test_two is not there", "test_b.py::test_one is not there"])
    }

    @Test func `links are read from the folder of their document`() throws {
        let file = SourceFile(path: "docs/a/b.md", text: "[x](../c.md#d) [y](https://doi.org/1) [z](#e) [w](e/f.md)")
        #expect(try Self.linkTargets(of: file) == ["/docs/c.md", "/docs/a/e/f.md"])
    }
}
