import Network
import Ports

/// What all connections of a server share on the loop's thread.
final class HTTPLoop {
    let loop: EventLoop
    let handler: any HTTPHandler
    let settings: HTTPServerSettings
    let counting: HTTPServerCounting
    var writer: HTTPResponseWriter
    /// Bytes of bodies being received over all connections.
    var bodyBytes = 0
    /// Bytes of answers that wait for clients, over all connections.
    var unsentBytes = 0
    /// Connections with more than ``largeAnswerBytes`` waiting; at most the limit of all divided by it.
    var slowest: [ObjectIdentifier: HTTPConnection] = [:]
    /// Answers up to this size are given whoever waits: 2,000 connections × 64 KiB are 128 MiB.
    static let largeAnswerBytes = 64 << 10
    var isDraining = false

    init(
        loop: EventLoop,
        handler: any HTTPHandler,
        settings: HTTPServerSettings,
        counting: HTTPServerCounting,
        writer: HTTPResponseWriter
    ) {
        self.loop = loop
        self.handler = handler
        self.settings = settings
        self.counting = counting
        self.writer = writer
    }
}
