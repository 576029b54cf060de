package import Primitives

/// A record of quarantine as it was received, on its way into the log again.
package struct HeldRecord: Sendable {
    package var feed: String
    package var id: Identifier
    package var bytes: [UInt8]
    /// Digest of the contract that refined it last.
    package var contract: Digest
    package var format: PayloadFormat

    package init(feed: String, id: Identifier, bytes: [UInt8], contract: Digest, format: PayloadFormat) {
        self.feed = feed
        self.id = id
        self.bytes = bytes
        self.contract = contract
        self.format = format
    }
}

/// Appends records of quarantine to the log again: to be refined under the contract of today, or to be given up.
///
/// - Thread: any; does not wait for the disk.
package protocol RecordResubmission: Sendable {
    /// Appends the records with their own ids and bytes. `completion` is called exactly once, with the position after
    /// all of them once they are durable, or with the first failure (some may be durable then; doing it again is safe,
    /// because a resolved entry of quarantine stays as it is).
    func resubmit(
        _ records: [HeldRecord],
        action: EnvelopeAction,
        completion: @escaping @Sendable (Result<PositionVector, ResubmissionError>) -> Void
    )
}

/// Why records were not appended again.
package enum ResubmissionError: OperationalError, Equatable {
    case feedUnknown(feed: String, known: [String])
    case log(EventLogError)

    package var code: String {
        switch self {
        case .feedUnknown: "feed_unknown"
        case .log(let error): error.code
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .feedUnknown: .user
        case .log(let error): error.domain
        }
    }

    package var retry: RetryHint {
        switch self {
        case .feedUnknown: .never
        case .log(let error): error.retry
        }
    }

    package var description: String {
        switch self {
        case .feedUnknown(let feed, let known):
            "No contract refines feed \(feed.quotedForMessage) now, only \(known.joined(separator: ", ")); configure one in contracts, or discard the records."
        case .log(let error): error.description
        }
    }
}
