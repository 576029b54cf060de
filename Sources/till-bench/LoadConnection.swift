import CShims

/// One connection of the load: sends prepared bytes, finds the answers in what comes back. Thread: the only one.
///
/// `unsafe` here: arrays are lent to one call of CShims each; no pointer outlives the call.
final class LoadConnection {
    /// An answer, as ranges of ``input`` until the next ``receive()``.
    struct Answer {
        var status: Int
        var body: Range<Int>
    }

    let descriptor: Int32
    private(set) var input: [UInt8] = []
    private var filled = 0
    private var parsed = 0
    private var unsent: [UInt8] = []
    var wantsWrite: Bool { !unsent.isEmpty }
    /// What the load remembers of the requests that are open, oldest first.
    var open: [Sent] = []

    struct Sent {
        var nanos: Int64
        var events: Int
        var hundredths: Int64
        var isSampled = false
    }

    init(host: String, port: UInt16) throws {
        descriptor = unsafe cshims_connect(host, port)
        guard descriptor >= 0 else {
            throw BenchFailure("Cannot connect to \(host):\(port): \(Self.text(-descriptor)).")
        }
        _ = cshims_set_nonblocking(descriptor)
        input = [UInt8](repeating: 0, count: 32 << 10)
    }

    deinit { _ = cshims_close(descriptor) }

    static func text(_ error: Int32) -> String { unsafe String(cString: cshims_error_text(error)) }

    /// Sends what the socket takes and keeps the rest.
    func send(_ bytes: [UInt8]) throws {
        guard unsent.isEmpty else {
            unsent += bytes
            return
        }
        let sent = try push(bytes, from: 0)
        if sent < bytes.count { unsent = Array(bytes[sent...]) }
    }

    func flush() throws {
        let sent = try push(unsent, from: 0)
        unsent.removeFirst(sent)
    }

    private func push(_ bytes: [UInt8], from start: Int) throws -> Int {
        var sent = start
        while sent < bytes.count {
            let result = unsafe bytes.withUnsafeBytes {
                unsafe cshims_send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent)
            }
            if result == Int64(-11) { break }
            guard result >= 0 else {
                throw BenchFailure("The server broke a connection: \(Self.text(Int32(-result))).")
            }
            sent += Int(result)
        }
        return sent
    }

    /// Reads what is there; false when the server closed.
    func receive() throws -> Bool {
        if parsed == filled { (parsed, filled) = (0, 0) }
        if filled == input.count {
            if parsed > 0 {
                input.removeFirst(parsed)
                filled -= parsed
                parsed = 0
                input += [UInt8](repeating: 0, count: (32 << 10) - input.count % (32 << 10))
            } else {
                input += [UInt8](repeating: 0, count: input.count)
            }
        }
        let from = filled
        let result = unsafe input.withUnsafeMutableBytes {
            unsafe cshims_recv(descriptor, $0.baseAddress?.advanced(by: from), $0.count - from)
        }
        if result == Int64(-11) { return true }
        guard result >= 0 else { throw BenchFailure("The server broke a connection: \(Self.text(Int32(-result))).") }
        filled += Int(result)
        return result > 0
    }

    /// The next whole answer, or nil until more was received.
    func answer() throws -> Answer? {
        guard filled - parsed >= 12 else { return nil }
        guard let headEnd = find([0x0D, 0x0A, 0x0D, 0x0A], parsed..<filled) else { return nil }
        var status = 0
        for at in parsed + 9..<parsed + 12 { status = status * 10 + Int(input[at]) - 0x30 }
        var length = 0
        guard let mark = find(Array("content-length:".utf8), parsed..<headEnd) else {
            throw BenchFailure("An answer has no content-length.")
        }
        for at in mark + 15..<headEnd + 1 {
            let byte = input[at]
            if 0x30...0x39 ~= byte { length = length * 10 + Int(byte) - 0x30 } else if byte != 0x20 { break }
        }
        let body = headEnd + 4..<headEnd + 4 + length
        guard body.upperBound <= filled else { return nil }
        parsed = body.upperBound
        return Answer(status: status, body: body)
    }

    /// Position of bytes (lower case; letters of the input are compared without case).
    func find(_ wanted: [UInt8], _ range: Range<Int>) -> Int? {
        guard range.count >= wanted.count else { return nil }
        let first = wanted[0]
        for at in range.lowerBound...range.upperBound - wanted.count where Self.lower(input[at]) == first {
            var length = 1
            while length < wanted.count, Self.lower(input[at + length]) == wanted[length] { length += 1 }
            if length == wanted.count { return at }
        }
        return nil
    }

    private static func lower(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }

    /// The whole number after `"name":` in a body; -1 when it is not there.
    func number(_ name: String, _ body: Range<Int>) -> Int {
        guard let mark = find(Array("\"\(name)\":".utf8), body) else { return -1 }
        var value = -1
        for at in mark + name.utf8.count + 3..<body.upperBound {
            guard 0x30...0x39 ~= input[at] else {
                if input[at] == 0x20, value < 0 { continue }
                break
            }
            value = max(0, value) * 10 + Int(input[at]) - 0x30
        }
        return value
    }

    /// The text after `"name":"` in a body, up to the next quote.
    func text(_ name: String, _ body: Range<Int>) -> String {
        guard let mark = find(Array("\"\(name)\":\"".utf8), body) else { return "" }
        let start = mark + name.utf8.count + 4
        var end = start
        while end < body.upperBound, input[end] != 0x22 { end += 1 }
        return String(decoding: input[start..<end], as: UTF8.self)
    }
}

/// Waits for many connections on one thread.
///
/// `unsafe` here: the array of events is lent to one call.
final class LoadPoller {
    private let epoll = cshims_epoll_create()
    private var events = [cshims_event](repeating: cshims_event(), count: 512)
    private(set) var connections: [LoadConnection] = []
    private var writing: Set<Int> = []

    deinit { _ = cshims_close(epoll) }

    func add(_ connection: LoadConnection) {
        _ = cshims_epoll_set(epoll, connection.descriptor, UInt32(CSHIMS_READ), UInt64(connections.count), true)
        connections.append(connection)
    }

    /// Waits for writing too while a connection has unsent bytes.
    func settle(_ index: Int) {
        let wants = connections[index].wantsWrite
        if wants == writing.contains(index) { return }
        let interest = UInt32(CSHIMS_READ) | (wants ? UInt32(CSHIMS_WRITE) : 0)
        _ = cshims_epoll_set(epoll, connections[index].descriptor, interest, UInt64(index), false)
        if wants { writing.insert(index) } else { writing.remove(index) }
    }

    /// Waits at most `millis`, flushes what can be sent, and gives the connections that can be read.
    func wait(millis: Int32) throws -> [Int] {
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe cshims_epoll_wait(epoll, $0.baseAddress, 512, millis)
        }
        var readable: [Int] = []
        for event in events.prefix(max(0, Int(count))) {
            let index = Int(event.token)
            if event.events & UInt32(CSHIMS_WRITE) != 0 {
                try connections[index].flush()
                settle(index)
            }
            if event.events & (UInt32(CSHIMS_READ) | UInt32(CSHIMS_CLOSED)) != 0 { readable.append(index) }
        }
        return readable
    }
}
