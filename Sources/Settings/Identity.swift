package import Primitives

/// Who may do what: the secret itself is never stored, only its SHA-256.
package struct Identity: Sendable, Equatable {
    package var name: String
    package var secretHash: Digest
    package var scopes: Set<Scope>
}

/// What an identity may do.
package enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// Send to one feed, or to all (`*`).
    case ingest(String)
    case readSales
    /// Customer data is personal data.
    case readCustomers
    case operate

    /// Reads `ingest:FEED`, `ingest:*`, `read:sales`, `read:customers`, `operate`.
    package init?(_ text: String) {
        switch text {
        case "read:sales": self = .readSales
        case "read:customers": self = .readCustomers
        case "operate": self = .operate
        default:
            guard text.hasPrefix("ingest:"), text.utf8.count > 7 else { return nil }
            self = .ingest(String(text.dropFirst(7)))
        }
    }

    package var description: String {
        switch self {
        case .ingest(let feed): "ingest:\(feed)"
        case .readSales: "read:sales"
        case .readCustomers: "read:customers"
        case .operate: "operate"
        }
    }
}
