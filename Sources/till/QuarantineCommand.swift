import Formats
import Primitives

/// `till quarantine list|rules|show|redrive|discard`: rejected records of a running till.
enum QuarantineCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let rest = Array(words.dropFirst())
        switch words.first {
        case "list": return try list(rest)
        case "rules": return try rules(rest)
        case "show": return try show(rest)
        case "redrive": return try act(rest, "redrive")
        case "discard": return try act(rest, "discard")
        default:
            throw UsageError(
                "cli.quarantine_usage",
                "Say till quarantine list, rules, show ID, redrive or discard; the last two with IDs or --feed."
            )
        }
    }

    private static func list(_ words: [String]) throws -> ExitCode {
        let request = try StreamCommands.Request(words, options: ["state", "feed", "rule"])
        let items = try request.client.items(
            "/v1/quarantine",
            [
                ("state", request.arguments["state"] ?? "open"), ("feed", request.arguments["feed"]),
                ("rule", request.arguments["rule"]),
            ],
            limit: request.limit
        )
        return request.show(items, none: "Nothing is in quarantine.") { items in
            var table = TextTable(["ID", "FEED", "SINCE", "TRIES", "STATE", "REASON"], numbers: [0, 3])
            for item in items {
                let first = item["reasons"].elements.first.map { "\($0["rule"].text): \($0["message"].text)" } ?? ""
                let others = item["reasons_count"].integer - 1
                table.add([
                    item["id"].text, item["feed"].text, item["first_seen"].text, item["attempts"].text,
                    item["resolved_at"].isNull ? "open" : "resolved",
                    first + (others > 0 ? " (and \(others) more)" : ""),
                ])
            }
            return table.lines
        }
    }

    private static func rules(_ words: [String]) throws -> ExitCode {
        let request = try StreamCommands.Request(words, options: [])
        let answer = try request.client.get("/v1/quarantine/rules")
        return request.show(answer["items"].elements, none: "Nothing is in quarantine.") { items in
            var table = TextTable(["FEED", "RULE", "OPEN"], numbers: [2])
            for item in items { table.add([item["feed"].text, item["rule"].text, item["entries"].text]) }
            let limits =
                answer["complete"].text == "false"
                ? ["Of \(answer["open"].text) open entries the latest are counted."] : []
            return table.lines + limits
        }
    }

    private static func show(_ words: [String]) throws -> ExitCode {
        let request = try StreamCommands.Request(words, options: [], takesWords: true)
        let id = try request.arguments.only("entry, by its ID in till quarantine list")
        let entry = try request.client.get("/v1/quarantine/\(ServerClient.encoded(id))")
        if request.isJSON {
            TillMain.print(entry.json)
            return .success
        }
        let state = entry["resolved_at"].isNull ? "open" : "resolved at \(entry["resolved_at"].text)"
        for (name, value) in [
            ("entry", entry["id"].text), ("feed", entry["feed"].text), ("position", entry["position"].text),
            ("since", entry["first_seen"].text),
            ("tries", "\(entry["attempts"].text), the last under contract \(entry["contract"].text)"),
            ("state", state), ("csv header", entry["csv_header"].text), ("bytes", entry["size"].text),
        ] where !value.isEmpty {
            TillMain.print("\(name): \(TextTable.printable(value))")
        }
        for reason in entry["reasons"].elements {
            let value = reason["value"].text
            TillMain.print(
                TextTable.printable(
                    "reason: \(reason["rule"].text) on \(reason["field"].text)\(value.isEmpty ? "" : " = \(value)"): \(reason["message"].text)"
                )
            )
        }
        if entry["withheld"].text == "true" {
            TillMain.print("as received: withheld; reading it needs the scope read:customers.")
            return .success
        }
        let isText = !entry["text"].isNull
        TillMain.print(isText ? "as received:" : "as received, base64:")
        let lines = (isText ? entry["text"] : entry["base64"]).text.split(
            omittingEmptySubsequences: false,
            whereSeparator: \.isNewline
        )
        for line in lines { TillMain.print(TextTable.printable(String(line))) }
        return .success
    }

    // MARK: Redrive and discard

    private static func act(_ words: [String], _ verb: String) throws -> ExitCode {
        let request = try StreamCommands.Request(words, options: ["feed", "rule"], takesWords: true)
        let ids = try request.arguments.rest.map { word in
            guard let id = Int64(word) else {
                throw UsageError(
                    "cli.quarantine_id",
                    "\(word.quotedForMessage) is no entry; give the IDs that till quarantine list shows."
                )
            }
            return id
        }
        let feed = request.arguments["feed"]
        guard ids.isEmpty != (feed == nil), feed != nil || request.arguments["rule"] == nil else {
            throw UsageError(
                "cli.quarantine_selection",
                "Say till quarantine \(verb) ID…, or till quarantine \(verb) --feed FEED [--rule RULE]."
            )
        }
        var submitted: Int64 = 0
        var after: Int64?
        var position = ""
        repeat {
            let answer = try request.client.post(
                "/v1/quarantine/\(verb)",
                body(ids, feed, request.arguments["rule"], after)
            )
            submitted += answer["submitted"].integer
            position = answer["position"].text
            after = answer["next"].isNull ? nil : answer["next"].integer
        } while after != nil
        let open = try request.client.get("/v1/quarantine/rules", [("after", position), ("wait_ms", "30000")])["open"]
        if request.isJSON {
            var json = JSONWriter()
            json.beginObject()
            json.field("submitted", submitted)
            json.field("position", position)
            json.field("open", open.integer)
            json.endObject()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
            return .success
        }
        let entries = submitted == 1 ? "1 entry was" : "\(submitted) entries were"
        let done = verb == "redrive" ? "refined again" : "given up"
        TillMain.print(
            submitted == 0
                ? "No open entry is meant; nothing was done."
                : "\(entries) \(done), durable at \(position). Open in quarantine now: \(open.text)."
        )
        return .success
    }

    private static func body(_ ids: [Int64], _ feed: String?, _ rule: String?, _ after: Int64?) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        if let feed {
            json.field("feed", feed)
            if let rule { json.field("rule", rule) }
            if let after { json.field("after", after) }
        } else {
            json.key("ids")
            json.beginArray()
            for id in ids { json.int(id) }
            json.endArray()
        }
        json.endObject()
        return json.bytes
    }
}
