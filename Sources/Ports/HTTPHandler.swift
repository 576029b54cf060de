/// One parsed request. The transport guarantees: the target is origin-form, at most its limit long, already split and
/// percent-decoded; header names are lower case; the body is complete and within the limit that ``HTTPHandler`` named.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable, CaseIterable {
        case get = "GET", head = "HEAD", post = "POST", put = "PUT", delete = "DELETE", options = "OPTIONS", patch =
            "PATCH"
    }

    package var method: Method
    /// Decoded path, starts with `/`; never contains a NUL or an invalid UTF-8 sequence. An escaped slash or percent
    /// sign stays as `%2F` or `%25`: split the path at its slashes, then read each part with ``segment(_:)``.
    package var path: String
    /// Decoded query parameters in order; repeated names stay repeated.
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// What ``HTTPHandler/admit(method:path:)`` said of the path.
    package var route: Int

    package init(
        method: Method,
        path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        route: Int = 0
    ) {
        self.route = route
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The text of one part of ``path`` between slashes.
    package static func segment(_ part: Substring) -> String {
        guard part.utf8.contains(UInt8(ascii: "%")) else { return String(part) }
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            // "2F" or "25": nothing else follows a percent sign that was left.
            bytes.append(rest.dropFirst().first == UInt8(ascii: "F") ? UInt8(ascii: "/") : byte)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first header of that (lower case) name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    /// The first query parameter of that name.
    package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// A complete answer. The transport adds Date, Content-Length and Connection.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A long answer (server-sent events): chunks until it is ended or the client goes away.
package protocol HTTPStream: Sendable {
    /// Queues bytes. False when the client is gone or more than the limit of bytes waits for it: the caller must stop.
    func send(_ bytes: [UInt8]) -> Bool
    func end()
}

/// The one place where a request is answered. Exactly one of the two calls is made, once, from any thread.
package protocol HTTPExchange: Sendable {
    func respond(_ response: HTTPResponse)
    /// Answers with a head and an open body (chunked); the stream stays usable after the call.
    func startStream(status: Int, headers: [(name: String, value: String)]) -> any HTTPStream
}

/// What a handler says of a request when its head is known.
package struct HTTPAdmission: Sendable {
    /// The handler's own number for what the path stands for; the request comes with it.
    package var route: Int
    /// Largest accepted body in bytes; larger ones are answered 413 by the transport without reading them.
    package var bodyBytesMax: Int

    package init(route: Int, bodyBytesMax: Int) {
        self.route = route
        self.bodyBytesMax = bodyBytesMax
    }
}

/// An answer that the transport has begun to write.
package struct HTTPAnswered: Sendable {
    /// As admitted; nil when the head was refused before that.
    package var route: Int?
    package var method: HTTPRequest.Method?
    package var status: Int
    /// From the whole request to its answer, by the clock of the network thread's turns.
    package var nanos: Int64
    package var bodyBytesIn: Int
    /// Nil for a stream.
    package var bodyBytesOut: Int?

    package init(
        route: Int?,
        method: HTTPRequest.Method?,
        status: Int,
        nanos: Int64,
        bodyBytesIn: Int,
        bodyBytesOut: Int?
    ) {
        self.route = route
        self.method = method
        self.status = status
        self.nanos = nanos
        self.bodyBytesIn = bodyBytesIn
        self.bodyBytesOut = bodyBytesOut
    }
}

/// What a service gives to the transport.
package protocol HTTPHandler: Sendable {
    /// Asked once a request, on the network thread, before the body is read.
    func admit(method: HTTPRequest.Method, path: String) -> HTTPAdmission

    /// The answer to a request that may not pass, by its head alone; nil when its body may come. Asked on the network
    /// thread, and only when the body does not come with the head: ``handle(_:_:)`` decides for every request.
    func refusal(of request: HTTPRequest) -> HTTPResponse?

    /// Whose request it is, so that none takes what others need; nil when only its network is known. Asked after
    /// ``refusal(of:)`` let it pass.
    func share(of request: HTTPRequest) -> String?

    /// Handles one request. Called on the network thread, in order per connection: must not block and must not do more
    /// than a few milliseconds of work; anything longer goes to another thread, which answers through `exchange`.
    func handle(_ request: HTTPRequest, _ exchange: any HTTPExchange)

    /// Called on the network thread after the requests that came in one turn of it: what they share can be begun now.
    func turnEnded()

    /// The body of an answer that the transport itself gives (bad request, 408, 413, 431, …): `code` is the stable
    /// error code, `message` the sentence.
    func transportError(status: Int, code: String, message: String) -> HTTPResponse

    /// Told of every answer, on the network thread.
    func answered(_ answer: HTTPAnswered)
}
