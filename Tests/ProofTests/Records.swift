import Primitives
import RetailModel
import Tables

@testable import Proof

/// Records by hand, each a second after the one before.
struct Records {
    var all: [RefinedRecord] = []
    /// Receipt time of the next record, µs.
    var clock: Int64 = 1_000_000_000

    static let eur = currency("EUR")

    static func currency(_ code: String) -> Currency {
        guard let currency = Currency(code) else { preconditionFailure("three letters") }
        return currency
    }

    @discardableResult
    mutating func add(
        _ outcome: Outcome,
        action: RecordAction = .receive,
        feed: ByteString = "pos",
        id: UInt64? = nil,
        bytes: ByteString? = nil,
        run: ByteString = "",
        sender: ByteString = "",
        sequence: Int64? = nil,
        at: Int64? = nil
    ) -> Int64 {
        let offset = Int64(all.count { $0.feed == feed })
        clock = at ?? clock + 1_000_000
        var record = RefinedRecord(
            outcome: outcome,
            offset: offset,
            topic: ByteString(Array("feed.".utf8) + feed.bytes),
            feed: feed,
            run: run,
            recordID: Identifier(high: 1, low: id ?? UInt64(1_000 + all.count)),
            contract: .zero,
            receivedAt: Timestamp(micros: clock),
            bytes: bytes ?? ByteString("record \(all.count)")
        )
        record.action = action
        record.sender = sender
        record.senderSequence = sequence
        all.append(record)
        return offset
    }

    func proved() throws -> ProofContents { try Proof.contents(of: all) }

    /// Rows of a table without some columns, as text.
    func rows(_ table: TableDeclaration, hiding: Set<String> = []) throws -> [String] {
        let others = Set(RetailTables.all.map(\.name)).subtracting([table.name])
        return try proved().lines(hiding: hiding, without: others).map { String($0.dropFirst(table.name.count + 1)) }
    }

    // MARK: Events

    static let second: Int64 = 1_000_000
    static let policy = WindowPolicy(
        length: 10 * second,
        lateness: 10 * second,
        idle: 60 * second,
        skew: 3_600 * second
    )

    /// A sale with one gross line for each amount in cents.
    static func sale(
        _ document: ByteString,
        cents: [Int64] = [100],
        at seconds: Double = 0,
        store: ByteString = "STORE_1",
        versionAt: Int64 = 0,
        status: SaleStatus = .closed,
        window: WindowPolicy? = nil,
        products: [ByteString] = ["p"],
        customer: ByteString? = nil
    ) -> SaleEvent {
        let time = Timestamp(micros: Int64(seconds * 1_000_000))
        var header = DocumentHeader(
            source: "pos",
            document: document,
            store: store,
            timeZone: "UTC",
            occurredAt: time,
            day: 0,
            currency: eur
        )
        header.status = status
        header.versionAt = versionAt
        header.window = window
        header.customer = customer
        var lines: [LineEvent] = []
        var canonical = ByteBuilder()
        for (index, amount) in cents.enumerated() {
            var line = Self.line(
                document,
                identity: ByteString([3, 0, 0, 0, UInt8(index)]),
                cents: amount,
                at: seconds,
                store: store,
                product: products[index % products.count]
            )
            line.versionAt = versionAt
            line.customer = customer
            line.canonical(into: &canonical)
            lines.append(line)
        }
        canonical.append(store.bytes + (customer?.bytes ?? []))
        canonical.appendBigEndian(status.rawValue)
        return SaleEvent(header: header, lines: lines, contentHash: .sha256(of: canonical.bytes))
    }

    static func line(
        _ document: ByteString,
        identity: ByteString,
        cents: Int64,
        at seconds: Double = 0,
        store: ByteString = "STORE_1",
        product: ByteString = "p",
        versionAt: Int64 = 0
    ) -> LineEvent {
        var line = LineEvent(
            source: "pos",
            document: document,
            identity: identity,
            store: store,
            timeZone: "UTC",
            product: product,
            occurredAt: Timestamp(micros: Int64(seconds * 1_000_000)),
            day: 0,
            hour: 0,
            quantity: cents < 0 ? -1_000 : 1_000,
            unitPrice: abs(cents) * 1_000,
            amount: cents * 1_000,
            currency: eur,
            rawTime: "t"
        )
        line.kind = cents < 0 ? .returned : .gross
        line.versionAt = versionAt
        var canonical = ByteBuilder()
        line.canonical(into: &canonical)
        line.contentHash = .sha256(of: canonical.bytes)
        return line
    }

    static func store(
        _ key: ByteString,
        _ validFrom: Int64,
        items: [(product: ByteString, category: ByteString)],
        name: ByteString? = nil
    ) -> ReferenceEvent {
        var event = ReferenceEvent(
            entity: .store,
            source: "pos",
            key: key,
            timeZone: "UTC",
            validFrom: validFrom,
            items: items.map {
                ReferenceEvent.MenuItem(product: $0.product, name: "name", category: $0.category, price: 1)
            }
        )
        event.name = name
        return hashed(event)
    }

    static func customer(_ key: ByteString, _ validFrom: Int64, name: ByteString, login: ByteString? = nil)
        -> ReferenceEvent
    {
        var event = ReferenceEvent(entity: .customer, source: "pos", key: key, timeZone: "UTC", validFrom: validFrom)
        event.name = name
        event.login = login
        return hashed(event)
    }

    private static func hashed(_ event: ReferenceEvent) -> ReferenceEvent {
        var event = event
        var canonical = ByteBuilder()
        event.canonical(into: &canonical)
        event.contentHash = .sha256(of: canonical.bytes)
        return event
    }
}
