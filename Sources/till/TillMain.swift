import CShims
import Primitives
import Proof
import Telemetry

/// Exit codes of the binary. Help and docs/reference/cli.md list them from here.
enum ExitCode: Int32, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 2
    case inUse = 3
    case damaged = 4
    case nothingProved = 5

    var meaning: String {
        switch self {
        case .success: "done"
        case .failure: "failed: no answer, a refusal, rejected rows, or a difference that was proved"
        case .usage: "wrong command line, file, name or configuration; nothing was changed"
        case .inUse: "the data directory is in use by another till"
        case .damaged: "damage found in stored bytes"
        case .nothingProved:
            "nothing was proved: parked records are being released, or the tables have nothing of the log yet"
        }
    }
}

/// Dispatch of the command line.
enum TillMain {
    static let version = "0.1.0"

    static let help =
        commands + "\n\n" + notes.map(\.text).joined(separator: "\n")
        + "\n\nExit codes:" + ExitCode.allCases.map { "\n    \($0.rawValue)  \($0.meaning)" }.joined()

    private static let commands = """
        till \(version): makes sales durable, counts each exactly once, shows the events behind a figure.

        till up [--config FILE] [--data DIR] [--listen HOST:PORT] [--demo] [SETTINGS]      run until SIGINT or SIGTERM
            --demo marks a new data directory as one that till simulate may add to unasked
        till ingest FEED FILE… [--to URL [--token-file FILE] [--ca-file FILE] | --data DIR [SETTINGS]] [--json] [--quiet]   load files (.csv .tsv .ndjson, .gz), - for stdin
            where the name of a file does not say it: --format csv|ndjson --separator CHARACTER|tab --encoding utf-8|windows-1252|latin-1|utf-16
            --parts counts repeated rows over all files, which are parts of one export; else a row of one file is that of another
            --force sends files that would be refused: a required column is missing, or all of the first 1000 rows are wrong; --allow-rejects N ends with 0 although up to N rows were rejected
        till transform FILE… [--out FILE|-] [--rejects FILE] [--contract FILE] [--quiet]      files of rows as line-delimited JSON of the invoices contract, or of another
            --format csv|ndjson --separator CHARACTER|tab --encoding NAME --allow-rejects N, as for till ingest
        till contract check FILE… [--against FILE-OR-DIR] [--json]     report every mistake with line and column, warnings,
                                                                       and changes that need a new version
        till log stat|verify|dump [--data DIR] [SETTINGS] [--json]     look at the log, also beside a running till
            dump: --topic TOPIC (default feed.invoices) --from OFFSET --since TIME --limit N (default 10)
        till status [SERVER]                                           what a running till holds, how far its tables are, how long its disk lasts
        till windows [--store STORE] [--open] [--from T] [--until T] [SERVER]     turnover by store and window
        till senders [--feed FEED] [SERVER]                            who sends, and which sequence numbers are missing
        till runs [--feed FEED] [SERVER]                               ingest runs and what became of their records
        till parked [--feed FEED] [SERVER]                             records that wait for reference data
        till conflicts [SERVER]                                        versions that contradict each other
        till quarantine list [--state open|resolved|all] [--feed FEED] [--rule RULE] [SERVER]    rejected records
        till quarantine rules | show ID [SERVER]                       open records by rule; one with its bytes
        till quarantine redrive|discard ID… | --feed FEED [--rule RULE] [--yes] [SERVER]    re-evaluate by today's contract; discard (of a feed only with --yes)
        till backup DIR [--data DIR] [SETTINGS] [--json]               consistent copy, also beside a running till
        till restore DIR --data NEWDIR [--json]                        check a backup, then put it in place
        till restore --verify DIR [--json]                             only check it
        till prove [--data DIR] [SETTINGS] [--scratch DIR] [--memory MEBIBYTES] [--rows] [--json]      compute every table from the log again and compare
        till settings --effective [SETTINGS] [--json]                  every setting, its value and where it comes from
        till identity hash < FILE                                      the secret_hash of an identity, of the secret in FILE
        till simulate pos|orders [--to URL [--token-file FILE] [--ca-file FILE] | --out FILE|-] [--yes] [--json] [--quiet]   reproducible traffic, sent or written, with an end report
            --count N --rate N (a second; 0: as fast as possible) --seed N --start TIME --senders N --batch N
            faults: --duplicates P --disorder P --late P --bad P --bad-totals P --gaps P --skew SECONDS
            pos: --failures P; orders: --versions P --double P --reference users|restaurants (with --out)
        till version
        """

    /// What the commands have in common, by the word that stands for it.
    private static let notes: [(word: String, text: String)] = [
        (
            "SETTINGS",
            "SETTINGS: --config FILE, and every setting of docs/reference/settings.md as --NAME VALUE, for example --log_level info."
        ),
        (
            "SERVER",
            "SERVER, a running till: --to http[s]://HOST:PORT (default \(ServerClient.defaultURL)), --token-file FILE or the variable TILL_TOKEN (NAME:SECRET, or a bearer token), --ca-file FILE (authorities trusted for https; default the system's), --limit N (default 50), --json (one object a line)."
        ),
    ]

    static func run() -> Never {
        cshims_private_files()
        cshims_keep_memory()
        var arguments = ProcessEdges.arguments()
        let command = arguments.isEmpty ? "help" : arguments.removeFirst()
        // Before threads are made. Those that end in order wait for the signal; every other command ends at once.
        if ["up", "simulate"].contains(command) { cshims_block_signals() }
        let code: ExitCode
        do {
            if arguments.contains("--help") {
                Self.print(help(for: command))
                code = .success
            } else {
                code = try run(command, arguments)
            }
        } catch {
            code = report(error)
        }
        cshims_exit(code.rawValue)
    }

    private static func run(_ command: String, _ arguments: [String]) throws -> ExitCode {
        switch command {
        case "up": return try UpCommand.run(arguments)
        case "ingest": return try IngestCommand.run(arguments)
        case "transform": return try TransformCommand.run(arguments)
        case "contract": return try ContractCommand.run(arguments)
        case "log": return try LogCommand.run(arguments)
        case "status": return try StatusCommand.run(arguments)
        case "windows": return try StreamCommands.windows(arguments)
        case "senders": return try StreamCommands.senders(arguments)
        case "runs": return try StreamCommands.runs(arguments)
        case "parked": return try StreamCommands.parked(arguments)
        case "conflicts": return try StreamCommands.conflicts(arguments)
        case "quarantine": return try QuarantineCommand.run(arguments)
        case "backup": return try BackupCommand.run(arguments)
        case "restore": return try RestoreCommand.run(arguments)
        case "prove": return try ProveCommand.run(arguments)
        case "identity": return try IdentityCommand.run(arguments)
        case "settings": return try SettingsCommand.run(arguments)
        case "simulate": return try SimulateCommand.run(arguments)
        case "debug": return try DebugCommand.run(arguments)
        case "version", "--version":
            Self.print("till \(version)")
            return .success
        case "help", "--help", "-h":
            Self.print(help)
            return .success
        default:
            throw UsageError(
                "cli.command_unknown",
                "There is no command \(command.quotedForMessage); till help lists them."
            )
        }
    }

    /// The lines about one command, with what is indented below them and the notes they name; everything when there are
    /// none.
    static func help(for command: String) -> String {
        var lines: [Substring] = []
        var isWanted = false
        for line in commands.split(separator: "\n") {
            if !line.hasPrefix(" ") { isWanted = (line + " ").hasPrefix("till \(command) ") }
            if isWanted { lines.append(line) }
        }
        guard !lines.isEmpty else { return help }
        lines += notes.filter { note in lines.contains { $0.contains("[" + note.word) } }.map { Substring($0.text) }
        return lines.joined(separator: "\n")
    }

    /// Writes an error for people and chooses the exit code.
    static func report(_ error: any Error) -> ExitCode {
        Logger.writeLine("till: " + IngestCommand.Address.redacted("\(error)"), to: 2)
        guard let known = error as? any OperationalError else { return .failure }
        if known.code == "log.locked" { return .inUse }
        if known.code == ProofError.releasingCode { return .nothingProved }
        return switch known.domain {
        case .user: .usage
        case .integrity: .damaged
        case .external: .failure
        }
    }

    /// Writes a line to standard output.
    static func print(_ text: String) { Logger.writeLine(text, to: 1) }
}
