import Network
import Ports

extension HTTPConnection {
    /// A request that is not answered on the wire.
    struct Turn {
        enum State {
            case waiting
            case ready(HTTPResponse)
            /// The head of a stream is written once its turn comes.
            case stream(StreamBuffer, status: Int, headers: [(name: String, value: String)], begun: Bool)
            /// `100 Continue`
            case interim
        }

        var state = State.waiting
        var isHead = false
        var isHTTP10 = false
        /// The connection closes after this answer.
        var closes = false
        /// For who counts: as admitted, and since when the whole request is here.
        var route: Int?
        var method: HTTPRequest.Method?
        var sinceNanos = Int64.max
        var bodyBytes = 0
    }

    /// Tells of an answer before it is written.
    func count(_ status: Int, _ turn: Turn, bodyBytes: Int?) {
        shared.counting.answered(status)
        shared.handler.answered(
            HTTPAnswered(
                route: turn.route,
                method: turn.method,
                status: status,
                nanos: connection.nowNanos - min(turn.sinceNanos, connection.nowNanos),
                bodyBytesIn: turn.bodyBytes,
                bodyBytesOut: bodyBytes
            )
        )
    }
}
