import CShims
package import Executors
import Formats
package import Ports
package import Primitives
package import Telemetry

/// The reading side of HTTP: API queries on a pool of threads that may block, health, metrics, dashboard, live feed.
package final class ConsoleService: Sendable {
    private let reader: any TableReader
    private let board: PositionBoard
    private let pool: BlockingPool
    private let metrics: Metrics
    private let time: any TimeSource
    private let status: PipelineStatus
    private let live: LiveFeed
    private let actions: QuarantineActions
    private let proof: @Sendable () -> [UInt8]?
    private let transport: @Sendable () -> (requests: Int, connections: Int)
    private let answersReferenceClients: Bool
    private let openAPI: [UInt8]

    /// - Parameter resubmission: Takes records of quarantine into the log again.
    /// - Parameter proof: Reads the report of the last proof; nil without one. May block.
    /// - Parameter references: Paths of reference systems that are on, for the OpenAPI document.
    /// - Parameter transport: Requests answered since the start, and connections open now.
    package init(
        reader: any TableReader,
        resubmission: any RecordResubmission,
        proof: @escaping @Sendable () -> [UInt8]?,
        transport: @escaping @Sendable () -> (requests: Int, connections: Int),
        board: PositionBoard,
        pool: BlockingPool,
        metrics: Metrics,
        time: any TimeSource,
        status: PipelineStatus,
        live: LiveFeed,
        answersReferenceClients: Bool,
        references: Set<String>
    ) {
        self.reader = reader
        self.board = board
        self.pool = pool
        self.metrics = metrics
        self.time = time
        self.status = status
        self.live = live
        actions = QuarantineActions(reader: reader, resubmission: resubmission, status: status)
        self.proof = proof
        self.transport = transport
        self.answersReferenceClients = answersReferenceClients
        openAPI = OpenAPI.document(version: status.version, references: references)
    }

    /// What a path asks for; everything unknown asks for the operator's scope.
    package static func access(_ path: String) -> Access {
        let parts = path.split(separator: "/")
        if parts.count == 3, parts[0] == "v1", parts[1] == "views" {
            return OperateQueries.viewAccess(String(parts[2]))
        }
        if let route = Route.all.first(where: { $0.match(parts) != nil }) { return route.access }
        if path == "/health" || path.hasPrefix("/health/") { return .open }
        if path == "/v1/live" || path == "/v1/openapi.json" { return .sales }
        if EmbeddedAssets.files[path] != nil { return .sales }
        return .operate
    }

    /// Whether something is read there.
    private static func isKnown(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return Route.all.contains { $0.match(parts) != nil } || EmbeddedAssets.files[path] != nil
            || ["/health", "/health/live", "/health/ready", "/metrics", "/v1/openapi.json", "/v1/live"].contains(path)
    }

    /// Largest body of a request, by its path; nil for paths that take none.
    package static func bodyBytesMax(_ path: String) -> Int? {
        Action.all.contains { $0.path == path } ? Action.bodyBytesMax : nil
    }

    package func handle(_ request: HTTPRequest, _ exchange: any HTTPExchange) {
        let action = Action.all.first { $0.path == request.path }
        let isReading = request.method == .get || request.method == .head
        guard action == nil ? isReading : request.method == .post else {
            guard action != nil || Self.isKnown(request.path) else {
                let what = "There is no path \(request.path.quotedForMessage)"
                let problem = APIError(
                    status: 404,
                    code: "path_unknown",
                    message: "\(what) that takes \(request.method.rawValue); GET /v1/openapi.json lists all paths."
                )
                return exchange.respond(problem.response)
            }
            let allowed = action == nil ? "GET" : "POST"
            var response = APIError(
                status: 405,
                code: "method_not_allowed",
                message:
                    "\(request.method.rawValue) is not possible on \(request.path.quotedForMessage); use \(allowed)."
            ).response
            response.headers.append(("allow", action == nil ? "GET, HEAD" : allowed))
            return exchange.respond(response)
        }
        if let action { return perform(action, request, exchange) }
        switch request.path {
        case "/health/live": exchange.respond(Self.json(JSONWriter.object { $0.field("status", "live") }))
        case "/health/ready": ready(exchange)
        case "/health": exchange.respond(Self.json(JSONWriter.object { $0.field("status", "up") }))
        case "/metrics": exchange.respond(metricsResponse())
        case "/v1/openapi.json": exchange.respond(Self.json(openAPI))
        case "/v1/live":
            if !pool.submit({ [live] in
                if !live.add(exchange) {
                    exchange.respond(
                        APIError(
                            status: 503,
                            code: "live_full",
                            message: "\(LiveFeed.streamsMax) dashboards listen already; try again later."
                        ).response
                    )
                }
            }) {
                busy(exchange)
            }
        default: asset(request, exchange) { self.query(request, exchange) }
        }
    }

    private static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("content-type", "application/json"), ("cache-control", "no-store")],
            body: body
        )
    }

    private func ready(_ exchange: any HTTPExchange) {
        let parts = status.parts()
        let ok = parts.allSatisfy(\.ok)
        let body = JSONWriter.object { json in
            json.field("status", ok ? "ready" : "failing")
            json.key("parts")
            json.beginArray()
            for part in parts {
                json.beginObject()
                json.field("name", part.name)
                json.field("ok", part.ok)
                json.field("detail", part.detail)
                json.endObject()
            }
            json.endArray()
        }
        exchange.respond(Self.json(body, status: ok ? 200 : 503))
    }

    private func metricsResponse() -> HTTPResponse {
        metrics.set(.process_resident_bytes, cshims_resident_bytes())
        metrics.set(.process_cpu_micros_total, cshims_cpu_micros())
        metrics.set(.process_lag_records, status.lag)
        let transport = transport()
        metrics.set(.http_requests_total, Int64(transport.requests))
        metrics.set(.http_connections_open, Int64(transport.connections))
        return HTTPResponse(
            status: 200,
            headers: [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array(metrics.prometheusText().utf8)
        )
    }

    private func asset(_ request: HTTPRequest, _ exchange: any HTTPExchange, otherwise: () -> Void) {
        if request.path == "/", answersReferenceClients,
            !(request.header("accept") ?? "text/html").contains("text/html")
        {
            // The reference system's greeting, for clients that do not take a page (spec invoices.md 3).
            return exchange.respond(Self.json(Array("{\"message\":\"Bonjour Chez vous\"}".utf8)))
        }
        guard let file = EmbeddedAssets.files[request.path] else { return otherwise() }
        exchange.respond(
            HTTPResponse(
                status: 200,
                headers: [
                    ("content-type", file.contentType), ("cache-control", "no-cache"),
                    (
                        "content-security-policy",
                        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
                    ),
                    ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
                ],
                body: file.bytes
            )
        )
    }

    /// Only JSON is taken: a page of another origin cannot send it without being asked first.
    private func perform(_ action: Action, _ request: HTTPRequest, _ exchange: any HTTPExchange) {
        let type = request.header("content-type") ?? ""
        guard type.prefix(while: { $0 != ";" }).lowercased() == "application/json" else {
            let problem = APIError(
                status: 415,
                code: "content_type_unknown",
                message: "The content type is \(type.quotedForMessage); send application/json."
            )
            return exchange.respond(problem.response)
        }
        run(request, exchange) { [actions] in actions.perform(action.action, request, exchange) }
    }

    // MARK: Queries

    private func busy(_ exchange: any HTTPExchange) {
        var response = APIError(
            status: 503,
            code: "queries_saturated",
            message: "Too many queries wait; send again after a second."
        ).response
        response.headers.append(("retry-after", "1"))
        exchange.respond(response)
    }

    private func query(_ request: HTTPRequest, _ exchange: any HTTPExchange) {
        if let problem = Self.unknownParameter(request) { return exchange.respond(problem.response) }
        run(request, exchange) { [self] in exchange.respond(answer(request)) }
    }

    /// A misspelled filter would be a figure of something else.
    private static func unknownParameter(_ request: HTTPRequest) -> APIError? {
        let parts = request.path.split(separator: "/")
        guard let route = Route.all.first(where: { $0.match(parts) != nil }) else { return nil }
        let known = route.parameters.map(\.name) + ["after", "wait_ms"]
        guard let name = request.query.first(where: { !known.contains($0.name) })?.name else { return nil }
        return APIError(
            status: 400,
            code: "parameter_unknown",
            message: "There is no parameter \(name.quotedForMessage) here; known are \(known.joined(separator: ", "))."
        )
    }

    /// Runs `work` on the pool once the tables contain the position that the request names, if it names one.
    private func run(
        _ request: HTTPRequest,
        _ exchange: any HTTPExchange,
        _ work: @escaping @Sendable () -> Void
    ) {
        let run: @Sendable () -> Void = { [self] in
            if !pool.submit(work) { busy(exchange) }
        }
        guard let after = request.parameter("after") else { return run() }
        guard let wanted = after == "latest" ? status.durable : PositionVector(after) else {
            return exchange.respond(
                APIError.badParameter("after", after, "a position as it was answered, topic/partition:offset").response
            )
        }
        let waitText = request.parameter("wait_ms") ?? "5000"
        guard let millis = Int64(waitText), (1...30_000).contains(millis) else {
            return exchange.respond(
                APIError.badParameter("wait_ms", waitText, "a whole number from 1 to 30000").response
            )
        }
        board.wait(for: wanted, deadlineNanos: time.monotonicNanos() + millis * 1_000_000) { [self] result in
            switch result {
            case .reached: run()
            case .timedOut:
                exchange.respond(
                    APIError(
                        status: 504,
                        code: "position_timeout",
                        message:
                            "The tables did not reach \(after.quotedForMessage) within \(millis) ms; they are at \(board.positions). Ask again."
                    ).response
                )
            case .tooMany: busy(exchange)
            }
        }
    }

    private func answer(_ request: HTTPRequest) -> HTTPResponse {
        metrics.add(.query_requests_total)
        do {
            let body = try reader.snapshot { snapshot in
                let parts = request.path.split(separator: "/")
                for route in Route.all {
                    if let values = route.match(parts) {
                        return try route.answer(
                            Query(
                                snapshot: snapshot,
                                request: request,
                                path: values,
                                status: status,
                                proof: proof
                            )
                        )
                    }
                }
                throw APIError(
                    status: 404,
                    code: "path_unknown",
                    message:
                        "There is nothing at \(request.path.quotedForMessage); the paths are listed at /v1/openapi.json."
                )
            }
            return Self.json(body)
        } catch let error as APIError {
            return error.response
        } catch {
            return APIError(status: 503, code: "tables.unavailable", message: "\(error)").response
        }
    }
}
