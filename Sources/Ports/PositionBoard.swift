import Synchronization

/// What the tables contain now, and who waits for more. Written by processing, read by everyone. Thread: any.
package final class PositionBoard: Sendable {
    /// How a wait ended.
    package enum WaitResult: Sendable { case reached, timedOut, tooMany }

    private struct Waiter: Sendable {
        var wanted: PositionVector
        var deadlineNanos: Int64
        var completion: @Sendable (WaitResult) -> Void
    }

    private struct State: Sendable {
        var positions = PositionVector()
        var revision: Int64 = 0
        var waiters: [Waiter] = []
        var failures: [String: String] = [:]
        var notify: (@Sendable () -> Void)?
        var waits: Int64 = 0

        mutating func takeWaiters(where condition: (Waiter) -> Bool) -> [Waiter] {
            if waiters.isEmpty { return [] }
            let taken = waiters.filter(condition)
            if !taken.isEmpty { waiters.removeAll(where: condition) }
            return taken
        }
    }

    /// Requests that may wait at the same time; more are refused, so that waiting costs bounded memory.
    package static let waitersMax = 1_000

    private let state = Mutex(State())

    package init() {}

    /// Registers what is called when somebody begins to wait: processing rests no longer then. Must be short.
    package func onWait(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notify = notify } }

    /// Grows with everybody who begins to wait.
    package var waits: Int64 { state.withLock { $0.waits } }
    package var hasWaiters: Bool { state.withLock { !$0.waiters.isEmpty } }
    package var positions: PositionVector { state.withLock { $0.positions } }
    /// Grows with every commit that changed something.
    package var revision: Int64 { state.withLock { $0.revision } }
    /// Parts of the pipeline that do not work now, with the reason: for readiness.
    package var failures: [String: String] { state.withLock { $0.failures } }

    package func setFailure(_ part: String, _ reason: String?) { state.withLock { $0.failures[part] = reason } }

    /// Publishes a commit and completes the waits that it satisfies, on the calling thread.
    package func publish(_ positions: PositionVector) {
        let ready = state.withLock { state -> [Waiter] in
            state.positions = positions
            state.revision += 1
            return state.takeWaiters { positions.covers($0.wanted) }
        }
        for waiter in ready { waiter.completion(.reached) }
    }

    /// Ends waits whose time is over; called regularly by processing.
    package func expire(nowNanos: Int64) {
        let late = state.withLock { $0.takeWaiters { $0.deadlineNanos <= nowNanos } }
        for waiter in late { waiter.completion(.timedOut) }
    }

    /// Calls `completion` once the tables contain `wanted`, or when the time is over. At once when they do already.
    package func wait(
        for wanted: PositionVector,
        deadlineNanos: Int64,
        _ completion: @escaping @Sendable (WaitResult) -> Void
    ) {
        let (now, notify) = state.withLock { state -> (WaitResult?, (@Sendable () -> Void)?) in
            if state.positions.covers(wanted) { return (.reached, nil) }
            if state.waiters.count >= Self.waitersMax { return (.tooMany, nil) }
            state.waiters.append(Waiter(wanted: wanted, deadlineNanos: deadlineNanos, completion: completion))
            state.waits += 1
            return (nil, state.notify)
        }
        if let now { completion(now) }
        notify?()
    }
}
