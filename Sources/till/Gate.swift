import Console
import Formats
import HTTPServer
import Ingest
import Ports
import Primitives
import Settings
import Telemetry

/// The first handler of every request: who is it, may they, and which service answers.
///
/// Without identities till listens on loopback only and everyone there may do everything; with identities every path
/// but health needs one (HTTP Basic or a bearer token, which is the secret).
struct Gate: HTTPHandler {
    let ingest: IngestService
    let console: ConsoleService
    let traffic: HTTPTraffic
    let identities: [Identity]
    let bodyBytesMax: Int
    let isReady: @Sendable () -> Bool

    /// Handlers as metrics name them. Routes are numbered: 0 for nothing, those of ingest, those of the console.
    static func handlers(_ ingest: IngestService) -> [String] {
        ["other"] + ingest.targets.paths + ConsoleService.routes
    }

    /// Numbered for metrics; nil is for a head that was refused.
    private static let verbs = [nil] + HTTPRequest.Method.allCases.map(Optional.some)

    /// Methods as metrics name them.
    static var methods: [String] { verbs.map { $0?.rawValue ?? "other" } }

    private var firstOfConsole: Int { 1 + ingest.targets.paths.count }

    func admit(method: HTTPRequest.Method, path: String) -> HTTPAdmission {
        if let route = ingest.targets.route(ofPath: path) {
            let takesRecords = method == .post && ingest.targets.target(route, path: path).feed != nil
            return HTTPAdmission(route: 1 + route, bodyBytesMax: takesRecords ? bodyBytesMax : Self.bodyBytesMax)
        }
        guard let route = ConsoleService.route(ofPath: path) else {
            return HTTPAdmission(route: 0, bodyBytesMax: Self.bodyBytesMax)
        }
        return HTTPAdmission(
            route: firstOfConsole + route,
            bodyBytesMax: ConsoleService.bodyBytesMax(route) ?? Self.bodyBytesMax
        )
    }

    /// Of what takes no body, which is read and not looked at.
    private static let bodyBytesMax = 64 << 10

    func handle(_ request: HTTPRequest, _ exchange: any HTTPExchange) {
        let first = firstOfConsole
        let target = 1..<first ~= request.route ? ingest.targets.target(request.route - 1, path: request.path) : nil
        let console = request.route < first ? nil : request.route - first
        if case .health(let body) = target { return health(body, request, exchange) }
        if let refusal = refusal(request, target, console) { return exchange.respond(refusal) }
        if let target {
            ingest.handle(request, for: target, exchange)
        } else {
            self.console.handle(request, console, exchange)
        }
    }

    /// Before a body is received: whoever may not send costs no memory.
    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        let first = firstOfConsole
        let target = 1..<first ~= request.route ? ingest.targets.target(request.route - 1, path: request.path) : nil
        if case .health = target { return nil }
        return refusal(request, target, request.route < first ? nil : request.route - first)
    }

    private func refusal(_ request: HTTPRequest, _ target: IngestTarget?, _ console: Int?) -> HTTPResponse? {
        if !identities.isEmpty { return refuse(request, target, console) }
        // Probes ask under any name.
        guard let foreign = LocalOnly.refusal(request), ConsoleService.access(console, path: request.path) != .open
        else { return nil }
        return error(403, foreign.code, foreign.message)
    }

    func answered(_ answer: HTTPAnswered) {
        traffic.answered(
            answer.route ?? 0,
            method: Self.verbs.firstIndex(of: answer.method) ?? 0,
            status: answer.status,
            nanos: answer.nanos,
            bytesIn: answer.bodyBytesIn,
            bytesOut: answer.bodyBytesOut
        )
    }

    /// The health path of a reference system.
    private func health(_ body: String, _ request: HTTPRequest, _ exchange: any HTTPExchange) {
        guard request.method == .get || request.method == .head else {
            var response = error(405, "method_not_allowed", "Health is read with GET.")
            response.headers.append(("allow", "GET, HEAD"))
            return exchange.respond(response)
        }
        guard isReady() else {
            return exchange.respond(
                error(503, "not_ready", "A part of till is not ready; GET /health/ready names it.")
            )
        }
        exchange.respond(
            HTTPResponse(status: 200, headers: [("content-type", "application/json")], body: Array(body.utf8))
        )
    }

    func turnEnded() { ingest.flush() }

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
    private func refuse(_ request: HTTPRequest, _ target: IngestTarget?, _ console: Int?) -> HTTPResponse? {
        let wanted: Scope
        if let feed = target?.feed {
            wanted = .ingest(feed)
        } else {
            switch ConsoleService.access(console, path: request.path) {
            case .open: return nil
            case .sales: wanted = .readSales
            case .customers: wanted = .readCustomers
            case .operate: wanted = .operate
            }
        }
        var denied: CompatibilityPath.Refusal?
        if case .compatibility(let path, _) = target { denied = path.denied }
        let header = request.header("authorization")
        guard let identity = identify(header) else {
            if let denied { return denied(Self.namesIdentity(header) ? .credentialsWrong : .credentialsMissing) }
            var response = error(
                401,
                "identity_unknown",
                "This path needs an identity; send HTTP Basic or a bearer token."
            )
            response.headers.append(("www-authenticate", "Basic realm=\"till\", charset=\"UTF-8\""))
            return response
        }
        if identity.scopes.contains(wanted) { return nil }
        let feed = target?.feed ?? Self.feedOfRun(request)
        if let feed, identity.scopes.contains(.ingest(feed)) || identity.scopes.contains(.ingest("*")) { return nil }
        let sentence = "Identity \(identity.name) does not have the scope \(wanted)."
        return denied?(.scopeMissing(sentence)) ?? error(403, "scope_missing", sentence)
    }

    /// The feed of a run that is asked for: who may send to it may know what became of what was sent.
    private static func feedOfRun(_ request: HTTPRequest) -> String? {
        request.path.hasPrefix("/v1/runs/") ? request.parameter("feed") : nil
    }

    /// Whether a header has credentials of a known kind, right or wrong.
    private static func namesIdentity(_ header: String?) -> Bool {
        guard let header, let space = header.firstIndex(of: " ") else { return false }
        return ["basic", "bearer"].contains(header[..<space].lowercased())
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
