import CShims
import EmbeddedLog
import Ports
import Primitives
import Proof
import Refine
import RetailModel
import SQLiteTables
import Settings

/// `till prove`: computes every table from the log a second time and compares; also beside a running till.
enum ProveCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(
            words,
            options: SettingsCommand.options.union(["scratch", "memory"]),
            switches: ["json", "rows"]
        )
        guard arguments.rest.isEmpty else {
            throw UsageError(
                "cli.prove_usage",
                "Say till prove [--data DIR] [--scratch DIR] [--memory MEBIBYTES] [--rows] [--json]."
            )
        }
        let memory = arguments["memory"].map { Int($0) ?? 0 } ?? ProofLimits.bufferBytes >> 20
        guard ProofLimits.bufferMebibytes.contains(memory) else {
            let (low, high) = (ProofLimits.bufferMebibytes.lowerBound, ProofLimits.bufferMebibytes.upperBound)
            throw UsageError("cli.prove_memory", "--memory is a number of mebibytes from \(low) to \(high).")
        }
        let settings = try SettingsCommand.load(arguments)
        let directory = settings.text(.data)
        let scratch = arguments["scratch"] ?? directory + "/tmp"
        let rows = arguments.has("rows")
        var outcome = try prove(directory, scratch: scratch, bufferBytes: memory << 20, comparesRows: rows)
        outcome.behind = try behind(outcome.positions, directory)
        let provedAt = SystemTime().now()
        let json = ProofReport.json(outcome, provedAt: provedAt)
        do throws(DiskError) {
            try PosixDisk().replace(directory + "/proof.json", with: json)
        } catch {
            throw EmbeddedLogFailures.translate(error)
        }
        if arguments.has("json") {
            TillMain.print(String(decoding: json, as: UTF8.self))
        } else {
            for line in ProofReport.lines(outcome) { TillMain.print(line) }
        }
        if outcome.comparison.differenceCount > 0 { return .failure }
        // Empty tables agree with no event at all, which proves nothing of a log that has some.
        return outcome.events == 0 && outcome.behind > 0 ? .nothingProved : .success
    }

    /// Records of feeds that the log has behind the positions of the tables.
    private static func behind(_ positions: PositionVector, _ directory: String) throws -> Int64 {
        try LogInspection.ends(directory + "/log", PosixDisk()).offsets.reduce(0) { count, one in
            one.key.feed == nil ? count : count + max(0, one.value - (positions.offsets[one.key] ?? 0))
        }
    }

    private static func prove(
        _ directory: String,
        scratch: String,
        bufferBytes: Int,
        comparesRows: Bool
    ) throws -> ProofOutcome {
        let tables = directory + "/tables.sqlite"
        let disk = PosixDisk()
        let isThere = try disk.list(directory).contains("tables.sqlite")
        guard isThere else {
            throw UsageError("cli.prove_no_tables", "There is no \(tables); name the data directory with --data.")
        }
        let log = directory + "/log"
        let book = ContractBook()
        var readerSettings = SQLiteTablesSettings()
        readerSettings.readers = 1
        let run = ProofRun(
            reader: SQLiteReader(path: tables, settings: readerSettings),
            book: book,
            scratch: try Scratch(directory: scratch),
            time: SystemTime(),
            bufferBytes: bufferBytes,
            comparesRows: comparesRows,
            views: RetailViews.all
        ) { positions in
            // After the snapshot: every contract that refined a record below its positions is in the log by now.
            try ContractStartup.read(log, disk, into: book)
            return positions.offsets.filter { $0.key.feed != nil }.sorted { $0.key < $1.key }.map {
                partition,
                end in
                ProofSource(partition: partition, end: end) {
                    try LogInspection.reader(partition, log, disk, to: end)
                }
            }
        }
        return try run.run { cshims_sleep_micros(ProofLimits.snapshotPauseMillis * 1_000) }
    }
}
