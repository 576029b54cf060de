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
        let request = try StreamCommands.Request(
            words,
            options: ["feed", "rule"],
            switches: verb == "discard" ? ["yes"] : [],
            takesWords: true
        )
        let named = try request.arguments.rest.map { word in
            guard let id = Int64(word) else {
                throw UsageError(
                    "cli.quarantine_id",
                    "\(word.quotedForMessage) is no entry; give the IDs that till quarantine list shows."
                )
            }
            return id
        }
        let feed = request.arguments["feed"]
        guard named.isEmpty != (feed == nil), feed != nil || request.arguments["rule"] == nil else {
            throw UsageError(
                "cli.quarantine_selection",
                "Say till quarantine \(verb) ID…, or till quarantine \(verb) --feed FEED [--rule RULE]."
            )
        }
        if verb == "discard", let feed, !request.arguments.has("yes") {
            return try refuse(request, feed, request.arguments["rule"])
        }
        var submitted: Int64 = 0
        var ids: [String] = []
        var after: Int64?
        var position = ""
        repeat {
            let answer = try request.client.post(
                "/v1/quarantine/\(verb)",
                body(named, feed, request.arguments["rule"], after)
            )
            submitted += answer["submitted"].integer
            ids += answer["ids"].elements.map(\.text)
            position = answer["position"].text
            after = answer["next"].isNull ? nil : answer["next"].integer
        } while after != nil
        let open = try request.client.get("/v1/quarantine/rules", [("after", position), ("wait_ms", "30000")])["open"]
        let rejected = verb == "redrive" ? try stillOpen(ids, request, position) : nil
        if request.isJSON {
            var json = JSONWriter()
            json.beginObject()
            json.field("submitted", submitted)
            if let rejected {
                json.field("accepted", submitted - rejected)
                json.field("rejected", rejected)
            }
            json.field("position", position)
            json.field("open", open.integer)
            json.endObject()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
            return .success
        }
        let entries = submitted == 1 ? "1 entry was" : "\(submitted) entries were"
        let outcome = rejected.map { "; \(submitted - $0) accepted, \($0) rejected again" } ?? ""
        let done = verb == "redrive" ? "re-evaluated" : "discarded"
        TillMain.print(
            submitted == 0
                ? "No open entry matches; nothing was done."
                : "\(entries) \(done)\(outcome), durable at \(position). Open in quarantine now: \(open.text)."
        )
        return .success
    }

    /// How many of the entries a redrive left open: they were rejected again.
    private static func stillOpen(
        _ ids: [String],
        _ request: StreamCommands.Request,
        _ position: String
    ) throws -> Int64 {
        let size = 300  // what the server takes in one question
        return try stride(from: 0, to: ids.count, by: size).reduce(0) { sum, start in
            let some = ids[start..<min(ids.count, start + size)].joined(separator: ",")
            let answer = try request.client.get(
                "/v1/quarantine/count",
                [("ids", some), ("after", position), ("wait_ms", "30000")]
            )
            return sum + answer["entries"].integer
        }
    }

    /// Without `--yes` a discard of a feed only counts.
    private static func refuse(_ request: StreamCommands.Request, _ feed: String, _ rule: String?) throws -> ExitCode {
        let answer = try request.client.get("/v1/quarantine/count", [("feed", feed), ("rule", rule)])
        let count = answer["entries"].integer
        if count == 0 {
            TillMain.print("No open entry matches; nothing was done.")
            return .success
        }
        let entries = count == 1 ? "1 open entry" : "\(count) open entries"
        let broken = rule.map { " that broke \($0.quotedForMessage)" } ?? ""
        throw UsageError(
            "cli.discard_unconfirmed",
            "This would discard \(entries) of \(feed.quotedForMessage)\(broken); nothing was done. Repeat the command with --yes to discard."
        )
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
