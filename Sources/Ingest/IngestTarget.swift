package import Contracts
import Ports

/// What a path of ingest is for.
package enum IngestTarget: Sendable {
    /// The native path of a feed, known or not.
    case feed(String)
    case compatibility(CompatibilityPath, Contract)
    /// What senders must know of a feed's contract.
    case contract(String)
    /// The health path of a reference system, open to everyone, with its answer.
    case health(String)

    /// The feed that is sent to; nil for a health path.
    package var feed: String? {
        switch self {
        case .feed(let name), .contract(let name): name
        case .compatibility(_, let contract): contract.name
        case .health: nil
        }
    }

    /// How the path says that something went wrong.
    func response(_ problem: IngestProblem) -> HTTPResponse {
        if case .compatibility(let path, _) = self { path.problem(problem) } else { problem.response }
    }
}
