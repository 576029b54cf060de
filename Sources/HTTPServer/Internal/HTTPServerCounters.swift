import Synchronization

/// What the server has counted since its start; a copy.
package struct HTTPServerCounters: Sendable, Equatable {
    package var connectionsOpen = 0
    package var connectionsTotal = 0
    package var requests = 0
    /// Answers by first digit of the status: `responses[2]` counts 2xx. Index 0 is unused.
    package var responses = [0, 0, 0, 0, 0, 0]
    package var bytesIn = 0
    package var bytesOut = 0
    /// Answers that the transport gave itself, by code.
    package var rejects: [String: Int] = [:]
}

/// The counters while they count. Thread: any.
final class HTTPServerCounting: Sendable {
    let connectionsOpen = Atomic(0)
    let connectionsTotal = Atomic(0)
    let requests = Atomic(0)
    let responses1 = Atomic(0), responses2 = Atomic(0), responses3 = Atomic(0)
    let responses4 = Atomic(0), responses5 = Atomic(0)
    let bytesIn = Atomic(0)
    let bytesOut = Atomic(0)
    /// Bounded: one entry for each code of ``HTTPServerFailure``.
    let rejects = Mutex<[String: Int]>([:])

    func answered(_ status: Int) {
        switch status / 100 {
        case 1: responses1.wrappingAdd(1, ordering: .relaxed)
        case 2: responses2.wrappingAdd(1, ordering: .relaxed)
        case 3: responses3.wrappingAdd(1, ordering: .relaxed)
        case 4: responses4.wrappingAdd(1, ordering: .relaxed)
        default: responses5.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func rejected(_ failure: HTTPServerFailure) { rejects.withLock { $0[failure.code, default: 0] += 1 } }

    var copy: HTTPServerCounters {
        HTTPServerCounters(
            connectionsOpen: connectionsOpen.load(ordering: .relaxed),
            connectionsTotal: connectionsTotal.load(ordering: .relaxed),
            requests: requests.load(ordering: .relaxed),
            responses: [
                0, responses1.load(ordering: .relaxed), responses2.load(ordering: .relaxed),
                responses3.load(ordering: .relaxed), responses4.load(ordering: .relaxed),
                responses5.load(ordering: .relaxed),
            ],
            bytesIn: bytesIn.load(ordering: .relaxed),
            bytesOut: bytesOut.load(ordering: .relaxed),
            rejects: rejects.withLock { $0 }
        )
    }
}
