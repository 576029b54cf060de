package import Executors
import Formats
package import Ports
package import Primitives
import Synchronization
package import Telemetry

/// Server-sent events for dashboards: figures whenever the tables change, at most four times a second. One plain
/// thread.
package final class LiveFeed: Sendable {
    /// Streams at the same time; a dashboard takes one.
    package static let streamsMax = 500
    private static let pauseMicros: Int64 = 250_000
    private static let heartbeatNanos: Int64 = 10_000_000_000

    private struct State: Sendable {
        var streams: [any HTTPStream] = []
        var stopping = false
    }

    private let reader: any TableReader
    private let board: PositionBoard
    private let metrics: Metrics
    private let time: any TimeSource
    private let status: PipelineStatus
    private let state = Guarded(State())

    package init(
        reader: any TableReader,
        board: PositionBoard,
        metrics: Metrics,
        time: any TimeSource,
        status: PipelineStatus
    ) {
        self.reader = reader
        self.board = board
        self.metrics = metrics
        self.time = time
        self.status = status
    }

    /// False when there are too many streams already.
    func add(_ exchange: any HTTPExchange) -> Bool {
        guard state.withLock({ $0.streams.count < Self.streamsMax }) else { return false }
        let stream = exchange.startStream(
            status: 200,
            headers: [("content-type", "text/event-stream"), ("cache-control", "no-store")]
        )
        guard stream.send(event()) else { return true }
        state.withLock { $0.streams.append(stream) }
        return true
    }

    package func start() throws(ThreadError) -> DedicatedThread {
        try DedicatedThread(name: "till-live") { [self] in run() }
    }

    package func stop() {
        let streams = state.withLock { state -> [any HTTPStream] in
            state.stopping = true
            return state.streams
        }
        state.broadcast()
        for stream in streams { stream.end() }
    }

    private func run() {
        var seen: Int64 = -1
        var lastSent = time.monotonicNanos()
        while true {
            if state.wait(micros: Self.pauseMicros, until: { $0.stopping ? true : nil }) != nil { return }
            _ = status.storage.reading(ageMax: StorageStatus.keptNanos)
            let revision = board.revision
            let now = time.monotonicNanos()
            let streams = state.withLock { $0.streams }
            metrics.set(.live_streams_open, Int64(streams.count))
            guard !streams.isEmpty, revision != seen || now - lastSent >= Self.heartbeatNanos else { continue }
            let bytes = revision != seen ? event() : Array(": still here\n\n".utf8)
            let gone = streams.indices.filter { !streams[$0].send(bytes) }
            if !gone.isEmpty {
                // Only this thread removes, and additions go to the end: the indices still hold.
                state.withLock { state in for index in gone.reversed() { state.streams.remove(at: index) } }
            }
            seen = revision
            lastSent = now
        }
    }

    /// One event with the totals of now, or a comment when the tables cannot be read.
    private func event() -> [UInt8] {
        let data = try? reader.snapshot { snapshot in
            let totals = try SalesQueries.totals(snapshot)
            let position = try snapshot.positions()
            return JSONWriter.object { json in
                json.field("position", position.description)
                json.field("at", time.now().description)
                json.key("totals")
                json.beginArray()
                for row in totals {
                    json.beginObject()
                    SalesQueries.both(row, &json)
                    json.endObject()
                }
                json.endArray()
                status.rates(&json)
            }
        }
        guard let data else { return Array(": the tables cannot be read now\n\n".utf8) }
        return Array("event: figures\ndata: ".utf8) + data + [0x0A, 0x0A]
    }
}
