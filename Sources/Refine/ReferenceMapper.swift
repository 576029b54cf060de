import Contracts
import Primitives
import RetailModel

extension ContractPlan {
    /// A record about a customer, or a store with its menu.
    ///
    /// - Parameter canonical: Work space.
    func reference(
        _ values: [FieldValue],
        hashes: Bool,
        _ canonical: inout ByteBuilder
    ) throws(MapRefusal) -> ReferenceEvent {
        guard let key = value("key", values).key, let time = value("valid_from", values).time else {
            preconditionFailure("a refined reference record has its required fields")
        }
        var event = ReferenceEvent(
            entity: contract.settings["entity"] == .text("store") ? .store : .customer,
            source: source,
            key: key,
            timeZone: zoneName,
            validFrom: time.instant.micros
        )
        event.name = value("name", values).key
        event.login = value("login", values).key
        if let list = listField("items.key"), case .list(let rows) = values[list] {
            for row in rows { event.items.append(try item(row)) }
        }
        if hashes {
            canonical.removeAll()
            event.canonical(into: &canonical)
            event.contentHash = Digest.sha256(of: canonical.bytes)
        }
        return event
    }

    private func item(_ row: [FieldValue]) throws(MapRefusal) -> ReferenceEvent.MenuItem {
        func cell(_ parameter: String) -> FieldValue { column(parameter).map { row[$0] } ?? .null }
        guard let product = cell("items.key").key, let name = cell("items.name").key,
            let category = cell("items.category").key, let price = try units(cell("items.price"), "items.price")
        else { preconditionFailure("a refined menu item has its required fields") }
        return ReferenceEvent.MenuItem(product: product, name: name, category: category, price: price)
    }
}
