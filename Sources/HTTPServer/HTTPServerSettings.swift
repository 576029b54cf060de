/// Limits of one HTTP server. Times are kept to 100 ms.
package struct HTTPServerSettings: Sendable, Equatable {
    /// Connections served at once; a further one is answered 503. 2,000 × (16 KiB kept + 64 KiB input) = 160 MB at
    /// worst.
    package var connectionsMax = 2_000
    /// Requests of one connection that may be open at once; then reading pauses.
    package var pipelinedMax = 64
    /// Bytes of answers that may wait for one connection before reading pauses.
    package var waitingBytesMax = 1 << 20
    /// Bytes that may wait for one stream; a slower client is cut off.
    package var streamBytesMax = 1 << 20
    /// Bytes of bodies being received over all connections; more are answered 503.
    package var bodyBytesTotalMax = 256 << 20
    /// A connection without a request is closed after this time.
    package var idleMs = 75_000
    /// The head of a request must be complete this long after its first byte (408).
    package var headMs = 10_000
    /// In every window of this length a body must end or come at ``bodyBytesPerSecondMin`` (408): 60 KiB in 15 s. What
    /// came fast earlier buys no time for later.
    package var bodyMs = 15_000
    package var bodyBytesPerSecondMin = 4 * 1_024
    /// In every window of this length a client must take ``NetworkLimits/writeBytesPerSecondMin`` of an answer, or all of
    /// it; else it is cut off. What it took fast earlier buys no time for later.
    package var writeMs = 30_000
    /// Bytes of answers that may wait over all connections: ten of the largest lists. When they are full, the slowest
    /// client that took less than ``crowdedBytesPerSecondMin`` for ``crowdedMs`` is cut off, else the new answer is 503.
    package var unsentBytesTotalMax = 256 << 20
    package var crowdedBytesPerSecondMin = 256 << 10
    package var crowdedMs = 2_000
    /// The handler must answer within this time (504); streams must begin within it.
    package var answerMs = 120_000

    package init() {}
}
