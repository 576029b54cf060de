import Primitives
import RetailModel
import Tables

/// Typed rows of windows, clocks, menus and senders.
struct WindowKey: Hashable, Comparable {
    var storeID: Int64
    var start: Int64
    var currency: Int64

    var cells: [Cell] { [.integer(storeID), .integer(start), .integer(currency)] }

    static func < (a: Self, b: Self) -> Bool {
        (a.storeID, a.start, a.currency) < (b.storeID, b.start, b.currency)
    }
}

struct WindowRow: Equatable {
    var id: Int64
    var key: WindowKey
    var end: Int64
    var total: Int128 = 0
    var count: Int64 = 0
    /// 0 while it is open.
    var revision: Int64 = 0
    var lateCount: Int64 = 0

    init(id: Int64, key: WindowKey, end: Int64) {
        self.id = id
        self.key = key
        self.end = end
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        key = WindowKey(storeID: c[1].integer ?? 0, start: c[2].integer ?? 0, currency: c[3].integer ?? 0)
        end = c[4].integer ?? 0
        total = c[5].wide
        count = c[6].integer ?? 0
        revision = c[7].integer ?? 0
        lateCount = c[8].integer ?? 0
    }

    var cells: [Cell] {
        [
            .integer(id), .integer(key.storeID), .integer(key.start), .integer(key.currency), .integer(end),
            .wide(total), .integer(count), .integer(revision), .integer(lateCount),
        ]
    }
}

/// How far a store has come.
struct WatermarkRow: Equatable {
    var id: Int64
    var storeID: Int64
    var watermark: Int64 = .min / 2
    var receivedAt: Int64 = .min / 2
    var length: Int64 = 0, lateness: Int64 = 0, idle: Int64 = 0
    var topic: ByteString = ""

    init(id: Int64, storeID: Int64) {
        self.id = id
        self.storeID = storeID
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        storeID = c[1].integer ?? 0
        watermark = c[2].integer ?? 0
        receivedAt = c[3].integer ?? 0
        length = c[4].integer ?? 0
        lateness = c[5].integer ?? 0
        idle = c[6].integer ?? 0
        topic = c[7].bytes ?? ""
    }

    /// What the latest sale of the store says of how its windows close.
    mutating func take(_ policy: WindowPolicy, _ record: RefinedRecord) {
        receivedAt = max(receivedAt, record.receivedAt.micros)
        length = policy.length
        lateness = policy.lateness
        idle = policy.idle
        topic = record.topic
    }

    /// Receipt time from which idleness closes an open window: the store sent nothing for so long, and the window has
    /// ended by receipt time too.
    func idleEnd(of key: WindowKey) -> Int64 { max(receivedAt + idle, key.start + length + lateness) }

    var cells: [Cell] {
        [
            .integer(id), .integer(storeID), .integer(watermark), .integer(receivedAt), .integer(length),
            .integer(lateness), .integer(idle), .text(topic),
        ]
    }
}

struct ClockRow: Equatable {
    var id: Int64
    var storeID: Int64
    var sender: ByteString
    var eventMax: Int64
    var receivedAt: Int64

    init(id: Int64, storeID: Int64, sender: ByteString, eventMax: Int64, receivedAt: Int64) {
        self.id = id
        self.storeID = storeID
        self.sender = sender
        self.eventMax = eventMax
        self.receivedAt = receivedAt
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        storeID = c[1].integer ?? 0
        sender = c[2].bytes ?? ""
        eventMax = c[3].integer ?? 0
        receivedAt = c[4].integer ?? 0
    }

    var cells: [Cell] {
        [.integer(id), .integer(storeID), .text(sender), .integer(eventMax), .integer(receivedAt)]
    }
}

/// One validity start of a product on the menu of a store.
struct MenuRow: Equatable {
    var id: Int64?
    var storeID: Int64, productID: Int64
    var validFrom: Int64
    var name: ByteString
    var categoryID: Int64
    var price: Int64
    var contentHash: ByteString
    var isWinner: Bool

    init(
        storeID: Int64,
        productID: Int64,
        validFrom: Int64,
        item: ReferenceEvent.MenuItem,
        categoryID: Int64,
        contentHash: ByteString
    ) {
        self.storeID = storeID
        self.productID = productID
        self.validFrom = validFrom
        name = item.name
        self.categoryID = categoryID
        price = item.price
        self.contentHash = contentHash
        isWinner = false
    }

    init(_ c: [Cell]) {
        id = c[0].integer
        storeID = c[1].integer ?? 0
        productID = c[2].integer ?? 0
        validFrom = c[3].integer ?? 0
        name = c[4].bytes ?? ""
        categoryID = c[5].integer ?? 0
        price = c[6].integer ?? 0
        contentHash = c[7].bytes ?? ""
        isWinner = c[8].integer == 1
    }

    var cells: [Cell] {
        [
            Cell(id), .integer(storeID), .integer(productID), .integer(validFrom), .text(name), .integer(categoryID),
            .integer(price), .blob(contentHash), .integer(isWinner ? 1 : 0),
        ]
    }
}

struct SenderRow: Equatable {
    var id: Int64
    var feed: ByteString, name: ByteString, epoch: ByteString
    var records: Int64 = 0
    var firstSeen: Int64, lastSeen: Int64
    var eventMax: Int64?, delayMin: Int64?
    /// Gaps below this number may not be listed; nil while all are.
    var gapsFrom: Int64?
    /// The first number in a gap that is not listed any more.
    var hiddenFrom: Int64?

    init(id: Int64, feed: ByteString, name: ByteString, epoch: ByteString, seen: Int64) {
        self.id = id
        self.feed = feed
        self.name = name
        self.epoch = epoch
        firstSeen = seen
        lastSeen = seen
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        feed = c[1].bytes ?? ""
        name = c[2].bytes ?? ""
        epoch = c[3].bytes ?? ""
        records = c[4].integer ?? 0
        firstSeen = c[5].integer ?? 0
        lastSeen = c[6].integer ?? 0
        eventMax = c[7].integer
        delayMin = c[8].integer
        gapsFrom = c[9].integer
        hiddenFrom = c[10].integer
    }

    var cells: [Cell] {
        [
            .integer(id), .text(feed), .text(name), .text(epoch), .integer(records), .integer(firstSeen),
            .integer(lastSeen), Cell(eventMax), Cell(delayMin), Cell(gapsFrom), Cell(hiddenFrom),
        ]
    }
}

/// A maximal range of sequence numbers that arrived.
struct SequenceRange: Equatable {
    /// Nil until it is stored.
    var id: Int64?
    var low: Int64, high: Int64
    var eventMax: Int64?
}
