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

/// The paths of ingest, numbered: those that there are at the start, then what stands for all others.
package struct IngestTargets: Sendable {
    private static let feedPath = "/v1/feeds/"
    private static let contractPath = "/v1/contracts/"

    /// By number; requests are counted under them.
    package let paths: [String]
    /// Of the first numbers: the two others depend on the path.
    private let known: [IngestTarget]
    private let numbers: [String: Int]

    init(feeds: [String], _ compatibility: [(path: CompatibilityPath, contract: Contract)]) {
        var all: [(path: String, target: IngestTarget)] = []
        for (path, contract) in compatibility {
            all.append((path.path, .compatibility(path, contract)))
            if let health = path.health { all.append((health.path, .health(health.body))) }
        }
        for feed in feeds { all.append((Self.feedPath + feed, .feed(feed))) }
        known = all.map(\.target)
        paths = all.map(\.path) + [Self.feedPath + "{feed}", Self.contractPath + "{feed}"]
        numbers = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.path, $0) })
    }

    /// The number of a path's route; nil when the path is not for ingest.
    package func route(ofPath path: String) -> Int? {
        if let number = numbers[path] { return number }
        if Self.last(of: path, after: Self.feedPath) != nil { return known.count }
        return Self.last(of: path, after: Self.contractPath).map { _ in known.count + 1 }
    }

    /// What a path is for, given its route.
    package func target(_ route: Int, path: String) -> IngestTarget {
        if route < known.count { return known[route] }
        if let name = Self.last(of: path, after: Self.feedPath) { return .feed(name) }
        return .contract(Self.last(of: path, after: Self.contractPath) ?? "")
    }

    /// The one part of a path that follows on a beginning.
    private static func last(of path: String, after start: String) -> String? {
        guard path.hasPrefix(start) else { return nil }
        let name = path.utf8.dropFirst(start.utf8.count)
        for byte in name where byte == UInt8(ascii: "/") { return nil }
        return HTTPRequest.segment(Substring(name))
    }
}
