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
    case storage_used_bytes
    case storage_free_bytes
    case process_resident_bytes
    case process_cpu_micros_total
    case live_streams_open

    /// A counter only grows; a gauge is what it is now.
    package var isCounter: Bool { name.hasSuffix("_total") }

    /// The case's own name.
    package var name: String { "\(self)" }

    package var meaning: String {
        switch self {
        case .ingest_requests_total: "Requests to a feed or to a path of a reference system, whatever the answer."
        case .ingest_records_accepted_total: "Records refined good and made durable, duplicates included."
        case .ingest_records_rejected_total: "Records refined bad, durable and quarantined."
        case .ingest_sales_corrected_total:
            "Accepted sales with a corrected value, most often a total or line total; a duplicate counts again."
        case .ingest_receipts_differing_total:
            "Accepted sales whose receipt differs from them; a duplicate counts again."
        case .ingest_payments_failed_total: "Accepted sales whose payment failed; a duplicate counts again."
        case .ingest_saturated_total:
            "Requests that the log, or the thread of large requests, did not take: 429 when too much waits, 503 when the log is full or stopped."
        case .login_failures_total: "Requests with credentials that no identity has (401)."
        case .login_delayed_total:
            "Requests with unknown credentials that were not looked at, after too many wrong ones (429)."
        case .log_batches_total: "Batches made durable."
        case .log_bytes_total: "Bytes of batches made durable."
        case .process_fresh_records_total:
            "Records folded as they were refined when they were received, without being read from the log and refined again."
        case .process_records_total:
            "Received records folded into the tables: distinct, duplicates, quarantined or parked."
        case .process_duplicates_total: "Records that were known already."
        case .process_quarantined_total: "Records put into quarantine; those that are redriven are not taken off."
        case .process_superseded_total:
            "Versions that a newer one of the same thing has replaced, or that came after it."
        case .process_conflicting_total:
            "Versions that lost against another of the same version time; without one, all versions of a thing have the same."
        case .process_commits_total: "Commits of the tables."
        case .process_commit_micros_total: "Time spent in commits, microseconds."
        case .process_lag_records: "Durable records that the tables do not contain yet."
        case .windows_late_sales_total: "Sales that came after their window was published."
        case .windows_open: "Turnover windows that are not published yet."
        case .http_connections_open: "HTTP connections open now."
        case .query_requests_total: "API queries answered from the tables."
        case .storage_used_bytes: "Bytes of all files in the data directory."
        case .storage_free_bytes: "Bytes left for till on the file system of the data directory."
        case .process_resident_bytes: "Resident memory of the process."
        case .process_cpu_micros_total: "User and system CPU time of the process, microseconds."
        case .live_streams_open: "Dashboards that listen to the live feed now."
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
