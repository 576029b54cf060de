import Network
import Ports
import Synchronization

/// HTTP/1.1 on one connection: requests in, answers out in the order of the requests.
///
/// Invariant: `turns` holds one entry for each request that is not answered on the wire, oldest first; the oldest has
/// the number `firstSequence`. Only the oldest writes to the connection.
/// Thread: the loop's.
final class HTTPConnection: ByteProtocol {
    let shared: HTTPLoop
    /// A cycle until the connection closes and lets go of its protocol.
    let connection: Connection
    var parser = HTTPRequestParser()
    /// Of the request that is being received, once its head is complete.
    private var admitted: (method: HTTPRequest.Method, admission: HTTPAdmission)?
    var turns: [Turn] = []
    var firstSequence: UInt64 = 0
    /// Bytes of ready answers that wait for an earlier one.
    var readyBytes = 0
    /// No further request is taken.
    var isClosing = false
    var bodyBytesCounted = 0
    var headStarted = Int64.max
    /// Since when the current window of the body's rate runs, and what came in it.
    var bodyStarted = Int64.max
    /// Since when the oldest turn waits.
    var turnStarted = Int64.max
    var bodyReceived = 0
    /// Whose body it is, and since when it comes.
    var bodyShare = BodyShare.network(0)
    var bodyBegan = Int64.max
    /// Bytes of answers that wait here, as counted over all connections; since when, and what was taken since then.
    var unsentCounted = 0
    var unsentSince = Int64.max
    var unsentTaken = 0
    /// When the socket last took bytes of an answer.
    var lastTaken: Int64
    var lastActivity: Int64

    init(shared: HTTPLoop, connection: Connection, isOverflow: Bool) {
        self.shared = shared
        self.connection = connection
        lastActivity = connection.nowNanos
        lastTaken = connection.nowNanos
        shared.counting.connectionsOpen.wrappingAdd(1, ordering: .relaxed)
        shared.counting.connectionsTotal.wrappingAdd(1, ordering: .relaxed)
        // A client that says nothing has the time of a head, not of an idle connection.
        headStarted = connection.nowNanos
        if isOverflow { fail(.tooManyConnections) } else { updateDeadline() }
    }

    // MARK: Requests

    func receive(_ bytes: Span<UInt8>, on connection: Connection) -> Int {
        shared.counting.bytesIn.wrappingAdd(bytes.count, ordering: .relaxed)
        lastActivity = connection.nowNanos
        var at = 0
        while at < bytes.count, !isClosing, !connection.isReadingPaused {
            if headStarted == .max, !parser.isInBody { headStarted = lastActivity }
            let before = at
            let step = parser.step(bytes, from: at) { verb, path in
                let method = HTTPRequest.Method(verb)
                let admission = shared.handler.admit(method: method, path: path)
                admitted = (method, admission)
                return admission.bodyBytesMax
            }
            switch step {
            case .more: at = bytes.count
            case .continueExpected(let next):
                at = next
                append(Turn(state: .interim))
                advance()
            case .request(let request, let next):
                at = next
                handle(request)
            case .refused(.bodyTooLarge):
                fail(.bodyTooLarge(bytesMax: admitted?.admission.bodyBytesMax ?? 0))
                at = bytes.count
            case .refused(let refusal):
                fail(.refused(refusal))
                at = bytes.count
            }
            if bodyStarted == .max, !isClosing, let answer = refusalOfHead() { refuse(answer) }
            countBody(at - before)
        }
        if isClosing { at = bytes.count }
        updateDeadline()
        return at
    }

    private func handle(_ parsed: HTTPParsedRequest) {
        shared.counting.requests.wrappingAdd(1, ordering: .relaxed)
        headStarted = .max
        bodyStarted = .max
        let closes = !parsed.keepAlive || shared.isDraining
        if closes { isClosing = true }
        let method = HTTPRequest.Method(parsed.verb)
        let route = admitted?.admission.route ?? 0
        admitted = nil
        append(
            Turn(
                isHead: parsed.verb == .head,
                isHTTP10: parsed.isHTTP10,
                closes: closes,
                route: route,
                method: method,
                sinceNanos: lastActivity,
                bodyBytes: parsed.body.count
            )
        )
        let sequence = firstSequence + UInt64(turns.count - 1)
        let exchange = Exchange(
            loop: shared.loop,
            token: connection.token,
            sequence: sequence,
            streamBytesMax: shared.settings.streamBytesMax
        )
        let request = HTTPRequest(
            method: method,
            path: parsed.path,
            query: parsed.query,
            headers: parsed.headers,
            body: parsed.body,
            route: route
        )
        shared.handler.handle(request, exchange)
        if let answer = exchange.handlerReturned() { complete(sequence, answer) } else { pauseIfFull() }
    }

    /// Follows the memory that the current body takes, over all connections.
    private func countBody(_ taken: Int) {
        let (isInBody, bytes) = parser.progress
        if isInBody {
            if bodyStarted == .max {
                bodyStarted = connection.nowNanos
                bodyBegan = bodyStarted
                bodyReceived = 0
            } else {
                bodyReceived += taken
            }
        }
        shared.bodyBytes += bytes - bodyBytesCounted
        bodyBytesCounted = bytes
        followBody()
    }

    // MARK: Answers

    /// Takes the answer to a request; nil when the handler dropped it. Late answers of a closed turn are ignored.
    func complete(_ sequence: UInt64, _ answer: HTTPAnswer?) {
        guard sequence >= firstSequence, sequence - firstSequence < UInt64(turns.count) else { return drop(answer) }
        let index = Int(sequence - firstSequence)
        guard case .waiting = turns[index].state else { return drop(answer) }
        switch answer {
        case .response(let response) where hasRoom(forAnswer: response.body.count):
            turns[index].state = .ready(response)
        case .response: turns[index].state = .ready(self.response(to: .tooManyUnsentBytes))
        case .stream(let buffer, let status, let headers):
            turns[index].state = .stream(buffer, status: status, headers: headers, begun: false)
        case nil: turns[index].state = .ready(response(to: .noAnswer))
        }
        if index == 0 {
            advance()
            updateDeadline()
        } else if case .ready(let response) = turns[index].state {
            readyBytes += response.body.count
            pauseIfFull()
        }
    }

    func streamHasBytes(_ sequence: UInt64) {
        if sequence == firstSequence, !turns.isEmpty {
            advance()
            updateDeadline()
        } else if sequence > firstSequence, sequence - firstSequence < UInt64(turns.count),
            case .stream(let buffer, _, _, _) = turns[Int(sequence - firstSequence)].state
        {
            buffer.leave(inFlight: 0)
        }
    }

    private func drop(_ answer: HTTPAnswer?) {
        if case .stream(let buffer, _, _) = answer { buffer.close() }
    }

    private func append(_ turn: Turn) {
        if turns.isEmpty { turnStarted = connection.nowNanos }
        turns.append(turn)
    }

    /// Writes the answers whose turn it is.
    func advance() {
        while let turn = turns.first, connection.isOpen {
            switch turn.state {
            case .waiting: return pauseIfFull()
            case .interim: connection.write { $0 += "HTTP/1.1 100 Continue\r\n\r\n".utf8 }
            case .ready(let response): write(response, turn)
            case .stream(let buffer, let status, let headers, let begun):
                if !begun {
                    turns[0].state = .stream(buffer, status: status, headers: headers, begun: true)
                    writeStreamHead(status, headers, turn)
                }
                guard pump(buffer, turn) else { return pauseIfFull() }
            }
            guard !connection.isClosed else { return }
            turns.removeFirst()
            firstSequence += 1
            turnStarted = connection.nowNanos
            lastActivity = connection.nowNanos
            if case .ready(let response) = turns.first?.state { readyBytes -= response.body.count }
            if turn.closes {
                isClosing = true
                dropTurns()
                connection.finish()
            }
        }
        if isClosing, turns.isEmpty { connection.finish() }
        pauseIfFull()
    }

    private func write(_ response: HTTPResponse, _ turn: Turn) {
        let hasBody = response.status >= 200 && response.status != 204 && response.status != 304
        count(response.status, turn, bodyBytes: hasBody && !turn.isHead ? response.body.count : 0)
        connection.write { out in
            let before = out.count
            shared.writer.writeHead(
                status: response.status,
                headers: response.headers,
                framing: hasBody ? .length(response.body.count) : .none,
                closes: turn.closes,
                nowNanos: connection.nowNanos,
                to: &out
            )
            if hasBody, !turn.isHead { out += response.body }
            shared.counting.bytesOut.wrappingAdd(out.count - before, ordering: .relaxed)
        }
    }

    private func writeStreamHead(_ status: Int, _ headers: [(name: String, value: String)], _ turn: Turn) {
        count(status, turn, bodyBytes: nil)
        connection.write { out in
            let before = out.count
            shared.writer.writeHead(
                status: status,
                headers: headers,
                framing: turn.isHTTP10 ? .untilClose : .chunked,
                closes: turn.closes,
                nowNanos: connection.nowNanos,
                to: &out
            )
            shared.counting.bytesOut.wrappingAdd(out.count - before, ordering: .relaxed)
        }
    }

    /// Moves bytes of the stream whose turn it is; true when it is over.
    private func pump(_ buffer: StreamBuffer, _ turn: Turn) -> Bool {
        if turn.isHead {
            buffer.close()
            return true
        }
        guard connection.outboundCount < NetworkLimits.readBytes else {
            if !buffer.leave(inFlight: connection.outboundCount) { connection.abort() }
            return false
        }
        let (bytes, ended, cut) = buffer.take(inFlight: connection.outboundCount)
        if cut {
            connection.abort()
            return false
        }
        connection.write { out in
            let before = out.count
            if turn.isHTTP10 { out += bytes } else { HTTPResponseWriter.writeChunk(bytes, to: &out) }
            if ended, !turn.isHTTP10 { out += "0\r\n\r\n".utf8 }
            shared.counting.bytesOut.wrappingAdd(out.count - before, ordering: .relaxed)
        }
        return ended
    }

    /// Stops or goes on reading, as the limits of open requests and waiting bytes say.
    private func pauseIfFull() {
        countUnsent()
        let isFull =
            turns.count >= shared.settings.pipelinedMax
            || readyBytes + connection.outboundCount > shared.settings.waitingBytesMax || hasSeveralStreams
        if isFull, !connection.isReadingPaused { connection.pauseReading() }
        if !isFull, connection.isReadingPaused { connection.resumeReading() }
    }

    /// A client has no use for a second stream behind the first, and each may hold its limit of bytes.
    private var hasSeveralStreams: Bool {
        turns.count > 1 && turns.count { if case .stream = $0.state { true } else { false } } > 1
    }

    // MARK: Failures and ends

    func response(to failure: HTTPServerFailure) -> HTTPResponse {
        shared.counting.rejected(failure)
        var response = shared.handler.transportError(
            status: failure.status,
            code: failure.code,
            message: failure.message
        )
        if let seconds = failure.retryAfterSeconds, !response.headers.contains(where: { $0.name == "retry-after" }) {
            response.headers.append(("retry-after", String(seconds)))
        }
        return response
    }

    /// Answers in its turn that nothing more is taken, then closes.
    func fail(_ failure: HTTPServerFailure) {
        guard !isClosing else { return }
        refuse(response(to: failure))
    }

    /// What is wrong with a request whose body has not come whole; a whole one is handled, which looks at it too.
    private func refusalOfHead() -> HTTPResponse? {
        guard let admitted, let head = parser.headBeforeBody else { return nil }
        let request = HTTPRequest(
            method: admitted.method,
            path: head.path,
            query: head.query,
            headers: head.headers,
            route: admitted.admission.route
        )
        if let refusal = shared.handler.refusal(of: request) { return refusal }
        bodyShare = shared.handler.share(of: request).map(BodyShare.identity) ?? .network(connection.peerNetwork)
        return nil
    }

    /// Answers in its turn, takes nothing more, then closes.
    private func refuse(_ answer: HTTPResponse) {
        isClosing = true
        headStarted = .max
        bodyStarted = .max
        forgetBody()
        if !turns.isEmpty { readyBytes += answer.body.count }
        append(
            Turn(state: .ready(answer), closes: true, route: admitted?.admission.route, method: admitted?.method)
        )
        advance()
        updateDeadline()
    }

    func peerFinished(_ connection: Connection) {
        isClosing = true
        forgetBody()
        // Whoever listens to a stream and says goodbye is gone.
        if turns.isEmpty || turns.contains(where: { if case .stream = $0.state { true } else { false } }) {
            return turns.isEmpty ? connection.finish() : connection.abort()
        }
        turns[turns.count - 1].closes = true
        updateDeadline()
    }

    func outboundDrained(_ connection: Connection) {
        lastTaken = connection.nowNanos
        if case .stream = turns.first?.state { advance() } else { pauseIfFull() }
        updateDeadline()
    }

    func closed(_ connection: Connection) {
        dropTurns()
        forgetBody()
        countUnsent()
        shared.counting.connectionsOpen.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Gives the memory of an unfinished request back, before the connection has closed.
    private func forgetBody() {
        parser = HTTPRequestParser()
        shared.bodyBytes -= bodyBytesCounted
        bodyBytesCounted = 0
        followBody()
    }

    private func dropTurns() {
        for turn in turns { if case .stream(let buffer, _, _, _) = turn.state { buffer.close() } }
        turns = []
        readyBytes = 0
    }

    /// Ends streams and takes no request that has not begun.
    func drain() {
        shared.isDraining = true
        for turn in turns { if case .stream(let buffer, _, _, _) = turn.state { buffer.end() } }
        guard turns.isEmpty else {
            if parser.isBetweenRequests {
                isClosing = true
                turns[turns.count - 1].closes = true
            }
            return
        }
        guard parser.isBetweenRequests else { return }
        if connection.outboundCount == 0 { connection.abort() } else { connection.finish() }
    }
}
