import CShims
import HTTPServer
import Ports
import Testing

@testable import Network

/// Clients that do not take their answers take neither the memory nor the answers of others.
@Suite(.timeLimit(.minutes(2))) struct UnsentAnswerTests {
    private let head = "Host: a\r\n"
    private func text(_ response: HTTPClientResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    /// More than the kernel takes for a client that does not read.
    private static let large = HTTPResponse(status: 200, body: [UInt8](repeating: 0x61, count: 32 << 20))

    @Test func `answers that nobody takes do not add up`() throws {
        let fixture = try Fixture {
            $0.unsentBytesTotalMax = 40 << 20
            $0.crowdedMs = 60_000
        }
        let lazy = try fixture.raw()
        lazy.send("GET /park HTTP/1.1\r\n\(head)\r\n")
        fixture.handler.waitParked(1)[0].exchange.respond(Self.large)
        let other = try fixture.client()
        try other.send(method: "GET", path: "/park")
        fixture.handler.waitParked(2)[1].exchange.respond(Self.large)
        let answer = try other.receive()
        #expect(answer.status == 503 && text(answer).contains("http.too_many_unsent_bytes"))
        #expect(answer.header("retry-after") == "1")
        // Small answers are given all the same, and large ones once there is room.
        #expect(try other.exchange(method: "GET", path: "/a").status == 200)
        lazy.close()
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 1 })
        try other.send(method: "GET", path: "/park")
        fixture.handler.waitParked(3)[2].exchange.respond(Self.large)
        #expect(try other.receive().body.count == 32 << 20)
    }

    @Test func `who does not take an answer makes room for who does`() throws {
        let fixture = try Fixture {
            $0.unsentBytesTotalMax = 40 << 20
            // The kernel takes some megabytes at once for a client that reads nothing.
            $0.crowdedMs = 100
            $0.crowdedBytesPerSecondMin = 1 << 30
        }
        let lazy = try fixture.raw()
        lazy.send("GET /park HTTP/1.1\r\n\(head)\r\n")
        fixture.handler.waitParked(1)[0].exchange.respond(Self.large)
        #expect(waitUntil { fixture.server.counters.bytesOut > 0 })
        cshims_sleep_micros(200_000)
        let other = try fixture.client()
        try other.send(method: "GET", path: "/park")
        fixture.handler.waitParked(2)[1].exchange.respond(Self.large)
        #expect(try other.receive().body.count == 32 << 20)
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 1 })
        #expect(fixture.server.counters.rejects["http.answer_not_taken"] == 1)
    }
}
