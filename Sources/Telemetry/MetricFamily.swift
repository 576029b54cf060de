// Metric names are the exposition's names, lower snake (style.md, habit 23).
// swift-format-ignore: AlwaysUseLowerCamelCase
/// Metrics with labels or buckets: the name is the API, `meaning` the help text and the row of the reference page.
package enum MetricFamily: Int, CaseIterable, Sendable {
    case http_requests_total
    case http_request_duration_seconds
    case http_request_size_bytes
    case http_response_size_bytes
    case ingest_rule_violations_total
    case feed_lag_records
    case quarantine_open_records
    case quarantine_open_bytes
    case parked_records
    case windows_published_total
    case windows_close_delay_seconds

    /// The Prometheus type.
    package enum Kind: String, Sendable { case counter, gauge, histogram, summary }

    package var kind: Kind {
        switch self {
        case .http_requests_total, .ingest_rule_violations_total, .windows_published_total: .counter
        case .feed_lag_records, .quarantine_open_records, .quarantine_open_bytes, .parked_records: .gauge
        case .http_request_duration_seconds, .windows_close_delay_seconds: .histogram
        case .http_request_size_bytes, .http_response_size_bytes: .summary
        }
    }

    /// Names of the labels, in the order of their values.
    package var labels: [String] {
        switch self {
        case .http_requests_total: ["handler", "method", "status"]
        case .http_request_duration_seconds, .http_request_size_bytes, .http_response_size_bytes: ["handler"]
        case .ingest_rule_violations_total: ["feed", "rule"]
        case .feed_lag_records, .quarantine_open_records, .quarantine_open_bytes, .parked_records: ["feed"]
        case .windows_published_total: ["cause"]
        case .windows_close_delay_seconds: []
        }
    }

    /// Upper bounds of the buckets of a histogram, in milliseconds.
    package var boundsMillis: [Int64] {
        switch self {
        case .http_request_duration_seconds: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000]
        case .windows_close_delay_seconds: [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000]
        default: []
        }
    }

    /// The case's own name.
    package var name: String { "\(self)" }

    package var meaning: String {
        switch self {
        case .http_requests_total:
            "HTTP requests answered. `handler` is the route template; unknown paths are `other`."
        case .http_request_duration_seconds:
            "Time from the complete request to its answer, or to the start of a stream; 0 when one turn of the network thread handles both."
        case .http_request_size_bytes: "Size of request bodies in bytes."
        case .http_response_size_bytes: "Size of response bodies in bytes, excluding streams."
        case .ingest_rule_violations_total:
            "Rejected records by feed and rule. A record that breaks several rules counts once for each; duplicates count again."
        case .feed_lag_records: "Stored records of a feed that the tables do not contain yet."
        case .quarantine_open_records: "Open quarantine entries."
        case .quarantine_open_bytes: "Bytes stored for open quarantine entries: record, reasons, CSV header, and 320 for keys and indexes."
        case .parked_records: "Records waiting for a reference record."
        case .windows_published_total:
            "Published turnover windows by cause: watermark, idle, late (including a first publication, when the window had no sales before) or correction."
        case .windows_close_delay_seconds:
            "Time from the end of a window to its first publication, in receipt time; 0 when a register's clock is ahead. Replaying old sales gives large values."
        }
    }
}

/// A histogram or, without bounds, a summary: count and sum.
struct Histogram: Sendable {
    /// In milliseconds.
    let bounds: [Int64]
    /// Counts by bucket, not cumulative; the last bucket is above all bounds.
    private var counts: [Int64]
    private var sum = 0.0

    init(boundsMillis: [Int64]) {
        self.init(boundsMillis: boundsMillis, counts: Array(repeating: 0, count: boundsMillis.count + 1), sum: 0)
    }

    /// A histogram counted elsewhere.
    init(boundsMillis: [Int64] = [], counts: [Int64], sum: Double) {
        precondition(counts.count == boundsMillis.count + 1, "every bound needs a bucket")
        bounds = boundsMillis
        self.counts = counts
        self.sum = sum
    }

    /// - Parameter value: Seconds of a histogram, bytes of a summary.
    mutating func add(_ value: Double) {
        counts[bounds.firstIndex { value * 1_000 <= Double($0) } ?? bounds.count] += 1
        sum += value
    }

    /// The lines of one series; `labels` are already formatted, without braces.
    func write(_ name: String, _ labels: String, to text: inout String) {
        var total: Int64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            if bounds.isEmpty { continue }
            let bound = index < bounds.count ? Self.seconds(bounds[index]) : "+Inf"
            text += "\(name)_bucket{\(labels.isEmpty ? "" : labels + ",")le=\"\(bound)\"} \(total)\n"
        }
        let braces = labels.isEmpty ? "" : "{\(labels)}"
        text += "\(name)_sum\(braces) \(sum)\n\(name)_count\(braces) \(total)\n"
    }

    private static func seconds(_ millis: Int64) -> String {
        millis % 1_000 == 0 ? "\(millis / 1_000)" : "\(Double(millis) / 1_000)"
    }
}
