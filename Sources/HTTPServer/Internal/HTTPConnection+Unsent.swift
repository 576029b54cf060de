import Network

/// Answers that wait for clients to take them: bounded over all connections, so that clients that do not read take
/// neither the memory nor the answers of others.
extension HTTPConnection {
    var idleSinceNanos: Int64? {
        guard turns.isEmpty, bodyStarted == .max else { return nil }
        // A client that takes nothing of its answer for a while is as good as gone.
        if connection.outboundCount > 0 {
            let isStuck = connection.nowNanos - lastTaken >= Int64(shared.settings.crowdedMs) * 1_000_000
            return isStuck ? lastTaken : nil
        }
        if isClosing { return nil }
        return headStarted == .max ? lastActivity : headStarted
    }

    /// Follows the bytes that wait on this connection. After everything that adds to them or takes from them.
    func countUnsent() {
        let now = connection.isClosed ? 0 : connection.outboundCount + readyBytes
        shared.unsentBytes += now - unsentCounted
        if now < unsentCounted { unsentTaken += unsentCounted - now }
        if unsentCounted == 0, now > 0 { (unsentSince, unsentTaken) = (connection.nowNanos, 0) }
        unsentCounted = now
        let key = ObjectIdentifier(self)
        if now > HTTPLoop.largeAnswerBytes { shared.slowest[key] = self } else { shared.slowest[key] = nil }
    }

    /// Whether an answer of so many bytes may wait here: small ones always, large ones while there is room, or room is
    /// made by a client that takes its answer too slowly.
    func hasRoom(forAnswer count: Int) -> Bool {
        guard count > HTTPLoop.largeAnswerBytes else { return true }
        while shared.unsentBytes + count > shared.settings.unsentBytesTotalMax {
            let slow = shared.slowest.values.filter { $0 !== self && $0.isTooSlow }
            guard let worst = slow.max(by: { $0.unsentCounted < $1.unsentCounted }) else { return false }
            shared.counting.rejected(.answerNotTaken)
            worst.connection.abort()
        }
        return true
    }

    /// Slower than ``HTTPServerSettings/crowdedBytesPerSecondMin`` for some seconds.
    private var isTooSlow: Bool {
        let millis = (connection.nowNanos - unsentSince) / 1_000_000
        guard millis >= Int64(shared.settings.crowdedMs) else { return false }
        return Int64(unsentTaken) * 1_000 < Int64(shared.settings.crowdedBytesPerSecondMin) * millis
    }
}
