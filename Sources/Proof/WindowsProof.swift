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

    /// A window that was not published yet.
    private struct Open {
        var place: Place
        /// Of the changes that are not handed to the revisions yet.
        var gross: Int128 = 0, count: Int64 = 0
        /// Where the window ends; 0 while there are no such changes.
        var end: Int64 = 0
    }

    private struct Store {
        let name: NaturalName
        var topic: Int
        var watermark = Int64.min / 2
        var receivedAt = Int64.min
        var length: Int64 = 0, lateness: Int64 = 0, idle: Int64 = 0
        /// False until a sale with windows.
        var hasRow = false
        var clocks: [ByteString: Clock] = [:]
        /// In order, each once.
        var open: [Open] = []
        /// The first policy; nil before. While there is only one, what is not published was never published, and
        /// its changes are summed here. After another one came, the revisions take every change for itself.
        var policy: WindowPolicy?
        var hasOnePolicy = true

        /// What is known of a store from its latest sale, or from a redriven one when there was none.
        mutating func take(_ policy: WindowPolicy, _ origin: Origin) {
            hasRow = true
            receivedAt = max(receivedAt, origin.receivedAt)
            topic = origin.topic
            (length, lateness, idle) = (policy.length, policy.lateness, policy.idle)
        }

        /// Keeps as many clocks as ``ProofLimits/clocksMax`` with one more: the one heard of least recently goes.
        mutating func forgetClock() {
            guard clocks.count >= ProofLimits.clocksMax else { return }
            let heard = clocks.map { (at: $0.value.receivedAt, sender: $0.key) }
            guard let oldest = heard.min(by: { $0.at != $1.at ? $0.at < $1.at : $0.sender < $1.sender }) else { return }
            clocks[oldest.sender] = nil
        }

        /// The watermark that a window needs to be closed, by the length of the latest sale.
        func passed(_ open: Open) -> Int64 { open.place.start + length + lateness }

        /// Hears of a sale: its sender's clock, and with it the watermark.
        mutating func hear(_ sale: WindowSale, _ policy: WindowPolicy) {
            let received = sale.origin.receivedAt
            let isInTime = sale.occurredAt <= received + policy.skew
            if let at = clocks.index(forKey: sale.origin.sender) {
                if isInTime { clocks.values[at].eventMax = max(clocks.values[at].eventMax, sale.occurredAt) }
                clocks.values[at].receivedAt = max(clocks.values[at].receivedAt, received)
            } else if isInTime {
                forgetClock()
                clocks[sale.origin.sender] = Clock(eventMax: sale.occurredAt, receivedAt: received)
            }
            take(policy, sale.origin)
            var slowest: Int64?
            for clock in clocks.values where clock.receivedAt >= received - policy.idle {
                slowest = min(slowest ?? clock.eventMax, clock.eventMax)
            }
            if let slowest { watermark = max(watermark, slowest) }
        }

        /// When the first open window is closed if nothing more comes; nil without one.
        var nextIdle: Int64? { open.first.map { max(passed($0), receivedAt + idle) } }
    }

    private var revisions: WindowRevisions
    private var stores: [Store] = []
    private var numbers: [NaturalName: Int] = [:]
    /// Nothing of a topic is closed by idleness before.
    private var idleFrom: [Int: Int64] = [:]

    /// Stores, clocks and open windows that there are.
    private var places = 0
    private let capacity: Int

    init(_ scratch: Scratch?, bufferBytes: Int, _ capacity: ProofCapacity) {
        self.capacity = capacity.windowPlaces
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
        into rows: inout RowSink
    ) throws {
        var records = facts.records()
        while let record = try records.next() {
            if places > capacity {
                throw ProofError.tooLarge(what: "stores, their clocks and open windows", limit: capacity)
            }
            var reader = FactReader(record)
            let kind = reader.byte()
            let origin = reader.origin()
            try closeIdle(origin)
            if kind == 1 { try apply(WindowFacts.sale(&reader, origin), &writer, &rows) }
        }
        for store in stores {
            for open in store.open { try sum(store.name, open, .sumBeforeWatermark, Self.end) }
        }
        for store in stores where store.hasRow { try Self.write(store, topics[store.topic], &writer, &rows) }
        try revisions.write(&writer, into: &rows)
    }

    /// Closes windows of stores that are idle, but none whose end and lateness receipt time has not reached.
    private mutating func closeIdle(_ origin: Origin) throws {
        guard let due = idleFrom[origin.topic], origin.receivedAt >= due else { return }
        idleFrom[origin.topic] = nil
        for number in stores.indices where stores[number].topic == origin.topic && stores[number].hasRow {
            while let next = stores[number].nextIdle, next <= origin.receivedAt {
                let open = stores[number].open.removeFirst()
                places -= 1
                try publish(stores[number].name, open, .idle, origin)
                stores[number].watermark = max(stores[number].watermark, stores[number].passed(open))
            }
            noteIdle(number)
        }
    }

    private mutating func apply(_ sale: WindowSale, _ writer: inout RowWriter, _ rows: inout RowSink) throws {
        let home = number(sale.source, sale.store, sale.origin)
        let old = number(sale.old, sale, home)
        let new = number(sale.new, sale, home)
        let late = isLate(sale, new)
        if late, let share = sale.new { try Self.writeLate(sale, share, &writer, &rows) }
        if sale.old != sale.new { try change(sale, old, new, isLate: late) }
        try note(sale.policy, of: home, sale.origin)
        guard let policy = sale.policy else { return }
        if sale.origin.movesClocks {
            try moveClocks(sale, home, policy)
        } else if !stores[home].hasRow {
            stores[home].take(policy, sale.origin)
            noteIdle(home)
        }
    }

    /// Place of a store in `stores`; it is made when it is new.
    private mutating func number(_ source: ByteString, _ key: ByteString, _ origin: Origin) -> Int {
        let name = NaturalName(source: source, key: key)
        if let number = numbers[name] { return number }
        numbers[name] = stores.count
        places += 1
        stores.append(Store(name: name, topic: origin.topic))
        return stores.count - 1
    }

    /// The store of a share; that of the sale without one.
    private mutating func number(_ share: WindowShare?, _ sale: WindowSale, _ home: Int) -> Int {
        guard let share, share.store != sale.store else { return home }
        return number(sale.source, share.store, sale.origin)
    }

    /// Behind the watermark, and not only a correction of what its document put there before.
    private func isLate(_ sale: WindowSale, _ store: Int) -> Bool {
        guard sale.wins, let policy = sale.policy, let new = sale.new else { return false }
        let isCorrection =
            sale.old.map { $0.store == new.store && $0.start == new.start && $0.currency == new.currency } ?? false
        return !isCorrection && isClosed(new, store, policy)
    }

    private func isClosed(_ share: WindowShare, _ store: Int, _ policy: WindowPolicy?) -> Bool {
        let length = policy?.length ?? stores[store].length
        let lateness = policy?.lateness ?? stores[store].lateness
        return share.start + length + lateness <= stores[store].watermark
    }

    /// What a sale changes in one window.
    private struct Change {
        var gross: Int128, count: Int64
        var isLate = false
        var order = WindowRevisions.Order.oldShare
    }

    /// - Parameters:
    ///   - oldStore: Store of the old share.
    ///   - newStore: Store of the new one.
    private mutating func change(_ sale: WindowSale, _ oldStore: Int, _ newStore: Int, isLate: Bool) throws {
        if let old = sale.old {
            if let new = sale.new, old.store == new.store, old.start == new.start, old.currency == new.currency {
                return try change(sale, old, oldStore, Change(gross: new.gross - old.gross, count: 0))
            }
            try change(sale, old, oldStore, Change(gross: -old.gross, count: -1))
        }
        guard let new = sale.new else { return }
        let order = sale.old == nil ? WindowRevisions.Order.oldShare : .newShare
        try change(sale, new, newStore, Change(gross: new.gross, count: 1, isLate: isLate, order: order))
    }

    private mutating func change(_ sale: WindowSale, _ share: WindowShare, _ store: Int, _ change: Change) throws {
        try note(sale.policy, of: store, sale.origin)
        let isClosed = isClosed(share, store, sale.policy)
        let length = sale.policy?.length ?? stores[store].length
        if !isClosed {
            let at = open(store, Place(start: share.start, currency: share.currency))
            if stores[store].hasOnePolicy {
                stores[store].open[at].gross += change.gross
                stores[store].open[at].count += change.count
                stores[store].open[at].end = share.start + length
                return
            }
        }
        try revisions.change(
            stores[store].name,
            start: share.start,
            currency: share.currency,
            end: share.start + length,
            gross: change.gross,
            count: change.count,
            isClosed: isClosed,
            isLate: change.isLate,
            change.order,
            sale.origin
        )
    }

    /// A window that was published under another policy is opened here too: the revisions know better and ignore it.
    /// Returns its index in `open`.
    private mutating func open(_ store: Int, _ place: Place) -> Int {
        let at = stores[store].open.firstIndex { place <= $0.place } ?? stores[store].open.count
        if at < stores[store].open.count, stores[store].open[at].place == place { return at }
        stores[store].open.insert(Open(place: place), at: at)
        places += 1
        if stores[store].hasRow { noteIdle(store) }
        return at
    }

    /// Sales of one store under two policies are rare: a changed contract.
    private mutating func note(_ policy: WindowPolicy?, of store: Int, _ origin: Origin) throws(ProofError) {
        guard let policy, stores[store].hasOnePolicy else { return }
        guard let known = stores[store].policy else { return stores[store].policy = policy }
        if known.length == policy.length, known.lateness == policy.lateness { return }
        for index in stores[store].open.indices {
            try sum(stores[store].name, stores[store].open[index], .sumBeforeIdle, origin)
            stores[store].open[index] = Open(place: stores[store].open[index].place)
        }
        stores[store].hasOnePolicy = false
    }

    /// Hands what was summed to the revisions.
    private mutating func sum(
        _ name: NaturalName,
        _ open: Open,
        _ order: WindowRevisions.Order,
        _ origin: Origin
    ) throws(ProofError) {
        guard open.end != 0 else { return }
        try revisions.change(
            name,
            start: open.place.start,
            currency: open.place.currency,
            end: open.end,
            gross: open.gross,
            count: open.count,
            isClosed: false,
            isLate: false,
            order,
            origin
        )
    }

    /// Behind every record.
    private static let end = Origin(
        sequence: .max,
        arrival: .max,
        offset: 0,
        receivedAt: 0,
        run: 0,
        topic: 0,
        sender: "",
        movesClocks: false
    )

    private mutating func noteIdle(_ store: Int) {
        guard let next = stores[store].nextIdle else { return }
        idleFrom[stores[store].topic] = min(idleFrom[stores[store].topic] ?? .max, next)
    }

    private mutating func moveClocks(_ sale: WindowSale, _ home: Int, _ policy: WindowPolicy) throws {
        places -= stores[home].clocks.count
        stores[home].hear(sale, policy)
        places += stores[home].clocks.count
        while let open = stores[home].open.first, stores[home].passed(open) <= stores[home].watermark {
            stores[home].open.removeFirst()
            places -= 1
            try publish(stores[home].name, open, .watermark, sale.origin)
        }
        noteIdle(home)
    }

    private mutating func publish(
        _ name: NaturalName,
        _ open: Open,
        _ cause: WindowCause,
        _ origin: Origin
    ) throws(ProofError) {
        try sum(name, open, cause == .idle ? .sumBeforeIdle : .sumBeforeWatermark, origin)
        try revisions.publish(name, start: open.place.start, currency: open.place.currency, cause, origin)
    }

    // MARK: Rows

    private static let watermark = TableShape.of(RetailTables.storeWatermark)
    private static let clock = TableShape.of(RetailTables.storeClock)
    private static let late = TableShape.of(RetailTables.lateSale)

    private static func write(
        _ store: Store,
        _ topic: ByteString,
        _ writer: inout RowWriter,
        _ rows: inout RowSink
    ) throws(ProofError) {
        let name = store.name
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
        _ rows: inout RowSink
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
