import Formats
import Ports
package import Primitives

/// What a proof found, for people and as JSON.
package enum ProofReport {
    package static func lines(_ outcome: ProofOutcome) -> [String] {
        let comparison = outcome.comparison
        var out = comparison.differences.map(\.description)
        let more = comparison.differenceCount - comparison.differences.count
        if more > 0 { out.append("… and \(more) more") }
        out += outcome.totals.feeds.map(line) + outcome.totals.days.flatMap { lines($0, outcome.totals) }
        let seconds = Double(outcome.nanos) / 1e9
        out.append(
            "proved \(outcome.tables) tables, \(comparison.rows) rows, \(outcome.events) events to \(position(outcome)): \(comparison.differenceCount) differences in \(fixed(seconds)) s (\(Int(Double(outcome.events) / max(seconds, 1e-9))) events/s)"
        )
        if outcome.behind > 0 {
            out.append(
                "\(outcome.behind) records of the log are not in the tables yet and were not proved: start till on the directory, or prove again"
            )
        }
        return out
    }

    private static func position(_ outcome: ProofOutcome) -> String {
        let text = outcome.positions.description
        return text.isEmpty ? "the start" : text
    }

    private static func line(_ feed: ControlTotals.Feed) -> String {
        let received =
            "received \(feed.received) = distinct \(feed.distinct) + duplicates \(feed.duplicates) + quarantined \(feed.quarantined) + parked \(feed.parked) \(mark(feed.receivedIsRight))"
        let distinct =
            "distinct \(feed.distinct) = current \(feed.current) + superseded \(feed.superseded) + conflicting \(feed.conflicting) \(mark(feed.distinctIsRight))"
        return "\(feed.name): \(received); \(distinct)"
    }

    /// One line where everything agrees: `GBP: 305 days, all equal: gross 1.00, returns 0.00 … ✓`; else also the figures
    /// that do not, and the first days.
    private static func lines(_ days: ControlTotals.Days, _ totals: ControlTotals) -> [String] {
        let figures = totals.figures.filter { $0.currency == days.currency }
        let head = "\(days.currency): \(days.days.count) days, "
        if figures.allSatisfy(\.isRight) {
            let shown = figures.filter { $0.base != Self.customers }
            let sums = shown.map { "\($0.name) \(MoneyScale.text($0.sums[0].sum))" }
            return ["\(head)all equal: \(sums.joined(separator: ", ")) \(mark(true))"]
        }
        let differing = days.differing
        var out = ["\(head)\(differing.count) differ \(mark(false))"]
        for figure in figures where !figure.isRight {
            let sums = figure.sums.map { "\($0.table) \(MoneyScale.text($0.sum))" }.joined(separator: ", ")
            out.append("\(days.currency) \(figure.name): \(sums) \(mark(false))")
        }
        for day in differing.prefix(ProofLimits.differingDaysShown) {
            let sums = figures.flatMap { figure in
                figure.days.filter { $0.day == day }.map { one in
                    "\(one.table) \(figure.name) \(MoneyScale.text(one.sum)), not \(MoneyScale.text(one.expected))"
                }
            }
            out.append("\(days.currency) \(ControlTotals.date(day)): \(sums.joined(separator: "; ")) \(mark(false))")
        }
        let more = differing.count - ProofLimits.differingDaysShown
        if more > 0 { out.append("\(days.currency): … and \(more) more days") }
        return out
    }

    private static let customers = "documents with a customer"

    private static func mark(_ isRight: Bool) -> String { isRight ? "✓" : "✗" }

    private static func fixed(_ seconds: Double) -> String {
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100).\(padded(hundredths % 100, 2))"
    }

    package static func json(_ outcome: ProofOutcome, provedAt: Timestamp) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("proved_at", provedAt.description)
        json.field("position", outcome.positions.description)
        json.field("tables", outcome.tables)
        json.field("rows", outcome.comparison.rows)
        json.field("events", outcome.events)
        json.field("records_behind", outcome.behind)
        json.field("differences", outcome.comparison.differenceCount)
        json.key("seconds")
        json.raw(Array(fixed(Double(outcome.nanos) / 1e9).utf8))
        json.key("found")
        json.beginArray()
        for difference in outcome.comparison.differences { write(difference, &json) }
        json.endArray()
        json.key("feeds")
        json.beginArray()
        for feed in outcome.totals.feeds { write(feed, &json) }
        json.endArray()
        json.key("figures")
        json.beginArray()
        for figure in outcome.totals.figures { write(figure, &json) }
        json.endArray()
        json.key("days")
        json.beginArray()
        for days in outcome.totals.days { write(days, &json) }
        json.endArray()
        json.endObject()
        return json.finish()
    }

    private static func write(_ difference: Difference, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("table", difference.table)
        json.field("key", difference.key)
        json.field("kind", difference.kindName)
        switch difference.kind {
        case .missing, .extra: break
        case .total(let text): json.field("text", text)
        case .differs(let columns):
            json.key("columns")
            json.beginArray()
            for column in columns {
                json.beginObject()
                json.field("name", column.name)
                json.field("live", column.live)
                json.field("proved", column.proved)
                json.endObject()
            }
            json.endArray()
        }
        json.endObject()
    }

    private static func write(_ feed: ControlTotals.Feed, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("feed", feed.name)
        json.field("received", feed.received)
        json.field("distinct", feed.distinct)
        json.field("duplicates", feed.duplicates)
        json.field("quarantined", feed.quarantined)
        json.field("parked", feed.parked)
        json.field("current", feed.current)
        json.field("superseded", feed.superseded)
        json.field("conflicting", feed.conflicting)
        json.key("agrees")
        json.bool(feed.receivedIsRight && feed.distinctIsRight)
        json.endObject()
    }

    private static func write(_ figure: ControlTotals.Figure, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("currency", figure.currency)
        json.field("figure", figure.name)
        json.key("sums")
        json.beginArray()
        for (table, sum) in figure.sums {
            json.beginObject()
            json.field("table", table)
            json.field("sum", MoneyScale.text(sum))
            json.endObject()
        }
        json.endArray()
        json.key("agrees")
        json.bool(figure.isRight)
        json.endObject()
    }

    /// The latest days, and how many before them are left out.
    private static func write(_ days: ControlTotals.Days, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("currency", days.currency)
        json.field("days", days.days.count)
        json.field("differing", days.differing.count)
        json.key("first_differing")
        if let day = days.differing.first { json.string(ControlTotals.date(day)) } else { json.null() }
        json.field("left_out", max(0, days.days.count - ProofLimits.daysShown))
        json.key("items")
        json.beginArray()
        for day in days.days.suffix(ProofLimits.daysShown) {
            json.beginObject()
            json.field("day", ControlTotals.date(day.day))
            for figure in MoneyFigure.allCases { json.field(figure.name, MoneyScale.text(day.money[figure])) }
            json.key("agrees")
            json.bool(day.isRight)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
