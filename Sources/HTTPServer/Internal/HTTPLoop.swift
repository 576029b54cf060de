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
