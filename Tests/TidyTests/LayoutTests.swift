import Foundation
import Testing

/// Sizes, names and places of files.
@Suite struct LayoutTests {
    static let linesMax = 400
    static let columnsMax = 120
    static let codeExtensions: Set<String> = ["swift", "c", "h", "py", "sh", "js", "css", "html"]
    static let adapters = ["EmbeddedLog", "SQLiteTables", "HTTPServer"]

    static func isCode(_ file: SourceFile) -> Bool {
        codeExtensions.contains(file.fileExtension) || file.text.hasPrefix("#!")
    }

    static func tooLong(_ file: SourceFile) -> [String] {
        let count = file.text.count { $0 == "\n" }
        guard count > linesMax else { return [] }
        return ["\(file.path): \(count) lines; the limit is \(linesMax), split it by subject"]
    }

    /// In Swift the formatter lays code out; a line that carries a text literal may be longer, because sentences,
    /// SQL and
    /// tables are read and searched whole.
    static func tooWide(_ file: SourceFile) -> [String] {
        let isSwift = file.path.hasSuffix(".swift")
        var isInText = false
        return zip(1..., file.lines).compactMap { number, line in
            if line.components(separatedBy: "\"\"\"").count == 2 { isInText.toggle() }
            let isText = isSwift && (isInText || line.contains("\"") || line.contains("`"))
            return line.count > columnsMax && !isText
                ? "\(file.path):\(number): \(line.count) columns; the limit is \(columnsMax)" : nil
        }
    }

    /// What is wrong with the files of an adapter: the port's methods, settings, failures; the rest in `Internal/`.
    static func skeletonFaults(of adapter: String, names: [String]) -> [String] {
        let required = ["\(adapter).swift", "\(adapter)Settings.swift", "\(adapter)Failures.swift", "Internal"]
        let missing = required.filter { !names.contains($0) }.map { "\(adapter): \($0) is missing" }
        let surplus = names.filter {
            !required.contains($0) && $0 != "\(adapter)Limits.swift" && !$0.hasPrefix("\(adapter)+")
        }
        return missing + surplus.map { "\(adapter): \($0) belongs into Internal/" }
    }

    @Test func `the tree was found`() {
        #expect(Repository.files.contains { $0.path == "Package.swift" })
        #expect(Repository.files(under: "Sources").count > 10)
    }

    @Test func `files have at most 400 lines`() {
        report(Repository.files.filter { Self.isCode($0) }.flatMap(Self.tooLong))
    }

    @Test func `lines have at most 120 columns`() {
        report(Repository.files.filter(Self.isCode).flatMap(Self.tooWide))
    }

    @Test func `the limits are inclusive`() {
        let line = String(repeating: "x", count: Self.columnsMax)
        let full = String(repeating: "x\n", count: Self.linesMax)
        #expect(Self.tooWide(SourceFile(path: "a.swift", text: line)).isEmpty)
        #expect(
            Self.tooWide(SourceFile(path: "a.swift", text: "x\n" + line + "é")) == [
                "a.swift:2: 121 columns; the limit is 120"
            ]
        )
        #expect(Self.tooLong(SourceFile(path: "a.swift", text: full)).isEmpty)
        #expect(Self.tooLong(SourceFile(path: "a.swift", text: full + "x\n")).count == 1)
    }

    @Test(arguments: adapters)
    func `an adapter has the files that every adapter has`(adapter: String) {
        let names = Repository.names(in: "Sources/\(adapter)")
        guard names != ["Placeholder.swift"] else { return }  // not begun
        report(Self.skeletonFaults(of: adapter, names: names))
    }

    @Test func `a missing or a stray file of an adapter is named`() {
        let names = [
            "Internal", "Log+Read.swift", "Log.swift", "LogLimits.swift", "LogSettings.swift", "Segment.swift",
        ]
        #expect(
            Self.skeletonFaults(of: "Log", names: names) == [
                "Log: LogFailures.swift is missing", "Log: Segment.swift belongs into Internal/",
            ]
        )
    }

    @Test func `folders are subjects, never kinds`() {
        let kinds: Set<String> = [
            "Models", "Utils", "Utilities", "Protocols", "Helpers", "Extensions", "Common", "Misc",
        ]
        report(
            Repository.files(under: "Sources").filter {
                !kinds.isDisjoint(with: $0.path.split(separator: "/").map(String.init))
            }
            .map { "\($0.path): name the folder for its subject" }
        )
    }
}
