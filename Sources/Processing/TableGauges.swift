import Ports
import Primitives
import RetailModel
import Synchronization
import Tables
import Telemetry

/// What the tables hold by feed, for metrics and the quota of quarantine: read once, then followed commit by commit.
/// Thread: any, commits in their order.
final class TableGauges: Sendable {
    private let metrics: Metrics
    private let quota: QuarantineQuota
    /// Feeds by their row of `run`.
    private let feeds: Mutex<[Int64: String]>

    init(_ store: any TableStore, _ metrics: Metrics, _ quota: QuarantineQuota) throws(TableStoreError) {
        self.metrics = metrics
        self.quota = quota
        let totals = try store.rows(of: RetailTables.feedTotal, prefix: [])
        let usage = try store.rows(of: RetailTables.quarantineUsage, prefix: [])
        let ids = Array(Set((totals + usage).compactMap { $0[0].integer })).sorted()
        let rows = try store.rows(of: RetailTables.run, ids: ids)
        let openWindows = try store.rows(of: RetailTables.openWindow, prefix: []).count
        let names = zip(ids, rows).compactMap { id, row in (row?[1].bytes).map { (id, $0.description) } }
        let feeds = Dictionary(uniqueKeysWithValues: names)
        self.feeds = Mutex(feeds)
        quota.set(usage.reduce(0) { $0 + ($1[2].integer ?? 0) })
        metrics.set(.windows_open, Int64(openWindows))
        // At once: a worker that follows on another one has what the tables have, and no scrape sees less.
        func series(_ rows: [[Cell]], _ column: Int) -> [[String]: Int64] {
            var all: [[String]: Int64] = [:]
            for row in rows {
                if let id = row[0].integer, let feed = feeds[id] { all[[feed]] = row[column].integer ?? 0 }
            }
            return all
        }
        metrics.labelled.replace([
            .parked_records: series(totals, Self.parked), .quarantine_open_records: series(usage, 1),
            .quarantine_open_bytes: series(usage, 2),
        ])
    }

    private static let parked = RetailTables.feedTotal.index(of: "parked")

    private func add(_ gauge: MetricFamily, _ id: Int64?, _ amount: Int64) {
        guard let id, amount != 0, let feed = feeds.withLock({ $0[id] }) else { return }
        metrics.labelled.add(gauge, [feed], amount)
    }

    /// Rejected records that the tables contain now need no reservation.
    func release(_ bytes: Int64) { quota.release(bytes) }

    /// Takes note of what a commit has changed.
    func follow(_ changes: ChangeSet) {
        for row in changes[RetailTables.run.name]?.upserts ?? [] {
            guard let id = row[0].integer, let feed = row[1].bytes, row[2].bytes?.isEmpty == true else { continue }
            feeds.withLock { $0[id] = feed.description }
        }
        func added(_ table: TableDeclaration) -> [SumKey: [Int128]] { changes[table.name]?.additions ?? [:] }
        for (key, sums) in added(RetailTables.feedTotal) {
            add(.parked_records, key.a, Int64(truncatingIfNeeded: sums[Self.parked - 1]))
        }
        for (key, sums) in added(RetailTables.quarantineUsage) {
            let bytes = Int64(truncatingIfNeeded: sums[1])
            quota.add(bytes)
            add(.quarantine_open_records, key.a, Int64(truncatingIfNeeded: sums[0]))
            add(.quarantine_open_bytes, key.a, bytes)
        }
        followWindows(changes)
    }

    private static let causes = ["watermark", "idle", "late", "correction"]

    private func followWindows(_ changes: ChangeSet) {
        metrics.add(.windows_late_sales_total, Int64(changes[RetailTables.lateSale.name]?.upserts.count ?? 0))
        if let open = changes[RetailTables.openWindow.name] {
            metrics.add(.windows_open, Int64(open.upserts.count - open.deletes.count))
        }
        guard let published = changes[RetailTables.windowRevision.name]?.upserts, !published.isEmpty else { return }
        var ends: [[Cell]: Int64] = [:]
        for row in changes[RetailTables.storeWindow.name]?.upserts ?? [] { ends[Array(row[1...3])] = row[4].integer }
        for row in published {
            let cause = Int(row[9].integer ?? 0)
            metrics.labelled.add(.windows_published_total, [Self.causes[cause]], 1)
            guard row[4].integer == 1, let end = ends[Array(row[1...3])], let at = row[10].integer else { continue }
            metrics.labelled.observe(.windows_close_delay_seconds, [], Double(max(0, at - end)) / 1e6)
        }
    }
}
