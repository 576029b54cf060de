import Network
import Ports
import Synchronization

/// What a handler answered: all at once, or the beginning of a stream.
enum HTTPAnswer: Sendable {
    case response(HTTPResponse)
    case stream(StreamBuffer, status: Int, headers: [(name: String, value: String)])
}

/// Carries one answer from any thread to its connection.
///
/// While the handler runs on the loop's thread the answer is left here, and the connection takes it without a hop.
/// After that it goes through the loop's mailbox. An exchange that is dropped unanswered answers 500.
/// Thread: any.
final class Exchange: HTTPExchange {
    private enum State: Sendable {
        case handling
        case left(HTTPAnswer)
        case waiting
        case answered
    }

    private let state = Mutex(State.handling)
    private let loop: EventLoop
    private let token: UInt64
    private let sequence: UInt64
    private let streamBytesMax: Int

    init(loop: EventLoop, token: UInt64, sequence: UInt64, streamBytesMax: Int) {
        self.loop = loop
        self.token = token
        self.sequence = sequence
        self.streamBytesMax = streamBytesMax
    }

    deinit {
        let isMissing = state.withLock { if case .waiting = $0 { true } else { false } }
        if isMissing { send(nil) }
    }

    func respond(_ response: HTTPResponse) { answer(.response(response)) }

    func startStream(status: Int, headers: [(name: String, value: String)]) -> any HTTPStream {
        let buffer = StreamBuffer(loop: loop, token: token, sequence: sequence, bytesMax: streamBytesMax)
        answer(.stream(buffer, status: status, headers: headers))
        return ResponseStream(buffer)
    }

    private func answer(_ answer: HTTPAnswer) {
        let goesNow = state.withLock { state -> Bool in
            switch state {
            case .handling:
                state = .left(answer)
                return false
            case .waiting:
                state = .answered
                return true
            case .left, .answered: preconditionFailure("A request is answered exactly once")
            }
        }
        if goesNow { send(answer) }
    }

    /// The handler returned: gives the answer that it left, if any.
    func handlerReturned() -> HTTPAnswer? {
        state.withLock { state in
            if case .left(let answer) = state {
                state = .answered
                return answer
            }
            state = .waiting
            return nil
        }
    }

    private func send(_ answer: HTTPAnswer?) {
        let token = token
        let sequence = sequence
        loop.post { reactor in
            guard let http = reactor.connection(token)?.handler as? HTTPConnection else {
                if case .stream(let buffer, _, _) = answer { buffer.close() }
                return
            }
            http.complete(sequence, answer)
        }
    }
}
