import Primitives
package import RetailModel
package import Tables

/// The live fold: judged records in, changes of tables out.
///
/// A batch is gathered (which rows are needed), looked up, applied in memory over an overlay, and turned into one
/// change set; the store commits it with the positions. The result does not depend on the order of records, on how
/// they are batched, or on duplicates (spec model 1.8). Single owner. After a failed commit call ``forget()``.
package struct RetailFold {
    /// What a batch did, for metrics.
    package struct Tally: Sendable, Equatable {
        package var received: Int64 = 0, distinct: Int64 = 0, duplicates: Int64 = 0, quarantined: Int64 = 0
        package var current: Int64 = 0, superseded: Int64 = 0, conflicting: Int64 = 0

        var values: [Int128] {
            [received, distinct, duplicates, quarantined, 0, current, superseded, conflicting].map { Int128($0) }
        }
    }

    var stores = RowCache<Int64>()
    var countries = RowCache<Int64>()
    var runs = RowCache<Int64>()
    var customers = RowCache<CustomerRow>()
    var products = RowCache<ProductRow>()
    var nextDocument: Int64 = 1, nextLine: Int64 = 1, nextQuarantine: Int64 = 1
    private var isPrimed = false

    package init() {}

    /// Drops everything remembered; the next batch reads it again.
    package mutating func forget() { self = RetailFold() }

    /// Folds a batch.
    ///
    /// - Returns: The changes to commit with the positions after the last record, and what happened by run (empty name:
    ///   by feed).
    package mutating func apply<Source: FoldSource>(
        _ records: [JudgedRecord],
        from source: Source
    ) throws(Source.Failure) -> (changes: ChangeSet, tally: Tally) {
        try prime(source)
        var batch = FoldBatch()
        try gather(records, source, &batch)
        for index in records.indices { apply(records[index], &batch) }
        book(&batch)
        try batch.loadMovedDocuments(source)
        var changes = batch.changes()
        addReferenceRows(&changes)
        var tally = Tally()
        for (key, part) in batch.tallies {
            if key.isFeed { tally.add(part) }
            changes[(key.isFeed ? RetailTables.feedTotal : RetailTables.runTotal).name, default: TableChanges()]
                .additions[SumKey(key.id)] = part.values
        }
        return (changes, tally)
    }

    private mutating func prime<Source: FoldSource>(_ source: Source) throws(Source.Failure) {
        if isPrimed { return }
        stores.nextID = try source.greatestID(of: RetailTables.store) + 1
        countries.nextID = try source.greatestID(of: RetailTables.country) + 1
        runs.nextID = try source.greatestID(of: RetailTables.run) + 1
        customers.nextID = try source.greatestID(of: RetailTables.customer) + 1
        products.nextID = try source.greatestID(of: RetailTables.product) + 1
        nextDocument = try source.greatestID(of: RetailTables.document) + 1
        nextLine = try source.greatestID(of: RetailTables.line) + 1
        nextQuarantine = try source.greatestID(of: RetailTables.quarantine) + 1
        isPrimed = true
    }

    // MARK: Gathering

    private mutating func gather<Source: FoldSource>(
        _ records: [JudgedRecord],
        _ source: Source,
        _ batch: inout FoldBatch
    ) throws(Source.Failure) {
        var needs = FoldNeeds()
        for index in records.indices { needs.add(records[index]) }
        try load(RetailTables.store, needs.stores, &stores, source) { $0[0].integer ?? 0 }
        try load(RetailTables.run, needs.runs, &runs, source) { $0[0].integer ?? 0 }
        try load(RetailTables.customer, needs.customers, &customers, source) { CustomerRow($0) }
        try load(RetailTables.product, needs.products, &products, source) { ProductRow($0) }
        let names = needs.countries.filter { countries[$0] == nil }.sorted { $0.key < $1.key }
        for (key, row) in zip(names, try source.rows(of: RetailTables.country, keys: names.map { [.text($0.key)] })) {
            if let row { countries.keep(key, row[0].integer ?? 0) }
        }
        let documents = needs.documents.keys.sorted { $0.key < $1.key }
        let found = try source.rows(of: RetailTables.document, keys: documents.map(\.cells))
        for (key, cells) in zip(documents, found) {
            guard let cells else { continue }
            let state = DocumentState(stored: DocumentRow(cells))
            batch.documents[key] = state
            try batch.loadLines(key, identities: needs.documents[key], source)
        }
        try batch.loadQuarantine(needs.quarantined, source)
    }

    private func load<Row, Source: FoldSource>(
        _ table: TableDeclaration,
        _ keys: Set<NaturalKey>,
        _ cache: inout RowCache<Row>,
        _ source: Source,
        _ decode: ([Cell]) -> Row
    ) throws(Source.Failure) {
        cache.trim()
        let missing = keys.filter { cache[$0] == nil }.sorted { $0.key < $1.key }
        if missing.isEmpty { return }
        for (key, row) in zip(missing, try source.rows(of: table, keys: missing.map(\.cells))) {
            if let row { cache.keep(key, decode(row)) }
        }
    }

    // MARK: Reference rows

    mutating func storeID(_ source: ByteString, _ key: ByteString, zone: ByteString, _ batch: inout FoldBatch) -> Int64
    {
        let natural = NaturalKey(source, key)
        if let id = stores[natural] { return id }
        let id = stores.mintID()
        stores.keep(natural, id)
        batch.newRows[RetailTables.store.name, default: []].append(
            [.integer(id), .text(source), .text(key), .null, .null, .text(zone)])
        return id
    }

    mutating func countryID(_ name: ByteString, _ batch: inout FoldBatch) -> Int64 {
        let natural = NaturalKey("", name)
        if let id = countries[natural] { return id }
        let id = countries.mintID()
        countries.keep(natural, id)
        batch.newRows[RetailTables.country.name, default: []].append([.integer(id), .text(name)])
        return id
    }

    mutating func runID(_ feed: ByteString, _ name: ByteString, _ batch: inout FoldBatch) -> Int64 {
        let natural = NaturalKey(feed, name)
        if let id = runs[natural] { return id }
        let id = runs.mintID()
        runs.keep(natural, id)
        batch.newRows[RetailTables.run.name, default: []].append([.integer(id), .text(feed), .text(name)])
        return id
    }

    mutating func customerID(
        _ source: ByteString,
        _ key: ByteString,
        name: ByteString?,
        country: ByteString?,
        at time: Int64
    ) -> Int64 {
        let natural = NaturalKey(source, key)
        return customers.update(natural) { id in
            CustomerRow(id: id, source: source, key: key)
        } body: { row, isNew in
            var changed = isNew
            if wins(name, at: time, over: row.name, at: row.nameAt) {
                row.name = name
                row.nameAt = time
                changed = true
            }
            if wins(country, at: time, over: row.country, at: row.countryAt) {
                row.country = country
                row.countryAt = time
                changed = true
            }
            return (changed, row.id)
        }
    }

    mutating func productID(
        _ source: ByteString,
        _ key: ByteString,
        description: ByteString?,
        isMerchandise: Bool,
        at time: Int64
    ) -> Int64 {
        let natural = NaturalKey(source, key)
        return products.update(natural) { id in
            ProductRow(id: id, source: source, key: key)
        } body: { row, isNew in
            var changed = isNew
            if isNew { row.isMerchandise = isMerchandise }
            if wins(description, at: time, over: row.description, at: row.descriptionAt) {
                row.description = description
                row.descriptionAt = time
                changed = true
            }
            return (changed, row.id)
        }
    }

    private mutating func addReferenceRows(_ changes: inout ChangeSet) {
        let people = customers.takeChanged().sorted { $0.id < $1.id }.map(\.cells)
        if !people.isEmpty { changes[RetailTables.customer.name, default: TableChanges()].upserts += people }
        let goods = products.takeChanged().sorted { $0.id < $1.id }.map(\.cells)
        if !goods.isEmpty { changes[RetailTables.product.name, default: TableChanges()].upserts += goods }
    }
}

extension RetailFold.Tally {
    package mutating func add(_ other: Self) {
        received += other.received
        distinct += other.distinct
        duplicates += other.duplicates
        quarantined += other.quarantined
        current += other.current
        superseded += other.superseded
        conflicting += other.conflicting
    }
}

/// The natural keys that a batch touches.
struct FoldNeeds {
    var stores: Set<NaturalKey> = []
    var countries: Set<NaturalKey> = []
    var runs: Set<NaturalKey> = []
    var customers: Set<NaturalKey> = []
    var products: Set<NaturalKey> = []
    /// Per document the line identities; nil when all lines are needed.
    var documents: [NaturalKey: Set<ByteString>?] = [:]
    var quarantined: [QuarantineKey] = []
    /// What was added last: neighbours in a feed share their run, store, customer and country.
    private var lastFeed: ByteString?, lastRun: ByteString?
    private var lastStore: NaturalKey?, lastCustomer: NaturalKey?, lastCountry: ByteString?

    mutating func add(_ record: JudgedRecord) {
        if lastFeed != record.feed || lastRun != record.run {
            lastFeed = record.feed
            lastRun = record.run
            runs.insert(NaturalKey(record.feed, ""))
            if !record.run.isEmpty { runs.insert(NaturalKey(record.feed, record.run)) }
        }
        switch record.outcome {
        case .quarantined:
            quarantined.append(QuarantineKey(record))
        case .accepted(.line(let line)):
            let key = NaturalKey(line.source, line.document)
            if case .some(nil) = documents[key] {} else { documents[key, default: []]?.insert(line.identity) }
            add(line.source, line.store, line.customer, line.country, line.product)
        case .accepted(.reference), .tick: return
        case .accepted(.sale(let sale)):
            documents.updateValue(nil, forKey: NaturalKey(sale.header.source, sale.header.document))
            add(sale.header.source, sale.header.store, sale.header.customer, sale.header.country, nil)
            for line in sale.lines { products.insert(NaturalKey(line.source, line.product)) }
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
