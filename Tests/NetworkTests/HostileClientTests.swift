import HTTPServer
import Testing

@testable import Network

/// What one client may cost the others.
@Suite struct HostileClientTests {
    private let head = "Host: localhost\r\n"

    @Test func `the longest idle connection makes room`() throws {
        let fixture = try Fixture { $0.connectionsMax = 2 }
        let silent = try fixture.raw()
        let second = try fixture.client()
        #expect(try second.exchange(method: "GET", path: "/a").status == 200)
        #expect(try fixture.client().exchange(method: "GET", path: "/a").status == 200)
        #expect(silent.read() == "")
        #expect(try second.exchange(method: "GET", path: "/a").status == 200)
    }

    @Test func `a head that may not pass is answered before its body`() throws {
        let fixture = try Fixture()
        for expect in ["", "Expect: 100-continue\r\n"] {
            let client = try fixture.raw()
            client.send("POST /big HTTP/1.1\r\n\(head)Authorization: wrong\r\n\(expect)Content-Length: 99999\r\n\r\n")
            #expect(client.read(until: "who").contains("HTTP/1.1 401 "))
        }
        #expect(fixture.handler.calls.withLock { !$0.contains("/big") })
    }

    @Test func `what a body sent early buys no time`() throws {
        let fixture = try Fixture {
            $0.bodyMs = 200
            $0.bodyBytesPerSecondMin = 1_000
        }
        let client = try fixture.raw()
        let sent = String(repeating: "a", count: 1_000_000)
        client.send("POST /big HTTP/1.1\r\n\(head)Content-Length: 2000000\r\n\r\n\(sent)")
        #expect(client.read().contains("http.body_timed_out"))
    }

    @Test func `every answer forbids guessing its type`() throws {
        let fixture = try Fixture()
        for path in ["/a", "/drop", "/inject"] {
            let response = try fixture.client().exchange(method: "GET", path: path)
            #expect(response.headers.filter { $0.name == "x-content-type-options" }.map(\.value) == ["nosniff"])
        }
    }

    @Test func `connections leave descriptors for files`() {
        #expect(NetworkLimits.connectionsMax(wanted: 2_000, descriptors: 65_536) == 2_000)
        #expect(NetworkLimits.connectionsMax(wanted: 2_000, descriptors: 1_024) == 768)
        #expect(NetworkLimits.connectionsMax(wanted: 2_000, descriptors: 64) == 32)
        #expect(NetworkLimits.connectionsMax(wanted: 100_000, descriptors: 1 << 20) == 65_472)
    }
}
