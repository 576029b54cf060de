import CShims
import Executors
import HTTPServer
import Ports
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(2))) struct HTTPServerTests {
    let head = "Host: a\r\n"
    func text(_ response: HTTPClientResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func `a request is answered and the connection stays`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        for index in 0..<3 {
            let response = try client.exchange(method: "POST", path: "/a/\(index)?x=1", body: [1, 2, 3])
            #expect(response.status == 200)
            #expect(text(response) == "POST /a/\(index) 3")
            #expect(response.header("date")?.hasSuffix(" GMT") == true)
        }
        let counters = fixture.server.counters
        #expect(counters.requests == 3 && counters.responses[2] == 3 && counters.connectionsOpen == 1)
        #expect(counters.connectionsTotal == 1 && counters.bytesIn > 0 && counters.bytesOut > 0)
    }

    @Test func `answers keep the order of the requests however they are given`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        for index in 0..<20 {
            try client.enqueue(method: "GET", path: index % 3 == 2 ? "/now\(index)" : "/park\(index)")
        }
        try client.flush()
        let parked = fixture.handler.waitParked(14)
        #expect(parked.count == 14)
        let pool = try BlockingPool(name: "answer", threads: 3, queueMax: 100)
        for (path, exchange) in parked.reversed() {
            #expect(pool.submit { exchange.respond(HTTPResponse(status: 200, body: Array(path.utf8))) })
        }
        for index in 0..<20 {
            #expect(text(try client.receive()) == (index % 3 == 2 ? "GET /now\(index) 0" : "/park\(index)"))
        }
        pool.shutdown()
    }

    @Test func `a client that pipelines more than the limit is read from later`() throws {
        let fixture = try Fixture { $0.pipelinedMax = 4 }
        let client = try fixture.client()
        for index in 0..<50 { try client.enqueue(method: "GET", path: "/park\(index)") }
        try client.flush()
        for index in 0..<50 {
            let parked = fixture.handler.waitParked(index + 1)
            #expect(parked.count - index <= 4)
            // Also behind requests that were received before and are handled only now.
            let calls = fixture.handler.waitCalls { $0.last == FixtureHandler.turnEnd }
            #expect(calls.last == FixtureHandler.turnEnd, "what the requests of a turn share is begun at its end")
            parked[index].exchange.respond(HTTPResponse(status: 200, body: Array("\(index)".utf8)))
            #expect(text(try client.receive()) == "\(index)")
        }
    }

    @Test func `large answers reach a client that reads late`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        for _ in 0..<10 { try client.enqueue(method: "GET", path: "/large") }
        try client.flush()
        for _ in 0..<10 { #expect(try client.receive().body.count == 3 << 20) }
    }

    @Test func `too large a body is refused before it is sent, and the answer is not lost`() throws {
        let fixture = try Fixture()
        let client = try fixture.raw()
        client.send("POST /a HTTP/1.1\r\n\(head)Content-Length: 1001\r\n\r\n")
        #expect(client.read().hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
        let eager = try fixture.client()
        let response = try eager.exchange(method: "POST", path: "/a", body: [UInt8](repeating: 1, count: 900_000))
        #expect(response.status == 413)
        #expect(eager.serverCloses)
        #expect(fixture.server.counters.rejects["http.body_too_large"] == 2)
    }

    @Test func `a client that asks is told to send its body`() throws {
        let fixture = try Fixture()
        let client = try fixture.raw()
        client.send("POST /a HTTP/1.1\r\n\(head)Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("abc")
        #expect(client.read(until: "POST /a 3").hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func `requests before a bad one are answered first`() throws {
        let fixture = try Fixture()
        let client = try fixture.raw()
        client.send("GET /park HTTP/1.1\r\n\(head)\r\nGET /b HTTP/1.1\r\n\r\n")
        let parked = fixture.handler.waitParked(1)
        parked[0].exchange.respond(HTTPResponse(status: 200, body: Array("first".utf8)))
        let all = client.read()
        #expect(all.contains("first"))
        #expect(all.hasSuffix("http.host_missing"))
        #expect(all.contains("connection: close"))
    }

    @Test func `HEAD has the length and no body`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        let response = try client.exchange(method: "HEAD", path: "/a")
        #expect(response.header("content-length") == "9" && response.body.isEmpty)
        #expect(text(try client.exchange(method: "GET", path: "/a")) == "GET /a 0")
    }

    @Test func `the handler is told of every answer with its route, status and sizes`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        _ = try client.exchange(method: "POST", path: "/ab", body: [1, 2, 3])
        _ = try client.exchange(method: "HEAD", path: "/a")
        try client.enqueue(method: "GET", path: "/stream")
        try client.send(method: "GET", path: "/park")
        let stream = try #require(fixture.handler.streams.wait(micros: 5_000_000) { $0.first })
        #expect(stream.send([1, 2]))
        stream.end()
        let parked = fixture.handler.waitParked(1)
        cshims_sleep_micros(20_000)
        parked[0].exchange.respond(HTTPResponse(status: 201, body: [1]))
        for _ in 0..<2 { _ = try client.receive() }
        let raw = try fixture.raw()
        raw.send("POST /big HTTP/1.1\r\n\(head)Content-Length: 9999999\r\n\r\n")
        #expect(raw.read().hasPrefix("HTTP/1.1 413"))
        let other = try fixture.raw()
        other.send("nonsense\r\n\r\n")
        #expect(other.read().hasPrefix("HTTP/1.1 400"))
        let told = fixture.handler.answers.withLock { $0 }
        #expect(told.map(\.status) == [200, 200, 200, 201, 413, 400])
        // The fixture's route is the length of the path; a head that was refused has none.
        #expect(told.map(\.route) == [3, 2, 7, 5, 4, nil])
        #expect(told.map(\.method) == [.post, .head, .get, .get, .post, nil])
        #expect(told.map(\.bodyBytesIn) == [3, 0, 0, 0, 0, 0])
        #expect(told.map(\.bodyBytesOut) == [10, 0, nil, 1, 19, 27])
        #expect(told.allSatisfy { $0.nanos >= 0 } && told[3].nanos >= 20_000_000 && told[4].nanos == 0)
    }

    @Test func `HTTP/1.0 is answered and closed`() throws {
        let fixture = try Fixture()
        let client = try fixture.raw()
        client.send("GET /a HTTP/1.0\r\n\r\n")
        #expect(client.read().hasSuffix("connection: close\r\n\r\nGET /a 0"))
    }

    @Test func `a header value cannot begin another header`() throws {
        let fixture = try Fixture()
        let response = try fixture.client().exchange(method: "GET", path: "/inject")
        #expect(response.header("set-cookie") == nil)
        #expect(response.header("x-a") == "b  set-cookie: c")
    }

    @Test func `a request that the handler forgets is answered 500`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        #expect(try client.exchange(method: "GET", path: "/drop").status == 500)
        #expect(try client.exchange(method: "GET", path: "/a").status == 200)
    }

    // MARK: Time limits

    @Test func `a slow head is answered 408`() throws {
        let fixture = try Fixture { $0.headMs = 200 }
        let client = try fixture.raw()
        client.send("GET /a HTTP/1.1\r\nHos")
        #expect(client.read().hasPrefix("HTTP/1.1 408 "))
    }

    @Test func `a slow body is answered 408`() throws {
        let fixture = try Fixture { $0.bodyMs = 200 }
        let client = try fixture.raw()
        client.send("POST /a HTTP/1.1\r\n\(head)Content-Length: 10\r\n\r\nabc")
        #expect(client.read().contains("http.body_timed_out"))
    }

    @Test func `a client that says nothing is closed without a word`() throws {
        let fixture = try Fixture { $0.headMs = 200 }
        #expect(try fixture.raw().read() == "")
    }

    @Test func `an idle connection is closed`() throws {
        let fixture = try Fixture { $0.idleMs = 200 }
        let client = try fixture.raw()
        client.send("GET /a HTTP/1.1\r\n\(head)\r\n")
        #expect(client.read().hasSuffix("GET /a 0"))
    }

    @Test func `a handler that does not answer in time is answered for, and its late answer is harmless`() throws {
        let fixture = try Fixture { $0.answerMs = 200 }
        let client = try fixture.client()
        #expect(try client.exchange(method: "GET", path: "/park").status == 504)
        fixture.handler.waitParked(1)[0].exchange.respond(HTTPResponse(status: 200))
        #expect(try fixture.client().exchange(method: "GET", path: "/a").status == 200)
    }

    @Test func `a client that does not read its answer is cut off`() throws {
        let fixture = try Fixture { $0.writeMs = 200 }
        let client = try fixture.raw()
        for _ in 0..<8 { client.send("GET /large HTTP/1.1\r\n\(head)\r\n") }
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 0 })
        _ = client
    }

    // MARK: Streams

    @Test func `a stream sends what it is given until it ends`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        try client.enqueue(method: "GET", path: "/stream")
        try client.send(method: "GET", path: "/after")
        let stream = try #require(fixture.handler.streams.wait(micros: 5_000_000) { $0.first })
        for index in 0..<100 { #expect(stream.send(Array("data: \(index)\n\n".utf8))) }
        stream.end()
        #expect(!stream.send([1]))
        let response = try client.receive()
        #expect(response.header("transfer-encoding") == "chunked")
        #expect(text(response) == (0..<100).map { "data: \($0)\n\n" }.joined())
        #expect(text(try client.receive()) == "GET /after 0")
    }

    @Test func `a stream learns that its client is gone`() throws {
        let fixture = try Fixture()
        let client = try fixture.raw()
        client.send("GET /stream HTTP/1.1\r\n\(head)\r\n")
        let stream = try #require(fixture.handler.streams.wait(micros: 5_000_000) { $0.first })
        #expect(stream.send([0x61]))
        client.close()
        #expect(waitUntil { !stream.send([0x62]) })
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 0 })
    }

    @Test func `a stream that nobody reads is cut off at its limit`() throws {
        let fixture = try Fixture { $0.streamBytesMax = 100_000 }
        let client = try fixture.raw()
        client.send("GET /stream HTTP/1.1\r\n\(head)\r\n")
        let stream = try #require(fixture.handler.streams.wait(micros: 5_000_000) { $0.first })
        let piece = [UInt8](repeating: 0x61, count: 10_000)
        #expect(waitUntil { !stream.send(piece) })
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 0 })
        _ = client
    }

    // MARK: Many clients and the end

    @Test func `clients that go away in the middle leave nothing behind`() throws {
        let fixture = try Fixture()
        for index in 0..<60 {
            let client = try fixture.raw()
            switch index % 3 {
            case 0: client.send("POST /a HTTP/1.1\r\n\(head)Content-Length: 10\r\n\r\nabc")
            case 1: client.send("GET /park HTTP/1.1\r\n\(head)\r\nGET /park HTTP/1.1\r\n\(head)\r\nGET /a HT")
            default: client.send("GET /large HTTP/1.1\r\n\(head)\r\n")
            }
            if index % 3 == 1 { _ = fixture.handler.waitParked((index / 3 + 1) * 2) }
            client.close()
        }
        for parked in fixture.handler.waitParked(40) { parked.exchange.respond(HTTPResponse(status: 200)) }
        #expect(waitUntil { fixture.server.counters.connectionsOpen == 0 })
        #expect(try fixture.client().exchange(method: "GET", path: "/a").status == 200)
    }

    @Test func `200 connections at once are all answered`() throws {
        let fixture = try Fixture()
        let clients = try (0..<200).map { _ in try fixture.client() }
        for round in 0..<5 {
            for client in clients { try client.send(method: "GET", path: "/r\(round)") }
            for client in clients { #expect(try client.receive().status == 200) }
        }
        #expect(fixture.server.counters.connectionsOpen == 200)
        #expect(fixture.server.counters.requests == 1_000)
    }

    @Test func `a connection above the limit is told so`() throws {
        let fixture = try Fixture { $0.connectionsMax = 2 }
        let clients = try (0..<2).map { _ in try fixture.client() }
        for client in clients { try client.send(method: "GET", path: "/park") }
        let parked = fixture.handler.waitParked(2)
        #expect(parked.count == 2)
        defer { for one in parked { one.exchange.respond(HTTPResponse(status: 200)) } }
        let third = try fixture.client()
        let response = try third.exchange(method: "GET", path: "/a")
        #expect(response.status == 503 && response.header("retry-after") == "1")
        #expect(fixture.server.counters.rejects["http.too_many_connections"] == 1)
    }

    @Test func `bodies of all connections together are bounded`() throws {
        let fixture = try Fixture { $0.bodyBytesTotalMax = 1 << 20 }
        let response = try fixture.client().exchange(
            method: "POST",
            path: "/big",
            body: [UInt8](repeating: 1, count: 1_500_000)
        )
        #expect(response.status == 503)
        let other = try fixture.client().exchange(
            method: "POST",
            path: "/big",
            body: [UInt8](repeating: 1, count: 900_000)
        )
        #expect(other.status == 200)
    }

    @Test func `draining finishes running requests and refuses new connections`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        let idle = try fixture.client()
        #expect(try idle.exchange(method: "GET", path: "/a").status == 200)
        try client.send(method: "GET", path: "/park")
        let exchange = fixture.handler.waitParked(1)[0].exchange
        let cut = Guarded<Int?>(nil)
        let server = fixture.server
        let thread = try DedicatedThread(name: "drain") {
            let count = server.drain(deadlineMs: 5_000)
            cut.withLock { $0 = count }
        }
        #expect(throws: HTTPClientError.self) {
            for _ in 0..<500 {
                _ = try fixture.client()
                cshims_sleep_micros(2_000)
            }
        }
        exchange.respond(HTTPResponse(status: 200, body: Array("done".utf8)))
        let response = try client.receive()
        #expect(text(response) == "done" && client.serverCloses)
        thread.join()
        #expect(cut.withLock { $0 } == 0)
        #expect(throws: HTTPClientError.self) { try idle.exchange(method: "GET", path: "/a") }
    }

    @Test func `draining cuts off what does not end in time`() throws {
        let fixture = try Fixture()
        let client = try fixture.client()
        try client.send(method: "GET", path: "/park")
        let exchange = fixture.handler.waitParked(1)[0].exchange
        #expect(fixture.server.drain(deadlineMs: 200) == 1)
        exchange.respond(HTTPResponse(status: 200))
        #expect(throws: HTTPClientError.self) { try client.receive() }
        #expect(fixture.server.drain(deadlineMs: 200) == 0)
    }

    @Test func `a port that is taken is named`() throws {
        let fixture = try Fixture()
        #expect(throws: NetworkError.addressTaken(host: "127.0.0.1", port: fixture.server.port)) {
            _ = try HTTPServer.start(host: "127.0.0.1", port: fixture.server.port, handler: fixture.handler)
        }
        #expect(throws: NetworkError.addressInvalid(host: "nowhere")) {
            _ = try HTTPServer.start(host: "nowhere", port: 0, handler: fixture.handler)
        }
    }

    @Test func `an exchange that is answered twice is a bug and traps`() async {
        await #expect(processExitsWith: .failure) {
            let fixture = try Fixture()
            let client = try fixture.client()
            try client.send(method: "GET", path: "/park")
            let exchange = fixture.handler.waitParked(1)[0].exchange
            exchange.respond(HTTPResponse(status: 200))
            exchange.respond(HTTPResponse(status: 200))
        }
    }
}
