/// A strict, incremental parser of HTTP/1.1 requests (RFC 9112).
///
/// Fed with any pieces of the stream it gives the same requests and the same refusal: every decision is taken at the
/// same byte, however the bytes were cut. A line that lies in one piece is read in place; only a line that is cut is
/// copied. Memory is bounded by the limits of ``NetworkLimits`` and the body limit of the caller.
///
/// Refused: bare LF or CR, folded headers, space before the colon, control bytes, repeated Content-Length or Host,
/// Content-Length beside Transfer-Encoding, Transfer-Encoding in HTTP/1.0, targets other than a path or `http://`.
/// Thread: the owner's.
package struct HTTPRequestParser: ~Copyable, Sendable {
    /// What a call to ``step(_:from:bodyLimit:)`` came to.
    package enum Step: Sendable {
        /// All bytes are taken; the request goes on.
        case more
        /// The client waits for `100 Continue`; go on at `next`.
        case continueExpected(next: Int)
        /// One request; the next one begins at `next`.
        case request(HTTPParsedRequest, next: Int)
        /// Nothing after this is read.
        case refused(HTTPRefusal)
    }

    private enum Phase: Sendable {
        case requestLine, header, body, chunkSize, chunkData, chunkEnd, trailer, refused(HTTPRefusal)
    }

    private var phase = Phase.requestLine
    /// The beginning of a line whose end has not come.
    private var partial: [UInt8] = []
    /// Bytes of the body or chunk that have not come.
    private var remaining = 0
    private var bodyMax = 0
    private var emptyLineSeen = false
    var head = HTTPRequestHead()
    private var body: [UInt8] = []

    package init() {}

    /// True when nothing of a next request has been taken.
    package var isBetweenRequests: Bool {
        if case .requestLine = phase { return partial.isEmpty && !emptyLineSeen }
        return false
    }

    /// True while the head is complete and the body is not.
    package var isInBody: Bool {
        switch phase {
        case .body, .chunkSize, .chunkData, .chunkEnd, .trailer: true
        case .requestLine, .header, .refused: false
        }
    }

    /// The head of a request whose body is not complete.
    package var headBeforeBody:
        (path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)])?
    { isInBody ? (head.path, head.query, head.headers) : nil }

    /// How far the request is: whether its head is complete and its body is not, and bytes of the body held in memory.
    package var progress: (isInBody: Bool, bodyBytes: Int) { (isInBody, body.count) }

    /// Takes bytes from `start` until a request is complete, is refused or the bytes are used up.
    ///
    /// - Parameter bodyLimit: Largest body in bytes for a method and a path; asked once a request, when its head
    ///   is complete.
    /// - Complexity: O(n) in bytes.
    package mutating func step(
        _ bytes: Span<UInt8>,
        from start: Int,
        bodyLimit: (HTTPVerb, String) -> Int
    ) -> Step {
        if case .refused(let refusal) = phase { return .refused(refusal) }
        do throws(HTTPRefusal) {
            return try advance(bytes, from: start, bodyLimit)
        } catch {
            phase = .refused(error)
            partial = []
            body = []
            return .refused(error)
        }
    }

    private mutating func advance(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ bodyLimit: (HTTPVerb, String) -> Int
    ) throws(HTTPRefusal) -> Step {
        var at = start
        while at < bytes.count {
            switch phase {
            case .requestLine:
                if partial.isEmpty { try checkFirstByte(bytes[at]) }
                let max = NetworkLimits.requestLineBytes
                guard try takeLine(bytes, &at, max: max, or: .requestLineTooLong) else { continue }
            case .header, .trailer:
                // One more than what is left, so that the empty line always fits.
                let left = NetworkLimits.headerBytes - head.bytes + 1
                guard try takeLine(bytes, &at, max: left, or: .headersTooLarge) else { continue }
                if !head.isComplete { continue }
                if case .trailer = phase {
                    if head.trailersComplete { return finish(at) }
                    continue
                }
                try beginBody(bodyLimit)
                if case .requestLine = phase { return finish(at) }
                if head.expectsContinue, at == bytes.count { return .continueExpected(next: at) }
            case .chunkSize:
                guard try takeLine(bytes, &at, max: NetworkLimits.chunkLineBytes, or: .badChunk) else { continue }
            case .chunkEnd:
                guard try takeLine(bytes, &at, max: 1, or: .badChunk) else { continue }
            case .body, .chunkData:
                let count = min(remaining, bytes.count - at)
                append(bytes, at..<at + count)
                at += count
                remaining -= count
                guard remaining == 0 else { continue }
                guard case .chunkData = phase else { return finish(at) }
                phase = .chunkEnd
            case .refused(let refusal): throw refusal
            }
        }
        return .more
    }

    /// Refuses a connection that speaks something else (TLS, for one) at its first byte.
    private func checkFirstByte(_ byte: UInt8) throws(HTTPRefusal) {
        if HTTPText.lowerToken(byte) == 0, byte != 0x0D, byte != 0x0A { throw .malformedRequestLine }
    }

    /// Takes bytes up to the next LF and handles the line when it is complete.
    ///
    /// - Parameter max: Bytes that a line may have before its LF, CR included.
    /// - Returns: False when the line is cut: all bytes are taken.
    private mutating func takeLine(
        _ bytes: Span<UInt8>,
        _ at: inout Int,
        max: Int,
        or refusal: HTTPRefusal
    ) throws(HTTPRefusal) -> Bool {
        let window = max - partial.count
        let stop = min(bytes.count, at + window + 1)
        var end = at
        while end < stop, bytes[end] != 0x0A { end += 1 }
        if end == stop {
            if stop == at + window + 1 { throw refusal }
            HTTPText.append(bytes, at..<end, to: &partial)
            at = end
            return false
        }
        let from = at
        at = end + 1
        if partial.isEmpty {
            try handle(bytes, from..<end)
        } else {
            HTTPText.append(bytes, from..<end, to: &partial)
            let line = partial
            partial = []
            try handle(line.span, 0..<line.count)
        }
        return true
    }

    /// Handles a line that ended with LF; the range still holds its CR.
    private mutating func handle(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) {
        guard range.count > 0, bytes[range.upperBound - 1] == 0x0D else { throw .malformedLine }
        let line = range.lowerBound..<range.upperBound - 1
        switch phase {
        case .requestLine:
            if line.isEmpty {
                if emptyLineSeen { throw .malformedRequestLine }
                emptyLineSeen = true
                return
            }
            try head.readRequestLine(bytes, line)
            phase = .header
        case .header:
            if line.isEmpty { try head.complete() } else { try head.readHeader(bytes, line, isTrailer: false) }
        case .trailer:
            if line.isEmpty { head.trailersComplete = true } else { try head.readHeader(bytes, line, isTrailer: true) }
        case .chunkSize: try readChunkSize(bytes, line)
        case .chunkEnd:
            guard line.isEmpty else { throw .badChunk }
            phase = .chunkSize
        case .body, .chunkData, .refused: preconditionFailure("Only phases of lines reach a line")
        }
    }

    private mutating func beginBody(_ bodyLimit: (HTTPVerb, String) -> Int) throws(HTTPRefusal) {
        bodyMax = bodyLimit(head.verb, head.path)
        if head.chunked {
            phase = .chunkSize
        } else if let length = head.contentLength, length > 0 {
            if length > bodyMax { throw .bodyTooLarge }
            remaining = length
            body.reserveCapacity(min(length, NetworkLimits.bodyReserveBytes))
            phase = .body
        } else {
            phase = .requestLine
        }
    }

    private mutating func readChunkSize(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) {
        var at = line.lowerBound
        var size = 0
        while at < line.upperBound, let digit = HTTPText.hex(bytes[at]) {
            guard at - line.lowerBound < NetworkLimits.chunkDigits else { throw .badChunk }
            size = size << 4 | Int(digit)
            at += 1
        }
        guard at > line.lowerBound, at == line.upperBound || bytes[at] == 0x3B else { throw .badChunk }
        while at < line.upperBound {
            guard bytes[at] == 0x09 || 0x20...0x7E ~= bytes[at] else { throw .badChunk }
            at += 1
        }
        if size == 0 {
            phase = .trailer
        } else {
            if size > bodyMax - body.count { throw .bodyTooLarge }
            remaining = size
            phase = .chunkData
        }
    }

    private mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        HTTPText.append(bytes, range, to: &body)
    }

    /// Gives the request away and makes ready for the next.
    private mutating func finish(_ next: Int) -> Step {
        let request = HTTPParsedRequest(
            verb: head.verb,
            path: head.path,
            query: head.query,
            headers: head.headers,
            body: body,
            keepAlive: head.keepAlive,
            isHTTP10: head.isHTTP10
        )
        head = HTTPRequestHead()
        body = []
        emptyLineSeen = false
        phase = .requestLine
        return .request(request, next: next)
    }
}
