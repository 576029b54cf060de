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

    /// The one customer whose own data it may read; nil when it has no such scope.
    package var customer: String? {
        for scope in scopes { if case .readCustomer(let id) = scope { return id } }
        return nil
    }
}

/// What an identity may do.
package enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// Send to one feed, or to all (`*`).
    case ingest(String)
    case readSales
    /// Customer data is personal data.
    case readCustomers
    /// Own documents, spend and returns of the one customer of this id (`SOURCE:KEY`).
    case readCustomer(String)
    case readMetrics
    case operate

    package static let known =
        "ingest:FEED, ingest:*, read:sales, read:customers, read:customer:SOURCE:KEY, read:metrics, operate"

    /// Reads one of ``known``.
    package init?(_ text: String) {
        switch text {
        case "read:sales": self = .readSales
        case "read:customers": self = .readCustomers
        case "read:metrics": self = .readMetrics
        case "operate": self = .operate
        case _ where text.hasPrefix("read:customer:"):
            let id = text.dropFirst(14)
            guard let colon = id.firstIndex(of: ":"), colon > id.startIndex, id.index(after: colon) < id.endIndex else {
                return nil
            }
            self = .readCustomer(String(id))
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
        case .readCustomer(let id): "read:customer:\(id)"
        case .readMetrics: "read:metrics"
        case .operate: "operate"
        }
    }
}
