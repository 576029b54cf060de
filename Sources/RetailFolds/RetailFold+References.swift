import Ports
import Primitives
import RetailModel
import Tables

/// A customer or store that reference records describe.
struct EntityKey: Hashable {
    var entity: ReferenceEntity
    var natural: NaturalKey

    init(_ event: ReferenceEvent) {
        entity = event.entity
        natural = NaturalKey(event.source, event.key)
    }

    var cells: [Cell] { [.integer(entity.rawValue)] + natural.cells }
}

/// One distinct reference record.
struct ReferenceVersion {
    enum Standing: Int64 {
        case current = 0, superseded = 1, conflicting = 2
    }

    var id: Int64?
    var versionAt: Int64
    var hash: ByteString
    var standing: Standing
    var offset: Int64
    var isChanged = false

    /// Of one version time the greatest hash wins; of the winners the latest is current.
    static func settle(_ versions: inout [Self]) {
        var winners: [Int64: ByteString] = [:]
        for one in versions { winners[one.versionAt] = max(winners[one.versionAt] ?? one.hash, one.hash) }
        let latest = winners.keys.max()
        for index in versions.indices {
            let one = versions[index]
            let standing: Standing =
                winners[one.versionAt] != one.hash ? .conflicting : one.versionAt == latest ? .current : .superseded
            if standing != one.standing {
                versions[index].standing = standing
                versions[index].isChanged = true
            }
        }
    }

    static func winner(_ versions: [Self], at versionAt: Int64) -> ByteString? {
        versions.first { $0.versionAt == versionAt && $0.standing != .conflicting }?.hash
    }
}

/// Reference records: names, logins and menus. They are applied before the other records of a batch, so that a sale
/// behind them in one batch finds what it needs; the tables are the same as in any other order (spec model 1.11).
extension RetailFold {
    mutating func applyReferences(
        _ records: [RefinedRecord],
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        var touched: [EntityKey: Set<Int64>] = [:]
        var arrived: [ReferenceKey] = []
        for index in records.indices {
            guard case .accepted(.reference(let event)) = records[index].outcome, batch.admits(records[index]) else {
                continue
            }
            let key = EntityKey(event)
            if batch.entities[key] == nil {
                batch.entities[key] = try source.rows(of: RetailTables.referenceVersion, prefix: key.cells).map {
                    ReferenceVersion(
                        id: $0[0].integer,
                        versionAt: $0[4].integer ?? 0,
                        hash: $0[5].bytes ?? "",
                        standing: .init(rawValue: $0[6].integer ?? 0) ?? .current,
                        offset: $0[7].integer ?? 0
                    )
                }
            }
            let tally = settleVersions(event, records[index], &batch)
            batch.referenceTallies[index] = tally
            try describe(event, isNew: tally.distinct > 0, source, &batch)
            guard tally.distinct > 0 else { continue }
            touched[key, default: []].insert(event.validFrom)
            arrived.append(ReferenceKey(event.entity, source: event.source, key: event.key))
            arrived += event.items.map {
                ReferenceKey(.product, source: event.source, key: $0.product, store: event.key)
            }
        }
        for (key, times) in touched where key.entity == .store { try settleMenu(key, times, source, &batch) }
        try batch.rebase.run(&menus, source, &batch.counters)
        try release(arrived, source, &batch)
    }

    private mutating func settleVersions(_ event: ReferenceEvent, _ record: RefinedRecord, _ batch: inout FoldBatch)
        -> Tally
    {
        var tally = Tally()
        let key = EntityKey(event)
        var versions = batch.entities[key] ?? []
        let hash = ByteString(event.contentHash.bytes)
        guard !versions.contains(where: { $0.versionAt == event.validFrom && $0.hash == hash }) else {
            tally.duplicates = 1
            return tally
        }
        for one in versions { tally.add(one.standing, -1) }
        versions.append(
            ReferenceVersion(
                id: nil,
                versionAt: event.validFrom,
                hash: hash,
                standing: .current,
                offset: record.offset,
                isChanged: true
            )
        )
        ReferenceVersion.settle(&versions)
        for one in versions { tally.add(one.standing, 1) }
        tally.distinct = 1
        batch.entities[key] = versions
        return tally
    }

    /// Attributes compete, whether the record is current or not; the menu of a new record is noted.
    private mutating func describe(
        _ event: ReferenceEvent,
        isNew: Bool,
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        guard event.entity == .store else {
            _ = customerID(
                event.source,
                event.key,
                name: event.name,
                country: nil,
                login: event.login,
                at: event.validFrom
            )
            return
        }
        let store = storeID(event.source, event.key, name: event.name, zone: event.timeZone, at: event.validFrom)
        guard isNew else { return }
        var items: [ByteString: ReferenceEvent.MenuItem] = [:]
        for item in event.items { items[item.product] = item }
        for item in items.values.sorted(by: { $0.product < $1.product }) {
            let product = productID(
                event.source,
                item.product,
                description: item.name,
                rank: .menu,
                isMerchandise: true,
                at: event.validFrom
            )
            let key = MenuKey(storeID: store, productID: product)
            try menus.load([key], source)
            if batch.rebase.before[key] == nil { batch.rebase.before[key] = menus[key] }
            menus[key].append(
                MenuRow(
                    storeID: store,
                    productID: product,
                    validFrom: event.validFrom,
                    item: item,
                    categoryID: categoryID(event.source, item.category, &batch),
                    contentHash: ByteString(event.contentHash.bytes)
                )
            )
            batch.changedMenus.insert(key)
        }
    }

    /// Says of every menu row of the given validity starts whether its record won.
    private mutating func settleMenu(
        _ key: EntityKey,
        _ times: Set<Int64>,
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        guard let versions = batch.entities[key], let store = stores[key.natural]?.id else { return }
        // Rows of records that lost their validity start to one of this batch.
        if versions.contains(where: { times.contains($0.versionAt) && $0.id != nil }) {
            for cells in try source.rows(of: RetailTables.menuItem, prefix: [.integer(store)]) {
                let row = MenuRow(cells)
                guard times.contains(row.validFrom) else { continue }
                let key = MenuKey(storeID: store, productID: row.productID)
                try menus.load([key], source)
                if batch.rebase.before[key] == nil { batch.rebase.before[key] = menus[key] }
                batch.changedMenus.insert(key)
            }
        }
        for key in batch.changedMenus where key.storeID == store {
            for index in menus[key].indices where times.contains(menus[key][index].validFrom) {
                let row = menus[key][index]
                menus[key][index].isWinner =
                    ReferenceVersion.winner(versions, at: row.validFrom) == row.contentHash
            }
        }
    }

    /// Marks what parked records waited for.
    private mutating func release(
        _ arrived: [ReferenceKey],
        _ source: any TableStore,
        _ batch: inout FoldBatch
    ) throws(TableStoreError) {
        for key in arrived where known.insert(key).inserted {
            batch.missing.remove(key)
            let need = Cell.text(key.text)
            let waiting = try source.rows(
                of: RetailTables.parkedNeed,
                index: nil,
                prefix: [need],
                range: nil,
                limit: 1
            )
            guard !waiting.isEmpty,
                try source.rows(of: RetailTables.parkedRelease, keys: [[need]]) == [nil]
            else { continue }
            batch.newRows[RetailTables.parkedRelease.name, default: []].append([.null, need])
        }
    }
}

extension RetailFold.Tally {
    fileprivate mutating func add(_ standing: ReferenceVersion.Standing, _ sign: Int64) {
        switch standing {
        case .current: current += sign
        case .superseded: superseded += sign
        case .conflicting: conflicting += sign
        }
    }
}
