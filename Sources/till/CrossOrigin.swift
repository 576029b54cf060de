import Ports
import Primitives

/// A browser sends with the credentials it knows, whichever page asks it to: a request that changes something is
/// taken only from till's own pages, or from a client that is no browser and says nothing about pages.
enum CrossOrigin {
    /// Why a request is refused; nil when it only reads, or comes from no page of another origin.
    static func refusal(_ request: HTTPRequest) -> (code: String, message: String)? {
        switch request.method {
        case .get, .head, .options: return nil
        case .post, .put, .delete, .patch: break
        }
        let remedy = "send it from a program, or from a page of till's own address"
        for header in request.headers where header.name == "sec-fetch-site" {
            guard ["same-origin", "none"].contains(header.value.lowercased()) else {
                return (
                    "origin_foreign",
                    "Sec-Fetch-Site is \(header.value.quotedForMessage); pages of other origins may not send here: \(remedy)."
                )
            }
        }
        for header in request.headers where header.name == "origin" && !isOwn(header.value, request.header("host")) {
            return (
                "origin_foreign",
                "Origin is \(header.value.quotedForMessage); pages of other origins may not send here: \(remedy)."
            )
        }
        return nil
    }

    /// Whether an origin is `http(s)://HOST`, with the request's own Host. The scheme is not compared: a proxy may speak
    /// TLS for till.
    private static func isOwn(_ origin: String, _ host: String?) -> Bool {
        guard let host, !host.isEmpty else { return false }
        let text = origin.lowercased()
        return text == "http://" + host.lowercased() || text == "https://" + host.lowercased()
    }
}
