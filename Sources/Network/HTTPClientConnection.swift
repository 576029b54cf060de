import CShims
import Glibc
import Primitives

/// What a server answered.
package struct HTTPClientResponse: Sendable {
    package var status: Int
    /// Lower case names in order.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    /// The first header of that (lower case) name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A small blocking HTTP/1.1 client of one connection, plain or TLS.
///
/// Requests may be sent ahead and are answered in order. A server stops reading while too many of its answers wait, so
/// keep at most 32 requests open: more can end in ``HTTPClientError/timedOut(operation:millis:)``.
/// After any error but ``HTTPClientError/nothingAsked`` and ``HTTPClientError/badRequest(what:)`` the connection is
/// useless: make a new one.
/// Thread: the owner's; every call blocks up to the time limit for each piece of the answer.
package final class HTTPClientConnection {
    private let socket: Socket
    /// Nil on a plain connection.
    private let tls: TLSClient?
    private let hostHeader: String
    private let timeoutMs: Int
    private let bodyMax: Int
    private var output: [UInt8] = []
    private var input: [UInt8] = []
    private var at = 0
    private var buffer = [UInt8](repeating: 0, count: NetworkLimits.readBytes)
    /// For each open request whether it was HEAD, which has no body.
    private var open: [Bool] = []
    /// True when the server will close after the answers that have come.
    package private(set) var serverCloses = false

    /// Requests that wait for their answer.
    package var openCount: Int { open.count }

    /// Connects.
    ///
    /// - Parameter host: A name, an IPv4 or an IPv6 address.
    /// - Parameter tls: Nil for a plain connection.
    /// - Parameter timeoutMs: Limit for connecting and for each wait later, 1 or more.
    /// - Parameter bodyMax: Largest accepted body of an answer in bytes.
    package init(
        host: String,
        port: Int,
        tls trust: HTTPClientTLS? = nil,
        timeoutMs: Int = 10_000,
        bodyMax: Int = 64 << 20
    ) throws(HTTPClientError) {
        guard let number = UInt16(exactly: port) else {
            throw .connectRefused(host: host, port: port, cause: EINVAL)
        }
        let fd = unsafe cshims_connect_within(host, number, Int32(clamping: max(1, timeoutMs)))
        guard fd >= 0 else { throw .connectRefused(host: host, port: port, cause: -fd) }
        let socket = Socket(fd: fd)
        _ = cshims_set_timeouts(fd, Int32(clamping: max(1, timeoutMs)))
        do throws(HTTPClientError) {
            if let trust { tls = try TLSClient(socket, trust, host: host, port: port) } else { tls = nil }
        } catch {
            socket.close()
            throw error
        }
        self.socket = socket
        hostHeader = (host.utf8.contains(0x3A) ? "[" + host + "]" : host) + ":\(port)"
        self.timeoutMs = timeoutMs
        self.bodyMax = bodyMax
    }

    deinit { socket.close() }

    // MARK: Sending

    /// Sends one request whole; Host and Content-Length are added.
    ///
    /// - Parameter path: The encoded request target, from `/` on.
    package func send(
        method: String,
        path: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) throws(HTTPClientError) {
        try enqueue(method: method, path: path, headers: headers, body: body)
        try flush()
    }

    /// Prepares one request, to be sent with those prepared before by ``flush()``.
    package func enqueue(
        method: String,
        path: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) throws(HTTPClientError) {
        guard !method.isEmpty, method.utf8.allSatisfy({ HTTPText.lowerToken($0) != 0 }) else {
            throw .badRequest(what: "method \(method.quotedForMessage)")
        }
        guard path.utf8.first == 0x2F, path.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw .badRequest(what: "path \(path.quotedForMessage)")
        }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy({ HTTPText.lowerToken($0) != 0 }),
                header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { throw .badRequest(what: "header \(header.name.quotedForMessage)") }
        }
        output += "\(method) \(path) HTTP/1.1\r\nhost: \(hostHeader)\r\n".utf8
        for header in headers { output += "\(header.name): \(header.value)\r\n".utf8 }
        if !body.isEmpty || method == "POST" || method == "PUT" || method == "PATCH" {
            output += "content-length: \(body.count)\r\n".utf8
        }
        output += [0x0D, 0x0A]
        output += body
        open.append(method == "HEAD")
    }

    /// Sends what was prepared.
    package func flush() throws(HTTPClientError) {
        var sent = 0
        while sent < output.count {
            switch tls?.send(output, from: sent) ?? socket.send(output, from: sent) {
            case .count(let count): sent += count
            case .wouldBlock: throw .timedOut(operation: "take the request", millis: timeoutMs)
            // The server may have answered before it closed: receive() tells.
            case .broken(EPIPE), .broken(ECONNRESET): sent = output.count
            case .broken(let cause): throw .broken(operation: "sent a request", cause: cause)
            }
        }
        output.removeAll(keepingCapacity: output.capacity <= 1 << 20)
    }

    // MARK: Receiving

    /// Receives the answer to the oldest open request.
    package func receive() throws(HTTPClientError) -> HTTPClientResponse {
        guard let isHead = open.first else { throw .nothingAsked }
        var response = try head()
        var interim = 0
        while 100...199 ~= response.status {
            interim += 1
            guard interim <= NetworkLimits.clientInterimMax, response.status != 101 else {
                throw .badAnswer(what: "too many interim answers")
            }
            response = try head()
        }
        open.removeFirst()
        if response.header("connection")?.lowercased() == "close" { serverCloses = true }
        if isHead || response.status == 204 || response.status == 304 { return response }
        if let coding = response.header("transfer-encoding") {
            guard coding.lowercased() == "chunked" else {
                throw .badAnswer(what: "transfer coding \(coding.quotedForMessage)")
            }
            while true {
                let size = try chunkSize()
                if size == 0 { break }
                guard size <= bodyMax - response.body.count else { throw .answerTooLarge(bytesMax: bodyMax) }
                try take(size, into: &response.body)
                guard try line(max: 2).isEmpty else { throw .badAnswer(what: "a chunk has no end") }
            }
            while try !line(max: NetworkLimits.headerBytes).isEmpty {}
        } else if let text = response.header("content-length") {
            guard let length = Int(text), length >= 0 else { throw .badAnswer(what: "the length of the body") }
            guard length <= bodyMax else { throw .answerTooLarge(bytesMax: bodyMax) }
            try take(length, into: &response.body)
        } else {
            serverCloses = true
            try takeAll(into: &response.body)
        }
        return response
    }

    /// Sends one request and receives its answer.
    package func exchange(
        method: String,
        path: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try send(method: method, path: path, headers: headers, body: body)
        while open.count > 1 { _ = try receive() }
        return try receive()
    }

    private func head() throws(HTTPClientError) -> HTTPClientResponse {
        let first = try line(max: NetworkLimits.requestLineBytes)
        guard first.count >= 12, first.starts(with: "HTTP/1.".utf8),
            let status = Int(String(decoding: first.dropFirst(9).prefix(3), as: UTF8.self)), 100...999 ~= status
        else { throw .badAnswer(what: String(decoding: first, as: UTF8.self).quotedForMessage) }
        var response = HTTPClientResponse(status: status, headers: [], body: [])
        var left = NetworkLimits.clientHeadBytes
        while true {
            let text = try line(max: left)
            if text.isEmpty { return response }
            left -= text.count
            guard let colon = text.firstIndex(of: 0x3A), response.headers.count < NetworkLimits.clientHeaderCount,
                left > 0
            else { throw .badAnswer(what: "its headers") }
            var value = text[(colon + 1)...]
            while let byte = value.first, byte == 0x20 || byte == 0x09 { value.removeFirst() }
            while let byte = value.last, byte == 0x20 || byte == 0x09 { value.removeLast() }
            let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
            response.headers.append((name, String(decoding: value, as: UTF8.self)))
        }
    }

    private func chunkSize() throws(HTTPClientError) -> Int {
        let text = try line(max: NetworkLimits.chunkLineBytes)
        let digits = text.prefix { $0 != 0x3B }
        guard 1...NetworkLimits.chunkDigits ~= digits.count,
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0
        else { throw .badAnswer(what: "a chunk size") }
        return size
    }

    /// The next line without its line end.
    private func line(max: Int) throws(HTTPClientError) -> ArraySlice<UInt8> {
        var scanned = 0
        while true {
            if let end = input[(at + scanned)...].firstIndex(of: 0x0A) {
                let text = input[at..<end]
                at = end + 1
                guard text.count <= max + 1 else { throw .badAnswer(what: "a line is too long") }
                return text.last == 0x0D ? text.dropLast() : text
            }
            scanned = input.count - at
            guard scanned <= max else { throw .badAnswer(what: "a line is too long") }
            guard try fill() else { throw .closedByServer }
        }
    }

    private func take(_ count: Int, into body: inout [UInt8]) throws(HTTPClientError) {
        var left = count
        while left > 0 {
            if at == input.count, try !fill() { throw .closedByServer }
            let piece = min(left, input.count - at)
            body += input[at..<at + piece]
            at += piece
            left -= piece
        }
    }

    private func takeAll(into body: inout [UInt8]) throws(HTTPClientError) {
        repeat {
            body += input[at...]
            at = input.count
            guard body.count <= bodyMax else { throw .answerTooLarge(bytesMax: bodyMax) }
        } while try fill()
    }

    /// Receives more; false at the end of the stream.
    private func fill() throws(HTTPClientError) -> Bool {
        if at == input.count {
            input.removeAll(keepingCapacity: true)
            at = 0
        } else if at > NetworkLimits.readBytes {
            input.removeSubrange(0..<at)
            at = 0
        }
        switch tls?.receive(&buffer) ?? socket.receive(&buffer) {
        case .count(0): return false
        case .count(let count):
            input += buffer[0..<count]
            return true
        case .wouldBlock: throw .timedOut(operation: "answer", millis: timeoutMs)
        case .broken(ECONNRESET): throw .closedByServer
        case .broken(let cause): throw .broken(operation: "waited for an answer", cause: cause)
        }
    }
}
