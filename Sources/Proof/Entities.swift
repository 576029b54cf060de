import Primitives
import RetailModel
import Tables

/// A value with the time that it is from: the later wins, of two at one time the one with the greater SHA-256. An empty
/// value never competes.
struct Latest {
    private(set) var value: ByteString?
    private(set) var at: Int64 = 0

    mutating func offer(_ new: ByteString?, _ time: Int64) {
        guard let new, !new.isEmpty else { return }
        if let value {
            if time < at { return }
            if time == at {
                if new == value { return }
                if Digest.sha256(of: new.bytes) < Digest.sha256(of: value.bytes) { return }
            }
        }
        value = new
        at = time
    }

    mutating func merge(_ other: Self) { offer(other.value, other.at) }

    var time: Int64? { value == nil ? nil : at }
}

/// What has a row because an event named it, with its latest attributes.
enum EntityKind: UInt8 {
    case store = 0, country = 1, customer = 2, product = 3, category = 4
}

/// Up to three attributes and what the first event to name the entity said.
struct Entity {
    /// Customer: name, country, login. Store: name. Product: what lines that sell it for money call it, what menus call
    /// it, what all other lines call it.
    var first = Latest(), second = Latest(), third = Latest()
    /// Store: the time zone, of the event that named it first.
    var zone = ByteString()
    var zoneFrom = Int64.max
    /// Product: a line says that it is postage, a fee or the like.
    var isOther = false

    mutating func zone(_ zone: ByteString, from sequence: Int64) {
        if sequence < zoneFrom {
            self.zone = zone
            zoneFrom = sequence
        }
    }

    mutating func merge(_ other: Self) {
        first.merge(other.first)
        second.merge(other.second)
        third.merge(other.third)
        zone(other.zone, from: other.zoneFrom)
        isOther = isOther || other.isOther
    }
}

/// All entities: a bounded number in memory, the rest in sorted runs.
struct Entities {
    private var known = KeyTable()
    /// Of the known keys.
    private var entities: [Entity] = []
    private var key = ByteBuilder()
    private var sorter: Sorter

    init(_ scratch: Scratch?, bufferBytes: Int) { sorter = Sorter(scratch, bufferBytes: bufferBytes) }

    mutating func touch(
        _ kind: EntityKind,
        _ source: ByteString,
        _ key: ByteString,
        _ body: (inout Entity) -> Void = { _ in }
    ) throws(ProofError) {
        self.key.removeAll()
        self.key.append(kind.rawValue)
        self.key.appendOrdered(source)
        self.key.appendOrdered(key)
        let number = known.number(of: self.key)
        if number == entities.count { entities.append(Entity()) }
        body(&entities[number])
        if known.count > ProofLimits.entityKeys { try spill() }
    }

    private mutating func spill() throws(ProofError) {
        var fact = FactWriter()
        for (number, entity) in entities.enumerated() {
            fact.begin()
            fact.raw(known.key(number))
            let keyLength = fact.count
            for latest in [entity.first, entity.second, entity.third] {
                fact.text(latest.value)
                fact.int(latest.at)
            }
            fact.text(entity.zone)
            fact.int(entity.zoneFrom)
            fact.int(entity.isOther ? 1 : 0)
            try sorter.add(fact.bytes, keyLength: keyLength)
        }
        known.removeAll()
        entities.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(ProofError) -> SortedRuns {
        try spill()
        return try sorter.finish()
    }

    mutating func absorb(_ runs: SortedRuns) throws(ProofError) { try sorter.absorb(runs) }

    /// Writes the rows of all entities; call once, at the end.
    mutating func write(_ writer: inout RowWriter, into rows: inout RowSink) throws {
        var groups = SortedGroups(try finish())
        var open: (record: SortedRecord, entity: Entity)?
        try groups.forEach(suffix: 0) { record, isFirst in
            let entity = Self.decode(record)
            if isFirst {
                if let open { try Self.write(open.record, open.entity, &writer, &rows) }
                open = (record, entity)
            } else {
                open?.entity.merge(entity)
            }
        }
        if let open { try Self.write(open.record, open.entity, &writer, &rows) }
    }

    private static func decode(_ record: SortedRecord) -> Entity {
        var reader = FactReader(record)
        var entity = Entity()
        entity.first.offer(reader.optionalText(), reader.int())
        entity.second.offer(reader.optionalText(), reader.int())
        entity.third.offer(reader.optionalText(), reader.int())
        entity.zone = reader.text()
        entity.zoneFrom = reader.int()
        entity.isOther = reader.int() == 1
        return entity
    }

    private static let store = TableShape.of(RetailTables.store)
    private static let country = TableShape.of(RetailTables.country)
    private static let customer = TableShape.of(RetailTables.customer)
    private static let product = TableShape.of(RetailTables.product)
    private static let category = TableShape.of(RetailTables.category)

    private static func write(
        _ record: SortedRecord,
        _ entity: Entity,
        _ writer: inout RowWriter,
        _ rows: inout RowSink
    ) throws(ProofError) {
        var reader = KeyReader(record.bytes, at: 1)
        let source = reader.ordered()
        let key = reader.ordered()
        switch EntityKind(rawValue: record.bytes[0]) {
        case .store:
            writer.begin(store)
            writer.name(source, key)
            writer.text(entity.first.value)
            writer.int(entity.first.time)
            writer.text(entity.zone)
        case .country:
            writer.begin(country)
            writer.text(key)
        case .customer:
            writer.begin(customer)
            writer.name(source, key)
            for latest in [entity.first, entity.second, entity.third] {
                writer.text(latest.value)
                writer.int(latest.time)
            }
        case .product:
            writer.begin(product)
            writer.name(source, key)
            let names: [(name: Latest, rank: Int64)] = [(entity.second, 2), (entity.first, 1), (entity.third, 0)]
            let best = names.first { $0.name.value != nil }
            writer.text(best?.name.value)
            writer.int(best?.name.time)
            writer.int(best?.rank ?? 0)
            writer.int(entity.isOther ? 0 : 1)
        case .category:
            writer.begin(category)
            writer.name(source, key)
        case nil: preconditionFailure("an entity has a known kind")
        }
        try writer.end(into: &rows)
    }
}
