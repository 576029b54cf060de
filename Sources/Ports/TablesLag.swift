import Synchronization

/// How far the tables are behind the log, and whether senders have to wait for them: beyond a set number of
/// records they do, until half of it is folded. Processing sets it, receiving adds to it. Thread: any.
package final class TablesLag: Sendable {
    private struct State: Sendable {
        var lag: Int64 = 0
        /// Once the tables have come near what the log held at the start: a rebuild keeps nobody waiting.
        var isArmed = false
        var isBehind = false
    }

    package let max: Int64
    private let state = Mutex(State())

    package init(max: Int64) { self.max = max }

    package var records: Int64 { state.withLock { $0.lag } }
    /// Whether senders have to wait.
    package var isBehind: Bool { state.withLock { $0.isBehind } }

    /// Takes note of durable records that are not folded.
    package func set(_ lag: Int64) { update { $0 = lag } }
    /// Takes note of records that became durable.
    package func add(_ records: Int) { update { $0 += Int64(records) } }

    private func update(_ change: (inout Int64) -> Void) {
        state.withLock { state in
            change(&state.lag)
            if state.lag <= max / 2 {
                state.isArmed = true
                state.isBehind = false
            } else if state.lag > max, state.isArmed {
                state.isBehind = true
            }
        }
    }
}
