package import Ports
package import Primitives
package import RetailModel
package import Tables

/// The live fold: refined records in, changes of tables out.
///
/// A batch is gathered (which rows are needed), looked up, applied in memory over an overlay, and turned into one
/// change set; the store commits it with the positions. The result does not depend on the order of records, on how
/// they are batched, or on duplicates (spec model 1.8). Single owner. After a failed commit call ``forget()``.
package struct RetailFold {
    /// What a batch did, for metrics.
    package struct Tally: Sendable, Equatable {
        package var received: Int64 = 0, distinct: Int64 = 0, duplicates: Int64 = 0, quarantined: Int64 = 0
        package var parked: Int64 = 0
        package var current: Int64 = 0, superseded: Int64 = 0, conflicting: Int64 = 0

        var values: [Int128] {
            [received, distinct, duplicates, quarantined, parked, current, superseded, conflicting].map { Int128($0) }
        }
    }

    var stores = RowCache<StoreRow>()
    var categories = RowCache<Int64>()
    var countries = RowCache<Int64>()
    var runs = RowCache<Int64>()
    var customers = RowCache<CustomerRow>()
    var products = RowCache<ProductRow>()
    var menus = Menus()
    /// Reference records that are known to be there; what is missing is asked for again by each batch.
    var known: Set<ReferenceKey> = []
    var windows = WindowFold()
    var senders = SenderFold()
    var nextDocument: Int64 = 1, nextLine: Int64 = 1, nextQuarantine: Int64 = 1
    private var detailIDs = DetailIDs()
    private var isPrimed = false

    /// Reference keys that are remembered between batches: about 200 bytes each, so 20 MB at the most.
    static var knownMax: Int { 100_000 }

    package init() {}

    /// Drops everything remembered; the next batch reads it again.
    package mutating func forget() { self = RetailFold() }

    /// Folds a batch.
    ///
    /// - Returns: The changes to commit with the positions after the last record, and what happened by run (empty name:
    ///   by feed).
    package mutating func apply(
        _ records: [RefinedRecord],
        from source: any TableStore
    ) throws(TableStoreError) -> (changes: ChangeSet, tally: Tally) {
        try prime(source)
        var batch = FoldBatch()
        try gather(records, source, &batch)
        try applyReferences(records, source, &batch)
        let span = records.span
        for index in span.indices { apply(span[index], batch.referenceTallies[index], &batch) }
        return try finish(&batch, source)
    }

    /// Topics whose windows wait for receipt time to pass, and the time from which a record should say that it has.
    package var waiting: [ByteString: Int64] { windows.waiting }

    /// Turns the overlay into changes.
    mutating func finish(
        _ batch: inout FoldBatch,
        _ source: any TableStore
    ) throws(TableStoreError) -> (changes: ChangeSet, tally: Tally) {
        book(&batch)
        try batch.loadMovedDocuments(source)
        try menus.load(batch.menusOfCountedDocuments(), source)
        var changes = batch.changes(menus, &detailIDs)
        windows.take(into: &changes)
        senders.take(into: &changes)
        addReferenceRows(&changes, batch)
        var tally = Tally()
        for (key, part) in batch.tallies {
            if key.isFeed { tally.add(part) }
            changes[(key.isFeed ? RetailTables.feedTotal : RetailTables.runTotal).name, default: TableChanges()]
                .additions[SumKey(key.id)] = part.values
        }
        return (changes, tally)
    }

    mutating func prime(_ source: any TableStore) throws(TableStoreError) {
        if isPrimed { return }
        categories.nextID = try source.greatestID(of: RetailTables.category) + 1
        try windows.prime(source)
        try senders.prime(source)
        stores.nextID = try source.greatestID(of: RetailTables.store) + 1
        countries.nextID = try source.greatestID(of: RetailTables.country) + 1
        runs.nextID = try source.greatestID(of: RetailTables.run) + 1
        customers.nextID = try source.greatestID(of: RetailTables.customer) + 1
        products.nextID = try source.greatestID(of: RetailTables.product) + 1
        nextDocument = try source.greatestID(of: RetailTables.document) + 1
        nextLine = try source.greatestID(of: RetailTables.line) + 1
        nextQuarantine = try source.greatestID(of: RetailTables.quarantine) + 1
        detailIDs.history = try source.greatestID(of: RetailTables.statusHistory) + 1
        detailIDs.version = try source.greatestID(of: RetailTables.version) + 1
        isPrimed = true
    }

    // MARK: Gathering

    mutating func gather(
        _ records: [RefinedRecord],
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        var needs = FoldNeeds()
        // In a span: a copy of a record would count references to all its parts.
        let span = records.span
        for index in span.indices { needs.add(span[index]) }
        try load(RetailTables.store, needs.stores, &stores, source) { StoreRow($0) }
        try load(RetailTables.run, needs.runs, &runs, source) { $0[0].integer ?? 0 }
        try load(RetailTables.customer, needs.customers, &customers, source) { CustomerRow($0) }
        try load(RetailTables.product, needs.products, &products, source) { ProductRow($0) }
        try load(RetailTables.category, needs.categories, &categories, source) { $0[0].integer ?? 0 }
        let names = needs.countries.filter { countries[$0] == nil }.sorted { $0.key < $1.key }
        for (key, row) in zip(names, try source.rows(of: RetailTables.country, keys: names.map { [.text($0.key)] })) {
            if let row { countries.keep(key, row[0].integer ?? 0) }
        }
        try senders.load(needs.senders, source)
        menus.trim()
        if known.count > Self.knownMax { known.removeAll() }
        try findMissing(needs.references, source, &batch)
        let documents = needs.documents.keys.sorted { $0.key < $1.key }
        let found = try source.rows(of: RetailTables.document, keys: documents.map(\.cells))
        var touched: Set<WindowKey> = []
        for (key, cells) in zip(documents, found) {
            guard let cells else { continue }
            let state = DocumentState(stored: DocumentRow(cells))
            if let share = WindowShare(state.row) { touched.insert(share.key) }
            batch.documents[key] = state
            try batch.loadLines(key, identities: needs.documents[key], source)
        }
        for need in needs.windows {
            if let store = stores[need.store]?.id {
                touched.insert(WindowKey(storeID: store, start: need.start, currency: need.currency))
            }
        }
        try windows.load(touched, source)
        try batch.loadQuarantine(needs.quarantined, source)
        try batch.loadParked(records, source)
    }

    /// Which of the needed reference records are not there.
    private mutating func findMissing(
        _ references: Set<ReferenceKey>,
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        for key in references where !known.contains(key) {
            var found: [[Cell]] = []
            switch key.entity {
            case .customer, .store:
                let prefix: [Cell] = [.integer(key.entity.rawValue), .text(key.source), .text(key.key)]
                found = try source.rows(
                    of: RetailTables.referenceVersion,
                    index: nil,
                    prefix: prefix,
                    range: nil,
                    limit: 1
                )
            case .product:
                guard let store = stores[NaturalKey(key.source, key.store)]?.id,
                    let product = products[NaturalKey(key.source, key.key)]?.id
                else { break }
                found = try source.rows(
                    of: RetailTables.menuItem,
                    index: nil,
                    prefix: [.integer(store), .integer(product)],
                    range: nil,
                    limit: 1
                )
            }
            if found.isEmpty { batch.missing.insert(key) } else { known.insert(key) }
        }
    }

    private func load<Row>(
        _ table: TableDeclaration,
        _ keys: Set<NaturalKey>,
        _ cache: inout RowCache<Row>,
        _ source: any TableStore,
        _ decode: ([Cell]) -> Row
    ) throws(TableStoreError) {
        cache.trim()
        let missing = keys.filter { cache[$0] == nil }.sorted { $0.key < $1.key }
        if missing.isEmpty { return }
        for (key, row) in zip(missing, try source.rows(of: table, keys: missing.map(\.cells))) {
            if let row { cache.keep(key, decode(row)) }
        }
    }

    // MARK: Reference rows

    mutating func storeID(
        _ source: ByteString,
        _ key: ByteString,
        name: ByteString? = nil,
        zone: ByteString,
        at time: Int64 = 0
    ) -> Int64 {
        stores.update(NaturalKey(source, key)) { id in
            StoreRow(id: id, source: source, key: key, timeZone: zone)
        } body: { row, isNew in
            (row.name.offer(name, at: time) || isNew, row.id)
        }
    }

    mutating func categoryID(_ source: ByteString, _ name: ByteString, _ batch: inout FoldBatch) -> Int64 {
        categories.id(of: NaturalKey(source, name)) { id in
            batch.newRows[RetailTables.category.name, default: []].append([.integer(id), .text(source), .text(name)])
        }
    }

    mutating func countryID(_ name: ByteString, _ batch: inout FoldBatch) -> Int64 {
        countries.id(of: NaturalKey("", name)) { id in
            batch.newRows[RetailTables.country.name, default: []].append([.integer(id), .text(name)])
        }
    }

    mutating func runID(_ feed: ByteString, _ name: ByteString, _ batch: inout FoldBatch) -> Int64 {
        runs.id(of: NaturalKey(feed, name)) { id in
            batch.newRows[RetailTables.run.name, default: []].append([.integer(id), .text(feed), .text(name)])
        }
    }

    mutating func customerID(
        _ source: ByteString,
        _ key: ByteString,
        name: ByteString?,
        country: ByteString?,
        login: ByteString? = nil,
        at time: Int64
    ) -> Int64 {
        let natural = NaturalKey(source, key)
        return customers.update(natural) { id in
            CustomerRow(id: id, source: source, key: key)
        } body: { row, isNew in
            var changed = isNew
            if row.name.offer(name, at: time) { changed = true }
            if row.country.offer(country, at: time) { changed = true }
            if row.login.offer(login, at: time) { changed = true }
            return (changed, row.id)
        }
    }

    mutating func productID(
        _ source: ByteString,
        _ key: ByteString,
        description: ByteString?,
        rank: DescriptionRank,
        isMerchandise: Bool,
        at time: Int64
    ) -> Int64 {
        let natural = NaturalKey(source, key)
        return products.update(natural) { id in
            ProductRow(id: id, source: source, key: key)
        } body: { row, isNew in
            var changed = isNew
            // One event that says it is no merchandise is enough, whenever it comes.
            if !isMerchandise, row.isMerchandise {
                row.isMerchandise = false
                changed = true
            }
            if row.describe(description, at: time, rank: rank) { changed = true }
            return (changed, row.id)
        }
    }

    private mutating func addReferenceRows(_ changes: inout ChangeSet, _ batch: FoldBatch) {
        func put(_ table: TableDeclaration, _ rows: [[Cell]]) {
            if !rows.isEmpty { changes[table.name, default: TableChanges()].upserts += rows }
        }
        put(RetailTables.store, stores.takeChanged().sorted { $0.id < $1.id }.map(\.cells))
        put(RetailTables.customer, customers.takeChanged().sorted { $0.id < $1.id }.map(\.cells))
        put(RetailTables.product, products.takeChanged().sorted { $0.id < $1.id }.map(\.cells))
        put(RetailTables.menuItem, batch.changedMenus.sorted().flatMap { menus[$0].map(\.cells) })
        // Their ids are given by the store: asked for again when they are needed.
        for key in batch.changedMenus { menus.forget(key) }
        for (key, versions) in batch.entities {
            let rows = versions.filter(\.isChanged).map { one in
                [Cell(one.id)] + key.cells + [
                    .integer(one.versionAt), .blob(one.hash), .integer(one.standing.rawValue), .integer(one.offset),
                ]
            }
            put(RetailTables.referenceVersion, rows)
        }
    }
}

extension RetailFold.Tally {
    package mutating func add(_ other: Self) {
        received += other.received
        distinct += other.distinct
        duplicates += other.duplicates
        quarantined += other.quarantined
        parked += other.parked
        current += other.current
        superseded += other.superseded
        conflicting += other.conflicting
    }
}
