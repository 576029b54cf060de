import CShims
import Formats
import HTTPServer
import Network
import Ports
import Primitives
import Settings
import Telemetry

/// `till ingest FEED FILE…|-`: loads files as one run, resumable, and reports what became of every row.
enum IngestCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(
            words,
            options: SettingsCommand.options.union(["to", "format", "separator", "encoding", "allow-rejects"]),
            switches: ["json", "quiet", "force", "parts"]
        )
        guard arguments.rest.count >= 2 else {
            throw UsageError(
                "cli.ingest_usage",
                "Say till ingest FEED FILE…, or - instead of files for standard input."
            )
        }
        let feed = arguments.rest[0]
        let paths = Array(arguments.rest.dropFirst())
        guard !paths.contains("-") || paths.count == 1 else {
            throw UsageError("cli.ingest_stdin", "Standard input (-) is loaded alone, without other files.")
        }
        // What the names and options say wrong is said before anything is connected or started.
        for path in paths where path != "-" { _ = try format(of: path, arguments, (.standard, .utf8)) }
        let isQuiet = arguments.has("quiet") || arguments.has("json")
        if let url = arguments["to"] {
            guard arguments["data"] == nil else {
                throw UsageError("cli.ingest_target", "Name a target with --to or --data, not both.")
            }
            return try load(feed, paths, arguments, try Address(url, arguments), quiet: isQuiet)
        }
        // Without a running till: one of our own, on a free loopback port, stopped after the run.
        let settings = try SettingsCommand.load(arguments)
        let node = try Node(settings, listen: ("127.0.0.1", 0), logger: Logger(level: .warning))
        defer { node.drain(deadlineMs: 10_000) }
        return try load(
            feed,
            paths,
            arguments,
            Address(host: "127.0.0.1", port: node.server.port, authorization: nil),
            quiet: isQuiet
        )
    }

    /// Fresh looks at how far the run is, while an earlier client's batches still arrive.
    private static let triesMax = 50

    private static func load(
        _ feed: String,
        _ paths: [String],
        _ arguments: Arguments,
        _ address: Address,
        quiet: Bool
    ) throws -> ExitCode {
        let client = try IngestClient(feed: feed, address: address)
        let allowed = try allowedRejects(arguments)
        let described = try client.describeFeed()
        let files = LoadedFiles(
            list: try paths.map {
                (path: $0, format: try format(of: $0, arguments, (described.dialect, described.encoding)))
            },
            resynchronises: described.resynchronises
        )
        let isStream = files.list[0].path == "-"
        if !isStream, !arguments.has("force") {
            try check(files, described.header, quiet: quiet)
            if let contract = described.identity?.contract { try FirstRows.check(files, contract) }
        }
        var names = RowNames()
        if let identity = described.identity {
            names = RowNames(identity.contract, identity.rows, isOneExport: arguments.has("parts"))
        } else if !quiet {
            Logger.writeLine(
                "Rows of feed \(feed) have ids of their bytes, as a till before 2026-12 loaded them: the same row written differently counts again.",
                to: 2
            )
        }
        var total = 0
        // Runs of rows with ids of their bytes have names of their own, by which their feeds are known.
        var base = "\(names.isByContent ? "input" : "stdin")-\(cshims_wall_micros())-\(cshims_pid())"
        if !isStream {
            let known = try files.fingerprint(isOneExport: arguments.has("parts") && names.isByContent)
            total = known.bytes
            base = (names.isByContent ? "load-" : "file-") + String(known.digest.description.prefix(24))
        }
        // The same files again: the attempt that is not complete is continued, else a new one begins.
        var attempt = 1
        var skip: Int64 = 0
        if !isStream {
            while let rows = try client.rowsOf(run: "\(base)-\(attempt)") {
                skip = rows
                if try client.rowsOf(run: "\(base)-\(attempt + 1)") == nil { break }
                attempt += 1
            }
            if skip > 0, try files.countRows() <= skip {
                attempt += 1
                skip = 0
            }
        }
        let run = "\(base)-\(attempt)"
        if skip > 0, !quiet { Logger.writeLine("continuing run \(run) after \(skip) rows", to: 2) }
        let started = cshims_monotonic_nanos()
        var progress = Progress(isOn: !quiet, totalBytes: total)
        var notes = RowNotes(isOn: !arguments.has("quiet"))
        var rows: Int64?
        var tries = 0
        var sent = names
        while rows == nil {
            do {
                sent = names
                rows = try client.send(files, run: run, skip: skip, &sent, &notes, &progress)
            } catch is IngestClient.RunMoved where !isStream && tries < triesMax {
                tries += 1
                cshims_sleep_micros(200_000)
                skip = try client.rowsOf(run: run) ?? 0
            }
        }
        guard rows ?? 0 > 0 else {
            throw UsageError(
                "cli.no_rows",
                "\(paths.map(\.quotedForMessage).joined(separator: ", ")) holds no record; nothing was sent. A CSV file has a header row and at least one more."
            )
        }
        let report = try client.report(run: run)
        let seconds = Double(cshims_monotonic_nanos() - started) / 1e9
        progress.end(rows ?? 0, seconds)
        notes.end()
        if arguments.has("json") {
            TillMain.print(String(decoding: report.json, as: UTF8.self))
        } else {
            TillMain.print(
                "run \(run): read \(report.read) = distinct \(report.distinct) + duplicates \(report.duplicates) + quarantined \(report.quarantined)\(report.parked == 0 ? "" : " + parked \(report.parked)")"
            )
        }
        if !quiet, let sentence = sent.summary(duplicates: report.duplicates) { Logger.writeLine(sentence, to: 2) }
        let counted = report.distinct + report.duplicates + report.quarantined + report.parked
        guard report.read == counted, report.read == rows else {
            throw ServerRefusal(
                code: "cli.ingest_mismatch",
                description:
                    "\(rows ?? 0) rows were sent and \(report.read) are accounted for; run the command again."
            )
        }
        guard report.quarantined > 0 else { return .success }
        if !arguments.has("quiet") || report.quarantined > allowed {
            Logger.writeLine(
                "\(report.quarantined) of \(report.read) rows were rejected; till quarantine list --to URL of the running till shows them with the reasons",
                to: 2
            )
        }
        return report.quarantined > allowed ? .failure : .success
    }

    /// Refuses files whose header row lacks a required column, and names the columns that nobody reads.
    private static func check(
        _ files: LoadedFiles,
        _ header: HeaderCheck,
        quiet: Bool
    ) throws {
        var ignored: [String] = []
        for file in files.list where file.format.isCSV {
            var reader = try files.reader(file)
            let _: Bool = try reader.rows { _, _, _ in false }
            let format = reader.payloadFormat
            guard case .csv(let row, _) = format, !row.isEmpty else { continue }
            for name in try header.ignored(in: row.bytes, dialect: file.format.dialect, path: file.path)
            where !ignored.contains(name) { ignored.append(name) }
        }
        if !ignored.isEmpty, !quiet {
            Logger.writeLine("ignored columns: \(HeaderCheck.listed(ignored))", to: 2)
        }
    }

    static func allowedRejects(_ arguments: Arguments) throws -> Int64 {
        guard let allowed = Int64(arguments["allow-rejects"] ?? "0"), allowed >= 0 else {
            throw UsageError("cli.allow_rejects_invalid", "--allow-rejects takes a whole number from 0.")
        }
        return allowed
    }

    static func format(
        of path: String,
        _ arguments: Arguments,
        _ declared: (dialect: CSVDialect, encoding: TextEncoding)
    ) throws -> FileFormat {
        let format = path == "-" && arguments["format"] == nil ? "csv" : arguments["format"]
        return try FileFormat(
            path: path,
            format: format,
            separator: arguments["separator"],
            encoding: arguments["encoding"],
            declared: declared
        )
    }
}

/// Rows, rate and time left, on standard error, about twice a second.
struct Progress {
    let isOn: Bool
    let totalBytes: Int
    /// What was there at the first call: rate and time left are those of what came since, not of skipped rows.
    private var base: (nanos: Int64, rows: Int64, bytes: Int)?
    private var last: Int64 = 0

    init(isOn: Bool, totalBytes: Int) {
        self.isOn = isOn
        self.totalBytes = totalBytes
    }

    mutating func show(rows: Int64, bytes: Int) {
        guard isOn else { return }
        let now = cshims_monotonic_nanos()
        guard let base else {
            base = (now, rows, bytes)
            return last = now
        }
        guard now - last > 500_000_000 else { return }
        last = now
        let seconds = Double(now - base.nanos) / 1e9
        var line = "\(rows) rows, \(Int64(Double(rows - base.rows) / seconds)) rows/s"
        if totalBytes > 0, bytes > base.bytes {
            let left = Double(max(0, totalBytes - bytes)) * seconds / Double(bytes - base.bytes)
            line += ", \(bytes * 100 / totalBytes) %, \(Int(left.rounded(.up))) s left"
        }
        write(line, end: "")
    }

    func end(_ rows: Int64, _ seconds: Double) {
        if isOn { write("\(rows) rows in \((seconds * 100).rounded() / 100) s, in the tables", end: "\n") }
    }

    private func write(_ text: String, end: String) {
        let isTerminal = cshims_isatty(2)
        let bytes = Array(((isTerminal ? "\r\u{1B}[K" : "") + text + (isTerminal ? end : "\n")).utf8)
        StandardStream.write(bytes, to: 2)
    }
}
