import Foundation
import Testing

/// A pattern that may not occur, and what to write instead.
struct Ban: Sendable, CustomTestStringConvertible {
    /// Short name of the rule, also its name in a test report.
    let name: String
    /// Regular expression over one file, `^` and `$` at lines.
    let pattern: String
    /// What to write instead, and why.
    let remedy: String
    /// Files the rule applies to, as globs (``SourceFile/path(_:matches:)``).
    var scope = ["Sources/**.swift"]
    /// Files it does not apply to.
    var except: [String] = []
    /// Whether comments and string literals count too.
    var wholeText = false
    /// Snippets the rule must find, and others it must leave alone.
    let bad: [String]
    let good: [String]

    var testDescription: String { name }

    /// One line for each offence: path, line number, offending text, remedy.
    func offences(in files: [SourceFile]) throws -> [String] {
        let expression = try NSRegularExpression(pattern: pattern, options: [.anchorsMatchLines])
        return files.filter { $0.matches(anyOf: scope) && !$0.matches(anyOf: except) }.flatMap { file -> [String] in
            let text = wholeText ? file.text : file.code
            let whole = text as NSString
            return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map { match in
                let line = whole.substring(to: match.range.location).count { $0 == "\n" } + 1
                return "\(file.path):\(line): \(whole.substring(with: match.range)): \(remedy)"
            }
        }
    }
}

extension SourceFile {
    /// The text a rule looks at: without comments and literals in Swift, unchanged elsewhere.
    var code: String { fileExtension == "swift" ? SwiftText.codeOnly(text) : text }
}

/// Records every offence as one issue, so that a run lists all of them.
func report(_ offences: [String], _ location: SourceLocation = #_sourceLocation) {
    if !offences.isEmpty { Issue.record("\(offences.joined(separator: "\n"))", sourceLocation: location) }
}
