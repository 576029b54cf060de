import Network

/// Looks ten times a second whether the last connection has settled. Thread: the loop's.
struct DrainWaiter {
    /// Time given to clients to close after their last answer, so that the close does not reset it.
    static let settleNanos: Int64 = 300_000_000

    let untilNanos: Int64
    let reply: EventLoop.Reply<Int>
    var settledNanos = Int64.max

    /// Replies with the number of connections that are still busy once it is 0 or the time is over.
    func look(_ reactor: Reactor) {
        var next = self
        let busy = reactor.connections.count { !$0.isSettled }
        if busy == 0 { next.settledNanos = min(settledNanos, reactor.nowNanos) }
        let isOver =
            reactor.connectionCount == 0 || reactor.nowNanos >= untilNanos
            || busy == 0 && reactor.nowNanos - next.settledNanos >= Self.settleNanos
        // A timer that is refused lets go of the reply, which then answers nil.
        if isOver { reply.send(busy) } else { reactor.schedule(afterMs: 0) { [next] in next.look($0) } }
    }
}
