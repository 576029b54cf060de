import Formats
import Ports
import Primitives
import Tables

/// What whoever asks may see.
package struct Caller: Sendable {
    /// False when the caller may not read customers: bytes as they were sent, and what reasons quote of them, are
    /// withheld.
    package var showsOriginals = true
    /// The one customer whose data it may see; nil when it may see all that its scopes say.
    package var onlyCustomer: String?

    package init() {}
}

/// One API query: a snapshot and the request's parameters.
struct Query {
    let snapshot: any TableSnapshot
    let request: HTTPRequest
    /// Values of the `{…}` parts of the path, in order.
    let path: [String]
    let status: PipelineStatus
    /// The report of the last proof, as it is stored; nil without one.
    var proof: @Sendable () -> [UInt8]? = { nil }
    var caller = Caller()
    var showsOriginals: Bool { caller.showsOriginals }

    /// Names of the rules of all contracts, and of those that every contract has.
    var knownRules: Set<String> = []

    /// Rows of one answer at the most, whatever the limit asks for.
    static let rowsMax = 100_000
    /// Names that one message lists.
    private static let namesListed = 20

    /// All rows. More than ``rowsMax`` are an error: an answer is never cut without a word.
    func rows(_ sql: String, _ parameters: [Cell] = []) throws -> [[Cell]] {
        let rows = try snapshot.query(sql, parameters, limit: Self.rowsMax + 1)
        guard rows.count <= Self.rowsMax else {
            throw APIError(
                status: 400,
                code: "answer_too_large",
                message: "The answer would have more than \(Self.rowsMax) rows; ask for fewer days or a coarser grain."
            )
        }
        return rows
    }

    /// The first `limit` rows.
    func rows(_ sql: String, _ parameters: [Cell] = [], limit: Int) throws -> [[Cell]] {
        try snapshot.query(sql, parameters, limit: limit)
    }

    /// This query with other values of some parameters; nil for none.
    func asking(_ values: [String: String?]) -> Query {
        var other = request
        other.query.removeAll { values.keys.contains($0.name) }
        for (name, value) in values { if let value { other.query.append((name, value)) } }
        return Query(
            snapshot: snapshot,
            request: other,
            path: path,
            status: status,
            proof: proof,
            caller: caller,
            knownRules: knownRules
        )
    }

    /// The parameter `feed`. A feed that nobody knows is an error: an empty list would say that it has nothing.
    func feed() throws -> Cell {
        guard let name = text("feed") else { return .null }
        try checkFeed(name)
        return Cell(name)
    }

    /// A feed is known when it is configured, or a record of it ever came.
    func checkFeed(_ name: String) throws {
        let known = Set(status.lags.map(\.name))
        guard known.contains(name) else { throw APIError.badParameter("feed", name, Self.oneOf(known)) }
    }

    /// The parameter `rule`, as ``feed()``.
    func rule() throws -> String? {
        guard let name = text("rule") else { return nil }
        try checkRule(name)
        return name
    }

    /// A rule is known when a contract has it, or an entry of quarantine: contracts change, entries stay.
    func checkRule(_ name: String) throws {
        if knownRules.contains(name) { return }
        let held = try rows(
            "SELECT 1 FROM quarantine WHERE instr(reasons, ?1) > 0",
            [QuarantineQueries.mark(name)],
            limit: 1
        )
        guard held.isEmpty else { return }
        let broken = try rows(
            """
            SELECT DISTINCT json_extract(reason.value, '$.rule') FROM
              (SELECT reasons FROM quarantine ORDER BY id DESC LIMIT \(QuarantineQueries.countedMax)) q,
              json_each(q.reasons) reason
            """,
            limit: Self.namesListed
        )
        // Those that records broke say most; the others follow.
        let first = broken.map { $0[0].string }.sorted()
        let names = first + knownRules.subtracting(first).sorted()
        throw APIError.badParameter("rule", name, Self.oneOf(names))
    }

    private static func oneOf(_ names: Set<String>) -> String { oneOf(names.sorted()) }

    private static func oneOf(_ names: [String]) -> String {
        let more = names.count > namesListed ? " and \(names.count - namesListed) more" : ""
        return "one of " + names.prefix(namesListed).joined(separator: ", ") + more
    }

    func text(_ name: String) -> String? {
        guard let value = request.parameter(name), !value.isEmpty else { return nil }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default preset: Int) throws -> Int {
        guard let text = text(name) else { return preset }
        guard let value = Int(text), range.contains(value) else {
            throw APIError.badParameter(name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func choice(_ name: String, _ choices: [String]) throws -> String {
        guard let text = text(name) else { return choices[0] }
        guard choices.contains(text) else {
            throw APIError.badParameter(name, text, "one of \(choices.joined(separator: ", "))")
        }
        return text
    }

    func flag(_ name: String) throws -> Bool { try choice(name, ["false", "true"]) == "true" }

    /// A date parameter as days since 1970.
    func day(_ name: String) throws -> Int64? {
        guard let text = text(name) else { return nil }
        guard case .civil(let civil)? = TimeFormat("yyyy-MM-dd")?.read(Array(text.utf8)[...]) else {
            throw APIError.badParameter(name, text, "a date as yyyy-MM-dd")
        }
        return Int64(civil.epochDay)
    }

    /// A time parameter: ISO 8601, UTC unless it says otherwise, or a date for its beginning.
    func instant(_ name: String) throws -> Int64? {
        guard let text = text(name) else { return nil }
        guard let micros = Self.instant(text) else {
            throw APIError.badParameter(name, text, "a time as 2024-11-15T00:00:00Z or a date as 2024-11-15")
        }
        return micros
    }

    /// Microseconds since 1970 of a time or date in UTC; nil when the text is neither.
    static func instant(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)[...]
        for format in ["iso8601", "yyyy-MM-dd"] {
            switch TimeFormat(format)?.read(bytes) {
            case .instant(let instant)?: return instant.micros
            case .civil(let civil)?: return civil.epochSeconds * 1_000_000 + Int64(civil.micro)
            case nil: continue
            }
        }
        return nil
    }

    /// The days that are not limited.
    static let allDays: ClosedRange<Int64> = -1_000_000...10_000_000

    /// The range of days asked for, both ends included.
    func days() throws -> ClosedRange<Int64> {
        let from = try day("from") ?? Self.allDays.lowerBound
        let to = try day("to") ?? Self.allDays.upperBound
        guard from <= to else {
            throw APIError.badParameter("from", text("from") ?? "", "a date not after the parameter to")
        }
        return from...to
    }

    var limit: Int { get throws { try integer("limit", in: 1...1_000, default: 50) } }

    /// A cursor is opaque to callers: the parts of the last row's sort key in hex, with a dash between two.
    func cursor() throws -> [String]? {
        guard let text = text("cursor") else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return try parts.map { part in
            guard let bytes = Hex.bytes(Array(part)), let text = String(validating: bytes, as: UTF8.self) else {
                throw badCursor()
            }
            return text
        }
    }

    /// A cursor of a list whose cursors have `count` parts.
    func cursor(parts count: Int) throws -> [String]? {
        guard let parts = try cursor() else { return nil }
        guard parts.count == count else { throw badCursor() }
        return parts
    }

    func badCursor() -> APIError {
        APIError.badParameter("cursor", text("cursor") ?? "", "the value of next from the page before")
    }

    /// A cursor whose first part is a number, as two parts or one.
    func numberCursor() throws -> [String]? {
        guard let parts = try cursor() else { return nil }
        guard Int64(parts[0]) != nil else { throw badCursor() }
        return parts
    }

    /// The parameter `currency` as a number; null without one.
    func currency() throws -> Cell {
        guard let text = text("currency") else { return .null }
        guard let currency = Currency(text) else {
            throw APIError.badParameter("currency", text, "three letters A to Z, as in EUR")
        }
        return .integer(Int64(currency.code))
    }

    static func cursor(_ parts: [String]) -> String {
        parts.map { Hex.text(Array($0.utf8)) }.joined(separator: "-")
    }
}

extension Cell {
    /// The sum whose parts are this cell (high) and `low`.
    func wide(_ low: Cell) -> Int128 { Int128(integer ?? 0) << 32 + Int128(low.integer ?? 0) }
    /// Text for SQL, null for nil.
    init(_ text: String?) { self.init(text: text.map { ByteString($0) }) }
    var string: String { bytes?.description ?? "" }
    var number: Int64 { integer ?? 0 }
}

extension JSONWriter {
    mutating func money(_ name: String, _ units: Int128) { field(name, MoneyScale.text(units)) }

    /// Gross, returns and net = gross − returns. Lines of returns carry a negative sign, the figure does not.
    mutating func spend(gross: Int128, returnLines: Int128) {
        money("gross", gross)
        money("returns", -returnLines)
        money("net", gross + returnLines)
    }

    mutating func currency(_ code: Cell) { field("currency", Currency(code: code.number)?.description ?? "XXX") }

    /// Thousandths as a JSON number: whole when they are whole.
    mutating func quantity(_ name: String, _ thousandths: Int128) {
        key(name)
        raw(Array(Decimal.text(thousandths, scale: 3, keepZeros: false).utf8))
    }

    mutating func time(_ name: String, _ micros: Cell) {
        if let micros = micros.integer { field(name, Timestamp(micros: micros).description) } else { null(name) }
    }

    mutating func null(_ name: String) {
        key(name)
        null()
    }

    mutating func number(_ name: String, _ value: Cell) {
        if let value = value.integer { field(name, value) } else { null(name) }
    }

    /// `SOURCE:KEY`, by which an entity is addressed.
    mutating func entity(_ name: String, _ source: Cell, _ key: Cell) {
        field(name, "\(source.string):\(key.string)")
    }

    mutating func optional(_ name: String, _ text: Cell) {
        if let bytes = text.bytes { field(name, bytes) } else { null(name) }
    }

    /// `{"items":[…],"next":…}`
    static func list(
        next: String? = nil,
        extra: (inout JSONWriter) -> Void = { _ in },
        _ items: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter(reservingBytes: 4_096)
        json.beginObject()
        extra(&json)
        json.key("items")
        json.beginArray()
        items(&json)
        json.endArray()
        if let next { json.field("next", next) } else { json.null("next") }
        json.endObject()
        return json.bytes
    }

    static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(reservingBytes: 1_024)
        json.beginObject()
        body(&json)
        json.endObject()
        return json.bytes
    }
}
