package import Network

/// What the transport itself answers, as a table: status, stable code, sentence of fact and remedy.
package enum HTTPServerFailure: Sendable, Equatable {
    case refused(HTTPRefusal)
    /// As the refusal of that name, with the limit of the path.
    case bodyTooLarge(bytesMax: Int)
    case headTimedOut
    case bodyTimedOut
    case answerTimedOut
    case noAnswer
    case tooManyConnections
    case tooManyBodyBytes
    case tooManyUnsentBytes
    /// Counted only: the connection is cut off in the middle of an answer.
    case answerNotTaken

    package var status: Int {
        switch self {
        case .refused(let refusal): refusal.status
        case .bodyTooLarge: HTTPRefusal.bodyTooLarge.status
        case .headTimedOut, .bodyTimedOut: 408
        case .answerTimedOut: 504
        case .noAnswer: 500
        case .tooManyConnections, .tooManyBodyBytes, .tooManyUnsentBytes, .answerNotTaken: 503
        }
    }

    package var code: String {
        switch self {
        case .refused(let refusal): refusal.code
        case .bodyTooLarge: HTTPRefusal.bodyTooLarge.code
        case .headTimedOut: "http.head_timed_out"
        case .bodyTimedOut: "http.body_timed_out"
        case .answerTimedOut: "http.answer_timed_out"
        case .noAnswer: "http.no_answer"
        case .tooManyConnections: "http.too_many_connections"
        case .tooManyBodyBytes: "http.too_many_body_bytes"
        case .tooManyUnsentBytes: "http.too_many_unsent_bytes"
        case .answerNotTaken: "http.answer_not_taken"
        }
    }

    package var message: String {
        switch self {
        case .refused(let refusal): refusal.message
        case .bodyTooLarge(let bytesMax):
            "The body is larger than the \(bytesMax) bytes that this path takes; split it."
        case .headTimedOut: "The head of the request did not come in time; send it at once."
        case .bodyTimedOut: "The body of the request came too slowly; send it faster or split it."
        case .answerTimedOut: "The request was not answered in time; ask again later."
        case .noAnswer: "The request was dropped without an answer, which is a defect of the server; report it."
        case .tooManyConnections: "All connections of the server are in use; try again after the time in Retry-After."
        case .tooManyUnsentBytes:
            "Too many bytes of answers wait for other clients; try again after Retry-After, or ask for a smaller page."
        case .answerNotTaken: "The client did not take its answer; read faster or ask for a smaller page."
        case .tooManyBodyBytes: "The server receives as many bytes as it can hold; try again after Retry-After."
        }
    }

    /// Seconds for Retry-After.
    var retryAfterSeconds: Int? {
        switch self {
        case .tooManyConnections, .tooManyBodyBytes, .tooManyUnsentBytes: 1
        case .refused, .bodyTooLarge, .headTimedOut, .bodyTimedOut, .answerTimedOut, .noAnswer, .answerNotTaken:
            nil
        }
    }
}
