import Contracts
import EmbeddedLog
import Formats
import Primitives
import Refine

/// `till contract check FILE…`: every mistake at once, with line and column, warnings, and what changed since another
/// contract.
enum ContractCommand {
    /// What there is to say about one file.
    private struct Report {
        let path: String
        var contract: Contract?
        var problems: [ContractProblem] = []
        var against: Contract?
        var changes: [ContractChange] = []

        var versionNeeded: Int? { against.flatMap { contract?.versionNeeded(since: $0, changes) } }
        var isGood: Bool { problems.isEmpty && versionNeeded == nil }
    }

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: ["against"], switches: ["json"])
        guard arguments.rest.first == "check", arguments.rest.count >= 2 else {
            throw UsageError(
                "cli.contract_usage",
                "Usage: till contract check FILE… [--against FILE-OR-DIR] [--json]."
            )
        }
        let reports = try arguments.rest.dropFirst().map { try report($0, against: arguments["against"]) }
        if arguments.has("json") {
            var json = JSONWriter()
            json.beginArray()
            for report in reports { write(report, &json) }
            json.endArray()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
        } else {
            for report in reports { show(report) }
        }
        return reports.allSatisfy(\.isGood) ? .success : .failure
    }

    private static func report(_ path: String, against: String?) throws -> Report {
        var report = Report(path: path)
        switch Contract.parse(try WholeFile.read(path, bytesMax: 1 << 20), mappers: Mappers.signatures) {
        case .success(let contract):
            report.contract = contract
            guard let against else { break }
            let old = try earlier(against, feed: contract.name)
            report.against = old
            report.changes = contract.changes(since: old)
        case .failure(let problems): report.problems = problems.problems
        }
        return report
    }

    /// The contract of a file, or the last one of the feed that the log of a data directory holds.
    private static func earlier(_ place: String, feed: String) throws -> Contract {
        if PosixDisk().isDirectory(place) {
            if let last = try ContractStartup.last(of: feed, place) { return last }
            throw UsageError(
                "cli.against_no_contract",
                "\(place): the log holds no contract of feed \(feed); name another data directory, or the earlier file."
            )
        }
        switch Contract.parse(try WholeFile.read(place, bytesMax: 1 << 20), mappers: Mappers.signatures) {
        case .success(let contract) where contract.name == feed: return contract
        case .success(let contract):
            throw UsageError(
                "cli.against_other_feed",
                "\(place) is a contract of feed \(contract.name), not \(feed); name an earlier contract of \(feed)."
            )
        case .failure(let problems):
            let lines = problems.problems.map { "\(place):\($0.line):\($0.column): \($0.message)" }
            throw UsageError("contract.invalid", lines.joined(separator: "\n"))
        }
    }

    private static func show(_ report: Report) {
        let path = report.path
        for problem in report.problems {
            TillMain.print("\(path):\(problem.line):\(problem.column): \(problem.message)")
        }
        guard let contract = report.contract else { return }
        for warning in contract.warnings {
            TillMain.print("\(path):\(warning.line):\(warning.column): warning: \(warning.message)")
        }
        for change in report.changes {
            TillMain.print("\(path): \(change.isCompatible ? "compatible" : "incompatible"): \(change)")
        }
        if let needed = report.versionNeeded, let old = report.against {
            TillMain.print(
                "\(path): contract \(contract.name) has version \(contract.version), the earlier one \(old.version): incompatible changes need version: \(needed)"
            )
            return
        }
        TillMain.print(
            "\(path): contract \(contract.name) version \(contract.version) is good, digest \(contract.digest)"
        )
    }

    private static func write(_ report: Report, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("file", report.path)
        json.field("contract", report.contract?.name)
        json.key("version")
        number(report.contract?.version, &json)
        json.field("digest", report.contract?.digest.description)
        write("problems", report.problems, &json)
        write("warnings", report.contract?.warnings ?? [], &json)
        if let old = report.against {
            json.key("against")
            json.beginObject()
            json.field("version", old.version)
            json.field("digest", old.digest.description)
            json.endObject()
            json.key("changes")
            json.beginArray()
            for change in report.changes {
                json.beginObject()
                json.key("compatible")
                json.bool(change.isCompatible)
                json.field("change", change.description)
                json.endObject()
            }
            json.endArray()
            json.key("version_needed")
            number(report.versionNeeded, &json)
        }
        json.endObject()
    }

    private static func number(_ value: Int?, _ json: inout JSONWriter) {
        if let value { json.int(value) } else { json.null() }
    }

    private static func write(_ key: String, _ problems: [ContractProblem], _ json: inout JSONWriter) {
        json.key(key)
        json.beginArray()
        for problem in problems {
            json.beginObject()
            json.field("line", problem.line)
            json.field("column", problem.column)
            json.field("message", problem.message)
            json.endObject()
        }
        json.endArray()
    }
}
