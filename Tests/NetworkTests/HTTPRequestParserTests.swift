import Testing

@testable import Network

@Suite struct HTTPRequestParserTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let input: String
        /// Nil: exactly one request comes of it.
        let refusal: HTTPRefusal?

        init(_ name: String, _ input: String, _ refusal: HTTPRefusal? = nil) {
            testDescription = name
            self.input = input
            self.refusal = refusal
        }
    }

    static let h = "Host: till:80\r\n"
    static func get(_ headers: String) -> String { "GET / HTTP/1.1\r\n" + h + headers + "\r\n" }
    static func target(_ text: String) -> String { "GET \(text) HTTP/1.1\r\n" + h + "\r\n" }
    static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + body
    }

    static let cases = [
        Case("plain", get("")),
        Case("one empty line before", "\r\n" + get("")),
        Case("two empty lines before", "\r\n\r\n" + get(""), .malformedRequestLine),
        Case("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"),
        Case("every method", "PATCH / HTTP/1.1\r\n" + h + "\r\n"),
        Case("unknown method", "BREW / HTTP/1.1\r\n" + h + "\r\n", .unknownMethod),
        Case("long method", "PROPPATCH / HTTP/1.1\r\n" + h + "\r\n", .unknownMethod),
        Case("methods are case-sensitive", "get / HTTP/1.1\r\n" + h + "\r\n", .unknownMethod),
        Case("method with a separator", "GE(T / HTTP/1.1\r\n" + h + "\r\n", .malformedRequestLine),
        Case("HTTP/0.9", "GET /\r\n", .malformedRequestLine),
        Case("two spaces", "GET  / HTTP/1.1\r\n" + h + "\r\n", .malformedRequestLine),
        Case("space after the version", "GET / HTTP/1.1 \r\n" + h + "\r\n", .malformedRequestLine),
        Case("space in the target", "GET /a b HTTP/1.1\r\n" + h + "\r\n", .malformedRequestLine),
        Case("HTTP/2.0", "GET / HTTP/2.0\r\n" + h + "\r\n", .unsupportedVersion),
        Case("HTTP/1.2", "GET / HTTP/1.2\r\n" + h + "\r\n", .unsupportedVersion),
        Case("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        Case("lower case version", "GET / http/1.1\r\n" + h + "\r\n", .malformedRequestLine),
        Case("TLS hello", "\u{16}\u{3}\u{1}", .malformedRequestLine),
        Case("bare LF after the request line", "GET / HTTP/1.1\n" + h + "\r\n", .malformedLine),
        Case("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", .malformedLine),
        Case("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", .malformedLine),
        Case("bare CR in a header", get("A: b\rc\r\n"), .malformedHeader),
        Case("folded header", get("A: b\r\n c\r\n"), .foldedHeader),
        Case("folded with a tab", get("A: b\r\n\tc\r\n"), .foldedHeader),
        Case("space before the colon", get("A : b\r\n"), .malformedHeader),
        Case("no colon", get("Abc\r\n"), .malformedHeader),
        Case("empty name", get(": b\r\n"), .malformedHeader),
        Case("NUL in a value", get("A: \u{0}\r\n"), .malformedHeader),
        Case("DEL in a value", get("A: \u{7F}\r\n"), .malformedHeader),
        Case("tab inside a value", get("A: b\tc\r\n")),
        Case("UTF-8 in a value", get("A: grün\r\n")),
        Case("empty value", get("A:\r\n")),
        Case("missing Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", .missingHost),
        Case("two Hosts", get(h), .badHost),
        Case("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .badHost),
        Case("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
        Case("Host in brackets", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        Case("two Content-Lengths", get("Content-Length: 0\r\nContent-Length: 0\r\n"), .badContentLength),
        Case("list as Content-Length", get("Content-Length: 0, 0\r\n"), .badContentLength),
        Case("signed Content-Length", get("Content-Length: +1\r\n"), .badContentLength),
        Case("huge Content-Length", get("Content-Length: 99999999999999999999\r\n"), .badContentLength),
        Case("both lengths", get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), .conflictingLength),
        Case("coding twice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), .conflictingLength),
        Case("coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .conflictingLength),
        Case("unknown coding", get("Transfer-Encoding: gzip, chunked\r\n"), .unknownCoding),
        Case("body", "POST / HTTP/1.1\r\n" + h + "Content-Length: 3\r\n\r\nabc"),
        Case(
            "body of the limit",
            "POST / HTTP/1.1\r\n" + h + "Content-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1_000)
        ),
        Case("body above the limit", "POST / HTTP/1.1\r\n" + h + "Content-Length: 1001\r\n\r\n", .bodyTooLarge),
        Case("chunks", chunked("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")),
        Case("chunks with trailers", chunked("1\r\na\r\n0\r\nX: y\r\n\r\n")),
        Case("bad trailer", chunked("0\r\nX y\r\n\r\n"), .malformedHeader),
        Case("bad chunk size", chunked("g\r\n"), .badChunk),
        Case("empty chunk size", chunked("\r\n"), .badChunk),
        Case("space after the chunk size", chunked("3 \r\nabc\r\n"), .badChunk),
        Case("prefix of the chunk size", chunked("0x3\r\nabc\r\n"), .badChunk),
        Case("nine digits", chunked("000000003\r\nabc\r\n"), .badChunk),
        Case("chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), .badChunk),
        Case("chunk with a bare LF", chunked("3\nabc"), .malformedLine),
        Case(
            "chunks above the limit",
            chunked("3E8\r\n" + String(repeating: "x", count: 1_000) + "\r\n1\r\n"),
            .bodyTooLarge
        ),
        Case("chunk above the limit", chunked("FFFFFFFF\r\n"), .bodyTooLarge),
        Case("long chunk line", chunked("1;" + String(repeating: "x", count: 200) + "\r\n"), .badChunk),
        Case("unknown expectation", get("Expect: coffee\r\n"), .unknownExpectation),
        Case("absolute target", target("http://till:80/a?b=c")),
        Case("absolute target without a path", target("http://till")),
        Case("https target", target("https://till/a"), .badTarget),
        Case("absolute target without a host", target("http:///a"), .badTarget),
        Case("asterisk target", target("*"), .badTarget),
        Case("target without a slash", target("a"), .badTarget),
        Case("fragment", target("/a#b"), .badTarget),
        Case("raw UTF-8 in the target", target("/grün"), .badTarget),
        Case("cut escape", target("/%2"), .badEncoding),
        Case("wrong escape", target("/%zz"), .badEncoding),
        Case("NUL in the path", target("/%00"), .badEncoding),
        Case("NUL in the query", target("/?a=%00"), .badEncoding),
        Case("bytes that are not UTF-8", target("/%ff"), .badEncoding),
        Case("overlong UTF-8", target("/%c0%af"), .badEncoding),
        Case("longest request line", target("/" + String(repeating: "a", count: 8_192 - 15))),
        Case("too long a request line", target("/" + String(repeating: "a", count: 8_192 - 14)), .requestLineTooLong),
        Case("64 headers", get(String(repeating: "A: b\r\n", count: 63))),
        Case("65 headers", get(String(repeating: "A: b\r\n", count: 64)), .headersTooLarge),
        Case("16 KiB of headers", get("A: " + String(repeating: "b", count: 16_384 - 15 - 5) + "\r\n")),
        Case("one byte more", get("A: " + String(repeating: "b", count: 16_384 - 15 - 4) + "\r\n"), .headersTooLarge),
        Case("one endless header", get("A: " + String(repeating: "b", count: 20_000)), .headersTooLarge),
    ]

    @Test(arguments: cases) func `a request is taken or refused as RFC 9112 says`(_ example: Case) {
        let verdict = ParserVerdict(example.input)
        #expect(verdict.refusal == example.refusal)
        #expect(verdict.requests.count == (example.refusal == nil ? 1 : 0))
    }

    @Test(arguments: cases) func `a cut at any byte changes nothing`(_ example: Case) {
        let bytes = Array((example.input + (example.refusal == nil ? Self.get("") : "")).utf8)
        let whole = ParserVerdict(bytes)
        // Long inputs are cut near their ends and at every 97th byte.
        for cut in 0...bytes.count where bytes.count < 1_500 || cut % 97 == 0 || cut > bytes.count - 60 || cut < 60 {
            #expect(ParserVerdict(bytes, cuts: [cut]) == whole, "cut at \(cut)")
        }
        #expect(ParserVerdict(bytes, cuts: Array(0...bytes.count)) == whole)
    }

    private func parse(_ text: String) -> HTTPParsedRequest? {
        var parser = HTTPRequestParser()
        let bytes = Array(text.utf8)
        if case .request(let request, _) = parser.step(bytes.span, from: 0, bodyLimit: { _, _ in 100 }) {
            return request
        }
        return nil
    }

    @Test func `path and query are decoded`() throws {
        let request = try #require(parse(Self.target("/a%20b+c/%C3%BC?x=1+2&y=%26&z&x=&=q&&e%3D=1=2")))
        #expect(request.path == "/a b+c/ü")
        #expect(request.query.map { $0.name } == ["x", "y", "z", "x", "", "e="])
        #expect(request.query.map { $0.value } == ["1 2", "&", "", "", "q", "1=2"])
    }

    @Test func `header names are lower case and values trimmed`() throws {
        let request = try #require(parse(Self.get("X-Forwarded-Proto: \t https \t\r\nIDEMPOTENCY-KEY:k\r\n")))
        #expect(request.headers.map { $0.name } == ["host", "x-forwarded-proto", "idempotency-key"])
        #expect(request.headers.map { $0.value } == ["till:80", "https", "k"])
    }

    @Test(arguments: [
        ("", true), ("Connection: close\r\n", false), ("Connection: foo, Close\r\n", false),
        ("Connection: keep-alive\r\n", true),
    ])
    func `the client says whether the connection stays`(_ header: String, _ keepAlive: Bool) throws {
        #expect(try #require(parse(Self.get(header))).keepAlive == keepAlive)
    }

    @Test func `a client that expects it is told to go on`() {
        var parser = HTTPRequestParser()
        let bytes = Array(("POST / HTTP/1.1\r\n" + Self.h + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n").utf8)
        guard case .continueExpected(let next) = parser.step(bytes.span, from: 0, bodyLimit: { _, _ in 9 }) else {
            Issue.record("no continue")
            return
        }
        #expect(next == bytes.count)
    }

    @Test func `every refusal has a status, a code of its own and a sentence`() {
        #expect(Set(HTTPRefusal.allCases.map(\.code)).count == HTTPRefusal.allCases.count)
        #expect(HTTPRefusal.allCases.allSatisfy { 400...599 ~= $0.status && $0.message.hasSuffix(".") })
    }
}
