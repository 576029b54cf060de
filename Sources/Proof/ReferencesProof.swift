import Primitives
import RetailModel
import Tables

/// Reference records (S4 to S6), one group for each customer or store.
extension Recomputation {
    private struct Version {
        var event: ReferenceEvent
        var offset: Int64
    }

    /// The reference records of one customer or store, in the order of processing.
    private struct Group {
        var versions: [Version] = []
        /// Index of the winner of each version time.
        var winners: [Int64: Int] = [:]
    }

    private static let version = TableShape.of(RetailTables.referenceVersion)
    private static let item = TableShape.of(RetailTables.menuItem)

    mutating func proveReferences() throws {
        var groups = SortedGroups(try referenceFacts.finish())
        var group = Group()
        try groups.forEach(suffix: 8) { record, isFirst in
            if isFirst {
                try write(group)
                group = Group()
            }
            var reader = FactReader(record)
            let origin = reader.origin()
            guard case .reference(let event) = reader.event() else { return }
            try add(event, origin, &group)
        }
        try write(group)
    }

    private mutating func add(_ event: ReferenceEvent, _ origin: Origin, _ group: inout Group) throws {
        let isKnown = group.versions.contains {
            $0.event.validFrom == event.validFrom && $0.event.contentHash == event.contentHash
        }
        if isKnown { return tallies.book(.duplicate, origin.run) }
        tallies.book(
            .distinct(isFirst: group.versions.isEmpty, sharesTime: group.winners[event.validFrom] != nil),
            origin.run
        )
        group.versions.append(Version(event: event, offset: origin.offset))
        try name(event, origin)
        try references.appear(
            ReferenceKey(event.entity, source: event.source, key: event.key),
            at: origin.sequence
        )
        for product in Set(event.items.map(\.product)) {
            try references.appear(
                ReferenceKey(.product, source: event.source, key: product, store: event.key),
                at: origin.sequence
            )
        }
        let rival = group.winners[event.validFrom]
        if let rival, group.versions[rival].event.contentHash > event.contentHash { return }
        group.winners[event.validFrom] = group.versions.count - 1
    }

    /// Every accepted record names entities and competes for their attributes, also one that lost.
    private mutating func name(_ event: ReferenceEvent, _ origin: Origin) throws {
        let time = event.validFrom
        switch event.entity {
        case .customer:
            try entities.touch(.customer, event.source, event.key) { customer in
                customer.first.offer(event.name, time)
                customer.third.offer(event.login, time)
            }
        case .store:
            try entities.touch(.store, event.source, event.key) { store in
                store.first.offer(event.name, time)
                store.zone(event.timeZone, from: origin.sequence)
            }
        case .product: return
        }
        for item in event.items {
            try entities.touch(.product, event.source, item.product) { $0.second.offer(item.name, time) }
            try entities.touch(.category, event.source, item.category)
        }
    }

    private mutating func write(_ group: Group) throws {
        let newest = group.winners.keys.max()
        for (index, version) in group.versions.enumerated() {
            let event = version.event
            let wins = group.winners[event.validFrom] == index
            writer.begin(Self.version)
            writer.int(event.entity.rawValue)
            writer.name(event.source, event.key)
            writer.int(event.validFrom)
            writer.blob(event.contentHash.bytes)
            writer.int(!wins ? 2 : event.validFrom == newest ? 0 : 1)
            writer.int(version.offset)
            try writer.end(into: &rows)
            if event.entity == .store { try writeMenu(event, wins) }
        }
    }

    private mutating func writeMenu(_ event: ReferenceEvent, _ wins: Bool) throws {
        var items: [ByteString: ReferenceEvent.MenuItem] = [:]
        for item in event.items { items[item.product] = item }
        for item in items.values {
            writer.begin(Self.item)
            writer.name(event.source, event.key)
            writer.name(event.source, item.product)
            writer.int(event.validFrom)
            writer.blob(event.contentHash.bytes)
            writer.text(item.name)
            writer.name(event.source, item.category)
            writer.int(item.price)
            writer.int(wins ? 1 : 0)
            try writer.end(into: &rows)
            guard wins else { continue }
            try references.add(
                event.source,
                store: event.key,
                product: item.product,
                validFrom: event.validFrom,
                category: item.category
            )
        }
    }
}
