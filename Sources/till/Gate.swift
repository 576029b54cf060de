import Console
import Formats
import HTTPServer
import Ingest
import Ports
import Primitives
import Settings

/// The first handler of every request: who is it, may they, and which service answers.
///
/// Without identities till listens on loopback only and everyone there may do everything; with identities every path
/// but health needs one (HTTP Basic or a bearer token, which is the secret).
struct Gate: HTTPHandler {
    let ingest: IngestService
    let console: ConsoleService
    let identities: [Identity]
    let bodyBytesMax: Int

    func bodyLimit(method: HTTPRequest.Method, path: String) -> Int {
        if method == .post, ingest.feed(ofPath: path) != nil { return bodyBytesMax }
        return ConsoleService.bodyBytesMax(path) ?? 64 << 10
    }

    func handle(_ request: HTTPRequest, _ exchange: any HTTPExchange) {
        let feed = ingest.feed(ofPath: request.path)
        if !identities.isEmpty, let refusal = refuse(request, feed) { return exchange.respond(refusal) }
        if feed != nil { ingest.handle(request, exchange) } else { console.handle(request, exchange) }
    }

    func transportError(status: Int, code: String, message: String) -> HTTPResponse {
        error(status, code, message)
    }

    private func error(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("content-type", "application/json")],
            body: ErrorBody(code: code, message: message).json()
        )
    }

    // MARK: Identities

    /// 401 without a known identity, 403 when it lacks the scope, nil when the request may pass.
    private func refuse(_ request: HTTPRequest, _ feed: String?) -> HTTPResponse? {
        let wanted: Scope
        if let feed {
            wanted = .ingest(feed)
        } else {
            switch ConsoleService.access(request.path) {
            case .open: return nil
            case .sales: wanted = .readSales
            case .customers: wanted = .readCustomers
            case .operate: wanted = .operate
            }
        }
        guard let identity = identify(request.header("authorization")) else {
            var response = error(
                401,
                "identity_unknown",
                "This path needs an identity; send HTTP Basic or a bearer token."
            )
            response.headers.append(("www-authenticate", "Basic realm=\"till\", charset=\"UTF-8\""))
            return response
        }
        if identity.scopes.contains(wanted) { return nil }
        if feed != nil, identity.scopes.contains(.ingest("*")) { return nil }
        return error(403, "scope_missing", "Identity \(identity.name) does not have the scope \(wanted).")
    }

    private func identify(_ header: String?) -> Identity? {
        guard let header, let space = header.firstIndex(of: " ") else { return nil }
        let credentials = header[header.index(after: space)...]
        switch header[..<space].lowercased() {
        case "basic":
            guard let decoded = Base64.decode(Array(credentials.utf8)), let colon = decoded.firstIndex(of: 0x3A) else {
                return nil
            }
            let name = String(decoding: decoded[..<colon], as: UTF8.self)
            return match(Array(decoded[(colon + 1)...])) { $0.name == name }
        case "bearer": return match(Array(credentials.utf8)) { _ in true }
        default: return nil
        }
    }

    /// Compares the hash with every candidate's, in time that does not depend on where they differ.
    private func match(_ secret: [UInt8], among condition: (Identity) -> Bool) -> Identity? {
        let hash = Digest.sha256(of: secret)
        var found: Identity?
        for identity in identities where condition(identity) {
            if hash.equalsInConstantTime(identity.secretHash) { found = identity }
        }
        return found
    }
}
