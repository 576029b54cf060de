import CShims
import Network
import Primitives
import Synchronization

/// A connection that is made again when it breaks: every request is repeated until the server takes or refuses it.
///
/// A repeat carries the same Idempotency-Key, so a record whose answer was lost keeps its id.
/// Thread: the owner's.
final class SimulationLink {
    struct Answer {
        var status: Int
        var body: [UInt8]
        /// Tries that were not the last.
        var retries: Int
        /// True when an earlier try may have been stored although no answer came.
        var mayBeStoredTwice: Bool
    }

    /// Pauses grow from 0.1 s to 5 s: about three minutes, longer than a restart or a broken network of one minute.
    private static let triesMax = 60

    private let address: IngestCommand.Address
    private var connection: HTTPClientConnection?

    init(_ address: IngestCommand.Address) { self.address = address }

    /// - Parameter waits: Statuses after which the request is sent again.
    func exchange(
        method: String,
        path: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        repeating waits: Set<Int> = [429, 503]
    ) throws -> Answer {
        var isUncertain = false
        var cause = ""
        for attempt in 1...Self.triesMax {
            do throws(HTTPClientError) {
                let response = try open().exchange(
                    method: method,
                    path: path,
                    headers: headers + (address.authorization.map { [("authorization", $0)] } ?? []),
                    body: body
                )
                if connection?.serverCloses == true { connection = nil }
                guard waits.contains(response.status) else {
                    return Answer(
                        status: response.status,
                        body: response.body,
                        retries: attempt - 1,
                        mayBeStoredTwice: isUncertain
                    )
                }
                // 503 may follow a flush whose outcome is unknown; 429 refuses before anything is written.
                if response.status == 503 { isUncertain = true }
                cause = "it answered \(response.status)"
            } catch {
                if case .connectRefused = error {} else { isUncertain = true }
                connection = nil
                cause = error.description
            }
            try Self.pause(millis: min(attempt * 100, 5_000))
        }
        throw ServerRefusal(
            code: "cli.simulate_unanswered",
            description:
                "\(address) did not take a request in \(Self.triesMax) tries (\(cause)); see whether it runs, then start again."
        )
    }

    private static let isStopped = Atomic(false)

    /// Waits, and throws as soon as the process is asked to stop: a server that does not answer must not hold it.
    private static func pause(millis: Int) throws {
        for _ in 0..<max(1, millis / 100) {
            if cshims_wait_signal_for(100) != 0 { isStopped.store(true, ordering: .relaxed) }
            guard !isStopped.load(ordering: .relaxed) else { throw SimulationStopped() }
        }
    }

    private func open() throws(HTTPClientError) -> HTTPClientConnection {
        if let connection { return connection }
        let fresh = try address.connect()
        connection = fresh
        return fresh
    }

    static func refusal(_ what: String, _ answer: Answer) -> UsageError {
        UsageError(
            "cli.simulate_refused",
            "The server answered \(answer.status) to \(what): \(String(decoding: answer.body.prefix(500), as: UTF8.self))"
        )
    }
}

/// The simulation was asked to stop while the server did not answer.
struct SimulationStopped: OperationalError {
    var code: String { "cli.simulate_stopped" }
    var description: String {
        "The simulation was stopped while the server did not answer; what it sent last may be missing."
    }
    var domain: ErrorDomain { .external }
    var retry: RetryHint { .never }
}
