import CShims
import Formats
import Network
import Ports
import Primitives
import RecordBatch

/// Sends rows as record batches over one connection, some ahead, strictly in order.
final class IngestClient {
    /// Control totals of a run, as the server accounts for it.
    struct Report {
        var read: Int64, distinct: Int64, duplicates: Int64, quarantined: Int64, parked: Int64
        var json: [UInt8]
    }

    /// The run is further than this client knew: what a killed client had sent was still on its way into the log.
    struct RunMoved: Error {}

    /// Batches on their way at the same time; with 256 KiB each well below what the server lets wait.
    private static let openMax = 8
    private static let batchBytes = 256 << 10
    private static let batchRows = 8_192
    /// Tries of one batch while the server is saturated or restarting, with growing pauses: about two minutes.
    private static let triesMax = 30

    /// Waits for the tables, so that no more is sent than they soon contain; of the run that is being sent.
    private var pace: IngestPace?
    private struct Sent {
        var row: Int64
        var count: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8]
    }

    private let feed: String
    private let address: IngestCommand.Address
    private var connection: HTTPClientConnection
    private var open: [Sent] = []

    init(feed: String, address: IngestCommand.Address) throws {
        self.feed = feed
        self.address = address
        connection = try address.connect()
    }

    // MARK: Questions

    private func get(_ path: String) throws -> HTTPClientResponse {
        try connection.exchange(method: "GET", path: path, headers: authorization)
    }

    private var authorization: [(name: String, value: String)] {
        address.authorization.map { [("authorization", $0)] } ?? []
    }

    /// How CSV of the feed is written and which columns it has, as its contract says.
    func csvOfFeed() throws -> (dialect: CSVDialect, header: HeaderCheck) {
        let response = try get("/v1/contracts/\(ServerClient.encoded(feed))")
        guard response.status == 200, let contract = JSONValue(response.body), case let csv = contract["csv"],
            let separator = csv["separator"].text.utf8.first, let quote = csv["quote"].text.utf8.first
        else { throw refusal(response) }
        return (CSVDialect(separator: separator, quote: quote), HeaderCheck(contract))
    }

    /// Rows of a run that are durable, once the tables contain them all; nil when there is no such run.
    func rowsOf(run: String) throws -> Int64? {
        while true {
            let response = try get("/v1/runs/\(run)?feed=\(feed)&after=latest&wait_ms=30000")
            switch response.status {
            case 200: return try Self.read(response.body).read
            case 404: return nil
            case 503, 504: cshims_sleep_micros(200_000)
            default: throw refusal(response)
            }
        }
    }

    func report(run: String) throws -> Report {
        while true {
            let response = try get("/v1/runs/\(run)?feed=\(feed)&after=latest&wait_ms=30000")
            switch response.status {
            case 200: return try Self.read(response.body)
            case 404:
                // A run without any row has no totals.
                return Report(read: 0, distinct: 0, duplicates: 0, quarantined: 0, parked: 0, json: response.body)
            case 503, 504: cshims_sleep_micros(200_000)
            default: throw refusal(response)
            }
        }
    }

    private static func read(_ body: [UInt8]) throws -> Report {
        var tape = JSONTape()
        try tape.parse(body)
        func number(_ name: String) -> Int64 {
            guard let node = tape.member(0, named: Array(name.utf8), in: body) else { return 0 }
            return Int64(String(decoding: body[tape.raw(node)], as: UTF8.self)) ?? 0
        }
        return Report(
            read: number("read"),
            distinct: number("distinct"),
            duplicates: number("duplicates"),
            quarantined: number("quarantined"),
            parked: number("parked"),
            json: body
        )
    }

    /// What the server says in its own words; the bytes only where they are no error of till's.
    private func refusal(_ response: HTTPClientResponse) -> UsageError {
        let said = JSONValue(response.body)?["error"]["message"].text ?? ""
        let words = said.isEmpty ? String(decoding: response.body.prefix(500), as: UTF8.self).quotedForMessage : said
        return UsageError("cli.ingest_refused", "The server answered \(response.status): \(words)")
    }

    // MARK: Sending

    /// Sends all rows but the first `skip`; returns how many rows the files have.
    func send(
        _ files: [(path: String, format: FileFormat)],
        run: String,
        skip: Int64,
        _ progress: inout Progress
    ) throws -> Int64 {
        pace = try IngestPace(address: address, run: run, feed: feed)
        var counter = OccurrenceCounter()
        var row: Int64 = 0
        var bytesBefore = 0
        for file in files {
            var reader = try RowReader(path: file.path, format: file.format)
            var atEnd = false
            while !atEnd {
                var builder = RecordBatchBuilder(
                    baseTimestamp: cshims_wall_micros() / 1_000,
                    reserving: Self.batchBytes + 4_096
                )
                let first = max(row, skip)
                atEnd = try reader.rows { bytes in
                    let id = try counter.identifier(of: bytes)
                    row += 1
                    if row <= skip { return true }
                    builder.append(bytes, id: id)
                    return builder.size < Self.batchBytes && builder.count < Self.batchRows
                }
                guard builder.count > 0 else { continue }
                var format = "json"
                if case .csv(let header, let separator) = reader.payloadFormat {
                    format = "csv \(separator) \(Base64.encode(header.bytes))"
                }
                let count = builder.count
                try push(
                    Sent(
                        row: first,
                        count: count,
                        headers: authorization + [
                            ("content-type", "application/vnd.tillstream.records"), ("x-till-run", run),
                            ("x-till-run-row", String(first)), ("x-till-format", format),
                        ],
                        body: builder.finish()
                    )
                )
                progress.show(rows: row, bytes: bytesBefore + reader.bytesRead)
            }
            bytesBefore += reader.bytesRead
        }
        while !open.isEmpty { try settle() }
        return row
    }

    private func push(_ batch: Sent) throws {
        while open.count >= Self.openMax { try settle() }
        pace?.hold()
        open.append(batch)
        try connection.send(method: "POST", path: "/v1/feeds/\(feed)", headers: batch.headers, body: batch.body)
    }

    /// Takes the answer of the oldest batch. When it was not taken, everything after it is sent again, in order.
    private func settle() throws {
        let response = try connection.receive()
        if response.status == 202 || response.status == 422 {
            let batch = open.removeFirst()
            pace?.note(response.body, bytes: batch.body.count, rows: batch.count)
            return
        }
        guard [429, 503, 409].contains(response.status) else { throw refusal(response) }
        // Those behind it were refused too (409), because they would have overtaken it.
        for _ in open.dropFirst() { _ = try connection.receive() }
        for attempt in 1...Self.triesMax {
            cshims_sleep_micros(Int64(min(attempt * 100, 5_000)) * 1_000)
            let again = try connection.exchange(
                method: "POST",
                path: "/v1/feeds/\(feed)",
                headers: open[0].headers,
                body: open[0].body
            )
            if again.status == 202 || again.status == 422 {
                open.removeFirst()
                for batch in open {
                    try connection.send(
                        method: "POST",
                        path: "/v1/feeds/\(feed)",
                        headers: batch.headers,
                        body: batch.body
                    )
                }
                return
            }
            if again.status == 409 {
                open = []
                throw RunMoved()
            }
            guard [429, 503].contains(again.status) else { throw refusal(again) }
        }
        throw UsageError(
            "cli.ingest_saturated",
            "The server did not take a batch in \(Self.triesMax) tries; run the command again, it continues where it stopped."
        )
    }
}
