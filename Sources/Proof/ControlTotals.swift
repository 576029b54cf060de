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
        package var figure: MoneyFigure
        /// What the tables are compared with: `lines`, or the documents of a kind.
        package var base: String
        /// That of the base comes first.
        package var sums: [(table: String, sum: Int128)] = []
        /// Days on which a table that has days says something else than the base.
        package var days: [(table: String, day: Int64, sum: Int128, expected: Int128)] = []

        package var name: String { figure.name }
        package var isRight: Bool { days.isEmpty && sums.allSatisfy { $0.sum == sums[0].sum } }
    }

    /// The days of one currency.
    package struct Days: Sendable {
        package var currency: String
        /// In order: the sums of the lines (turnover windows: of the documents), and whether every table says the same.
        package var days: [(day: Int64, money: DayMoney, isRight: Bool)]

        package var differing: [Int64] { days.filter { !$0.isRight }.map(\.day) }
    }

    package private(set) var feeds: [Feed] = []
    package private(set) var figures: [Figure] = []
    package private(set) var days: [Days] = []

    /// A table with figures, and what it must be equal to day by day; nil when it has no days.
    private struct Source {
        var table: String
        var sums: DaySums
        var base: DaySums?
        var figures: Set<MoneyFigure>
    }

    /// - Parameter documents: Of the rows of the same snapshot.
    init(_ snapshot: any TableSnapshot, _ documents: DocumentTotals) throws {
        try readFeeds(snapshot)
        let lines = documents.lines
        func mart(_ table: String, _ day: String?, _ columns: [(String, MoneyFigure)], _ base: DaySums) throws -> Source
        {
            Source(
                table: table,
                sums: try Self.read(snapshot, day ?? "0", columns, table),
                base: day == nil ? nil : base,
                figures: Set(columns.map(\.1))
            )
        }
        let sales: [(String, MoneyFigure)] = [("gross", .gross), ("returns", .returns)]
        let money = sales + [("adjustments", .adjustments)]
        let kinds: Set<MoneyFigure> = [.gross, .returns, .adjustments]
        let ofLines = [
            Source(table: "line", sums: lines, base: lines, figures: kinds.union([.reference, .cancelled])),
            Source(table: "document", sums: documents.documents, base: documents.linesOfDocuments, figures: kinds),
            try mart("sales_hour", "(hour - ((hour % 24) + 24) % 24) / 24", sales, lines),
            try mart("sales_day", "day", money + [("reference", .reference)], lines),
            try mart("sales_total", nil, money + [("reference", .reference)], lines),
            try mart("product_day", "day", sales, lines),
            try mart("product_total", nil, sales, lines),
            try mart("product_country", nil, sales, lines),
            try mart("cancellation_day", "day", [("amount", .cancelled)], lines),
        ]
        // Windows are of UTC: their days need no zone.
        let micros = "86400000000"
        let utcDay = "(window_start - ((window_start % \(micros)) + \(micros)) % \(micros)) / \(micros)"
        let windows = documents.windows
        let ofWindows = [
            Source(table: "document with a window", sums: windows, base: windows, figures: [.windows]),
            try mart("store_window", utcDay, [("total", .windows)], windows),
        ]
        let ofCustomers = [
            Source(table: "document with a customer", sums: documents.withCustomer, base: nil, figures: kinds),
            try mart("customer_total", nil, money, lines),
        ]
        figures =
            Self.compare(ofLines, "lines") + Self.compare(ofCustomers, "documents with a customer")
            + Self.compare(ofWindows, "documents with a window")
        days = Self.days(ofLines + ofWindows, lines, windows, figures)
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
        _ columns: [(String, MoneyFigure)],
        _ table: String
    ) throws -> DaySums {
        var out = DaySums()
        let sums = columns.map { "SUM(\($0.0)_hi), SUM(\($0.0)_lo)" }.joined(separator: ", ")
        let sql = "SELECT currency, \(day), \(sums) FROM \(table) GROUP BY 1, 2"
        try snapshot.forEach(sql, []) { cells in
            for (index, column) in columns.enumerated() {
                let high = Int128(cells[2 + 2 * index].integer ?? 0)
                let low = Int128(cells[3 + 2 * index].integer ?? 0)
                out.add(cells[0].integer ?? 0, cells[1].integer ?? 0, column.1, high << 32 + low)
            }
        }
        return out
    }

    private static func name(_ currency: Int64) -> String {
        Currency(code: currency)?.description ?? String(currency)
    }

    /// The first source is what the others are compared with.
    private static func compare(_ sources: [Source], _ base: String) -> [Figure] {
        let currencies = Set(sources.flatMap(\.sums.days.keys)).sorted()
        return currencies.flatMap { currency in
            MoneyFigure.allCases.filter(sources[0].figures.contains).map { kind in
                var figure = Figure(currency: name(currency), figure: kind, base: base)
                for source in sources where source.figures.contains(kind) {
                    figure.sums.append((source.table, source.sums.total(currency, kind)))
                    guard let expected = source.base else { continue }
                    let days = Set(source.sums.days[currency] ?? []).union(expected.days[currency] ?? []).sorted()
                    for day in days {
                        let sum = source.sums.money(currency, day)[kind]
                        let wanted = expected.money(currency, day)[kind]
                        if sum != wanted { figure.days.append((source.table, day, sum, wanted)) }
                    }
                }
                return figure
            }
        }
    }

    private static func days(
        _ sources: [Source],
        _ lines: DaySums,
        _ windows: DaySums,
        _ figures: [Figure]
    ) -> [Days] {
        let dated = sources.filter { $0.base != nil }
        return Set(dated.flatMap(\.sums.days.keys)).sorted().map { currency in
            let wrong = Set(figures.filter { $0.currency == name(currency) }.flatMap(\.days).map(\.day))
            let all = Set(dated.flatMap { $0.sums.days[currency] ?? [] }).union(wrong)
            var out = Days(currency: name(currency), days: [])
            for day in all.sorted() {
                var money = lines.money(currency, day)
                money[.windows] = windows.money(currency, day)[.windows]
                let isRight = !wrong.contains(day)
                if !money.isZero || !isRight { out.days.append((day, money, isRight)) }
            }
            return out
        }
    }

    static func date(_ day: Int64) -> String { CivilTime(epochSeconds: day * 86_400).dateText }

    /// What does not agree, as differences; of the days on which a table differs only the first is named.
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
                let text = "sums up to \(MoneyScale.text(sum)), the \(figure.base) to \(expected)"
                out.append(Difference(table: table, key: key, kind: .total(text)))
            }
            for table in figure.sums.map(\.table) {
                let days = figure.days.filter { $0.table == table }
                guard let first = days.first else { continue }
                let sums = "\(MoneyScale.text(first.sum)), not \(MoneyScale.text(first.expected))"
                let more = days.count > 1 ? " and on \(days.count - 1) more days" : ""
                let text = "differs from the \(figure.base) on \(Self.date(first.day)) (\(sums))\(more)"
                out.append(Difference(table: table, key: key, kind: .total(text)))
            }
        }
        return out
    }
}
