import Network
import Ports
import Synchronization

/// Bytes of a stream between the threads that produce them and the loop that sends them; bounded.
///
/// Thread: any.
final class StreamBuffer: Sendable {
    private struct State: Sendable {
        var bytes: [UInt8] = []
        /// Bytes that the loop has taken and the socket has not.
        var inFlight = 0
        /// True while a command to the loop is under way.
        var scheduled = false
        var ended = false
        var closed = false
    }

    private let state = Mutex(State())
    private let loop: EventLoop
    private let token: UInt64
    private let sequence: UInt64
    private let bytesMax: Int

    init(loop: EventLoop, token: UInt64, sequence: UInt64, bytesMax: Int) {
        self.loop = loop
        self.token = token
        self.sequence = sequence
        self.bytesMax = bytesMax
    }

    /// Queues bytes; false when the stream is over or too much waits, which ends it.
    func send(_ bytes: [UInt8]) -> Bool {
        let (accepted, wakes) = state.withLock { state -> (Bool, Bool) in
            if state.closed || state.ended { return (false, false) }
            // Too slow a client: what it got so far is cut off without the end of the body.
            if state.bytes.count + state.inFlight + bytes.count > bytesMax {
                state.closed = true
                state.bytes = []
                return (false, true)
            }
            state.bytes += bytes
            defer { state.scheduled = true }
            return (true, !state.scheduled)
        }
        if wakes { notify() }
        return accepted
    }

    func end() {
        let wakes = state.withLock { state -> Bool in
            if state.closed || state.ended { return false }
            state.ended = true
            defer { state.scheduled = true }
            return !state.scheduled
        }
        if wakes { notify() }
    }

    /// The client is gone.
    func close() {
        state.withLock { state in
            state.closed = true
            state.bytes = []
        }
    }

    /// Takes what waits.
    ///
    /// - Parameter inFlight: Bytes of the connection that the socket has not taken.
    /// - Returns: The bytes, whether the stream ended after them, and whether it was cut off.
    func take(inFlight: Int) -> (bytes: [UInt8], ended: Bool, cut: Bool) {
        state.withLock { state in
            let bytes = state.bytes
            state.bytes = []
            state.scheduled = false
            state.inFlight = inFlight + bytes.count
            return (bytes, state.ended, state.closed)
        }
    }

    /// Says that the loop looked and left what waits for later.
    ///
    /// - Returns: False when the stream was cut off.
    @discardableResult func leave(inFlight: Int) -> Bool {
        state.withLock { state in
            state.scheduled = false
            state.inFlight = inFlight
            return !state.closed
        }
    }

    private func notify() {
        let token = token
        let sequence = sequence
        loop.post { ($0.connection(token)?.handler as? HTTPConnection)?.streamHasBytes(sequence) }
    }
}

/// The handler's end of a stream; letting it go ends the stream.
final class ResponseStream: HTTPStream {
    private let buffer: StreamBuffer

    init(_ buffer: StreamBuffer) { self.buffer = buffer }
    deinit { buffer.end() }

    func send(_ bytes: [UInt8]) -> Bool { buffer.send(bytes) }
    func end() { buffer.end() }
}
