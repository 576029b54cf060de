package import Contracts
package import Primitives
import Synchronization

/// All contract texts this process knows: by digest for records that name one, and the current one of each feed.
/// Thread: any.
package final class ContractBook: Sendable {
    private struct State: Sendable {
        var byDigest: [Digest: Contract] = [:]
        var current: [String: Contract] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Makes a contract known; the latest added of a feed is its current one when `isCurrent`.
    package func add(_ contract: Contract, isCurrent: Bool) {
        state.withLock { state in
            state.byDigest[contract.digest] = contract
            if isCurrent { state.current[contract.name] = contract }
        }
    }

    package func contract(_ digest: Digest) -> Contract? { state.withLock { $0.byDigest[digest] } }
    package func current(_ feed: String) -> Contract? { state.withLock { $0.current[feed] } }
    package var feeds: [String] { state.withLock { $0.current.keys.sorted() } }
}

/// A record names a contract text that is in no control record: the log and its contracts do not belong together.
package struct ContractMissing: OperationalError {
    package let digest: Digest
    package var code: String { "refine.contract_missing" }
    package var domain: ErrorDomain { .integrity }
    package var retry: RetryHint { .never }
    package var description: String {
        "A record was judged under contract \(digest), whose text is not in topic till.contracts; restore that topic from a backup."
    }
}
