/// One accepted connection.
///
/// Invariant: while reading is paused nothing is received, so kept input stays below ``NetworkLimits/readBytes``.
/// Outbound bytes are bounded by the protocol, which sees ``outboundCount``.
/// Thread: the loop's.
package final class Connection {
    enum State {
        case open
        /// Closes once everything is sent.
        case finishing
        /// Everything is sent and said so; what the client still sends is thrown away.
        case lingering
        case closed
    }

    /// Names the connection from other threads; see ``Reactor/connection(_:)``.
    package let token: UInt64
    /// Window in milliseconds in which a peer must take ``windowBytesMin``, or all there is.
    let writeTimeoutMs: Int
    let listener: Int
    let isOverflow: Bool
    let socket: Socket
    unowned let reactor: Reactor

    var state = State.open
    package var handler: (any ByteProtocol)?
    var outbound: [UInt8] = []
    var sent = 0
    var held: [UInt8] = []
    var readPaused = false
    var isDirty = false
    var isResuming = false
    var registered: (read: Bool, write: Bool) = (true, false)
    var protocolDeadline = Int64.max
    var writeDeadline = Int64.max
    /// Bytes that the peer took since the write deadline was set.
    var windowSent = 0
    /// What it must take until then.
    var windowBytesMin: Int { max(1, NetworkLimits.writeBytesPerSecondMin * writeTimeoutMs / 1_000) }
    var lingered = 0
    /// True after the peer's end of stream.
    package var peerIsFinished = false

    init(
        token: UInt64,
        socket: Socket,
        reactor: Reactor,
        listener: Int,
        isOverflow: Bool,
        writeTimeoutMs: Int
    ) {
        self.token = token
        self.socket = socket
        self.reactor = reactor
        self.listener = listener
        self.isOverflow = isOverflow
        self.writeTimeoutMs = writeTimeoutMs
    }

    /// False once the connection finishes or is gone: nothing more is received or worth writing.
    package var isOpen: Bool { if case .open = state { true } else { false } }

    /// True once the connection is gone.
    package var isClosed: Bool { if case .closed = state { true } else { false } }

    /// True once everything is sent: the connection is gone or only waits for the peer to close.
    package var isSettled: Bool {
        switch state {
        case .open, .finishing: false
        case .lingering, .closed: true
        }
    }

    /// Bytes that wait for the socket.
    package var outboundCount: Int { outbound.count - sent }

    /// Monotonic time of this turn of the loop, in nanoseconds.
    package var nowNanos: Int64 { reactor.nowNanos }

    /// Appends bytes to send; all that a turn of the loop appends goes out in one call.
    package func write(_ append: (inout [UInt8]) -> Void) {
        switch state {
        case .open: break
        case .finishing, .lingering, .closed: return
        }
        append(&outbound)
        reactor.markDirty(self)
    }

    /// Stops receiving until ``resumeReading()``.
    package func pauseReading() {
        readPaused = true
        reactor.markDirty(self)
    }

    package var isReadingPaused: Bool { readPaused }

    /// Receives again; kept bytes are offered first, later in this turn.
    package func resumeReading() {
        guard readPaused else { return }
        readPaused = false
        reactor.markResuming(self)
    }

    /// Sets the one deadline of the protocol, in nanoseconds of the monotonic clock; `Int64.max` is none.
    package func setDeadline(nanos: Int64) {
        guard protocolDeadline != nanos, !isClosed else { return }
        protocolDeadline = nanos
        reactor.deadlineChanged(self)
    }

    /// Sends what waits, tells the peer that it was all, and closes without losing it.
    package func finish() {
        guard isOpen else { return }
        state = .finishing
        held = []
        reactor.markDirty(self)
    }

    /// Closes at once; unsent bytes are lost.
    package func abort() { reactor.close(self) }
}
