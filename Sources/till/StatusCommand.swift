import Primitives

/// `till status`: what a running till holds, how far its tables are, and how long its disk lasts.
enum StatusCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let request = try StreamCommands.Request(words, options: [])
        let status = try request.client.get("/v1/status")
        if request.isJSON {
            TillMain.print(status.json)
            return .success
        }
        let totals = status["totals"]
        TillMain.print("till \(status["version"].text), data directory \(status["data_id"].text)")
        TillMain.print(
            "received \(totals["received"].text) = distinct \(totals["distinct"].text) + duplicates \(totals["duplicates"].text) + quarantined \(totals["quarantined"].text) + parked \(totals["parked"].text)"
        )
        for feed in status["feeds"].elements {
            TillMain.print(
                "\(feed["feed"].text): \(feed["stored"].text) of \(feed["log_end"].text) records are in the tables"
            )
        }
        TillMain.print(storage(status["storage"]))
        return .success
    }

    private static func storage(_ value: JSONValue) -> String {
        guard let used = Int64(value["used_bytes"].text), let free = Int64(value["free_bytes"].text) else {
            return "disk: unknown"
        }
        let facts = "disk: \(used >> 20) MiB used, \(free >> 20) MiB free"
        guard let perDay = Int64(value["bytes_per_day"].text) else {
            return facts + "; growth is known after ten minutes of measuring"
        }
        guard let days = Int64(value["days_left"].text) else { return facts + ", not growing" }
        return facts + ", \(perDay >> 20) MiB a day: \(days) days left"
    }
}
