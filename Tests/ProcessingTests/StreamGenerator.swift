import Primitives
import RetailFolds
import RetailModel

/// Draws histories of whole-document events with everything around them: versions, windows, counters, reference data
/// that comes late or is corrected, parked and redriven records, senders. The same seed gives the same records.
struct StreamGenerator {
    enum Situation: String, CaseIterable {
        case moveOfCustomer, moveOfStore, moveOfWindow, cancelBeforeClose, closedThenCancelled, tie, duplicate,
            parkedThenReleased, neverReleased, menuChange, menuConflict, referenceCorrectsThePast, renamed,
            redrivenAccepted, redrivenTwice, redrivenRejected, discarded, sequenceGap, sequenceRepeated, productTwice,
            aheadStaysOpen, inTimeBehindAhead, aheadReached, redrivenOpensStore, lastOfWindowLeaves, lastOfUserLeaves,
            soldByAnotherName, tieBySecondTime, tieByStatus, laterCopy, laterCopyWins
    }

    var seen: Set<Situation> = []
    private var random: SeededRandom
    private let needsReferences: Bool
    let isWindowed: Bool
    /// Stores that sales are drawn for.
    private var stores: [ByteString] = ["S1", "S2"]

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        needsReferences = random.next() % 2 == 0
        isWindowed = !needsReferences
        self.random = random
    }

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    static let second: Int64 = 1_000_000
    static let start: Int64 = 1_700_000_000 * second

    /// Records in an order that a log could have them: redrives come behind what they redrive.
    mutating func history() -> [RefinedRecord] {
        var records: [RefinedRecord] = []
        if below(4) == 0 { stores = ["S1"] }
        for _ in 0..<(3 + below(8)) { records.append(record(.accepted(.sale(sale())))) }
        if below(3) == 0 { records += threeVersions() }
        if needsReferences || below(3) == 0 { records += references() }
        for _ in 0..<below(4) {
            var copy = pick(records)
            copy.recordID = pick([copy.recordID, identifier()])
            if case .accepted(.sale(var sale)) = copy.outcome, below(2) == 0 {
                sale.header.secondVersionAt = Int64(below(4))
                // Sent again at another time: another record.
                copy = record(.accepted(.sale(sale)))
            }
            records.append(copy)
            if case .accepted = copy.outcome { seen.insert(.duplicate) }
        }
        records.shuffle(using: &random)
        stores = ["S1", "S2"]
        records += rejectedAndRedriven()
        for _ in 0..<below(3) { records.append(record(.tick)) }
        note(records)
        let numbered = Self.numbered(records, &random)
        noteTimes(numbered)
        return numbered
    }

    /// Offsets and receipt times as this order has them: near the times of the sales, with a pause now and then.
    static func numbered(_ records: [RefinedRecord], _ random: inout SeededRandom) -> [RefinedRecord] {
        var now = start + Int64(random.next() % 2) * 30 * second
        return records.enumerated().map { index, record in
            var record = record
            record.offset = Int64(index)
            now += Int64(random.next() % 4) * 4 * second
            switch random.next() % 32 {
            case 0...1: now += 30 * second
            case 2: now += 950 * second
            default: break
            }
            record.receivedAt = Timestamp(micros: now)
            return record
        }
    }

    /// Another order: what is redriven stays behind its original.
    mutating func reordered(_ records: [RefinedRecord]) -> [RefinedRecord] {
        var first = records.filter { $0.action == .receive }
        first.shuffle(using: &random)
        return Self.numbered(first + records.filter { $0.action != .receive }, &random)
    }

    private mutating func identifier() -> Identifier { Identifier(high: 9, low: random.next()) }

    private mutating func record(_ outcome: Outcome, feed: ByteString = "shop") -> RefinedRecord {
        var record = RefinedRecord(
            outcome: outcome,
            offset: 0,
            topic: ByteString("feed.\(feed)"),
            feed: feed,
            run: "",
            recordID: identifier(),
            contract: .zero,
            receivedAt: Timestamp(micros: 0),
            bytes: ByteString("b\(below(1_000_000))")
        )
        if below(2) == 0 {
            record.sender = pick(["t1", "t2"])
            let drawn = below(12)
            record.senderSequence = Int64(drawn / 2)
            if drawn % 2 == 1 { record.senderEpoch = "again" }
        }
        return record
    }

    // MARK: Sales

    static let policy = WindowPolicy(
        length: 10 * second,
        lateness: 5 * second,
        idle: 20 * second,
        skew: 60 * second
    )

    private mutating func threeVersions() -> [RefinedRecord] {
        let version = Int64(1 + below(2))
        return [SaleStatus.open, .closed, .cancelled].enumerated().map { index, status in
            record(.accepted(.sale(sale(document: "v", status: status, versionAt: version + Int64(index)))))
        }
    }

    private mutating func sale(
        document: ByteString? = nil,
        status: SaleStatus? = nil,
        versionAt: Int64? = nil
    ) -> SaleEvent {
        let time = Timestamp(
            micros: Self.start + Int64(below(8)) * 7 * Self.second
                + (below(9) == 0 ? pick([120, 900]) * Self.second : 0)
        )
        let store = pick(stores)
        let eur = Currency("EUR") ?? pick([])
        var header = DocumentHeader(
            source: "shop",
            document: document ?? pick(["a", "b", "c", "d"]),
            store: store,
            timeZone: "UTC",
            occurredAt: time,
            day: time.micros / (86_400 * Self.second),
            currency: eur
        )
        header.customer = needsReferences ? pick(["u1", "u2"]) : pick([nil, "u1", "u2"])
        header.status = status ?? pick([.closed, .closed, .closed, .cancelled, pick([.open, .cooking]), .failed])
        header.versionAt = versionAt ?? Int64(below(3))
        if below(2) == 0 { header.secondVersionAt = Int64(below(3)) }
        header.isCounted = true
        header.cashier = pick([nil, "K"])
        header.statuses = (0..<below(3)).map { StatusEntry(status: pick([.open, .closed]), at: Int64($0)) }
        if isWindowed { header.window = Self.policy }
        var canonical = ByteBuilder()
        var lines: [LineEvent] = []
        for index in 0..<(1 + below(3)) {
            var line = LineEvent(
                source: "shop",
                document: header.document,
                identity: ByteString([3, 0, 0, 0, UInt8(index)]),
                store: store,
                timeZone: "UTC",
                product: pick(["p", "q", "r"]),
                occurredAt: time,
                day: header.day,
                hour: time.micros / (3_600 * Self.second),
                quantity: 1_000,
                unitPrice: 100_000,
                amount: 0,
                currency: eur,
                rawTime: "t"
            )
            line.unitPrice = pick([100_000, 250_000])
            line.amount = line.unitPrice
            line.customer = header.customer
            line.description = line.unitPrice == 100_000 ? "x" : nil
            line.versionAt = header.versionAt
            line.contentHash = Self.hash { line.canonical(into: &$0) }
            line.canonical(into: &canonical)
            lines.append(line)
        }
        if needsReferences {
            if let customer = header.customer {
                header.requires.append(ReferenceKey(.customer, source: "shop", key: customer))
            }
            header.requires.append(ReferenceKey(.store, source: "shop", key: store))
            header.requires += lines.map { ReferenceKey(.product, source: "shop", key: $0.product, store: store) }
        }
        for text in [header.store, header.document] { canonical.appendField(text) }
        for text in [header.customer, header.cashier] { canonical.appendField(text) }
        canonical.appendBigEndian(header.status.rawValue)
        canonical.appendBigEndian(time.micros)
        for entry in header.statuses { canonical.appendBigEndian(entry.status.rawValue) }
        return SaleEvent(header: header, lines: lines, contentHash: .sha256(of: canonical.bytes))
    }

    private static func hash(_ body: (inout ByteBuilder) -> Void) -> Digest {
        var bytes = ByteBuilder()
        body(&bytes)
        return .sha256(of: bytes.bytes)
    }

    // MARK: Reference data

    private mutating func references() -> [RefinedRecord] {
        var out: [RefinedRecord] = []
        for customer in ["u1", "u2"] as [ByteString] {
            for _ in 0..<below(3) {
                var event = ReferenceEvent(
                    entity: .customer,
                    source: "shop",
                    key: customer,
                    timeZone: "UTC",
                    validFrom: Self.start + Int64(below(3)) * Self.second
                )
                event.name = pick(["N", "M"])
                event.login = pick([nil, "l"])
                event.contentHash = Self.hash { event.canonical(into: &$0) }
                out.append(record(.accepted(.reference(event)), feed: "people"))
            }
        }
        for store in ["S1", "S2"] as [ByteString] {
            for _ in 0..<below(4) {
                var event = ReferenceEvent(
                    entity: .store,
                    source: "shop",
                    key: store,
                    timeZone: "UTC",
                    validFrom: Self.start + Int64(below(4)) * 14 * Self.second
                )
                event.name = pick(["Alpha", "Beta"])
                for product in ["p", "q", "r"] as [ByteString] where below(5) > 0 {
                    event.items.append(
                        .init(product: product, name: pick([product, "x"]), category: pick(["c", "d"]), price: 5)
                    )
                }
                event.contentHash = Self.hash { event.canonical(into: &$0) }
                out.append(record(.accepted(.reference(event)), feed: "shops"))
            }
        }
        return out
    }

    // MARK: Quarantine

    private mutating func rejectedAndRedriven() -> [RefinedRecord] {
        var out: [RefinedRecord] = []
        for _ in 0..<below(3) {
            let rejected = record(.quarantined(reasons: "[1]"))
            out.append(rejected)
            for _ in 0..<below(3) {
                var again = rejected
                again.run = ""
                again.sender = ""
                again.senderSequence = nil
                again.action = .redrive
                again.contract = .sha256(of: [UInt8(below(2))])
                switch below(3) {
                case 0: again.outcome = .accepted(.sale(sale()))
                case 1: again.outcome = .quarantined(reasons: "[2]")
                default: again.action = .discard
                }
                out.append(again)
            }
        }
        return out
    }
}
