package import Contracts
package import Primitives
import Synchronization

/// All contract texts this process knows: by digest for records that name one, the current one of each feed, and those
/// that refine the paths of reference systems. Thread: any.
package final class ContractBook: Sendable {
    private struct State: Sendable {
        var byDigest: [Digest: Contract] = [:]
        var current: [String: Contract] = [:]
        /// What makes two rows of files the same row, by feed: of the first contract added.
        var rowIdentities: [String: RowIdentity] = [:]
        /// The profile whose path a contract refines, or once refined.
        var profiles: [Digest: String] = [:]
        var currentOfProfile: [String: Contract] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Makes a contract known, in the order of the log; the latest added of a feed is its current one when `isCurrent`.
    package func add(_ contract: Contract, isCurrent: Bool) {
        state.withLock { state in
            state.byDigest[contract.digest] = contract
            if state.rowIdentities[contract.name] == nil {
                state.rowIdentities[contract.name] = RowIdentity(contract)
            }
            if isCurrent { state.current[contract.name] = contract }
        }
    }

    /// Makes a contract known that refines the path of a reference system, or did so once.
    package func add(_ contract: Contract, profile: String, isCurrent: Bool) {
        state.withLock { state in
            state.byDigest[contract.digest] = contract
            state.profiles[contract.digest] = profile
            if isCurrent { state.currentOfProfile[profile] = contract }
        }
    }

    package func contract(_ digest: Digest) -> Contract? { state.withLock { $0.byDigest[digest] } }
    package func current(_ feed: String) -> Contract? { state.withLock { $0.current[feed] } }
    package func rowIdentity(_ feed: String) -> RowIdentity? { state.withLock { $0.rowIdentities[feed] } }
    package var feeds: [String] { state.withLock { $0.current.keys.sorted() } }

    /// Today's contract for a record of a feed that was refined under another: that of the path it came over, as if it
    /// were sent there again, else the feed's own. While its path is off, a record keeps its contract.
    package func successor(of digest: Digest, feed: String) -> Contract? {
        state.withLock { state in
            guard let profile = state.profiles[digest] else { return state.current[feed] }
            return state.currentOfProfile[profile] ?? state.byDigest[digest]
        }
    }
}

/// A record names a contract text that is in no control record: the log and its contracts do not belong together.
package struct ContractMissing: OperationalError {
    package let digest: Digest
    package var code: String { "refine.contract_missing" }
    package var domain: ErrorDomain { .integrity }
    package var retry: RetryHint { .never }
    package var description: String {
        "A record was refined under contract \(digest), whose text is not in topic till.contracts; restore that topic from a backup."
    }
}
