import EmbeddedLog
import Formats
import Ports
import Primitives
import SQLiteTables
import Settings

/// `till log stat|verify|dump`: reads the files, takes no lock, works beside a running till.
enum LogCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(
            words,
            options: SettingsCommand.options.union(["topic", "from", "limit", "since"]),
            switches: ["json"]
        )
        let settings = try SettingsCommand.load(arguments)
        let directory = settings.text(.data) + "/log"
        // A till that was killed in its first moment has its lock and no log yet: nothing was acknowledged.
        guard !Set(try PosixDisk().list(settings.text(.data))).isDisjoint(with: ["log", "LOCK"]) else {
            throw UsageError(
                "cli.log_missing",
                "There is no log in \(settings.text(.data).quotedForMessage); name the data directory with --data."
            )
        }
        switch try arguments.only("of stat, verify, dump") {
        case "stat": return try stat(directory, json: arguments.has("json"))
        case "verify":
            return try verify(directory, tables: settings.text(.data) + "/tables.sqlite", json: arguments.has("json"))
        case "dump": return try dumpRecords(directory, arguments)
        default: throw UsageError("cli.log_usage", "Say till log stat, till log verify or till log dump.")
        }
    }

    private static func stat(_ directory: String, json asJSON: Bool) throws -> ExitCode {
        for report in try LogInspection.stat(directory, PosixDisk()) {
            if asJSON {
                var json = JSONWriter()
                json.beginObject()
                json.field("partition", report.partition.description)
                json.field("start", report.baseOffset)
                json.field("end", report.endOffset)
                json.field("segments", report.segments.count)
                json.field("bytes", report.bytes)
                json.field("groups", report.groups)
                json.field("batches", report.batches)
                json.field("epoch", Int(report.epoch))
                json.field("last_committed_at", report.lastCommittedAt?.description)
                json.endObject()
                TillMain.print(String(decoding: json.bytes, as: UTF8.self))
            } else {
                TillMain.print(
                    "\(report.partition): offsets \(report.baseOffset) to \(report.endOffset), \(report.segments.count) segments, \(report.bytes) bytes, \(report.groups) commit groups, \(report.batches) batches, epoch \(report.epoch), last \(report.lastCommittedAt?.description ?? "never")"
                )
            }
        }
        return .success
    }

    /// - Parameter tables: What is stored there was durable before: a log that ends earlier has lost something.
    private static func verify(_ directory: String, tables: String, json asJSON: Bool) throws -> ExitCode {
        let disk = PosixDisk()
        // Asked first, so that a till which writes meanwhile is never ahead of the log.
        let stored = try? SQLiteReader(path: tables, settings: SQLiteTablesSettings()).snapshot { try $0.positions() }
        let verdict = try LogInspection.verify(directory, disk)
        let ends = try LogInspection.ends(directory, disk)
        let short = (stored ?? PositionVector()).offsets.sorted { $0.key < $1.key }.compactMap { partition, offset in
            let end = ends.offsets[partition] ?? 0
            return end >= offset
                ? nil : "\(partition) ends at offset \(end), and the tables have results of it up to \(offset)"
        }
        let damages = verdict.damages.map(\.description) + short
        if asJSON {
            var json = JSONWriter()
            json.beginObject()
            json.field("records", verdict.records)
            json.field("bytes", verdict.bytes)
            for (name, texts) in [("damages", damages), ("tails", verdict.tails.map(\.description))] {
                json.key(name)
                json.beginArray()
                for text in texts { json.string(text) }
                json.endArray()
            }
            json.endObject()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
        } else {
            for damage in damages { TillMain.print("damage: \(damage)") }
            for tail in verdict.tails { TillMain.print("tail: \(tail)") }
            TillMain.print("\(verdict.records) records in \(verdict.bytes) bytes verified, \(damages.count) damages")
        }
        return damages.isEmpty ? .success : .damaged
    }

    private static func dumpRecords(_ directory: String, _ arguments: Arguments) throws -> ExitCode {
        let topic = arguments["topic"] ?? "feed.invoices"
        guard let from = Int64(arguments["from"] ?? "0"), let limit = Int(arguments["limit"] ?? "10"), from >= 0,
            limit > 0
        else {
            throw UsageError("cli.log_dump_usage", "--from and --limit take whole numbers; --from counts from 0.")
        }
        let topics = try PosixDisk().list(directory).sorted()
        guard topics.contains(topic) else {
            throw UsageError(
                "cli.log_topic",
                "There is no topic \(topic.quotedForMessage) in the log; it has \(topics.joined(separator: ", "))."
            )
        }
        let since = try arguments["since"].map { text in
            guard case .instant(let time)? = TimeFormat("iso8601")?.read(Array(text.utf8)[...]) else {
                throw UsageError(
                    "cli.log_dump_usage",
                    "--since is \(text.quotedForMessage); write a time with its zone, such as 2026-11-28T16:00:00Z."
                )
            }
            return time
        }
        try LogInspection.dump(
            TopicPartition(topic),
            directory,
            PosixDisk(),
            from: from,
            since: since,
            limit: limit
        ) { record in
            var json = JSONWriter()
            json.beginObject()
            json.field("offset", record.offset)
            json.field("feed", record.envelope.feed)
            json.field("received_at", record.envelope.receivedAt.description)
            json.field("record_id", record.id.description)
            json.field("contract", record.envelope.contract.description)
            json.field("sender", record.envelope.sender)
            json.key("sequence")
            if let sequence = record.envelope.senderSequence { json.int(sequence) } else { json.null() }
            json.field("epoch", record.envelope.senderEpoch)
            json.field("run", record.envelope.run)
            switch record.envelope.format {
            case .json: break
            case .csv(let header, _): json.field("csv_header", header)
            case .unknown(let type): json.field("media_type", type)
            }
            let isText = String(validating: record.value, as: UTF8.self) != nil
            json.field(
                isText ? "value" : "value_base64",
                isText ? String(decoding: record.value, as: UTF8.self) : Base64.encode(record.value)
            )
            json.endObject()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
            return true
        }
        return .success
    }
}
