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
    /// For queries that may take long.
    private let pool: BlockingPool
    /// For those that do not, and for readiness: they never wait behind the others.
    private let quick: BlockingPool
    private let queryNanosMax: Int64
    private let metrics: Metrics
    private let time: any TimeSource
    private let status: PipelineStatus
    private let live: LiveFeed
    private let actions: QuarantineActions
    private let proof: @Sendable () -> [UInt8]?
    private let traffic: HTTPTraffic
    private let connectionsOpen: @Sendable () -> Int
    private let answersReferenceClients: Bool
    private let openAPI: [UInt8]
    private let rules: Set<String>

    /// - Parameter resubmission: Takes records of quarantine into the log again.
    /// - Parameter proof: Reads the report of the last proof; nil without one. May block.
    /// - Parameter references: Paths of reference systems that are on, for the OpenAPI document.
    /// - Parameter rules: Names of the rules that records can break.
    /// - Parameter pool: For queries that may take long.
    /// - Parameter quick: For those that do not.
    /// - Parameter queryNanosMax: Time that a query may take, and wait for its turn.
    /// - Parameter traffic: Requests answered since the start.
    /// - Parameter connectionsOpen: Connections open now.
    package init(
        reader: any TableReader,
        resubmission: any RecordResubmission,
        proof: @escaping @Sendable () -> [UInt8]?,
        traffic: HTTPTraffic,
        connectionsOpen: @escaping @Sendable () -> Int,
        board: PositionBoard,
        pool: BlockingPool,
        quick: BlockingPool,
        queryNanosMax: Int64,
        metrics: Metrics,
        time: any TimeSource,
        status: PipelineStatus,
        live: LiveFeed,
        answersReferenceClients: Bool,
        references: Set<String>,
        rules: Set<String>
    ) {
        self.reader = reader
        self.board = board
        self.pool = pool
        self.quick = quick
        self.queryNanosMax = queryNanosMax
        self.metrics = metrics
        self.time = time
        self.status = status
        self.live = live
        self.rules = rules
        actions = QuarantineActions(reader: reader, resubmission: resubmission, status: status, knownRules: rules)
        self.proof = proof
        self.traffic = traffic
        self.connectionsOpen = connectionsOpen
        self.answersReferenceClients = answersReferenceClients
        openAPI = OpenAPI.document(version: status.version, references: references)
    }

    /// Paths under which requests are counted, by number.
    package static var routes: [String] { Place.all.map(\.path) }

    /// The number of a path's route; nil when there is nothing.
    package static func route(ofPath path: String) -> Int? { Place.index(ofPath: path) }

    /// Which scope a path asks for; one that is unknown, the operator's, save below /health, which is open.
    ///
    /// - Parameter route: As ``route(ofPath:)`` gave it for that path.
    package static func access(_ route: Int?, path: String) -> Access {
        guard let route else { return path.hasPrefix("/health/") ? .open : .operate }
        let place = Place.all[route]
        guard place.path == "/v1/views/{view}" else { return place.access }
        return OperateQueries.viewAccess(place.values(path.split(separator: "/"))?.first ?? "")
    }

    /// Largest body of a request, by its route; nil for those that take none.
    package static func bodyBytesMax(_ route: Int) -> Int? {
        if case .action = Place.all[route].kind { Action.bodyBytesMax } else { nil }
    }

    /// - Parameter route: As ``route(ofPath:)`` gave it for the path.
    /// Whether a route shows data of one customer, which that customer may see.
    package static func isOfOneCustomer(_ route: Int) -> Bool {
        if case .query(let route) = Place.all[route].kind { route.isOfOneCustomer } else { false }
    }

    package func handle(
        _ request: HTTPRequest,
        _ route: Int?,
        _ caller: Caller = Caller(),
        _ exchange: any HTTPExchange
    ) {
        guard let route else {
            let problem = APIError(
                status: 404,
                code: "path_unknown",
                message:
                    "There is nothing at \(request.path.quotedForMessage); GET /v1/openapi.json lists all paths."
            )
            return exchange.respond(problem.response)
        }
        let place = Place.all[route]
        var allowed: [HTTPRequest.Method] = [.get, .head]
        if case .action = place.kind { allowed = [.post] }
        guard allowed.contains(request.method) else {
            var response = APIError(
                status: 405,
                code: "method_not_allowed",
                message:
                    "\(request.method.rawValue) is not possible on \(request.path.quotedForMessage); use \(allowed[0].rawValue)."
            ).response
            response.headers.append(("allow", allowed.map(\.rawValue).joined(separator: ", ")))
            return exchange.respond(response)
        }
        switch place.kind {
        case .query(let route):
            let values = place.values(request.path.split(separator: "/")) ?? []
            query(request, route, values, caller, exchange)
        case .action(let action): perform(action, request, exchange)
        case .asset(let file): asset(file, request, exchange)
        case .up: exchange.respond(Self.json(JSONWriter.object { $0.field("status", "up") }))
        case .live: exchange.respond(Self.json(JSONWriter.object { $0.field("status", "live") }))
        case .ready: if !quick.submit({ [self] in ready(exchange) }) { busy(exchange) }
        case .metrics: exchange.respond(metricsResponse())
        case .openAPI: exchange.respond(Self.json(openAPI))
        case .liveFeed: listen(exchange)
        }
    }

    private func listen(_ exchange: any HTTPExchange) {
        let isTaken = quick.submit { [live] in
            if live.add(exchange) { return }
            let problem = APIError(
                status: 503,
                code: "live_full",
                message: "\(LiveFeed.streamsMax) dashboards listen already; try again later."
            )
            exchange.respond(problem.response)
        }
        if !isTaken { busy(exchange) }
    }

    private static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("content-type", "application/json"), ("cache-control", "no-store")],
            body: body
        )
    }

    /// Tries every part, off the network thread, and says whether all of them work.
    package func checkReady(_ then: @escaping @Sendable (Bool) -> Void) {
        if !quick.submit({ [status] in then(status.parts().allSatisfy(\.ok)) }) { then(false) }
    }

    private func ready(_ exchange: any HTTPExchange) {
        let parts = status.parts()
        let ok = parts.allSatisfy(\.ok)
        let body = JSONWriter.object { json in
            json.field("status", ok ? "ready" : "failing")
            json.field("data_id", status.dataID)
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
        if let space = status.storage.latest {
            metrics.set(.storage_used_bytes, space.usedBytes)
            metrics.set(.storage_free_bytes, space.freeBytes)
        }
        let lags = status.lags
        metrics.set(.process_lag_records, lags.reduce(0) { $0 + $1.lag })
        for feed in lags { metrics.labelled.set(.feed_lag_records, [feed.name], feed.lag) }
        metrics.set(.http_connections_open, Int64(connectionsOpen()))
        return HTTPResponse(
            status: 200,
            headers: [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array((metrics.prometheusText() + traffic.prometheusText()).utf8)
        )
    }

    private func asset(_ file: EmbeddedAssets.File, _ request: HTTPRequest, _ exchange: any HTTPExchange) {
        if request.path == "/", answersReferenceClients,
            !(request.header("accept") ?? "text/html").contains("text/html")
        {
            // The reference system's greeting, for clients that do not take a page (spec invoices.md 3).
            return exchange.respond(Self.json(Array("{\"message\":\"Bonjour Chez vous\"}".utf8)))
        }
        exchange.respond(
            HTTPResponse(
                status: 200,
                headers: [
                    ("content-type", file.contentType), ("cache-control", "no-cache"),
                    (
                        "content-security-policy",
                        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
                    ),
                    ("referrer-policy", "no-referrer"),
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
        run(request, exchange, isQuick: false) { [actions] in actions.perform(action.action, request, exchange) }
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

    private func query(
        _ request: HTTPRequest,
        _ route: Route,
        _ values: [String],
        _ caller: Caller,
        _ exchange: any HTTPExchange
    ) {
        if let problem = Self.unknownParameter(request, route) { return exchange.respond(problem.response) }
        run(request, exchange, isQuick: route.isQuick) { [self] in
            metrics.add(.query_requests_total)
            let nanos = route.isQuick ? min(Self.quickNanosMax, queryNanosMax) : queryNanosMax
            if let response = answer(request, route, values, caller, nanos) {
                return exchange.respond(response)
            }
            guard route.isQuick, nanos < queryNanosMax else { return exchange.respond(overBudget()) }
            // Not as quick as it should be: again, among those that may take long.
            submit(exchange) { [self] in
                exchange.respond(answer(request, route, values, caller, queryNanosMax) ?? overBudget())
            }
        }
    }

    /// A misspelled filter would be a figure of something else.
    private static func unknownParameter(_ request: HTTPRequest, _ route: Route) -> APIError? {
        let known = route.parameters.map(\.name) + ["after", "wait_ms"]
        guard let name = request.query.first(where: { !known.contains($0.name) })?.name else { return nil }
        return APIError(
            status: 400,
            code: "parameter_unknown",
            message: "There is no parameter \(name.quotedForMessage) here; known are \(known.joined(separator: ", "))."
        )
    }

    /// A query of the quick lane that takes longer moves to the other one.
    private static let quickNanosMax: Int64 = 250_000_000

    /// Runs `work` among those that may take long, unless its turn comes too late.
    private func submit(_ exchange: any HTTPExchange, _ work: @escaping @Sendable () -> Void) {
        let latest = time.monotonicNanos() + queryNanosMax
        let isTaken = pool.submit { [self] in
            if time.monotonicNanos() > latest { busy(exchange) } else { work() }
        }
        if !isTaken { busy(exchange) }
    }

    private func overBudget() -> HTTPResponse {
        metrics.add(.query_interrupted_total)
        return APIError(
            status: 503,
            code: "query_over_budget",
            message:
                "The query took longer than \(queryNanosMax / 1_000_000) ms (queries.milliseconds_max); ask for fewer days, a smaller limit or a coarser grain."
        ).response
    }

    /// Runs `work` once the tables contain the position that the request names, if it names one.
    private func run(
        _ request: HTTPRequest,
        _ exchange: any HTTPExchange,
        isQuick: Bool,
        _ work: @escaping @Sendable () -> Void
    ) {
        let run: @Sendable () -> Void = { [self] in
            if !isQuick { return submit(exchange, work) }
            if !quick.submit(work) { busy(exchange) }
        }
        guard let after = request.parameter("after") else { return run() }
        guard let wanted = after == "latest" ? status.durable : PositionVector(after) else {
            return exchange.respond(
                APIError.badParameter("after", after, "a position as it was answered, topic/partition:offset").response
            )
        }
        let unknown = status.unknown(in: wanted)
        guard unknown.isEmpty else {
            let names = unknown.prefix(3).map(\.description).joined(separator: ", ")
            let problem = APIError.badParameter(
                "after",
                after,
                "a position of partitions that there are; there is no \(names)"
            )
            return exchange.respond(problem.response)
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

    /// - Returns: Nil when it took longer than `nanosMax`.
    private func answer(
        _ request: HTTPRequest,
        _ route: Route,
        _ values: [String],
        _ caller: Caller,
        _ nanosMax: Int64
    ) -> HTTPResponse? {
        do {
            let body = try reader.snapshot(until: time.monotonicNanos() + nanosMax) { snapshot in
                try route.answer(
                    Query(
                        snapshot: snapshot,
                        request: request,
                        path: values,
                        status: status,
                        proof: proof,
                        caller: caller,
                        knownRules: rules
                    )
                )
            }
            return Self.json(body)
        } catch let error as APIError {
            return error.response
        } catch TableStoreError.overBudget {
            return nil
        } catch {
            return APIError(status: 503, code: "tables.unavailable", message: "\(error)").response
        }
    }
}
