import CShims
import HTTPServer
import Ports
import Testing

@testable import Network

/// Bodies that wait for their rest share their memory by who sends them.
@Suite(.timeLimit(.minutes(2))) struct BodyShareTests {
    private func begin(_ fixture: Fixture, share: String, sending count: Int) throws -> RawClient {
        let client = try fixture.raw()
        client.send("POST /big HTTP/1.1\r\nHost: a\r\nX-Share: \(share)\r\nContent-Length: 3000000\r\n\r\n")
        client.send(String(repeating: "a", count: count))
        return client
    }

    @Test func `whoever has most bytes of bodies gives way`() throws {
        let fixture = try Fixture { $0.bodyBytesTotalMax = 4 << 20 }
        let greedy = try (0..<4).map { _ in try begin(fixture, share: "greedy", sending: 1_000_000) }
        #expect(waitUntil { fixture.server.counters.bytesIn > 4_000_000 })
        let honest = try fixture.client()
        for _ in 0..<3 {
            let answer = try honest.exchange(
                method: "POST",
                path: "/big",
                headers: [("x-share", "honest")],
                body: [UInt8](repeating: 0x62, count: 900_000)
            )
            #expect(answer.status == 200)
        }
        // The one that began first was answered, and only as many as there had to be.
        #expect(greedy[0].read().contains("http.too_many_body_bytes"))
        #expect(fixture.server.counters.rejects["http.too_many_body_bytes"] == 1)
    }

    @Test func `without identities networks share`() throws {
        let fixture = try Fixture { $0.bodyBytesTotalMax = 4 << 20 }
        let first = try fixture.raw()
        first.send("POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
        first.send(String(repeating: "a", count: 2_500_000))
        #expect(waitUntil { fixture.server.counters.bytesIn > 2_500_000 })
        let second = try begin(fixture, share: "other", sending: 2_000_000)
        #expect(first.read().contains("http.too_many_body_bytes"))
        second.send(String(repeating: "a", count: 1_000_000))
        #expect(second.read().contains("200 OK"))
    }
}
