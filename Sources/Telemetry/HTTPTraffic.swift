import Synchronization

/// Requests by handler, method and status, with their duration and sizes. Handlers and methods are known from the
/// start, so an answer costs some additions and one lock, which only the network thread and a scrape take.
/// Thread: any.
package final class HTTPTraffic: Sendable {
    private struct Series: Sendable {
        /// Method × 1,000 + status, with its count: a few per handler, found by linear search.
        var answers: [(key: Int, count: Int64)] = []
        /// Counts by bucket, not cumulative; the last bucket is above all bounds.
        var durations = InlineArray<12, Int64>(repeating: 0)
        var nanos: Int64 = 0
        var bytesIn = 0, bytesOut = 0
        /// Answers with a known size, so not streams.
        var sized: Int64 = 0
    }

    private let handlers: [String]
    private let methods: [String]
    private let series: Mutex<[Series]>
    private static let boundsMillis = MetricFamily.http_request_duration_seconds.boundsMillis

    /// - Parameter handlers: By number; the first counts everything that no other matches.
    /// - Parameter methods: By number, too.
    package init(handlers: [String], methods: [String]) {
        precondition(!handlers.isEmpty && !methods.isEmpty, "the first handler and method count what no other matches")
        precondition(Self.boundsMillis.count + 1 == Series().durations.count, "every bound needs a bucket")
        self.handlers = handlers
        self.methods = methods
        series = Mutex(Array(repeating: Series(), count: handlers.count))
    }

    /// - Parameter bytesOut: Nil for a stream.
    package func answered(
        _ handler: Int,
        method: Int,
        status: Int,
        nanos: Int64,
        bytesIn: Int,
        bytesOut: Int?
    ) {
        let key = method * 1_000 + status
        var bucket = 0
        for bound in Self.boundsMillis where nanos > bound * 1_000_000 { bucket += 1 }
        series.withLock { all in
            if let place = all[handler].answers.firstIndex(where: { $0.key == key }) {
                all[handler].answers[place].count += 1
            } else {
                all[handler].answers.append((key, 1))
            }
            all[handler].durations[bucket] += 1
            all[handler].nanos += nanos
            all[handler].bytesIn += bytesIn
            guard let bytesOut else { return }
            all[handler].bytesOut += bytesOut
            all[handler].sized += 1
        }
    }

    /// Text exposition of the four families; only handlers with requests have series.
    package func prometheusText() -> String {
        let all = zip(handlers, series.withLock { $0 }).filter { !$1.answers.isEmpty }.sorted { $0.0 < $1.0 }
        var text = ""
        func family(_ family: MetricFamily, _ body: (_ name: String, _ label: String, _ series: Series) -> Void) {
            PrometheusText.head(family.name, family.meaning, family.kind.rawValue, to: &text)
            for (handler, series) in all {
                body("till_" + family.name, PrometheusText.labels(["handler"], [handler]), series)
            }
        }
        family(.http_requests_total) { name, label, series in
            for answer in series.answers.sorted(by: { $0.key < $1.key }) {
                let method = methods[answer.key / 1_000]
                text += "\(name){\(label),method=\"\(method)\",status=\"\(answer.key % 1_000)\"} \(answer.count)\n"
            }
        }
        family(.http_request_duration_seconds) { name, label, series in
            let histogram = Histogram(
                boundsMillis: Self.boundsMillis,
                counts: series.durations.indices.map { series.durations[$0] },
                sum: Double(series.nanos) / 1e9
            )
            histogram.write(name, label, to: &text)
        }
        family(.http_request_size_bytes) { name, label, series in
            let count = series.answers.reduce(0) { $0 + $1.count }
            Histogram(counts: [count], sum: Double(series.bytesIn)).write(name, label, to: &text)
        }
        family(.http_response_size_bytes) { name, label, series in
            Histogram(counts: [series.sized], sum: Double(series.bytesOut)).write(name, label, to: &text)
        }
        return text
    }
}
