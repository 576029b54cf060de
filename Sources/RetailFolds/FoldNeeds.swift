import Primitives
import RetailModel
import Tables

/// The natural keys that a batch touches.
struct FoldNeeds {
    var stores: Set<NaturalKey> = []
    var countries: Set<NaturalKey> = []
    var runs: Set<NaturalKey> = []
    var customers: Set<NaturalKey> = []
    var products: Set<NaturalKey> = []
    /// Per document the line identities; nil when all lines are needed.
    var documents: [NaturalKey: Set<ByteString>?] = [:]
    var categories: Set<NaturalKey> = []
    var senders: Set<NaturalKey> = []
    var references: Set<ReferenceKey> = []
    var windows: Set<WindowNeed> = []
    /// Entries of quarantine, present or to be.
    var quarantined: Set<RecordKey> = []

    /// A turnover window whose store may not have an id yet.
    struct WindowNeed: Hashable {
        var store: NaturalKey
        var start: Int64
        var currency: Int64
    }

    /// What was added last: neighbours in a feed share their run, store, customer and country.
    private var lastFeed: ByteString?, lastRun: ByteString?
    private var lastStore: NaturalKey?, lastCustomer: NaturalKey?, lastCountry: ByteString?

    mutating func add(_ record: RefinedRecord) {
        if lastFeed != record.feed || lastRun != record.run {
            lastFeed = record.feed
            lastRun = record.run
            runs.insert(NaturalKey(record.feed, ""))
            if !record.run.isEmpty { runs.insert(NaturalKey(record.feed, record.run)) }
        }
        if !record.sender.isEmpty { senders.insert(NaturalKey(senderOf: record)) }
        if record.action == .redrive || record.action == .discard { quarantined.insert(RecordKey(record)) }
        switch record.outcome {
        case .quarantined: quarantined.insert(RecordKey(record))
        case .tick: break
        case .accepted(.line(let line)):
            let key = NaturalKey(line.source, line.document)
            if case .some(nil) = documents[key] {} else { documents[key, default: []]?.insert(line.identity) }
            add(line.source, line.store, line.customer, line.country, line.product)
        case .accepted(.reference(let event)):
            if event.entity == .customer { customers.insert(NaturalKey(event.source, event.key)) }
            if event.entity == .store { stores.insert(NaturalKey(event.source, event.key)) }
            for item in event.items {
                products.insert(NaturalKey(event.source, item.product))
                categories.insert(NaturalKey(event.source, item.category))
            }
        case .accepted(.sale(let sale)):
            documents.updateValue(nil, forKey: NaturalKey(sale.header.source, sale.header.document))
            add(sale.header.source, sale.header.store, sale.header.customer, sale.header.country, nil)
            for line in sale.lines { products.insert(NaturalKey(line.source, line.product)) }
            references.formUnion(sale.header.requires)
            if let start = sale.header.windowStart {
                let store = NaturalKey(sale.header.source, sale.header.store)
                windows.insert(
                    WindowNeed(store: store, start: start, currency: Int64(sale.header.currency.code))
                )
            }
        }
    }

    private mutating func add(
        _ source: ByteString,
        _ store: ByteString,
        _ customer: ByteString?,
        _ country: ByteString?,
        _ product: ByteString?
    ) {
        let storeKey = NaturalKey(source, store)
        if lastStore != storeKey {
            lastStore = storeKey
            stores.insert(storeKey)
        }
        if let customer, lastCustomer != NaturalKey(source, customer) {
            lastCustomer = NaturalKey(source, customer)
            customers.insert(NaturalKey(source, customer))
        }
        if let country, lastCountry != country {
            lastCountry = country
            countries.insert(NaturalKey("", country))
        }
        if let product { products.insert(NaturalKey(source, product)) }
    }
}
