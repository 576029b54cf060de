import Primitives
import RetailModel
import Tables

/// Typed rows of the state tables that the folds read and write.
struct StoreRow: Equatable {
    var id: Int64
    var source: ByteString, key: ByteString
    var name = Attribute()
    var timeZone: ByteString

    init(id: Int64, source: ByteString, key: ByteString, timeZone: ByteString) {
        self.id = id
        self.source = source
        self.key = key
        self.timeZone = timeZone
    }

    init(_ cells: [Cell]) {
        id = cells[0].integer ?? 0
        source = cells[1].bytes ?? ""
        key = cells[2].bytes ?? ""
        name = Attribute(cells[3], at: cells[4])
        timeZone = cells[5].bytes ?? ""
    }

    var cells: [Cell] {
        [.integer(id), .text(source), .text(key), Cell(text: name.value), Cell(name.at), .text(timeZone)]
    }
}

struct CustomerRow: Equatable {
    var id: Int64
    var source: ByteString, key: ByteString
    var name = Attribute(), country = Attribute(), login = Attribute()

    init(id: Int64, source: ByteString, key: ByteString) {
        self.id = id
        self.source = source
        self.key = key
    }

    init(_ cells: [Cell]) {
        id = cells[0].integer ?? 0
        source = cells[1].bytes ?? ""
        key = cells[2].bytes ?? ""
        name = Attribute(cells[3], at: cells[4])
        country = Attribute(cells[5], at: cells[6])
        login = Attribute(cells[7], at: cells[8])
    }

    var cells: [Cell] {
        [
            .integer(id), .text(source), .text(key), Cell(text: name.value), Cell(name.at), Cell(text: country.value),
            Cell(country.at), Cell(text: login.value), Cell(login.at),
        ]
    }
}

/// What may say how a product is called; the greater wins, whenever it comes. Notes about the stock ("damaged") stand on
/// lines without a price, so such lines name a product only while nothing else does.
enum DescriptionRank: Int64, Comparable {
    case otherLine = 0, pricedLine = 1, menu = 2

    init(_ line: LineEvent) { self = line.kind == .gross && line.unitPrice > 0 ? .pricedLine : .otherLine }

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

struct ProductRow: Equatable {
    var id: Int64
    var source: ByteString, key: ByteString
    private var description = Attribute()
    /// Of what the description is.
    private var rank = DescriptionRank.otherLine
    var isMerchandise = true

    init(id: Int64, source: ByteString, key: ByteString) {
        self.id = id
        self.source = source
        self.key = key
    }

    init(_ cells: [Cell]) {
        id = cells[0].integer ?? 0
        source = cells[1].bytes ?? ""
        key = cells[2].bytes ?? ""
        description = Attribute(cells[3], at: cells[4])
        rank = DescriptionRank(rawValue: cells[5].integer ?? 0) ?? .otherLine
        isMerchandise = cells[6].integer != 0
    }

    /// Takes a description if it wins; true when it did. Of one rank the latest wins.
    mutating func describe(_ text: ByteString?, at time: Int64, rank new: DescriptionRank) -> Bool {
        if new == rank { return description.offer(text, at: time) }
        guard new > rank else { return false }
        var named = Attribute()
        guard named.offer(text, at: time) else { return false }
        description = named
        rank = new
        return true
    }

    var cells: [Cell] {
        [
            .integer(id), .text(source), .text(key), Cell(text: description.value), Cell(description.at),
            .integer(rank.rawValue), .integer(isMerchandise ? 1 : 0),
        ]
    }
}

struct DocumentRow: Equatable {
    var id: Int64
    var source: ByteString, key: ByteString
    var type = DocumentType.sale
    var storeID: Int64
    var customerID: Int64?
    /// Its key in the source.
    var customer = Attribute()
    var countryID: Int64 = 0
    var country = Attribute()
    var status = SaleStatus.closed
    var occurredAt: Int64?
    var day: Int64?
    var currency: Int64
    var gross: Int128 = 0, returns: Int128 = 0, adjustments: Int128 = 0
    var grossLines: Int64 = 0, returnLines: Int64 = 0, adjustmentLines: Int64 = 0
    var units: Int64 = 0
    var versionAt: Int64 = 0
    var secondVersionAt: Int64 = 0
    var contentHash: ByteString?
    var reportedTotal: Int64?
    var cashier: ByteString?
    var paymentMethod: ByteString?
    var paid: Int64?, bonusPayment: Int64?, bonusGranted: Int64?, loyaltyPoints: Int64?
    var receiptID: ByteString?
    var receiptAt: Int64?, receiptTotal: Int64?
    var receiptMethod: ByteString?, receiptDocument: ByteString?
    var flags: Int64 = 0
    var traits: DocumentTraits = []
    var windowStart: Int64?
    var offset: Int64 = 0

    init(id: Int64, source: ByteString, key: ByteString, storeID: Int64, currency: Int64) {
        self.id = id
        self.source = source
        self.key = key
        self.storeID = storeID
        self.currency = currency
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        source = c[1].bytes ?? ""
        key = c[2].bytes ?? ""
        type = DocumentType(rawValue: c[3].integer ?? 0) ?? .sale
        storeID = c[4].integer ?? 0
        customerID = c[5].integer
        customer = Attribute(c[7], at: c[6])
        countryID = c[8].integer ?? 0
        country = Attribute(c[9], at: c[10])
        status = SaleStatus(rawValue: c[11].integer ?? 0) ?? .closed
        occurredAt = c[12].integer
        day = c[13].integer
        currency = c[14].integer ?? 0
        gross = c[15].wide
        returns = c[16].wide
        adjustments = c[17].wide
        grossLines = c[18].integer ?? 0
        returnLines = c[19].integer ?? 0
        adjustmentLines = c[20].integer ?? 0
        units = c[21].integer ?? 0
        versionAt = c[22].integer ?? 0
        contentHash = c[23].bytes
        reportedTotal = c[24].integer
        cashier = c[25].bytes
        paymentMethod = c[26].bytes
        paid = c[27].integer
        bonusPayment = c[28].integer
        bonusGranted = c[29].integer
        loyaltyPoints = c[30].integer
        receiptID = c[31].bytes
        receiptAt = c[32].integer
        receiptTotal = c[33].integer
        receiptMethod = c[34].bytes
        receiptDocument = c[35].bytes
        flags = c[36].integer ?? 0
        traits = DocumentTraits(rawValue: c[37].integer ?? 0)
        windowStart = c[38].integer
        offset = c[39].integer ?? 0
        secondVersionAt = c[40].integer ?? 0
    }

    var cells: [Cell] {
        [
            .integer(id), .text(source), .text(key), .integer(type.rawValue), .integer(storeID), Cell(customerID),
            Cell(customer.at), Cell(text: customer.value), .integer(countryID), Cell(text: country.value),
            Cell(country.at),
            .integer(status.rawValue), Cell(occurredAt), Cell(day), .integer(currency), .wide(gross), .wide(returns),
            .wide(adjustments), .integer(grossLines), .integer(returnLines), .integer(adjustmentLines),
            .integer(units), .integer(versionAt), contentHash.map { .blob($0) } ?? .null, Cell(reportedTotal),
            Cell(text: cashier), Cell(text: paymentMethod), Cell(paid), Cell(bonusPayment), Cell(bonusGranted),
            Cell(loyaltyPoints), Cell(text: receiptID), Cell(receiptAt), Cell(receiptTotal), Cell(text: receiptMethod),
            Cell(text: receiptDocument), .integer(flags), .integer(traits.rawValue), Cell(windowStart),
            .integer(offset), .integer(secondVersionAt),
        ]
    }

    /// What the current version of a whole document was ranked by; nil when it is what its lines say.
    var rank: VersionRank? {
        contentHash.map {
            VersionRank(versionAt: versionAt, secondAt: secondVersionAt, progress: status.progress, hash: $0)
        }
    }

    var lineCount: Int64 { grossLines + returnLines + adjustmentLines }
}

struct LineRow: Equatable {
    var id: Int64
    var documentID: Int64
    var identity: ByteString
    var productID: Int64
    var kind: LineKind
    var occurredAt: Int64
    var day: Int64, hour: Int64
    var quantity: Int64, unitPrice: Int64, amount: Int64
    var reportedAmount: Int64?
    var currency: Int64
    var description: ByteString?
    var flags: Int64
    var rawTime: ByteString
    var versionAt: Int64
    var contentHash: ByteString
    var offset: Int64

    init(id: Int64, documentID: Int64, productID: Int64, event: LineEvent, offset: Int64) {
        self.id = id
        self.documentID = documentID
        self.productID = productID
        self.offset = offset
        identity = event.identity
        kind = event.kind
        occurredAt = event.occurredAt.micros
        day = event.day
        hour = event.hour
        quantity = event.quantity
        unitPrice = event.unitPrice
        amount = event.amount
        reportedAmount = event.reportedAmount
        currency = Int64(event.currency.code)
        description = event.description
        flags = event.flags.rawValue
        rawTime = event.rawTime
        versionAt = event.versionAt
        contentHash = ByteString(event.contentHash.bytes)
    }

    init(_ c: [Cell]) {
        id = c[0].integer ?? 0
        documentID = c[1].integer ?? 0
        identity = c[2].bytes ?? ""
        productID = c[3].integer ?? 0
        kind = LineKind(rawValue: c[4].integer ?? 0) ?? .gross
        occurredAt = c[5].integer ?? 0
        day = c[6].integer ?? 0
        hour = c[7].integer ?? 0
        quantity = c[8].integer ?? 0
        unitPrice = c[9].integer ?? 0
        amount = c[10].integer ?? 0
        reportedAmount = c[11].integer
        currency = c[12].integer ?? 0
        description = c[13].bytes
        flags = c[14].integer ?? 0
        rawTime = c[15].bytes ?? ""
        versionAt = c[16].integer ?? 0
        contentHash = c[17].bytes ?? ""
        offset = c[18].integer ?? 0
    }

    var rank: VersionRank { VersionRank(versionAt: versionAt, secondAt: 0, progress: 0, hash: contentHash) }

    var cells: [Cell] {
        [
            .integer(id), .integer(documentID), .blob(identity), .integer(productID), .integer(kind.rawValue),
            .integer(occurredAt), .integer(day), .integer(hour), .integer(quantity), .integer(unitPrice),
            .integer(amount), Cell(reportedAmount), .integer(currency), Cell(text: description), .integer(flags),
            .text(rawTime), .integer(versionAt), .blob(contentHash), .integer(offset),
        ]
    }
}
