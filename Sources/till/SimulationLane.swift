import Executors
import Formats
import Ports
import Primitives

/// One request of one simulated till.
struct SimulationRequest: Sendable {
    var feed: String
    var run: String
    var sender: String
    var sequence: Int64
    var key: String
    var count: Int
    var body: [UInt8]
}

/// What the server said about requests.
struct SimulationOutcome: Sendable {
    var requests: Int64 = 0
    var accepted: Int64 = 0
    var rejected: Int64 = 0
    var retries: Int64 = 0
    /// Records that may have been received twice, because an answer was lost.
    var repeated: Int64 = 0
    /// The position after everything sent.
    var position = PositionVector()

    mutating func add(_ other: Self) {
        requests += other.requests
        accepted += other.accepted
        rejected += other.rejected
        retries += other.retries
        repeated += other.repeated
        reach(other.position)
    }

    mutating func reach(_ other: PositionVector) {
        for (partition, offset) in other.offsets {
            position.offsets[partition] = max(position.offsets[partition, default: 0], offset)
        }
    }

    /// Sends one request until it is durable and counts the answer.
    mutating func send(_ request: SimulationRequest, over link: SimulationLink) throws {
        let answer = try link.exchange(
            method: "POST",
            path: "/v1/feeds/\(request.feed)",
            headers: [
                ("content-type", "application/x-ndjson"), ("x-till-run", request.run),
                ("x-till-sender", request.sender), ("x-till-sequence", String(request.sequence)),
                ("x-till-epoch", String(request.run.suffix(64))),
                ("idempotency-key", request.key),
            ],
            body: request.body
        )
        guard answer.status == 202 || answer.status == 422 else {
            throw SimulationLink.refusal("a request of \(request.sender) to feed \(request.feed)", answer)
        }
        let tally = try JSONMembers(answer.body)
        requests += 1
        retries += Int64(answer.retries)
        if answer.mayBeStoredTwice { repeated += Int64(request.count) }
        accepted += tally.number("accepted")
        rejected += Int64(tally.count("rejected")) + tally.number("rejected_more")
        if let position = PositionVector(tally.text("position")) { reach(position) }
    }
}

/// Members of the object that a server answered; what is missing counts as nothing.
struct JSONMembers {
    private let bytes: [UInt8]
    private var tape = JSONTape()

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        do throws(JSONError) {
            try tape.parse(bytes)
        } catch {
            throw UsageError(
                "cli.answer_unreadable",
                "The server answered no JSON (\(error)); see whether --to names a till: \(String(decoding: bytes.prefix(200), as: UTF8.self))"
            )
        }
    }

    private func node(_ name: String) -> Int? {
        guard tape.kind(0) == .object else { return nil }
        return tape.member(0, named: Array(name.utf8), in: bytes)
    }

    func number(_ name: String) -> Int64 {
        node(name).flatMap { Int64(String(decoding: bytes[tape.raw($0)], as: UTF8.self)) } ?? 0
    }

    func count(_ name: String) -> Int {
        guard let node = node(name), tape.kind(node) == .array else { return 0 }
        return tape.count(node)
    }

    func text(_ name: String) -> String {
        guard let node = node(name), tape.kind(node) == .string else { return "" }
        return tape.text(node, in: bytes).description
    }
}

/// One connection on a thread of its own, which several simulated tills share; requests are sent in order, one by one.
///
/// Thread: any; the requests themselves are sent by the lane's thread.
final class SimulationLane: Sendable {
    /// Requests that wait: the generator is never far ahead.
    private static let waitingMax = 4

    private struct State: Sendable {
        var waiting: [SimulationRequest] = []
        var isComplete = false
        var outcome = SimulationOutcome()
        var failure: (any OperationalError)?
    }

    private let state: Guarded<State>
    private let thread: DedicatedThread

    init(_ number: Int, _ address: IngestCommand.Address) throws {
        let state = Guarded(State())
        self.state = state
        thread = try DedicatedThread(name: "till-simulate-\(number)") { Self.run(state, address) }
    }

    /// Waits while too many requests wait.
    func put(_ request: SimulationRequest) throws {
        let failure: (any OperationalError)?? = state.wait { state -> (any OperationalError)?? in
            if let failure = state.failure { return .some(failure) }
            guard state.waiting.count < Self.waitingMax else { return nil }
            state.waiting.append(request)
            return .some(nil)
        }
        state.broadcast()
        if let failure, let failure { throw failure }
    }

    /// Waits until everything is answered.
    func finish() throws -> SimulationOutcome {
        state.withLock { $0.isComplete = true }
        state.broadcast()
        thread.join()
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.outcome
        }
    }

    private static func run(_ state: Guarded<State>, _ address: IngestCommand.Address) {
        let link = SimulationLink(address)
        while true {
            let next = state.wait { state -> SimulationRequest?? in
                if !state.waiting.isEmpty { return .some(state.waiting.removeFirst()) }
                return state.isComplete ? .some(nil) : nil
            }
            state.broadcast()
            guard let next, let request = next else { return }
            var outcome = SimulationOutcome()
            do {
                try outcome.send(request, over: link)
                let done = outcome
                state.withLock { $0.outcome.add(done) }
            } catch {
                let failure = error as? any OperationalError ?? UsageError("cli.simulate_failed", "\(error)")
                state.withLock { state in
                    state.failure = failure
                    state.waiting = []
                }
                state.broadcast()
                return
            }
        }
    }
}
