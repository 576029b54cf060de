import CShims
import Executors
import HTTPServer
import Ports

@testable import Network

/// A handler for the tests: the path says what happens.
final class FixtureHandler: HTTPHandler {
    let parked = Guarded<[(path: String, exchange: any HTTPExchange)]>([])
    let streams = Guarded<[any HTTPStream]>([])
    let calls = Guarded<[String]>([])

    /// In ``calls``: the turn of the network thread is over.
    static let turnEnd = "turn ended"

    func turnEnded() {
        calls.withLock { $0.append(Self.turnEnd) }
        calls.broadcast()
    }

    /// The calls once some condition holds, or after 10 s.
    func waitCalls(_ condition: ([String]) -> Bool) -> [String] {
        calls.wait(micros: 10_000_000) { condition($0) ? $0 : nil } ?? calls.withLock { $0 }
    }

    let answers = Guarded<[HTTPAnswered]>([])

    func admit(method: HTTPRequest.Method, path: String) -> HTTPAdmission {
        HTTPAdmission(route: path.utf8.count, bodyBytesMax: path == "/big" ? 4 << 20 : 1_000)
    }

    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        request.header("authorization") == "wrong" ? HTTPResponse(status: 401, body: Array("who".utf8)) : nil
    }

    func answered(_ answer: HTTPAnswered) { answers.withLock { $0.append(answer) } }

    func handle(_ request: HTTPRequest, _ exchange: any HTTPExchange) {
        calls.withLock { $0.append(request.path) }
        calls.broadcast()
        if request.path.hasPrefix("/park") {
            parked.withLock { $0.append((request.path, exchange)) }
            parked.broadcast()
        } else if request.path == "/stream" {
            let stream = exchange.startStream(status: 200, headers: [("content-type", "text/event-stream")])
            streams.withLock { $0.append(stream) }
            streams.broadcast()
        } else if request.path == "/drop" {
            return
        } else if request.path == "/large" {
            exchange.respond(HTTPResponse(status: 200, body: [UInt8](repeating: 0x61, count: 3 << 20)))
        } else if request.path == "/inject" {
            exchange.respond(HTTPResponse(status: 200, headers: [("x-a", "b\r\nset-cookie: c")]))
        } else {
            let text = "\(request.method.rawValue) \(request.path) \(request.body.count)"
            exchange.respond(
                HTTPResponse(status: 200, headers: [("content-type", "text/plain")], body: Array(text.utf8))
            )
        }
    }

    func transportError(status: Int, code: String, message: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("content-type", "text/plain")], body: Array(code.utf8))
    }

    /// The parked exchanges once there are so many.
    func waitParked(_ count: Int) -> [(path: String, exchange: any HTTPExchange)] {
        parked.wait(micros: 10_000_000) { $0.count >= count ? $0 : nil } ?? []
    }
}

struct Fixture {
    let handler = FixtureHandler()
    let server: HTTPServer

    init(_ change: (inout HTTPServerSettings) -> Void = { _ in }) throws {
        var settings = HTTPServerSettings()
        change(&settings)
        server = try HTTPServer.start(host: "127.0.0.1", port: 0, handler: handler, settings: settings)
    }

    func client(timeoutMs: Int = 10_000) throws -> HTTPClientConnection {
        try HTTPClientConnection(host: "127.0.0.1", port: server.port, timeoutMs: timeoutMs)
    }

    func raw() throws -> RawClient { try RawClient(port: server.port) }
}

/// Writes and reads bytes as they are.
final class RawClient {
    let socket: Socket
    var isClosed = false

    init(port: Int) throws {
        let fd = cshims_connect("127.0.0.1", UInt16(port))
        guard fd >= 0 else { throw HTTPClientError.connectRefused(host: "127.0.0.1", port: port, cause: -fd) }
        socket = Socket(fd: fd)
        _ = cshims_set_timeouts(fd, 10_000)
    }

    deinit { close() }

    func close() {
        if !isClosed { socket.close() }
        isClosed = true
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count, case .count(let count) = socket.send(bytes, from: at) { at += count }
    }

    /// Reads until the text contains `end`, the peer closes or 10 s pass.
    func read(until end: String? = nil) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case .count(let count) = socket.receive(&buffer), count > 0 {
            all += buffer[0..<count]
            if let end, String(decoding: all, as: UTF8.self).contains(end) { break }
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// Whether a condition holds within five seconds.
func waitUntil(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1_000 {
        if condition() { return true }
        cshims_sleep_micros(5_000)
    }
    return false
}
