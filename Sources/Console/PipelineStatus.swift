import Formats
package import Ports
package import Primitives
import Synchronization
package import Telemetry

/// Positions, lag and rates of the pipeline. Thread: any.
package final class PipelineStatus: Sendable {
    private struct Sample: Sendable {
        var nanos: Int64
        var accepted: Int64
        var processed: Int64
    }

    private let log: any EventLog
    private let board: PositionBoard
    private let metrics: Metrics
    private let time: any TimeSource
    private let known: @Sendable () -> [String]
    private let startedNanos: Int64
    private let samples = Mutex<[Sample]>([])
    package let version: String
    private let data: (id: String, isDemo: Bool, directory: String)
    package let storage: StorageStatus
    private let tablesFailure: @Sendable () -> String?

    /// - Parameters:
    ///   - data: What tells the data directory from others, and its path, which no fact may show.
    ///   - storage: The space that the data directory takes and has left.
    ///   - tablesFailure: Tries a query; why figures cannot be read now, nil when they can.
    ///   - feeds: Names of the feeds that records can be sent to, also before the first.
    package init(
        log: any EventLog,
        board: PositionBoard,
        metrics: Metrics,
        time: any TimeSource,
        version: String,
        data: (id: String, isDemo: Bool, directory: String),
        storage: StorageStatus,
        tablesFailure: @escaping @Sendable () -> String?,
        feeds: @escaping @Sendable () -> [String]
    ) {
        known = feeds
        self.log = log
        self.board = board
        self.metrics = metrics
        self.time = time
        self.version = version
        self.data = data
        self.storage = storage
        self.tablesFailure = tablesFailure
        startedNanos = time.monotonicNanos()
    }

    /// Feed, durable end, stored offset.
    private var feeds: [(name: String, end: Int64, stored: Int64)] {
        let positions = board.positions
        let begun = log.partitions().filter { $0.feed != nil }
        return Set(begun + known().map { TopicPartition(feed: $0) }).sorted().map {
            (String($0.topic.dropFirst(5)), log.durableEnd(of: $0), positions.offsets[$0, default: 0])
        }
    }

    package var lag: Int64 { lags.reduce(0) { $0 + $1.lag } }

    /// Durable records of each feed that the tables do not contain.
    var lags: [(name: String, lag: Int64)] { feeds.map { ($0.name, max(0, $0.end - $0.stored)) } }

    /// Partitions of a position that no feed has and no record ever came to: nobody will reach them.
    func unknown(in position: PositionVector) -> [TopicPartition] {
        let there = Set(log.partitions() + known().map { TopicPartition(feed: $0) })
        return position.offsets.keys.filter { !there.contains($0) }.sorted()
    }

    /// The position after everything that is durable now.
    package var durable: PositionVector {
        PositionVector(
            Dictionary(
                uniqueKeysWithValues: log.partitions().filter { $0.feed != nil }.map {
                    ($0, log.durableEnd(of: $0))
                }
            )
        )
    }

    /// Records per second, accepted and folded, over about the last two seconds.
    private func perSecond() -> (accepted: Double, processed: Double) {
        let now = Sample(
            nanos: time.monotonicNanos(),
            accepted: metrics.value(.ingest_records_accepted_total),
            processed: metrics.value(.process_records_total)
        )
        let first = samples.withLock { samples -> Sample in
            samples.append(now)
            while samples.count > 2, now.nanos - samples[1].nanos > 2_000_000_000 || samples.count > 64 {
                samples.removeFirst()
            }
            return samples[0]
        }
        let seconds = Double(now.nanos - first.nanos) / 1e9
        guard seconds > 0.05 else { return (0, 0) }
        return (Double(now.accepted - first.accepted) / seconds, Double(now.processed - first.processed) / seconds)
    }

    func rates(_ json: inout JSONWriter) {
        let rate = perSecond()
        json.key("accept_rate_per_second")
        json.raw(Array(String((rate.accepted * 10).rounded() / 10).utf8))
        json.key("process_rate_per_second")
        json.raw(Array(String((rate.processed * 10).rounded() / 10).utf8))
        json.field("lag", lag)
    }

    /// Age of the first record that the tables do not contain, from its receipt; 0 when they contain all.
    private func oldestMillis(_ feed: (name: String, end: Int64, stored: Int64)) -> Int64 {
        guard feed.end > feed.stored,
            let first = try? log.reader(TopicPartition(feed: feed.name), from: feed.stored).next(bytesMax: 1).first
        else { return 0 }
        return max(0, (time.now().micros - first.envelope.receivedAt.micros) / 1_000)
    }

    func write(_ json: inout JSONWriter) {
        json.field("version", version)
        json.field("data_id", data.id)
        json.field("demo", data.isDemo)
        json.field("uptime_seconds", (time.monotonicNanos() - startedNanos) / 1_000_000_000)
        json.key("feeds")
        json.beginArray()
        for feed in feeds {
            json.beginObject()
            json.field("feed", feed.name)
            json.field("log_end", feed.end)
            json.field("stored", feed.stored)
            json.field("lag", max(0, feed.end - feed.stored))
            json.key("oldest_unprocessed_seconds")
            json.raw(Array(Decimal.text(Int128(oldestMillis(feed)), scale: 3, keepZeros: false).utf8))
            json.endObject()
        }
        json.endArray()
        json.field("position", board.positions.description)
        rates(&json)
        storage.write(&json)
    }

    /// The id of the data directory.
    var dataID: String { data.id }

    /// A fact without the place of the data directory: anyone may read it.
    private func withoutPlace(_ text: String) -> String { text.withoutDirectory(data.directory) }

    /// Readiness: every part with a fact.
    package func parts() -> [(name: String, ok: Bool, detail: String)] {
        var parts: [(String, Bool, String)] = []
        if let failure = log.failure() {
            parts.append(("log", false, withoutPlace(failure.description)))
        } else {
            parts.append(("log", true, "accepting"))
        }
        if let reason = tablesFailure() {
            parts.append(("tables", false, withoutPlace(reason)))
        } else {
            parts.append(("tables", true, "readable"))
        }
        let failures = board.failures
        if failures.isEmpty { parts.append(("processing", true, "\(lag) records behind")) }
        for (part, reason) in failures.sorted(by: { $0.key < $1.key }) {
            parts.append((part, false, withoutPlace(reason)))
        }
        return parts
    }
}

extension String {
    /// Takes a directory's path out of a sentence, where it stands as a path: `d` is no part of `folded`.
    package func withoutDirectory(_ directory: String) -> String {
        guard !directory.isEmpty else { return self }
        func isPartOfPath(_ character: Character?) -> Bool {
            character.map { $0.isLetter || $0.isNumber || "/._-~".contains($0) } ?? false
        }
        var out = ""
        var rest = self[...]
        while let found = rest.firstRange(of: directory) {
            let next = rest[found.upperBound...].first
            out += rest[..<found.lowerBound]
            let stands = !isPartOfPath(out.last) && (next == "/" || !isPartOfPath(next))
            if !stands {
                out += rest[found]
            } else if next != "/" {
                out += "the data directory"
            }
            rest = rest[found.upperBound...]
            if stands, next == "/" { rest = rest.dropFirst() }
        }
        return out + rest
    }
}
