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
    let logins: Logins
    let bodyBytesMax: Int
    /// Says whether all parts of till work, later and on another thread.
    let checkReady: @Sendable (@escaping @Sendable (Bool) -> Void) -> Void

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
        let (target, console) = place(of: request)
        if case .health(let body) = target { return health(body, request, exchange) }
        var caller = Caller()
        if let refusal = refusal(request, target, console, &caller) { return exchange.respond(refusal) }
        if let target {
            ingest.handle(request, for: target, exchange)
        } else {
            self.console.handle(request, console, caller, exchange)
        }
    }

    /// Before a body is received: whoever may not send costs no memory.
    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        let (target, console) = place(of: request)
        if case .health = target { return nil }
        var caller = Caller()
        return refusal(request, target, console, &caller)
    }

    func share(of request: HTTPRequest) -> String? { logins.known(request.header("authorization")) }

    /// Where the request's route leads: to a target of ingest, or to a number of the console's.
    private func place(of request: HTTPRequest) -> (target: IngestTarget?, console: Int?) {
        let first = firstOfConsole
        let target = 1..<first ~= request.route ? ingest.targets.target(request.route - 1, path: request.path) : nil
        return (target, request.route < first ? nil : request.route - first)
    }

    private func refusal(
        _ request: HTTPRequest,
        _ target: IngestTarget?,
        _ console: Int?,
        _ caller: inout Caller
    ) -> HTTPResponse? {
        if let foreign = CrossOrigin.refusal(request) { return error(403, foreign.code, foreign.message) }
        if !logins.isEmpty { return refuse(request, target, console, &caller) }
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
        let failing = error(503, "not_ready", "A part of till is not ready; GET /health/ready names it.")
        let healthy = HTTPResponse(
            status: 200,
            headers: [("content-type", "application/json")],
            body: Array(body.utf8)
        )
        checkReady { exchange.respond($0 ? healthy : failing) }
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
    private func refuse(
        _ request: HTTPRequest,
        _ target: IngestTarget?,
        _ console: Int?,
        _ caller: inout Caller
    ) -> HTTPResponse? {
        let wanted: Scope
        if let feed = target?.feed {
            wanted = .ingest(feed)
        } else {
            switch ConsoleService.access(console, path: request.path) {
            case .open: return nil
            case .sales: wanted = .readSales
            case .customers: wanted = .readCustomers
            case .metrics: wanted = .readMetrics
            case .operate: wanted = .operate
            }
        }
        var denied: CompatibilityPath.Refusal?
        if case .compatibility(let path, _) = target { denied = path.denied }
        let header = request.header("authorization")
        let identity: Identity
        switch logins.identify(header) {
        case .known(let known): identity = known
        case .wait:
            var response = error(
                429,
                "logins_limited",
                "Too many wrong credentials were sent lately; send again after the time in Retry-After."
            )
            response.headers.append(("retry-after", "1"))
            return response
        case .unknown:
            if let denied { return denied(Self.namesIdentity(header) ? .credentialsWrong : .credentialsMissing) }
            var response = error(
                401,
                "identity_unknown",
                "This path needs an identity; send HTTP Basic or a bearer token."
            )
            response.headers.append(("www-authenticate", "Basic realm=\"till\", charset=\"UTF-8\""))
            return response
        }
        caller.showsOriginals = identity.scopes.contains(.readCustomers)
        if target != nil, let sentence = Self.foreignSender(request, identity) {
            return denied?(.scopeMissing(sentence)) ?? error(403, "sender_not_allowed", sentence)
        }
        if identity.scopes.contains(wanted) { return nil }
        if wanted == .readCustomers, let console, ConsoleService.isOfOneCustomer(console),
            let own = identity.customer
        {
            caller.onlyCustomer = own
            return nil
        }
        // Who operates a till may see how it does.
        if wanted == .readMetrics, identity.scopes.contains(.operate) { return nil }
        let feed = target?.feed ?? Self.feedOfRun(request)
        if let feed, identity.scopes.contains(.ingest(feed)) || identity.scopes.contains(.ingest("*")) { return nil }
        let sentence = "Identity \(identity.name) does not have the scope \(wanted)."
        return denied?(.scopeMissing(sentence)) ?? error(403, "scope_missing", sentence)
    }

    /// Why the request's X-Till-Sender is not the identity's to use; nil when it is, or there is none.
    private static func foreignSender(_ request: HTTPRequest, _ identity: Identity) -> String? {
        guard let senders = identity.senders else { return nil }
        guard let sender = request.headers.first(where: { $0.name == "x-till-sender" && !senders.contains($0.value) })
        else { return nil }
        return
            "Identity \(identity.name) may not send as \(sender.value.quotedForMessage); its senders are \(senders.sorted().joined(separator: ", "))."
    }

    /// The feed that is asked about: who may send to it may know how its rows are named and what became of them.
    private static func feedOfRun(_ request: HTTPRequest) -> String? {
        request.path.hasPrefix("/v1/runs/") || request.path == "/v1/row-identity" ? request.parameter("feed") : nil
    }

    /// Whether a header has credentials of a known kind, right or wrong.
    private static func namesIdentity(_ header: String?) -> Bool {
        guard let header, let space = header.firstIndex(of: " ") else { return false }
        return ["basic", "bearer"].contains(header[..<space].lowercased())
    }
}
