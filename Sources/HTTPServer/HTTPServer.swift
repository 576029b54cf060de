package import Network
package import Ports
package import Primitives

/// The HTTP transport of a ``HTTPHandler``: HTTP/1.1 without TLS on one network thread.
///
/// Requests of a connection are handled in order and may be answered in any order from any thread; answers leave in the
/// order of the requests. A client that sends more than it reads is not read from.
/// Thread: any.
package final class HTTPServer: Sendable {
    /// The bound port.
    package let port: Int
    private let loop: EventLoop
    private let counting: HTTPServerCounting
    private let listener: Int

    /// Starts to listen.
    ///
    /// - Parameter host: An IPv4 or IPv6 address; a name is refused.
    /// - Parameter port: 0 takes a free port, see ``port``.
    /// - Throws: ``NetworkError`` when the address is wrong or taken or the kernel gives no thread or descriptor.
    package static func start(
        host: String,
        port: Int,
        handler: any HTTPHandler,
        settings: HTTPServerSettings = HTTPServerSettings(),
        time: any TimeSource = SystemTime()
    ) throws(NetworkError) -> HTTPServer {
        let loop = try EventLoop(name: "till-http")
        let counting = HTTPServerCounting()
        let started = loop.call { reactor -> Result<(listener: Int, port: Int), NetworkError> in
            let shared = HTTPLoop(
                loop: loop,
                handler: handler,
                settings: settings,
                counting: counting,
                writer: HTTPResponseWriter(time: time)
            )
            reactor.turnEnded = { handler.turnEnded() }
            do throws(NetworkError) {
                return .success(
                    try reactor.listen(
                        host: host,
                        port: port,
                        connectionsMax: settings.connectionsMax,
                        writeTimeoutMs: settings.writeMs
                    ) { HTTPConnection(shared: shared, connection: $0, isOverflow: $1) }
                )
            } catch {
                return .failure(error)
            }
        }
        switch started {
        case .success(let (listener, port)):
            return HTTPServer(port: port, loop: loop, counting: counting, listener: listener)
        case .failure(let error):
            loop.stop()
            throw error
        case nil: throw .loopStopped
        }
    }

    private init(port: Int, loop: EventLoop, counting: HTTPServerCounting, listener: Int) {
        self.port = port
        self.loop = loop
        self.counting = counting
        self.listener = listener
    }

    deinit { loop.stopSoon() }

    /// What was counted since the start.
    package var counters: HTTPServerCounters { counting.copy }

    /// Stops accepting, lets running requests finish, ends streams, then closes all and ends the thread.
    /// Afterwards every ``HTTPStream/send(_:)`` gives false and late answers are ignored.
    ///
    /// - Parameter deadlineMs: Longest wait for running requests; what is open then is cut off.
    /// - Returns: Connections that were cut off: 0 when all finished.
    /// - Thread: any but the network's; blocks up to the deadline.
    @discardableResult package func drain(deadlineMs: Int) -> Int {
        let listener = listener
        let nanos = Int64(max(0, min(deadlineMs, 86_400_000))) * 1_000_000
        let cut = loop.call { (reactor, reply: EventLoop.Reply<Int>) in
            // The listener is stopped first, so no connection can follow.
            reactor.stopListening(listener)
            for connection in reactor.connections { (connection.handler as? HTTPConnection)?.drain() }
            DrainWaiter(untilNanos: reactor.nowNanos + nanos, reply: reply).look(reactor)
        }
        loop.stop()
        return cut ?? 0
    }
}
