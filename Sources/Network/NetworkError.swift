package import Primitives

/// Why the loop could not begin or listen.
package enum NetworkError: OperationalError, Equatable {
    case addressInvalid(host: String)
    case addressTaken(host: String, port: Int)
    /// `cause` is the positive errno.
    case listenRefused(host: String, port: Int, cause: Int32)
    case resourcesUnavailable(what: String, cause: Int32)
    case loopStopped

    package var code: String {
        switch self {
        case .addressInvalid: "network.address_invalid"
        case .addressTaken: "network.address_taken"
        case .listenRefused: "network.listen_refused"
        case .resourcesUnavailable: "network.resources_unavailable"
        case .loopStopped: "network.loop_stopped"
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .addressInvalid: .user
        case .addressTaken, .listenRefused, .resourcesUnavailable, .loopStopped: .external
        }
    }

    package var retry: RetryHint {
        switch self {
        case .addressInvalid, .loopStopped: .never
        case .addressTaken, .listenRefused, .resourcesUnavailable: .afterBackoff
        }
    }

    package var description: String {
        switch self {
        case .addressInvalid(let host):
            "Host \(host.quotedForMessage) is not an IPv4 or IPv6 address; write one, for instance 127.0.0.1."
        case .addressTaken(let host, let port):
            "Port \(port) of \(host) is in use; choose another port or stop the process that holds it."
        case .listenRefused(let host, let port, let cause):
            "Listening on port \(port) of \(host) was refused (\(errorText(cause))); choose another address."
        case .resourcesUnavailable(let what, let cause):
            "The kernel gave no \(what) (\(errorText(cause))); raise the limits of this process."
        case .loopStopped: "The network loop has stopped; start a new one."
        }
    }
}
