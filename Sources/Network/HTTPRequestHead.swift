/// The head of a request while its lines come in.
struct HTTPRequestHead: Sendable {
    private(set) var verb = HTTPVerb.get
    private(set) var path = ""
    private(set) var query: [(name: String, value: String)] = []
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var isHTTP10 = false
    private(set) var contentLength: Int?
    private(set) var chunked = false
    private(set) var expectsContinue = false
    private(set) var isComplete = false
    var trailersComplete = false
    /// Bytes of header and trailer lines with their CR LF.
    private(set) var bytes = 0
    private var lines = 0
    private var hostSeen = false
    private var codingSeen = false
    private var closeAsked = false

    var keepAlive: Bool { !isHTTP10 && !closeAsked }

    // MARK: Request line

    mutating func readRequestLine(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) {
        var at = line.lowerBound
        var key: UInt64 = 0
        while at < line.upperBound, bytes[at] != 0x20 {
            guard HTTPText.lowerToken(bytes[at]) != 0 else { throw .malformedRequestLine }
            key = key << 8 | UInt64(bytes[at])
            at += 1
        }
        let methodCount = at - line.lowerBound
        guard methodCount > 0, at < line.upperBound else { throw .malformedRequestLine }
        let target = at + 1
        at = target
        while at < line.upperBound, bytes[at] != 0x20 {
            guard 0x21...0x7E ~= bytes[at], bytes[at] != 0x23 else { throw .badTarget }
            at += 1
        }
        try readVersion(bytes, at..<line.upperBound)
        guard methodCount <= 7, let verb = Self.verb(key) else { throw .unknownMethod }
        self.verb = verb
        try readTarget(bytes, target..<at)
    }

    /// Methods by their bytes as one number, the last byte lowest.
    private static func verb(_ key: UInt64) -> HTTPVerb? {
        switch key {
        case 0x47_4554: .get
        case 0x4845_4144: .head
        case 0x504F_5354: .post
        case 0x50_5554: .put
        case 0x4445_4C45_5445: .delete
        case 0x4F_5054_494F_4E53: .options
        case 0x50_4154_4348: .patch
        default: nil
        }
    }

    /// Reads ` HTTP/1.1`.
    private mutating func readVersion(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) {
        let at = range.lowerBound
        guard range.count == 9, bytes[at + 1] == 0x48, bytes[at + 2] == 0x54, bytes[at + 3] == 0x54,
            bytes[at + 4] == 0x50, bytes[at + 5] == 0x2F, 0x30...0x39 ~= bytes[at + 6], bytes[at + 7] == 0x2E,
            0x30...0x39 ~= bytes[at + 8]
        else { throw .malformedRequestLine }
        guard bytes[at + 6] == 0x31, bytes[at + 8] <= 0x31 else { throw .unsupportedVersion }
        isHTTP10 = bytes[at + 8] == 0x30
    }

    private mutating func readTarget(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) {
        var start = range.lowerBound
        if range.isEmpty { throw .badTarget }
        if bytes[start] != 0x2F {
            guard range.count > 7, HTTPText.matches(bytes, start..<start + 7, "http://") else { throw .badTarget }
            let host = start + 7
            start = host
            while start < range.upperBound, bytes[start] != 0x2F, bytes[start] != 0x3F { start += 1 }
            guard Self.isHost(bytes, host..<start) else { throw .badTarget }
        }
        var end = start
        while end < range.upperBound, bytes[end] != 0x3F { end += 1 }
        if start == end {
            path = "/"
        } else {
            guard let text = HTTPText.decoded(bytes, start..<end, plusIsSpace: false, isPath: true) else {
                throw .badEncoding
            }
            path = text
        }
        if end < range.upperBound { try readQuery(bytes, end + 1..<range.upperBound) }
    }

    private mutating func readQuery(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            var equals = -1
            while end < range.upperBound, bytes[end] != 0x26 {
                if bytes[end] == 0x3D, equals < 0 { equals = end }
                end += 1
            }
            if end > start {
                let nameEnd = equals < 0 ? end : equals
                guard let name = HTTPText.decoded(bytes, start..<nameEnd, plusIsSpace: true),
                    let value = HTTPText.decoded(bytes, min(nameEnd + 1, end)..<end, plusIsSpace: true)
                else { throw .badEncoding }
                query.append((name, value))
            }
            start = end + 1
        }
    }

    // MARK: Headers

    /// Reads `name: value`; trailers are checked and dropped.
    mutating func readHeader(_ bytes: Span<UInt8>, _ line: Range<Int>, isTrailer: Bool) throws(HTTPRefusal) {
        lines += 1
        self.bytes += line.count + 2
        guard lines <= NetworkLimits.headerCount, self.bytes <= NetworkLimits.headerBytes else {
            throw .headersTooLarge
        }
        if bytes[line.lowerBound] == 0x20 || bytes[line.lowerBound] == 0x09 { throw .foldedHeader }
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon] != 0x3A {
            guard HTTPText.lowerToken(bytes[colon]) != 0 else { throw .malformedHeader }
            colon += 1
        }
        guard colon > line.lowerBound, colon < line.upperBound else { throw .malformedHeader }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        for at in start..<end {
            let byte = bytes[at]
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .malformedHeader }
        }
        let name = line.lowerBound..<colon
        let value = start..<end
        guard let text = HTTPText.string(bytes, value) else { throw .malformedHeader }
        if isTrailer { return }
        try readMeaning(bytes, name, value)
        if headers.isEmpty { headers.reserveCapacity(8) }
        headers.append((HTTPText.lowerName(bytes, name), text))
    }

    /// Takes note of the headers that frame the message.
    private mutating func readMeaning(
        _ bytes: Span<UInt8>,
        _ name: Range<Int>,
        _ value: Range<Int>
    ) throws(HTTPRefusal) {
        switch name.count {
        case 4 where HTTPText.matches(bytes, name, "host"):
            guard !hostSeen, Self.isHost(bytes, value) else { throw .badHost }
            hostSeen = true
        case 6 where HTTPText.matches(bytes, name, "expect"):
            guard HTTPText.matches(bytes, value, "100-continue") else { throw .unknownExpectation }
            expectsContinue = true
        case 10 where HTTPText.matches(bytes, name, "connection"):
            if Self.listHas(bytes, value, "close") { closeAsked = true }
        case 14 where HTTPText.matches(bytes, name, "content-length"):
            guard contentLength == nil, let length = Self.number(bytes, value) else { throw .badContentLength }
            contentLength = length
        case 17 where HTTPText.matches(bytes, name, "transfer-encoding"):
            guard !codingSeen else { throw .conflictingLength }
            codingSeen = true
            guard HTTPText.matches(bytes, value, "chunked") else { throw .unknownCoding }
            chunked = true
        default: break
        }
    }

    /// The empty line has come.
    mutating func complete() throws(HTTPRefusal) {
        if !hostSeen, !isHTTP10 { throw .missingHost }
        if chunked, contentLength != nil || isHTTP10 { throw .conflictingLength }
        // HTTP/1.0 knows no interim answers.
        if isHTTP10 || !chunked && contentLength ?? 0 == 0 { expectsContinue = false }
        isComplete = true
    }

    private static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for at in range {
            switch bytes[at] {
            case 0x30...0x3A, 0x41...0x5B, 0x5D, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x25: continue
            default: return false
            }
        }
        return !range.isEmpty
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard 1...NetworkLimits.contentLengthDigits ~= range.count else { return nil }
        var value = 0
        for at in range {
            guard 0x30...0x39 ~= bytes[at] else { return nil }
            value = value * 10 + Int(bytes[at] - 0x30)
        }
        return value
    }

    /// True when a comma-separated list has the element.
    private static func listHas(_ bytes: Span<UInt8>, _ range: Range<Int>, _ element: StaticString) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, bytes[end] != 0x2C { end += 1 }
            var from = start
            var to = end
            while from < to, bytes[from] == 0x20 || bytes[from] == 0x09 { from += 1 }
            while to > from, bytes[to - 1] == 0x20 || bytes[to - 1] == 0x09 { to -= 1 }
            if HTTPText.matches(bytes, from..<to, element) { return true }
            start = end + 1
        }
        return false
    }
}
