import Formats
import Ports
import Primitives
import RetailModel
import Tables

/// What an operator asks to be done with entries of quarantine: the body of a redrive or discard.
///
/// `{"ids":[…]}` names entries; `{"feed":…, "rule":…, "after":…}` takes the open ones of a feed, of one rule when it is
/// given, in order of id behind `after`.
enum QuarantineSelection {
    /// An open entry and what is sent again of it.
    typealias Chosen = (id: Int64, record: HeldRecord)

    case ids([Int64])
    case filter(feed: String, rule: String?, after: Int64)

    static let entriesMax = 10_000
    /// Original bytes that one call appends; a quarter of what the log lets wait.
    static let bytesMax = 16 << 20
    static let shape = "{\"ids\":[1,2]} or {\"feed\":\"NAME\",\"rule\":\"RULE\"}"

    init(_ body: [UInt8]) throws(APIError) {
        var tape = JSONTape()
        guard (try? tape.parse(body)) != nil, tape.kind(0) == .object else {
            throw Self.invalid("The body is not a JSON object")
        }
        var ids: [Int64]?
        var feed: String?
        var rule: String?
        var after: Int64?
        var unknown: String?
        tape.forEachMember(0) { key, value in
            let text = tape.text(value, in: body).description
            switch (tape.text(key, in: body).description, tape.kind(value)) {
            case ("ids", .array):
                var numbers: [Int64] = []
                tape.forEachElement(value) { item in
                    if tape.kind(item) == .number, let id = Int64(tape.text(item, in: body).description) {
                        numbers.append(id)
                    } else {
                        unknown = "ids"
                    }
                }
                ids = numbers
            case ("feed", .string): feed = text
            case ("rule", .string): rule = text
            case ("rule", .null): rule = nil
            case ("after", .number):
                after = Int64(text)
                if after == nil { unknown = "after" }
            case (let name, _): unknown = name
            }
        }
        if let unknown { throw Self.invalid("Member \(unknown.quotedForMessage) of the body is not understood") }
        switch (ids, feed) {
        case (let ids?, nil) where rule == nil && after == nil:
            guard 1...Self.entriesMax ~= ids.count else {
                throw Self.invalid("The body names \(ids.count) entries; one call takes 1 to \(Self.entriesMax)")
            }
            self = .ids(Set(ids).sorted())
        case (nil, let feed?): self = .filter(feed: feed, rule: rule, after: after ?? 0)
        default: throw Self.invalid("The body names neither ids nor a feed, or both")
        }
    }

    private static func invalid(_ fact: String) -> APIError {
        APIError(status: 400, code: "body_invalid", message: "\(fact); send \(shape).")
    }

    /// The open entries that are meant, oldest first, and the last id when more of the filter's are left.
    func records(_ snapshot: any TableSnapshot) throws -> (records: [Chosen], next: Int64?) {
        switch self {
        case .ids(let ids): return (try named(ids, snapshot), nil)
        case .filter(let feed, let rule, let after):
            let found = try snapshot.query(
                """
                SELECT id, length(bytes) FROM quarantine
                WHERE resolved_at IS NULL AND feed = ?1 AND id > ?2 AND (?3 IS NULL OR instr(reasons, ?3) > 0) ORDER BY id
                """,
                [.text(ByteString(feed)), .integer(after), QuarantineQueries.mark(rule)],
                limit: Self.entriesMax + 1
            )
            var records: [Chosen] = []
            var bytes: Int64 = 0
            for row in found {
                bytes += row[1].number
                if records.count == Self.entriesMax || bytes > Self.bytesMax && !records.isEmpty {
                    return (records, found[records.count - 1][0].number)
                }
                if let record = try Self.record(row[0].number, snapshot)?.record {
                    records.append((row[0].number, record))
                }
            }
            return (records, nil)
        }
    }

    private func named(_ ids: [Int64], _ snapshot: any TableSnapshot) throws -> [Chosen] {
        var records: [Chosen] = []
        var bytes = 0
        for id in ids {
            guard let (record, isOpen) = try Self.record(id, snapshot) else {
                throw APIError.notFound("quarantine entry", String(id))
            }
            guard isOpen else { continue }
            bytes += record.bytes.count
            if bytes > Self.bytesMax {
                throw APIError(
                    status: 413,
                    code: "entries_too_large",
                    message: "The entries have more than \(Self.bytesMax) bytes together; name fewer in one call."
                )
            }
            records.append((id, record))
        }
        return records
    }

    private static func record(
        _ id: Int64,
        _ snapshot: any TableSnapshot
    ) throws -> (record: HeldRecord, isOpen: Bool)? {
        let rows = try snapshot.query(
            "SELECT feed, record_id, bytes, contract, csv_header, csv_separator, resolved_at FROM quarantine WHERE id = ?1",
            [.integer(id)],
            limit: 1
        )
        guard let row = rows.first else { return nil }
        guard let recordID = row[1].bytes.flatMap({ Identifier($0.bytes) }),
            let contract = row[3].bytes.flatMap({ Digest($0.bytes) })
        else {
            throw TableStoreError.damaged(cause: "the record id or contract of quarantine entry \(id) is malformed")
        }
        let format =
            row[4].bytes.map { PayloadFormat.csv(header: $0, separator: UInt8(truncatingIfNeeded: row[5].number)) }
            ?? .json
        let record = HeldRecord(
            feed: row[0].string,
            id: recordID,
            bytes: row[2].bytes?.bytes ?? [],
            contract: contract,
            format: format
        )
        return (record, row[6] == .null)
    }
}

/// Redrive and discard: open entries go into the log again, answered once that is durable.
struct QuarantineActions: Sendable {
    let reader: any TableReader
    let resubmission: any RecordResubmission
    let status: PipelineStatus
    let knownRules: Set<String>

    /// Thread: one that may block for reading; answers from the log's thread.
    func perform(_ action: EnvelopeAction, _ request: HTTPRequest, _ exchange: any HTTPExchange) {
        do {
            let selection = try QuarantineSelection(request.body)
            let (records, next) = try reader.snapshot { snapshot in
                if case .filter(let feed, let rule, _) = selection {
                    var query = Query(snapshot: snapshot, request: request, path: [], status: status)
                    query.knownRules = knownRules
                    try query.checkFeed(feed)
                    if let rule { try query.checkRule(rule) }
                }
                return try selection.records(snapshot)
            }
            if records.isEmpty { return exchange.respond(Self.answer([], status.durable, next)) }
            let ids = records.map(\.id)
            resubmission.resubmit(records.map(\.record), action: action) { result in
                switch result {
                case .success(let position): exchange.respond(Self.answer(ids, position, next))
                case .failure(let error): exchange.respond(Self.refusal(error))
                }
            }
        } catch let error as APIError {
            exchange.respond(error.response)
        } catch {
            exchange.respond(APIError(status: 503, code: "tables.unavailable", message: "\(error)").response)
        }
    }

    private static func answer(_ ids: [Int64], _ position: PositionVector, _ next: Int64?) -> HTTPResponse {
        let body = JSONWriter.object { json in
            json.field("submitted", ids.count)
            json.key("ids")
            json.beginArray()
            for id in ids { json.int(id) }
            json.endArray()
            json.field("position", position.description)
            if let next { json.field("next", next) } else { json.null("next") }
        }
        return HTTPResponse(
            status: 202,
            headers: [("content-type", "application/json"), ("cache-control", "no-store")],
            body: body
        )
    }

    private static func refusal(_ error: ResubmissionError) -> HTTPResponse {
        let status =
            switch error {
            case .feedUnknown: 409
            case .log(.saturated): 429
            case .log: 503
            }
        var response = APIError(status: status, code: error.code, message: error.description).response
        if status != 409 { response.headers.append(("retry-after", "1")) }
        return response
    }
}
