import Ports
import Primitives

/// Responses to bytes. Kept per loop, because the Date line is made once a second.
///
/// Header names and values come from handlers: control bytes in them become spaces, so no value can begin a header.
struct HTTPResponseWriter {
    private let time: any TimeSource
    private var dateSecond = Int64.min
    private var dateUntilNanos = Int64.min
    private var dateLine: [UInt8] = []

    init(time: any TimeSource) { self.time = time }

    enum Framing { case length(Int), chunked, untilClose, none }

    /// Appends the status line and the headers.
    ///
    /// - Parameter nowNanos: Monotonic time; the wall clock is asked at most ten times a second.
    mutating func writeHead(
        status: Int,
        headers: [(name: String, value: String)],
        framing: Framing,
        closes: Bool,
        nowNanos: Int64,
        to out: inout [UInt8]
    ) {
        if nowNanos >= dateUntilNanos { refreshDate(nowNanos) }
        Self.writeStatus(status, to: &out)
        out += dateLine
        for header in headers where !Self.isOwn(header.name) {
            Self.write(header.name, to: &out)
            out.append(0x3A)
            out.append(0x20)
            Self.write(header.value, to: &out)
            out.append(0x0D)
            out.append(0x0A)
        }
        switch framing {
        case .length(let count):
            Self.write("content-length: ", to: &out)
            out.appendDecimal(count)
            out += [0x0D, 0x0A]
        case .chunked: Self.write(line: "transfer-encoding: chunked", to: &out)
        case .untilClose, .none: break
        }
        if closes { Self.write(line: "connection: close", to: &out) }
        out += [0x0D, 0x0A]
    }

    private mutating func refreshDate(_ nowNanos: Int64) {
        dateUntilNanos = nowNanos + 100_000_000
        let second = time.now().micros.flooredDivision(by: 1_000_000).quotient
        guard second != dateSecond else { return }
        dateSecond = second
        // Every answer also says that its type is not to be guessed.
        dateLine = Array("date: \(Self.date(second))\r\nx-content-type-options: nosniff\r\n".utf8)
    }

    /// The date of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func date(_ epochSecond: Int64) -> String {
        let civil = CivilTime(epochSeconds: epochSecond)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = Int(epochSecond.flooredDivision(by: 86_400).quotient.flooredDivision(by: 7).remainder)
        return "\(days[day]), \(padded(civil.day, 2)) \(months[civil.month - 1]) \(padded(civil.year, 4)) "
            + "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2)) GMT"
    }

    /// Headers that only the transport may set.
    private static func isOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4, 10, 14, 17, 22:
            switch name.lowercased() {
            case "date", "connection", "content-length", "transfer-encoding", "keep-alive",
                "x-content-type-options":
                true
            default: false
            }
        default: false
        }
    }

    private static func write(_ text: String, to out: inout [UInt8]) {
        let start = out.count
        out += text.utf8
        for index in start..<out.count where out[index] < 0x20 || out[index] == 0x7F { out[index] = 0x20 }
    }

    private static func write(line: String, to out: inout [UInt8]) {
        out += line.utf8
        out += [0x0D, 0x0A]
    }

    private static func writeStatus(_ status: Int, to out: inout [UInt8]) {
        out += "HTTP/1.1 ".utf8
        out.appendDecimal(status)
        out.append(0x20)
        write(line: reason(status), to: &out)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 207: "Multi-Status"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status"
        }
    }

    /// Frames bytes as one chunk; an empty array would end the body and is left out.
    static func writeChunk(_ bytes: [UInt8], to out: inout [UInt8]) {
        if bytes.isEmpty { return }
        out += String(bytes.count, radix: 16).utf8
        out += [0x0D, 0x0A]
        out += bytes
        out += [0x0D, 0x0A]
    }
}
