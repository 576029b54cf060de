import Primitives
import RetailModel
import Tables

/// Turnover windows (S8), played back in the order of the log: watermarks, clocks, late sales, and when which window
/// is published. What is published is computed per window afterwards (``WindowRevisions``), so that memory holds the
/// stores and their open windows only.
struct WindowsProof {
    private struct Clock { var eventMax: Int64, receivedAt: Int64 }
    private struct Place: Hashable, Comparable {
        var start: Int64, currency: Int64
        static func < (a: Self, b: Self) -> Bool { (a.start, a.currency) < (b.start, b.currency) }
    }

    private struct Store {
        var topic: Int
        var watermark = Int64.min / 2
        var receivedAt = Int64.min
        var length: Int64 = 0, lateness: Int64 = 0, idle: Int64 = 0
        /// False until a sale that moves clocks.
        var hasRow = false
        var clocks: [ByteString: Clock] = [:]
        /// In order, each once.
        var open: [Place] = []
    }

    private var revisions: WindowRevisions
    private var stores: [NaturalName: Store] = [:]
    /// No store of a topic is idle before.
    private var idleFrom: [Int: Int64] = [:]

    init(_ scratch: Scratch?, bufferBytes: Int) {
        revisions = WindowRevisions(scratch, bufferBytes: bufferBytes)
    }

    // MARK: Playing back

    /// Plays everything back and writes the rows; call once, at the end.
    ///
    /// - Parameter topics: Names of the topics by their number.
    mutating func write(
        _ facts: SortedRuns,
        _ topics: [ByteString],
        _ writer: inout RowWriter,
        into rows: inout Sorter
    ) throws {
        var records = facts.records()
        while let record = try records.next() {
            var reader = FactReader(record)
            let kind = reader.byte()
            let origin = reader.origin()
            try closeIdle(origin)
            if kind == 1 { try apply(WindowFacts.sale(&reader, origin), &writer, &rows) }
        }
        for (name, store) in stores where store.hasRow {
            try Self.write(name, store, topics[store.topic], &writer, &rows)
        }
        try revisions.write(&writer, into: &rows)
    }

    private mutating func closeIdle(_ origin: Origin) throws {
        guard let due = idleFrom[origin.topic], origin.receivedAt >= due else { return }
        var next = Int64.max
        for (name, store) in stores where store.topic == origin.topic && store.hasRow && !store.open.isEmpty {
            guard origin.receivedAt >= store.receivedAt + store.idle else {
                next = min(next, store.receivedAt + store.idle)
                continue
            }
            for place in store.open { try publish(name, place, .idle, origin) }
            let last = store.open.reduce(Int64.min) { max($0, $1.start) }
            stores[name]?.watermark = max(store.watermark, last + store.length + store.lateness)
            stores[name]?.open = []
        }
        idleFrom[origin.topic] = next
    }

    private mutating func apply(_ sale: WindowSale, _ writer: inout RowWriter, _ rows: inout Sorter) throws {
        let home = NaturalName(source: sale.source, key: sale.store)
        if stores[home] == nil { stores[home] = Store(topic: sale.origin.topic) }
        let late = isLate(sale)
        if late, let share = sale.new { try Self.writeLate(sale, share, &writer, &rows) }
        if sale.old != sale.new { try change(sale, isLate: late) }
        if let policy = sale.policy, sale.origin.movesClocks { try moveClocks(sale, home, policy) }
    }

    /// Behind the watermark, and not only a correction of what its document put there before.
    private func isLate(_ sale: WindowSale) -> Bool {
        guard sale.wins, let policy = sale.policy, let new = sale.new else { return false }
        let isCorrection =
            sale.old.map { $0.store == new.store && $0.start == new.start && $0.currency == new.currency } ?? false
        return !isCorrection && isClosed(sale.source, new, policy)
    }

    private func isClosed(_ source: ByteString, _ share: WindowShare, _ policy: WindowPolicy?) -> Bool {
        guard let store = stores[NaturalName(source: source, key: share.store)] else { return false }
        let length = policy?.length ?? store.length
        let lateness = policy?.lateness ?? store.lateness
        return share.start + length + lateness <= store.watermark
    }

    private mutating func change(_ sale: WindowSale, isLate: Bool) throws {
        var parts: [(share: WindowShare, gross: Int128, count: Int64, late: Bool)] = []
        if let old = sale.old { parts.append((old, -old.gross, -1, false)) }
        if let new = sale.new {
            if let old = sale.old, old.store == new.store, old.start == new.start, old.currency == new.currency {
                parts[0].gross += new.gross
                parts[0].count = 0
            } else {
                parts.append((new, new.gross, 1, isLate))
            }
        }
        for (index, part) in parts.enumerated() {
            let name = NaturalName(source: sale.source, key: part.share.store)
            let isClosed = isClosed(sale.source, part.share, sale.policy)
            let length = sale.policy?.length ?? stores[name]?.length ?? 0
            try revisions.change(
                name,
                start: part.share.start,
                currency: part.share.currency,
                end: part.share.start + length,
                gross: part.gross,
                count: part.count,
                isClosed: isClosed,
                isLate: part.late,
                order: index + 1,
                sale.origin
            )
            if !isClosed { open(name, Place(start: part.share.start, currency: part.share.currency), sale.origin) }
        }
    }

    /// A window that was published under another policy is opened here too: the revisions know better and ignore it.
    private mutating func open(_ name: NaturalName, _ place: Place, _ origin: Origin) {
        var store = stores[name] ?? Store(topic: origin.topic)
        if store.open.contains(place) { return }
        let at = store.open.firstIndex { place < $0 } ?? store.open.count
        store.open.insert(place, at: at)
        stores[name] = store
        if store.hasRow { noteIdle(store) }
    }

    private mutating func noteIdle(_ store: Store) {
        idleFrom[store.topic] = min(idleFrom[store.topic] ?? .max, store.receivedAt + store.idle)
    }

    private mutating func moveClocks(_ sale: WindowSale, _ home: NaturalName, _ policy: WindowPolicy) throws {
        guard var store = stores.removeValue(forKey: home) else { return }
        let received = sale.origin.receivedAt
        let sender = sale.origin.sender
        if sale.occurredAt <= received + policy.skew {
            let known = store.clocks[sender]?.eventMax ?? sale.occurredAt
            store.clocks[sender, default: Clock(eventMax: known, receivedAt: received)].eventMax =
                max(known, sale.occurredAt)
        }
        if let clock = store.clocks[sender] { store.clocks[sender]?.receivedAt = max(clock.receivedAt, received) }
        store.receivedAt = max(store.receivedAt, received)
        store.hasRow = true
        store.topic = sale.origin.topic
        store.length = policy.length
        store.lateness = policy.lateness
        store.idle = policy.idle
        let slowest = store.clocks.values.filter { $0.receivedAt >= received - policy.idle }.map(\.eventMax).min()
        if let slowest { store.watermark = max(store.watermark, slowest) }
        let span = policy.length + policy.lateness
        let due = store.open.prefix { $0.start + span <= store.watermark }
        for place in due { try publish(home, place, .watermark, sale.origin) }
        store.open.removeFirst(due.count)
        if !store.open.isEmpty { noteIdle(store) }
        stores[home] = store
    }

    private mutating func publish(
        _ name: NaturalName,
        _ place: Place,
        _ cause: WindowCause,
        _ origin: Origin
    ) throws(ProofError) {
        try revisions.publish(name, start: place.start, currency: place.currency, cause, origin)
    }

    // MARK: Rows

    private static let watermark = TableShape.of(RetailTables.storeWatermark)
    private static let clock = TableShape.of(RetailTables.storeClock)
    private static let late = TableShape.of(RetailTables.lateSale)

    private static func write(
        _ name: NaturalName,
        _ store: Store,
        _ topic: ByteString,
        _ writer: inout RowWriter,
        _ rows: inout Sorter
    ) throws(ProofError) {
        writer.begin(watermark)
        writer.name(name.source, name.key)
        for value in [store.watermark, store.receivedAt, store.length, store.lateness, store.idle] { writer.int(value) }
        writer.text(topic)
        try writer.end(into: &rows)
        for (sender, one) in store.clocks {
            writer.begin(clock)
            writer.name(name.source, name.key)
            writer.text(sender)
            writer.int(one.eventMax)
            writer.int(one.receivedAt)
            try writer.end(into: &rows)
        }
    }

    private static func writeLate(
        _ sale: WindowSale,
        _ share: WindowShare,
        _ writer: inout RowWriter,
        _ rows: inout Sorter
    ) throws(ProofError) {
        writer.begin(late)
        writer.name(sale.source, sale.document)
        writer.int(share.start)
        writer.int(sale.origin.offset)
        writer.name(sale.source, sale.store)
        writer.int(sale.occurredAt)
        writer.int(sale.origin.receivedAt)
        try writer.end(into: &rows)
    }
}
