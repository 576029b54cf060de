import Synchronization

/// How many bytes the open entries of quarantine hold, and how many they may: bad input must not fill the disk that
/// good input needs. Counted is what is stored, with reasons and keys. Processing says what the tables hold; receiving
/// reserves room for what is in the log and not folded yet. After a restart the reservations of before are gone, so
/// quarantine may pass its limit once by what waited then, which is less than the limit. Thread: any.
package final class QuarantineQuota: Sendable {
    private struct State: Sendable {
        var used: Int64 = 0
        var reserved: Int64 = 0
    }

    package let bytesMax: Int64
    private let state = Mutex(State())

    package init(bytesMax: Int64) { self.bytesMax = bytesMax }

    /// Of the tables and of what waits for them.
    package var bytesUsed: Int64 { state.withLock { $0.used + $0.reserved } }

    /// Makes room for rejected records that are on their way to the log; false when there is none.
    package func reserve(_ bytes: Int64) -> Bool {
        state.withLock { state in
            guard bytes <= bytesMax - state.used - state.reserved else { return false }
            state.reserved += bytes
            return true
        }
    }

    /// Gives room back: the log refused the records, or the tables count them now.
    package func release(_ bytes: Int64) {
        if bytes > 0 { state.withLock { $0.reserved = max(0, $0.reserved - bytes) } }
    }

    package func set(_ used: Int64) { state.withLock { $0.used = used } }
    package func add(_ change: Int64) { state.withLock { $0.used += change } }
}
