package import Primitives

/// Who may do what. The secret itself is not kept.
package struct Identity: Sendable, Equatable {
    /// What is known of a secret.
    package enum Secret: Sendable, Equatable {
        /// SHA-256: only safe for generated secrets, which nobody can guess.
        case fast(Digest)
        case slow(SlowHash)
    }

    package var name: String
    package var secret: Secret
    package var scopes: Set<Scope>
    /// What X-Till-Sender may say; nil: anything.
    package var senders: Set<String>?
    /// Where the configuration names it, for messages about it.
    package var place: String
}

/// What an identity may do.
package enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// Send to one feed, or to all (`*`).
    case ingest(String)
    case readSales
    /// Customer data is personal data.
    case readCustomers
    case readMetrics
    case operate

    package static let known = "ingest:FEED, ingest:*, read:sales, read:customers, read:metrics, operate"

    /// Reads one of ``known``.
    package init?(_ text: String) {
        switch text {
        case "read:sales": self = .readSales
        case "read:customers": self = .readCustomers
        case "read:metrics": self = .readMetrics
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
        case .readMetrics: "read:metrics"
        case .operate: "operate"
        }
    }
}
