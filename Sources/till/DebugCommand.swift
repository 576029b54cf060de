import Formats
import Primitives

/// Hidden helpers for the project's own tests and pages.
enum DebugCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        switch words.first {
        case "json" where words.count == 1:
            while let line = readLine() { TillMain.print(JSONDifferential.line(line)) }
            return .success
        case "reference" where words.count == 2:
            TillMain.print(try ReferencePages.page(words[1]))
            return .success
        default: throw UsageError("cli.debug_usage", "Say till debug json, or till debug reference PAGE.")
        }
    }
}
