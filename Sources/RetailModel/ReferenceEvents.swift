package import Primitives

/// What a reference record describes.
package enum ReferenceEntity: Int64, Sendable, CaseIterable {
    case customer = 0, store = 1, product = 2

    package var name: String {
        switch self {
        case .customer: "customer"
        case .store: "store"
        case .product: "product"
        }
    }
}

/// A reference record that an event needs: a customer, a store, or a product on the menu of a store.
package struct ReferenceKey: Sendable, Hashable {
    package var entity: ReferenceEntity
    package var source: ByteString
    package var key: ByteString
    /// Store of a product; empty for the others.
    package var store: ByteString

    package init(_ entity: ReferenceEntity, source: ByteString, key: ByteString, store: ByteString = "") {
        self.entity = entity
        self.source = source
        self.key = key
        self.store = store
    }

    /// One text for the key: parts joined with `:`, inside a part `%` and `:` are written `%25` and `%3A`.
    package var text: ByteString {
        var out = Array(entity.name.utf8)
        for part in entity == .product ? [source, store, key] : [source, key] {
            out.append(UInt8(ascii: ":"))
            for byte in part.bytes {
                switch byte {
                case UInt8(ascii: "%"): out += [0x25, 0x32, 0x35]
                case UInt8(ascii: ":"): out += [0x25, 0x33, 0x41]
                default: out.append(byte)
                }
            }
        }
        return ByteString(out)
    }
}

/// A record about a customer, or a store with its menu, valid from an instant on (spec model 1.11).
package struct ReferenceEvent: Sendable, Equatable {
    /// `.customer` or `.store`.
    package var entity: ReferenceEntity
    package var source: ByteString
    package var key: ByteString
    package var name: ByteString?
    package var login: ByteString?
    package var timeZone: ByteString
    /// Validity start, µs; also its version time.
    package var validFrom: Int64
    package var items: [MenuItem]
    package var contentHash: Digest

    package struct MenuItem: Sendable, Hashable {
        package var product: ByteString
        package var name: ByteString
        package var category: ByteString
        package var price: Int64

        package init(product: ByteString, name: ByteString, category: ByteString, price: Int64) {
            self.product = product
            self.name = name
            self.category = category
            self.price = price
        }
    }

    package init(
        entity: ReferenceEntity,
        source: ByteString,
        key: ByteString,
        timeZone: ByteString,
        validFrom: Int64,
        items: [MenuItem] = []
    ) {
        self.entity = entity
        self.source = source
        self.key = key
        self.timeZone = timeZone
        self.validFrom = validFrom
        self.items = items
        contentHash = .zero
    }

    /// The canonical encoding that the content hash is of; the validity start is the version time and not part of it.
    package func canonical(into bytes: inout ByteBuilder) {
        bytes.appendBigEndian(entity.rawValue)
        for text in [source, key] { bytes.appendField(text) }
        for text in [name, login] { bytes.appendField(text) }
        for item in items {
            for text in [item.product, item.name, item.category] { bytes.appendField(text) }
            bytes.appendBigEndian(item.price)
        }
    }
}
