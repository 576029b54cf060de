import CShims

/// A mutex with one condition, on the monotonic clock.
///
/// Invariant: `wait`, `signal` and `broadcast` are called with or, for the last two, also without the lock; `wait` only
/// inside ``withLock(_:)``. Not recursive. Prefer ``Guarded``, which keeps the state and its lock together.
/// Thread: any.
@safe package final class Monitor: Sendable {
    // Lifetime: made in init, freed in deinit, never handed out; the C object is made to be shared between threads.
    nonisolated(unsafe) private let handle: OpaquePointer

    package init() { unsafe handle = cshims_monitor_make() }
    deinit { unsafe cshims_monitor_free(handle) }

    /// Runs `body` with the lock held; blocks while another thread holds it.
    package func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        unsafe cshims_monitor_lock(handle)
        defer { unsafe cshims_monitor_unlock(handle) }
        return try body()
    }

    /// Releases the lock until a signal arrives and holds it again on return. A return says nothing about the
    /// state: check it in a loop.
    ///
    /// - Parameter micros: Longest wait in microseconds; negative waits for ever.
    /// - Returns: False when the time ran out.
    @discardableResult package func wait(micros: Int64 = -1) -> Bool { unsafe cshims_monitor_wait(handle, micros) }

    /// Wakes one waiting thread.
    package func signal() { unsafe cshims_monitor_signal(handle) }

    /// Wakes all waiting threads.
    package func broadcast() { unsafe cshims_monitor_broadcast(handle) }
}

/// State that threads share and wait on, reachable only under its lock.
///
/// Thread: any.
@safe package final class Guarded<State: Sendable>: Sendable {
    private let monitor = Monitor()
    // Aliasing: read and written only inside `monitor.withLock`, and never across a wait.
    nonisolated(unsafe) private var state: State

    package init(_ state: State) { unsafe self.state = state }

    /// Reads or changes the state under the lock. The body must not block and must not call back into this object.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try monitor.withLock { () throws(Failure) -> Result in try unsafe body(&state) }
    }

    /// Tries `attempt` under the lock now and after every signal until it gives a value.
    ///
    /// - Parameter micros: Longest wait in microseconds; negative waits for ever.
    /// - Returns: Nil when the time ran out first.
    package func wait<Result>(micros: Int64 = -1, until attempt: (inout State) -> Result?) -> Result? {
        let deadline = micros < 0 ? Int64.max : cshims_monotonic_nanos() &+ min(micros, Int64.max / 4_000) &* 1_000
        return monitor.withLock {
            while true {
                if let result = unsafe attempt(&state) { return result }
                if micros < 0 {
                    monitor.wait()
                } else {
                    let left = deadline - cshims_monotonic_nanos()
                    if left <= 0 { return nil }
                    monitor.wait(micros: (left + 999) / 1_000)
                }
            }
        }
    }

    /// Wakes one waiting thread.
    package func signal() { monitor.signal() }

    /// Wakes all waiting threads.
    package func broadcast() { monitor.broadcast() }
}
