import Primitives
import RetailModel

/// Tells the entities what the events of one document say of them; neighbours that say the same are told once.
struct EntityNames {
    private var store: (key: ByteString, zone: ByteString, sequence: Int64)?
    private var customer: (key: ByteString, name: ByteString?, country: ByteString?, time: Int64)?
    private var country: ByteString?

    mutating func add(_ line: LineEvent, _ origin: Origin, _ entities: inout Entities) throws(ProofError) {
        let time = line.occurredAt.micros
        try add(line.source, line.store, line.timeZone, origin, &entities)
        try add(line.source, line.customer, line.customerName, line.country, time, &entities)
        try Self.add([line], 0, time, &entities)
    }

    mutating func add(_ sale: SaleEvent, _ origin: Origin, _ entities: inout Entities) throws(ProofError) {
        // By its parts: a copy of the header would count references to all of them.
        let (source, country) = (sale.header.source, sale.header.country)
        let time = sale.header.occurredAt.micros
        try add(source, sale.header.store, sale.header.timeZone, origin, &entities)
        try add(source, sale.header.customer, sale.header.customerName, country, time, &entities)
        for index in sale.lines.indices { try Self.add(sale.lines, index, time, &entities) }
    }

    private static func add(
        _ lines: [LineEvent],
        _ index: Int,
        _ time: Int64,
        _ entities: inout Entities
    ) throws(ProofError) {
        try entities.touch(.product, lines[index].source, lines[index].product) { product in
            if lines[index].kind == .gross, lines[index].unitPrice > 0 {
                product.first.offer(lines[index].description, time)
            } else {
                product.third.offer(lines[index].description, time)
            }
            if lines[index].flags.contains(.notMerchandise) { product.isOther = true }
        }
    }

    private mutating func add(
        _ source: ByteString,
        _ key: ByteString,
        _ zone: ByteString,
        _ origin: Origin,
        _ entities: inout Entities
    ) throws(ProofError) {
        if let store, store.key == key, store.zone == zone, store.sequence <= origin.sequence { return }
        store = (key, zone, origin.sequence)
        try entities.touch(.store, source, key) { $0.zone(zone, from: origin.sequence) }
    }

    private mutating func add(
        _ source: ByteString,
        _ key: ByteString?,
        _ name: ByteString?,
        _ country: ByteString?,
        _ time: Int64,
        _ entities: inout Entities
    ) throws(ProofError) {
        if let country, self.country != country {
            self.country = country
            try entities.touch(.country, "", country)
        }
        guard let key else { return }
        if let last = customer, last.time == time, last.key == key, last.name == name, last.country == country {
            return
        }
        customer = (key, name, country, time)
        try entities.touch(.customer, source, key) { customer in
            customer.first.offer(name, time)
            customer.second.offer(country, time)
        }
    }
}
