import Formats
import Primitives
import Settings
import Synchronization
import Telemetry

/// Who a request is from, by its Authorization header.
///
/// A slow hash costs milliseconds of the network thread, so it is paid once per credential: those known to be good are
/// remembered, under a hash that only this process can compute. What is not remembered takes from a budget, which
/// success gives back: whoever guesses gets ``Verdict/wait``, and those that are remembered never notice.
/// Thread: any; one at a time.
final class Logins: Sendable {
    enum Verdict {
        case known(Identity)
        case unknown
        /// Too many wrong credentials lately: ask again later.
        case wait
    }

    /// Wrong credentials of one name: 5 at once, then 1 a second.
    private static let ofName = (burst: 5, perSecond: 1.0)
    /// Of all names together: 20 at once, then 10 a second; with 5 ms each that is 5 % of the network thread.
    private static let ofAll = (burst: 20, perSecond: 10.0)
    /// Credentials remembered; with 100 bytes each some 100 KiB. There is one per identity, and per spelling of it.
    private static let rememberedMax = 1_024

    private struct Bucket {
        var tokens: Double
        var at: Int64

        mutating func refill(_ limit: (burst: Int, perSecond: Double), _ now: Int64) {
            tokens = min(Double(limit.burst), tokens + Double(now - at) / 1e9 * limit.perSecond)
            at = now
        }
    }

    private struct State {
        /// Numbers of identities by keyed hash of the header.
        var remembered: [Digest: Int] = [:]
        /// By number of the identity; the last is for all other names, and for bearer tokens.
        var names: [Bucket]
        var all: Bucket
    }

    private let identities: [Identity]
    private let key: [UInt8]
    private let state: Mutex<State>
    private let time: any TimeSource
    private let metrics: Metrics
    private let logger: Logger
    /// What a name that nobody has is compared with, so that it takes as long as one that somebody has.
    private let nobody = SlowHash(of: [0])

    var isEmpty: Bool { identities.isEmpty }

    init(_ identities: [Identity], time: any TimeSource, metrics: Metrics, logger: Logger) {
        self.identities = identities
        self.time = time
        self.metrics = metrics
        self.logger = logger
        // Its salt is from the kernel's generator, and leaves the process nowhere.
        key = Array(nobody.description.utf8)
        let now = time.monotonicNanos()
        state = Mutex(
            State(
                names: Array(
                    repeating: Bucket(tokens: Double(Self.ofName.burst), at: now),
                    count: identities.count + 1
                ),
                all: Bucket(tokens: Double(Self.ofAll.burst), at: now)
            )
        )
    }

    /// Name of the identity whose credentials were right before; costs no slow hash.
    func known(_ header: String?) -> String? {
        guard let header else { return nil }
        return state.withLock { state in
            state.remembered[Digest.sha256(of: key + Array(header.utf8) + key)].map { identities[$0].name }
        }
    }

    func identify(_ header: String?) -> Verdict {
        guard let header, let (name, secret) = Self.credentials(header) else { return .unknown }
        return state.withLock { state in
            let mark = Digest.sha256(of: key + Array(header.utf8) + key)
            if let number = state.remembered[mark] { return .known(identities[number]) }
            let place = name.flatMap { name in identities.firstIndex { $0.name == name } } ?? identities.count
            let now = time.monotonicNanos()
            state.names[place].refill(Self.ofName, now)
            state.all.refill(Self.ofAll, now)
            // A bearer token is compared with every identity's.
            let cost = name == nil ? Double(max(1, identities.count { $0.isSlow })) : 1
            guard state.names[place].tokens >= 1, state.all.tokens >= min(cost, Double(Self.ofAll.burst)) else {
                metrics.add(.login_delayed_total)
                return .wait
            }
            if let number = match(secret, name) {
                if state.remembered.count >= Self.rememberedMax { state.remembered.removeAll() }
                state.remembered[mark] = number
                return .known(identities[number])
            }
            state.names[place].tokens -= 1
            state.all.tokens -= cost
            metrics.add(.login_failures_total)
            logger.log(
                .warning,
                "login.failed",
                [("name", name.map { String($0.prefix(100)).quotedForMessage } ?? "bearer")]
            )
            return .unknown
        }
    }

    /// The name (nil for a bearer token) and secret of a header.
    private static func credentials(_ header: String) -> (name: String?, secret: [UInt8])? {
        guard let space = header.firstIndex(of: " ") else { return nil }
        let text = Array(header[header.index(after: space)...].utf8)
        switch header[..<space].lowercased() {
        case "basic":
            guard let decoded = Base64.decode(text), let colon = decoded.firstIndex(of: 0x3A) else { return nil }
            return (String(decoding: decoded[..<colon], as: UTF8.self), Array(decoded[(colon + 1)...]))
        case "bearer": return (nil, text)
        default: return nil
        }
    }

    /// Compares with every candidate, in time that does not depend on where they differ.
    private func match(_ secret: [UInt8], _ name: String?) -> Int? {
        let fast = Digest.sha256(of: secret)
        var found: Int?
        var isSlow = false
        for (number, identity) in identities.enumerated() where name == nil || identity.name == name {
            switch identity.secret {
            case .fast(let hash): if hash.equalsInConstantTime(fast) { found = number }
            case .slow(let hash):
                isSlow = true
                if hash.matches(secret) { found = number }
            }
        }
        if found == nil, !isSlow { _ = nobody.matches(secret) }
        return found
    }
}

extension Identity {
    fileprivate var isSlow: Bool { if case .slow = secret { true } else { false } }
}
