import Synchronization

/// Requests by handler, method and status, with their duration and sizes. Handlers are known from the start, so that
/// an answer costs a lock that only the network thread and a scrape take. Thread: any.
package final class HTTPTraffic: Sendable {
    private struct Series: Sendable {
        /// A few per handler, found by looking through.
        var answers: [(method: String, status: Int, count: Int64)] = []
        var seconds = Histogram(boundsMillis: MetricFamily.http_request_duration_seconds.boundsMillis)
        var bytesIn = Histogram(boundsMillis: [])
        var bytesOut = Histogram(boundsMillis: [])
    }

    private let handlers: [String]
    private let series: Mutex<[Series]>

    /// - Parameter handlers: By number; the first is for all that is none of the others.
    package init(handlers: [String]) {
        precondition(!handlers.isEmpty, "there is a place for what belongs to none")
        self.handlers = handlers
        series = Mutex(Array(repeating: Series(), count: handlers.count))
    }

    /// - Parameter bytesOut: Nil for a stream.
    package func answered(
        _ handler: Int,
        method: String,
        status: Int,
        nanos: Int64,
        bytesIn: Int,
        bytesOut: Int?
    ) {
        series.withLock { all in
            let place = all[handler].answers.firstIndex { $0.status == status && $0.method == method }
            if let place {
                all[handler].answers[place].count += 1
            } else {
                all[handler].answers.append((method, status, 1))
            }
            all[handler].seconds.add(Double(nanos) / 1e9)
            all[handler].bytesIn.add(Double(bytesIn))
            if let bytesOut { all[handler].bytesOut.add(Double(bytesOut)) }
        }
    }

    /// Text exposition of the four families; only handlers that were asked for have series.
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
            for answer in series.answers.sorted(by: { ($0.method, $0.status) < ($1.method, $1.status) }) {
                text += "\(name){\(label),method=\"\(answer.method)\",status=\"\(answer.status)\"} \(answer.count)\n"
            }
        }
        family(.http_request_duration_seconds) { $2.seconds.write($0, $1, to: &text) }
        family(.http_request_size_bytes) { $2.bytesIn.write($0, $1, to: &text) }
        family(.http_response_size_bytes) { $2.bytesOut.write($0, $1, to: &text) }
        return text
    }
}
