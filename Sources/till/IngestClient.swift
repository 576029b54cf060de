import CShims
import Contracts
import Formats
import Network
import Ports
import Primitives
import RecordBatch
import Refine

/// Sends rows as record batches over one connection, some ahead, strictly in order.
final class IngestClient {
    /// Control totals of a run, as the server accounts for it.
    struct Report {
        var read: Int64, distinct: Int64, duplicates: Int64, quarantined: Int64, parked: Int64
        var json: [UInt8]
    }

    /// The run is further than this client knew: what a killed client had sent was still on its way into the log.
    struct RunMoved: OperationalError {
        var code: String { "cli.run_moved" }
        var domain: ErrorDomain { .user }
        var retry: RetryHint { .afterBackoff }
        var description: String {
            "The server continues the run at a row that was sent already; run the command again, what it has is not counted twice."
        }
    }

    /// Batches on their way at the same time; with 256 KiB each well below what the server lets wait.
    private static let openMax = 8
    private static let batchBytes = 256 << 10
    private static let batchRows = 8_192
    /// Tries of one batch while the server is saturated, with pauses that grow to five seconds: a quarter of an hour.
    private static let triesMax = 200

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
    /// Whether the next batch is the first of a run, as this client sends it.
    private var isFirst = true

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

    /// What a load must know of its feed.
    struct Feed {
        /// How its CSV is written, as its contract says.
        var dialect: Formats.CSVDialect
        var encoding: TextEncoding
        var resynchronises: Bool
        var header: HeaderCheck
        /// Nil where rows have ids of their bytes: files were loaded by a till before 2026-12.
        var identity: (contract: Contract, rows: RowIdentity)?
    }

    func describeFeed() throws -> Feed {
        let response = try get("/v1/contracts/\(ServerClient.encoded(feed))")
        guard response.status == 200, let contract = JSONValue(response.body), case let csv = contract["csv"],
            let separator = csv["separator"].text.utf8.first, let quote = csv["quote"].text.utf8.first
        else { throw refusal(response) }
        return Feed(
            dialect: Formats.CSVDialect(separator: separator, quote: quote),
            encoding: TextEncoding(rawValue: csv["encoding"].text) ?? .utf8,
            resynchronises: csv["resynchronise"].text == "true",
            header: HeaderCheck(contract),
            identity: try identity(contract)
        )
    }

    private func identity(_ description: JSONValue) throws -> (contract: Contract, rows: RowIdentity)? {
        let text = description["text"].text
        // A till before 2026-12 does not say.
        guard !text.isEmpty else { return nil }
        guard case .success(let contract) = Contract.parse(Array(text.utf8), mappers: Mappers.signatures) else {
            throw UsageError(
                "cli.contract_unreadable",
                "The contract of feed \(feed) is of a newer till; load with the till that runs there."
            )
        }
        while true {
            let response = try get("/v1/row-identity?feed=\(ServerClient.encoded(feed))&after=latest&wait_ms=30000")
            switch response.status {
            case 200:
                guard let answer = JSONValue(response.body), answer["by_bytes"].text == "false" else { return nil }
                return (contract, RowIdentity(parts: description["row_identity"].elements.map(\.text)))
            case 503, 504: cshims_sleep_micros(200_000)
            default: throw refusal(response)
            }
        }
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
        _ files: LoadedFiles,
        run: String,
        skip: Int64,
        _ names: inout RowNames,
        _ notes: inout RowNotes,
        _ progress: inout Progress
    ) throws -> Int64 {
        pace = try IngestPace(address: address, run: run, feed: feed)
        isFirst = true
        var row: Int64 = 0
        var bytesBefore = 0
        for file in files.list {
            names.beginFile()
            var reader = try files.reader(file)
            var atEnd = false
            while !atEnd {
                var builder = RecordBatchBuilder(
                    baseTimestamp: cshims_wall_micros() / 1_000,
                    reserving: Self.batchBytes + 4_096
                )
                let first = max(row, skip)
                var cut: (row: CutRow, id: Identifier)?
                atEnd = try reader.rows { bytes, found, format in
                    let id = try names.identifier(bytes, found, format)
                    notes.note(found, in: file.path)
                    row += 1
                    if row <= skip { return true }
                    if let row = found.cut {
                        cut = (row, id)
                        return false
                    }
                    builder.append(bytes[found.range], id: id)
                    return builder.size < Self.batchBytes && builder.count < Self.batchRows
                }
                if builder.count > 0 {
                    try push(run, first, builder, Self.text(reader.payloadFormat))
                }
                if let cut {
                    var one = RecordBatchBuilder(baseTimestamp: cshims_wall_micros() / 1_000, reserving: 8_192)
                    one.append(cut.row.head[...], id: cut.id)
                    try push(run, row - 1, one, "cut \(cut.row.size) \(cut.row.digest)")
                }
                progress.show(rows: row, bytes: bytesBefore + reader.bytesRead)
            }
            bytesBefore += reader.bytesRead
        }
        while !open.isEmpty { try settle() }
        return row
    }

    private static func text(_ format: PayloadFormat) -> String {
        if case .csv(let header, let separator) = format {
            "csv \(separator) \(Base64.encode(header.bytes))"
        } else {
            "json"
        }
    }

    private func push(_ run: String, _ row: Int64, _ builder: consuming RecordBatchBuilder, _ format: String) throws {
        let count = builder.count
        try push(
            Sent(
                row: row,
                count: count,
                headers: authorization + [
                    ("content-type", "application/vnd.tillstream.records"), ("x-till-run", run),
                    ("x-till-run-row", String(row)), ("x-till-format", format),
                ],
                body: builder.finish()
            )
        )
    }

    private func push(_ batch: Sent) throws {
        while open.count >= Self.openMax { try settle() }
        pace?.hold()
        open.append(batch)
        try send(batch)
        // Alone: until the server knows the run, it cannot tell that a batch overtakes another.
        if isFirst {
            isFirst = false
            while !open.isEmpty { try settle() }
        }
    }

    private func send(_ batch: Sent) throws {
        try connection.send(method: "POST", path: "/v1/feeds/\(feed)", headers: batch.headers, body: batch.body)
    }

    /// Takes the answer of the oldest batch. When it was not taken, everything after it is sent again, in order.
    private func settle() throws {
        let response = try connection.receive()
        if Self.isTaken(response) { return take(response) }
        guard [429, 503, 409].contains(response.status) else { throw refusal(response) }
        // Those behind it were refused too (409), because they would have overtaken it.
        for _ in open.dropFirst() { _ = try connection.receive() }
        for attempt in 1...Self.triesMax {
            cshims_sleep_micros(Int64(min(attempt * 100, 5_000)) * 1_000)
            try send(open[0])
            let again = try connection.receive()
            if Self.isTaken(again) {
                take(again)
                return try sendOpen()
            }
            if again.status == 409 {
                try goOn(at: JSONValue(again.body)?["error"]["expected_row"].integer)
                return try sendOpen()
            }
            guard [429, 503].contains(again.status) else { throw refusal(again) }
        }
        throw UsageError(
            "cli.ingest_saturated",
            "The server did not take a batch in \(Self.triesMax) tries; run the command again, a file continues where it stopped."
        )
    }

    private static func isTaken(_ response: HTTPClientResponse) -> Bool {
        response.status == 202 || response.status == 422
    }

    private func take(_ response: HTTPClientResponse) {
        let batch = open.removeFirst()
        pace?.note(response.body, bytes: batch.body.count, rows: batch.count)
    }

    private func sendOpen() throws {
        for batch in open { try send(batch) }
    }

    /// The server has rows whose answers were refusals: it continues at `row`, with a batch that is here.
    private func goOn(at row: Int64?) throws {
        let rest = open.drop { $0.row + Int64($0.count) <= row ?? 0 }
        guard let row, row > open[0].row, rest.isEmpty || rest.first?.row == row else {
            open = []
            throw RunMoved()
        }
        open = Array(rest)
    }
}
