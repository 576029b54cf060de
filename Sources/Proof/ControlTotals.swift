import Ports
package import Primitives
import Tables

/// Sums that must agree, read from the tables as they are.
package struct ControlTotals: Sendable {
    /// Control totals of one feed.
    package struct Feed: Sendable {
        package var name: ByteString
        package var received: Int64, distinct: Int64, duplicates: Int64, quarantined: Int64, parked: Int64
        package var current: Int64, superseded: Int64, conflicting: Int64

        package var receivedIsRight: Bool { received == distinct + duplicates + quarantined + parked }
        package var distinctIsRight: Bool { distinct == current + superseded + conflicting }
    }

    /// One figure of one currency over all closed documents, as several tables have it.
    package struct Figure: Sendable {
        package var currency: String
        /// `gross`, `returns` or `adjustments`.
        package var name: String
        /// The lines' sum comes first.
        package var sums: [(table: String, sum: Int128)]
        /// Local days on which a table that has days says something else than the lines: table and day.
        package var days: [(table: String, day: Int64)]

        package var isRight: Bool { days.isEmpty && sums.allSatisfy { $0.sum == sums[0].sum } }
    }

    package private(set) var feeds: [Feed] = []
    package private(set) var figures: [Figure] = []

    private static let names = ["gross", "returns", "adjustments"]

    /// - Parameter documents: Of the rows of the same snapshot.
    init(_ snapshot: any TableSnapshot, _ documents: DocumentTotals) throws {
        try readFeeds(snapshot)
        let hourDay = "(hour - ((hour % 24) + 24) % 24) / 24"
        let sources: [(table: String, days: DayFigures, hasDays: Bool, figures: ClosedRange<Int>)] = [
            ("line", documents.lines, true, 0...2),
            ("document", documents.all, false, 0...2),
            ("sales_hour", try Self.read(snapshot, hourDay, ["gross", "returns"], "sales_hour"), true, 0...1),
            ("sales_day", try Self.read(snapshot, "day", Self.names, "sales_day"), true, 0...2),
            ("product_day", try Self.read(snapshot, "day", ["gross", "returns"], "product_day"), true, 0...1),
            ("product_total", try Self.read(snapshot, "0", ["gross", "returns"], "product_total"), false, 0...1),
        ]
        let withCustomer: [(table: String, days: DayFigures, hasDays: Bool, figures: ClosedRange<Int>)] = [
            ("document with a customer", documents.withCustomer, false, 0...2),
            ("customer_total", try Self.read(snapshot, "0", Self.names, "customer_total"), false, 0...2),
        ]
        figures = Self.compare(sources) + Self.compare(withCustomer)
    }

    private mutating func readFeeds(_ snapshot: any TableSnapshot) throws {
        let columns = "received, distinct_events, duplicates, quarantined, parked, current, superseded, conflicting"
        let sql = "SELECT r.feed, \(columns) FROM feed_total t JOIN run r ON r.id = t.run_id ORDER BY 1"
        try snapshot.forEach(sql, []) { cells in
            let n = cells.dropFirst().map { $0.integer ?? 0 }
            feeds.append(
                Feed(
                    name: cells[0].bytes ?? "",
                    received: n[0],
                    distinct: n[1],
                    duplicates: n[2],
                    quarantined: n[3],
                    parked: n[4],
                    current: n[5],
                    superseded: n[6],
                    conflicting: n[7]
                )
            )
        }
    }

    private static func read(
        _ snapshot: any TableSnapshot,
        _ day: String,
        _ columns: [String],
        _ table: String
    ) throws -> DayFigures {
        var out: DayFigures = [:]
        let sums = columns.map { "SUM(\($0)_hi), SUM(\($0)_lo)" }.joined(separator: ", ")
        let sql = "SELECT currency, \(day), \(sums) FROM \(table) GROUP BY 1, 2"
        try snapshot.forEach(sql, []) { cells in
            var values: [Int128] = [0, 0, 0]
            for index in columns.indices {
                values[index] =
                    Int128(cells[2 + 2 * index].integer ?? 0) << 32 + Int128(cells[3 + 2 * index].integer ?? 0)
            }
            out[cells[0].integer ?? 0, default: [:]][cells[1].integer ?? 0] = values
        }
        return out
    }

    private static func compare(
        _ sources: [(table: String, days: DayFigures, hasDays: Bool, figures: ClosedRange<Int>)]
    ) -> [Figure] {
        let first = sources[0]
        let currencies = Set(sources.flatMap(\.days.keys)).sorted()
        return currencies.flatMap { currency in
            names.indices.map { index in
                var figure = Figure(
                    currency: Currency(code: currency)?.description ?? String(currency),
                    name: names[index],
                    sums: [],
                    days: []
                )
                let base = first.days[currency] ?? [:]
                for source in sources where source.figures.contains(index) {
                    let days = source.days[currency] ?? [:]
                    figure.sums.append((source.table, days.values.reduce(0) { $0 + $1[index] }))
                    guard first.hasDays, source.hasDays else { continue }
                    let different = Set(days.keys).union(base.keys).filter {
                        (days[$0]?[index] ?? 0) != (base[$0]?[index] ?? 0)
                    }
                    figure.days += different.sorted().map { (source.table, $0) }
                }
                return figure
            }
        }
    }

    /// What does not agree, as differences.
    var differences: [Difference] {
        var out: [Difference] = []
        for feed in feeds where !feed.receivedIsRight || !feed.distinctIsRight {
            out.append(
                Difference(
                    table: "feed_total",
                    key: "run=\(feed.name)/",
                    kind: .total("received or distinct is not the sum of its parts")
                )
            )
        }
        for figure in figures where !figure.isRight {
            let key = "\(figure.name) \(figure.currency)"
            for (table, sum) in figure.sums where sum != figure.sums[0].sum {
                let expected = MoneyScale.text(figure.sums[0].sum)
                out.append(
                    Difference(
                        table: table,
                        key: key,
                        kind: .total("sums up to \(MoneyScale.text(sum)), the \(figure.sums[0].table)s to \(expected)")
                    )
                )
            }
            for (table, day) in figure.days {
                let date = CivilTime(epochSeconds: day * 86_400).dateText
                out.append(Difference(table: table, key: key, kind: .total("differs from the lines on \(date)")))
            }
        }
        return out
    }
}
