import Synchronization

// Metric names are the exposition's names, lower snake (style.md, habit 23).
// swift-format-ignore: AlwaysUseLowerCamelCase
/// Every metric without labels: the name is the API, `meaning` the help text and the row of the reference page.
package enum MetricName: Int, CaseIterable, Sendable {
    case ingest_requests_total
    case ingest_records_accepted_total
    case ingest_records_rejected_total
    case ingest_sales_corrected_total
    case ingest_receipts_differing_total
    case ingest_payments_failed_total
    case ingest_saturated_total
    case login_failures_total
    case login_delayed_total
    case log_batches_total
    case log_bytes_total
    case process_records_total
    case process_fresh_records_total
    case process_duplicates_total
    case process_quarantined_total
    case process_superseded_total
    case process_conflicting_total
    case process_commits_total
    case process_commit_micros_total
    case process_lag_records
    case windows_late_sales_total
    case windows_open
    case http_connections_open
    case query_requests_total
    case query_interrupted_total
    case storage_used_bytes
    case storage_free_bytes
    case process_resident_bytes
    case process_cpu_micros_total
    case live_streams_open

    /// A counter only grows; a gauge is a current value.
    package var isCounter: Bool { name.hasSuffix("_total") }

    /// The case's own name.
    package var name: String { "\(self)" }

    package var meaning: String {
        switch self {
        case .ingest_requests_total: "Ingest requests, regardless of outcome."
        case .ingest_records_accepted_total: "Records accepted and stored, including duplicates."
        case .ingest_records_rejected_total: "Records rejected, stored and quarantined."
        case .ingest_sales_corrected_total:
            "Accepted sales with a corrected value, usually a total or line total; duplicates count again."
        case .ingest_receipts_differing_total:
            "Accepted sales whose receipt differs from the sale; duplicates count again."
        case .ingest_payments_failed_total: "Accepted sales whose payment failed; duplicates count again."
        case .ingest_saturated_total:
            "Requests turned away by the log or the large-request thread: 429 when too much is waiting, 503 when the log is full or stopped."
        case .login_failures_total: "Requests with credentials that match no identity (401)."
        case .login_delayed_total:
            "Requests with unknown credentials turned away unchecked after too many failed logins (429)."
        case .log_batches_total: "Batches stored durably."
        case .log_bytes_total: "Bytes of batches stored durably."
        case .process_fresh_records_total:
            "Records folded from the first refining at receipt, without reading the log and refining again."
        case .process_records_total:
            "Received records folded into the tables: distinct, duplicates, quarantined or parked."
        case .process_duplicates_total: "Records that repeat a known key and content."
        case .process_quarantined_total: "Records quarantined; redriven records are not subtracted."
        case .process_superseded_total:
            "Versions replaced by a newer version of the same thing, or older than the current one on arrival."
        case .process_conflicting_total:
            "Versions rejected in favour of a different version with the same version time; records without one all tie."
        case .process_commits_total: "Table commits."
        case .process_commit_micros_total: "Time spent in table commits, in microseconds."
        case .process_lag_records: "Stored records that the tables do not contain yet."
        case .windows_late_sales_total: "Sales that arrived after their window was published."
        case .windows_open: "Turnover windows not published yet."
        case .http_connections_open: "Open HTTP connections."
        case .query_requests_total: "API queries answered from the tables."
        case .query_interrupted_total:
            "API queries that took longer than queries.milliseconds_max and were interrupted."
        case .storage_used_bytes: "Bytes of all files in the data directory."
        case .storage_free_bytes: "Bytes available to till on the file system of the data directory."
        case .process_resident_bytes: "Resident memory of the process."
        case .process_cpu_micros_total: "User and system CPU time of the process, in microseconds."
        case .live_streams_open: "Open live-feed streams."
        }
    }
}

/// One number per metric; adding is an atomic and never blocks. Thread: any.
package final class Metrics: Sendable {
    /// Each in a cache line of its own: threads that count different things do not wait for each other.
    private static let stride = 8
    private let numbers = InlineArray<256, Atomic<Int64>> { _ in Atomic(0) }
    /// Numbers by label: not for what happens once a record.
    package let labelled = LabelledMetrics()

    package init() {
        precondition(MetricName.allCases.count * Self.stride <= numbers.count, "there is room for every metric")
    }

    package func add(_ name: MetricName, _ amount: Int64 = 1) {
        if amount != 0 { numbers[name.rawValue * Self.stride].add(amount, ordering: .relaxed) }
    }

    package func set(_ name: MetricName, _ value: Int64) {
        numbers[name.rawValue * Self.stride].store(value, ordering: .relaxed)
    }

    package func value(_ name: MetricName) -> Int64 { numbers[name.rawValue * Self.stride].load(ordering: .relaxed) }

    /// Prometheus text exposition format 0.0.4, names prefixed `till_`.
    package func prometheusText() -> String {
        var text = ""
        for metric in MetricName.allCases {
            PrometheusText.head(metric.name, metric.meaning, metric.isCounter ? "counter" : "gauge", to: &text)
            text += "till_\(metric.name) \(value(metric))\n"
        }
        labelled.write(to: &text)
        return text
    }
}
