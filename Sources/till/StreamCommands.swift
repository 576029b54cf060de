import Formats
import Primitives

/// `till windows|senders|parked|conflicts`: what a running till knows of its streams.
enum StreamCommands {
    /// The words that all commands about a running till take.
    struct Request {
        let client: ServerClient
        let limit: Int
        let isJSON: Bool
        let arguments: Arguments

        init(_ words: [String], options: Set<String>, switches: Set<String> = [], takesWords: Bool = false) throws {
            arguments = try Arguments(
                words,
                options: options.union(["to", "limit"]),
                switches: switches.union(["json"])
            )
            if !takesWords, let word = arguments.rest.first {
                throw UsageError(
                    "cli.word_unexpected",
                    "There is no word \(word.quotedForMessage) here; till help lists what there is."
                )
            }
            guard let limit = Int(arguments["limit"] ?? "50"), 1...100_000 ~= limit else {
                throw UsageError("cli.limit_invalid", "--limit takes a whole number from 1 to 100000.")
            }
            self.limit = limit
            isJSON = arguments.has("json")
            client = try ServerClient(arguments)
        }

        /// All items as JSON, one a line; or as text.
        func show(_ items: [JSONValue], none: String, _ text: ([JSONValue]) -> [String]) -> ExitCode {
            if isJSON {
                for item in items { TillMain.print(item.json) }
            } else if items.isEmpty {
                TillMain.print(none)
            } else {
                for line in text(items) { TillMain.print(line) }
                if items.count == limit { TillMain.print("The first \(limit) are shown; --limit N shows more.") }
            }
            return .success
        }
    }

    static func windows(_ words: [String]) throws -> ExitCode {
        let request = try Request(words, options: ["store", "from", "until"], switches: ["open"])
        let items = try request.client.items(
            "/v1/windows",
            [
                ("store", request.arguments["store"]), ("from", request.arguments["from"]),
                ("to", request.arguments["until"]), ("open", request.arguments.has("open") ? "true" : nil),
            ],
            limit: request.limit
        )
        return request.show(items, none: "There are no windows.") { items in
            var table = TextTable(["STORE", "START", "END", "TOTAL", "", "SALES", "STATE"], numbers: [3, 5])
            for item in items {
                table.add([
                    item["store"].text, item["start"].text, item["end"].text, item["total"].text,
                    item["currency"].text, item["sale_count"].text, state(item),
                ])
            }
            return table.lines
        }
    }

    private static func state(_ window: JSONValue) -> String {
        let revision = window["revision"].integer
        if revision == 0 { return "open" }
        let late = window["late_count"].integer
        return (revision == 1 ? "published" : "revision \(revision)") + (late == 0 ? "" : ", \(late) late")
    }

    // MARK: Senders

    static func senders(_ words: [String]) throws -> ExitCode {
        let request = try Request(words, options: ["feed"])
        let items = try request.client.items(
            "/v1/senders",
            [("feed", request.arguments["feed"])],
            limit: request.limit
        )
        return request.show(items, none: "No sender has named itself (X-Till-Sender).") { items in
            items.flatMap(describe)
        }
    }

    private static func describe(_ sender: JSONValue) -> [String] {
        let epoch = sender["epoch"].isNull ? "" : " (epoch \(TextTable.printable(sender["epoch"].text)))"
        let name = TextTable.printable(sender["name"].text) + epoch
        let records = sender["records"].integer
        let offset = sender["clock_offset"].isNull ? "" : ", clock offset \(sender["clock_offset"].text) s"
        let head =
            "\(TextTable.printable(sender["feed"].text)) \(name): \(records) \(records == 1 ? "record" : "records"), last seen \(sender["last_seen"].text)\(offset)"
        if sender["complete_until"].isNull { return [head, "  \(name) sends no sequence numbers"] }
        let end = sender["complete_until"]
        let until =
            "complete until \(end["time"].isNull ? "" : end["time"].text + " ")(sequence \(end["sequence"].text))"
        let gaps = sender["missing"].elements.map(\.text)
        let from = sender["gaps_listed_from"]
        let unlisted =
            from.isNull
            ? []
            : [
                "  \(name) had too many gaps: of those below sequence \(from.text) only the first is listed and counted"
            ]
        if gaps.isEmpty {
            let nothing = from.isNull ? "\(name) is missing nothing" : "no gap of \(name) is listed"
            return [head, "  \(nothing), \(until)"] + unlisted
        }
        let more = gaps.count == 100 ? ", …" : ""
        return [
            head,
            "  \(name) is missing \(gaps.joined(separator: ", "))\(more) (\(sender["missing_count"].text) in all), \(until)",
        ] + unlisted
    }

    // MARK: Runs

    static func runs(_ words: [String]) throws -> ExitCode {
        let request = try Request(words, options: ["feed"])
        let items = try request.client.items("/v1/runs", [("feed", request.arguments["feed"])], limit: request.limit)
        return request.show(items, none: "There are no runs.") { items in
            let columns = ["read", "distinct", "duplicates", "quarantined", "parked"]
            var table = TextTable(["FEED", "RUN"] + columns.map { $0.uppercased() }, numbers: [2, 3, 4, 5, 6])
            for item in items { table.add([item["feed"].text, item["run"].text] + columns.map { item[$0].text }) }
            return table.lines
        }
    }

    // MARK: Parked and conflicting records

    static func parked(_ words: [String]) throws -> ExitCode {
        let request = try Request(words, options: ["feed"])
        let items = try request.client.items(
            "/v1/parked",
            [("feed", request.arguments["feed"])],
            limit: request.limit
        )
        return request.show(items, none: "No record waits for reference data.") { items in
            var table = TextTable(["FEED", "POSITION", "SINCE", "WAITS FOR"])
            for item in items {
                let missing = item["missing"].elements.map(\.text)
                let others = item["missing_count"].integer - Int64(missing.count)
                table.add([
                    item["feed"].text, item["position"].text, item["first_seen"].text,
                    missing.joined(separator: ", ") + (others > 0 ? " (and \(others) more)" : ""),
                ])
            }
            return table.lines
        }
    }

    static func conflicts(_ words: [String]) throws -> ExitCode {
        let request = try Request(words, options: [])
        let items = try request.client.items("/v1/conflicts", [], limit: request.limit)
        return request.show(items, none: "No version contradicts another.") { items in
            var table = TextTable(["KIND", "ID", "LINE", "VERSION TIME", "LOST", "CURRENT", "OFFSET"], numbers: [6])
            for item in items {
                table.add([
                    item["kind"].text, item["id"].text, item["line"].isNull ? "-" : item["line"].text,
                    item["version_at"].isNull ? "none" : item["version_at"].text,
                    String(item["content_hash"].text.prefix(12)), String(item["current_hash"].text.prefix(12)),
                    item["offset"].text,
                ])
            }
            return table.lines
        }
    }
}
