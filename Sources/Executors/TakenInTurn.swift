/// A value that threads use one at a time, in the order in which they asked for it.
///
/// With a plain lock, a thread that takes it repeatedly can starve the others; here a waiting thread is next. The
/// value need not be safe to share: after `init` it is reached only through this object, so whoever made it must let go
/// of it. Thread: any; not recursive.
@safe package final class TakenInTurn<Value>: Sendable {
    private let monitor = Monitor()
    // Aliasing: both counters are read and written only inside `monitor.withLock`.
    nonisolated(unsafe) private var nextTicket: UInt64 = 0
    nonisolated(unsafe) private var served: UInt64 = 0
    // Aliasing: used only by the thread whose ticket is served, which the monitor orders after the one before.
    nonisolated(unsafe) private var value: Value

    package init(_ value: Value) { unsafe self.value = value }

    /// Runs `body` when it is this thread's turn; blocks until then. The body must not call back into this object.
    package func use<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        monitor.withLock {
            let ticket = unsafe nextTicket
            unsafe nextTicket += 1
            while unsafe served != ticket { monitor.wait() }
        }
        defer {
            monitor.withLock {
                unsafe served += 1
                if unsafe nextTicket != served { monitor.broadcast() }
            }
        }
        return try unsafe body(&value)
    }
}
