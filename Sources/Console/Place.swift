import Ports

/// One path of the reading side: what is there, and who may ask. The dispatcher, the gate and the metrics know paths
/// by their number in ``all``.
struct Place: Sendable {
    enum Kind: Sendable {
        case query(Route)
        case action(Action)
        case asset(EmbeddedAssets.File)
        case up, live, ready, metrics, openAPI, liveFeed
    }

    /// With its `{…}` parts.
    var path: String
    var access: Access
    var kind: Kind
    private let parts: [Substring]

    private init(_ path: String, _ access: Access, _ kind: Kind) {
        self.path = path
        self.access = access
        self.kind = kind
        parts = path.split(separator: "/")
    }

    static let all: [Place] =
        [
            Place("/health", .open, .up), Place("/health/live", .open, .live), Place("/health/ready", .open, .ready),
            Place("/metrics", .metrics, .metrics), Place("/v1/openapi.json", .sales, .openAPI),
            Place("/v1/live", .sales, .liveFeed),
        ]
        + EmbeddedAssets.files.sorted { $0.key < $1.key }.map { Place($0, .sales, .asset($1)) }
        + Action.all.map { Place($0.path, .operate, .action($0)) }
        + Route.all.map { Place($0.path, $0.access, .query($0)) }

    private static let fixed = Dictionary(
        uniqueKeysWithValues: all.enumerated().filter { !$1.path.contains("{") }.map { ($1.path, $0) }
    )

    /// The number of a path's place; nil when there is nothing.
    static func index(ofPath path: String) -> Int? {
        if let index = fixed[path] { return index }
        let parts = path.split(separator: "/")
        // Only what is read from the tables is found with other slashes: a proxy may block the rest by its exact path.
        return all.firstIndex { place in
            if case .query = place.kind { place.values(parts) != nil } else { false }
        }
    }

    /// Values of the `{…}` parts when the path fits. The path is split first and decoded then: a key may have slashes.
    func values(_ wanted: [Substring]) -> [String]? {
        guard parts.count == wanted.count else { return nil }
        var values: [String] = []
        for (part, want) in zip(parts, wanted) {
            if part.hasPrefix("{") { values.append(HTTPRequest.segment(want)) } else if part != want { return nil }
        }
        return values
    }
}
