package import Primitives

/// Why the small client got no answer.
package enum HTTPClientError: OperationalError, Equatable {
    /// `cause` is the positive errno.
    case connectRefused(host: String, port: Int, cause: Int32)
    /// TLS: the handshake failed, or the certificate is not the server's or not trusted.
    case notTrusted(host: String, port: Int, why: String)
    case timedOut(operation: String, millis: Int)
    case closedByServer
    case broken(operation: String, cause: Int32)
    case badAnswer(what: String)
    case answerTooLarge(bytesMax: Int)
    case nothingAsked
    case badRequest(what: String)

    package var code: String {
        switch self {
        case .connectRefused: "http_client.connect_refused"
        case .notTrusted: "http_client.not_trusted"
        case .timedOut: "http_client.timed_out"
        case .closedByServer: "http_client.closed_by_server"
        case .broken: "http_client.broken"
        case .badAnswer: "http_client.answer_malformed"
        case .answerTooLarge: "http_client.answer_too_large"
        case .nothingAsked: "http_client.nothing_asked"
        case .badRequest: "http_client.request_invalid"
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .nothingAsked, .badRequest: .user
        case .connectRefused, .notTrusted, .timedOut, .closedByServer, .broken, .badAnswer, .answerTooLarge: .external
        }
    }

    package var retry: RetryHint {
        switch self {
        case .connectRefused, .timedOut, .closedByServer, .broken: .afterBackoff
        case .notTrusted, .badAnswer, .answerTooLarge, .nothingAsked, .badRequest: .never
        }
    }

    package var description: String {
        switch self {
        case .connectRefused(let host, let port, let cause):
            "No connection to port \(port) of \(host.quotedForMessage) (\(errorText(cause))); check that it is running."
        case .notTrusted(let host, let port, let why):
            "TLS with port \(port) of \(host.quotedForMessage) failed: \(why). Check the address, and the authorities of --ca-file."
        case .timedOut(let operation, let millis):
            "The server did not \(operation) within \(millis) ms; try again or allow more time."
        case .closedByServer: "The server closed the connection before it answered; connect again."
        case .broken(let operation, let cause):
            "The connection broke while it \(operation) (\(errorText(cause))); connect again."
        case .badAnswer(let what): "The answer is not HTTP/1.1: \(what); check that the address is an HTTP server."
        case .answerTooLarge(let bytesMax): "The answer is larger than \(bytesMax) bytes; ask for less."
        case .nothingAsked: "No request waits for an answer; send one first."
        case .badRequest(let what): "The request cannot be written: \(what); correct it."
        }
    }
}
