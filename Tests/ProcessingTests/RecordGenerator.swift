import Primitives
import RetailModel

/// Draws small, crowded histories: few keys and values, so that events meet. The same seed gives the same records.
struct RecordGenerator {
    /// What a history contains; the property test asserts that each occurred.
    enum Situation: String, CaseIterable {
        case duplicate, conflict, newerVersion, olderVersion, tieInsideVersions, kindChanges, productChanges,
            customerChanges, countryChanges, earliestLineMoves, latestLineMoves, sameLineInTwoDocuments,
            closedCancelledClosed,
            returnBeforeSale, sameTime, otherSpelling, quarantined, quarantinedTwice, documentWithoutGross,
            currencyChanges
    }

    var random: SeededRandom
    private(set) var seen: Set<Situation> = []
    private var offset: Int64 = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    static let hour: Int64 = 3_600_000_000

    /// A history: distinct events, then copies of some of them, in a random order.
    mutating func history() -> [RefinedRecord] {
        let keys = 1 + below(3)
        let versioned = below(2) == 0
        var outcomes: [Outcome] = []
        for _ in 0..<(2 + below(8)) { outcomes.append(.accepted(.line(line(keys, versioned)))) }
        for _ in 0..<below(6) { outcomes.append(.accepted(.sale(sale(versioned)))) }
        if versioned, below(4) == 0 {
            for (index, status) in [SaleStatus.closed, .cancelled, .closed].enumerated() {
                outcomes.append(.accepted(.sale(sale(versioned, as: (status, Int64(index + 1))))))
            }
        }
        for _ in 0..<below(3) { outcomes.append(.quarantined(reasons: "[]")) }
        var records = outcomes.map { record($0) }
        for _ in 0..<below(5) {
            var copy = pick(records)
            offset += 1
            copy.offset = offset
            if !copy.run.isEmpty { copy.run = pick(["r1", "r2"]) }
            if below(2) == 0 { respell(&copy) }
            records.append(copy)
        }
        records.shuffle(using: &random)
        note(records)
        return records
    }

    private mutating func record(_ outcome: Outcome) -> RefinedRecord {
        offset += 1
        var feed: ByteString = "invoices"
        var run: ByteString = pick(["r1", "r2"])
        var bytes: ByteString = ""
        if case .accepted(.sale) = outcome { (feed, run) = ("shop", "") }
        if case .quarantined = outcome { bytes = pick(["{", "[]"]) }
        return RefinedRecord(
            outcome: outcome,
            offset: offset,
            topic: ByteString("feed.\(feed)"),
            feed: feed,
            run: run,
            recordID: Identifier(high: 7, low: UInt64(below(2))),
            contract: .zero,
            receivedAt: Timestamp(micros: offset),
            bytes: bytes
        )
    }

    /// The same content, written otherwise.
    private mutating func respell(_ record: inout RefinedRecord) {
        let raw: ByteString = pick(["a", "b", "c"])
        let flags: LineFlags = below(2) == 0 ? [.ambiguousTime] : []
        switch record.outcome {
        case .accepted(.line(var line)):
            line.rawTime = raw
            line.flags = flags.union(line.flags.intersection(.notMerchandise))
            record.outcome = .accepted(.line(line))
        case .accepted(.sale(var sale)):
            for index in sale.lines.indices {
                sale.lines[index].rawTime = raw
                sale.lines[index].flags = flags
            }
            record.outcome = .accepted(.sale(sale))
        case .quarantined, .accepted(.reference), .tick: break
        }
    }

    private mutating func time() -> Timestamp {
        Timestamp(micros: 1_260_000_000_000_000 + Int64(below(5)) * 13 * Self.hour)
    }

    private mutating func filled(_ line: inout LineEvent, prices: [Int64]) {
        line.quantity = pick([1_000, 2_000, 500, -1_000, -3_000, 0 + 7_000])
        line.unitPrice = pick(prices)
        line.amount = line.quantity * line.unitPrice / 1_000
        line.description = pick([nil, "x", "y"])
        line.kind = LineKind.classify(
            documentType: line.documentType,
            quantity: line.quantity,
            unitPrice: line.unitPrice,
            isRefund: line.customer != nil
        )
    }

    private func blank(
        _ source: ByteString,
        _ document: ByteString,
        _ product: ByteString,
        _ time: Timestamp,
        _ currency: Currency
    ) -> LineEvent {
        LineEvent(
            source: source,
            document: document,
            identity: "",
            store: "ONLINE",
            timeZone: "UTC",
            product: product,
            occurredAt: time,
            day: time.micros / (24 * Self.hour),
            hour: time.micros / Self.hour,
            quantity: 0,
            unitPrice: 0,
            amount: 0,
            currency: currency,
            rawTime: "b"
        )
    }

    private mutating func line(_ keys: Int, _ versioned: Bool) -> LineEvent {
        let document: ByteString = pick(Array(["1", "C2", "A3"].prefix(keys)))
        var line = blank("invoices", document, pick(["p", "q", "POST"]), time(), Self.gbp)
        line.documentType =
            document.bytes.first == 0x43 ? .cancellation : document.bytes.first == 0x41 ? .badDebt : .sale
        // A contract can tell the kind by a field, and lines of one document can differ in it.
        if below(6) == 0 { line.documentType = pick([.sale, .cancellation, .badDebt]) }
        line.identity = pick(["1", "2", "3"])
        line.customer = pick([nil, "17", "18"])
        line.customerName = line.customer == nil ? nil : pick([nil, "N", "O"])
        line.country = pick([nil, "UK", "FR"])
        line.versionAt = versioned ? Int64(below(4)) : 0
        if line.product == "POST" { line.flags = [.notMerchandise] }
        filled(&line, prices: [100_000, 255_000, 0, -50_000])
        if below(4) == 0 {
            line.kind = LineKind.classify(
                documentType: line.documentType,
                quantity: line.quantity,
                unitPrice: line.unitPrice,
                isRefund: true
            )
        }
        line.contentHash = hash(line)
        return line
    }

    private func hash(_ line: LineEvent) -> Digest {
        var canonical = ByteBuilder()
        line.canonical(into: &canonical)
        return .sha256(of: canonical.bytes)
    }

    static let gbp = currency("GBP"), eur = currency("EUR")

    private static func currency(_ code: String) -> Currency {
        guard let currency = Currency(code) else { preconditionFailure("a currency has three letters") }
        return currency
    }

    private mutating func sale(_ versioned: Bool, as wanted: (status: SaleStatus, versionAt: Int64)? = nil) -> SaleEvent
    {
        let time = time()
        let store: ByteString = pick(["S1", "S2"])
        let currency = below(4) == 0 ? Self.gbp : Self.eur
        var header = DocumentHeader(
            source: "shop",
            document: wanted == nil ? pick(["a", "b"]) : "b",
            store: store,
            timeZone: "UTC",
            occurredAt: time,
            day: time.micros / (24 * Self.hour),
            currency: currency
        )
        header.customer = pick([nil, "17", "19"])
        header.customerName = header.customer == nil ? nil : pick([nil, "M"])
        header.country = pick([nil, "UK", "DE"])
        header.status = pick([.closed, .closed, .closed, .cancelled, .open, .failed])
        header.versionAt = versioned ? Int64(below(4)) : 0
        if let wanted { (header.status, header.versionAt) = wanted }
        header.reportedTotal = pick([nil, 5])
        var canonical = ByteBuilder()
        for text in [header.store] { canonical.appendField(text) }
        for text in [header.customer, header.customerName, header.country] { canonical.appendField(text) }
        for number in [header.status.rawValue, time.micros, header.reportedTotal ?? .min] {
            canonical.appendBigEndian(number)
        }
        var lines: [LineEvent] = []
        for index in 0..<(1 + below(3)) {
            var line = blank("shop", header.document, pick(["p", "r"]), time, currency)
            line.store = store
            line.identity = ByteString([3, 0, 0, 0, UInt8(index)])
            line.customer = header.customer
            line.country = header.country
            line.versionAt = header.versionAt
            filled(&line, prices: [100_000, 150_000])
            line.contentHash = hash(line)
            line.canonical(into: &canonical)
            lines.append(line)
        }
        return SaleEvent(header: header, lines: lines, contentHash: .sha256(of: canonical.bytes))
    }

    // MARK: What occurred

    private mutating func note(_ records: [RefinedRecord]) {
        var lines: [LineEvent] = []
        var sales: [SaleEvent] = []
        var rejected: [ByteString] = []
        for record in records {
            switch record.outcome {
            case .accepted(.line(let line)): lines.append(line)
            case .accepted(.sale(let sale)): sales.append(sale)
            case .quarantined: rejected.append(ByteString(record.bytes.bytes + record.recordID.bytes))
            case .accepted(.reference), .tick: break
            }
        }
        for (index, later) in lines.enumerated() {
            for earlier in lines[..<index] { note(earlier, later, lines) }
        }
        if !rejected.isEmpty { seen.insert(.quarantined) }
        if Set(rejected).count < rejected.count { seen.insert(.quarantinedTwice) }
        for document in ["a", "b"] as [ByteString] {
            let versions = sales.filter { $0.header.document == document }.sorted {
                $0.header.versionAt < $1.header.versionAt
            }
            let statuses = versions.map(\.header.status)
            if statuses.starts(with: [.closed, .cancelled, .closed]),
                Set(versions.map(\.header.versionAt)).count == versions.count
            {
                seen.insert(.closedCancelledClosed)
            }
            if Set(versions.map(\.header.currency)).count > 1 { seen.insert(.currencyChanges) }
        }
        for document in Set(lines.map(\.document))
        where !lines.contains(where: { $0.document == document && $0.kind == .gross }) {
            seen.insert(.documentWithoutGross)
        }
    }

    private mutating func note(_ a: LineEvent, _ b: LineEvent, _ all: [LineEvent]) {
        if a.identity == b.identity, a.document != b.document { seen.insert(.sameLineInTwoDocuments) }
        if a.kind == .returned, b.kind == .gross, a.product == b.product { seen.insert(.returnBeforeSale) }
        guard a.document == b.document else { return }
        if a.occurredAt == b.occurredAt, a.identity != b.identity { seen.insert(.sameTime) }
        guard a.identity == b.identity else { return }
        if a.contentHash == b.contentHash {
            if a.versionAt == b.versionAt { seen.insert(a.rawTime == b.rawTime ? .duplicate : .otherSpelling) }
            return
        }
        if a.versionAt == b.versionAt {
            seen.insert(.conflict)
            if all.contains(where: {
                $0.document == a.document && $0.identity == a.identity && $0.versionAt > a.versionAt
            }) {
                seen.insert(.tieInsideVersions)
            }
        } else {
            seen.insert(a.versionAt < b.versionAt ? .newerVersion : .olderVersion)
        }
        if a.kind != b.kind { seen.insert(.kindChanges) }
        if a.product != b.product { seen.insert(.productChanges) }
        if a.customer != b.customer { seen.insert(.customerChanges) }
        if a.country != b.country { seen.insert(.countryChanges) }
        guard a.occurredAt != b.occurredAt else { return }
        let times = all.filter { $0.document == a.document }.map(\.occurredAt)
        if a.occurredAt == times.min() { seen.insert(.earliestLineMoves) }
        if a.occurredAt == times.max() { seen.insert(.latestLineMoves) }
    }
}
