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
        out += outcome.totals.feeds.map(line) + outcome.totals.figures.map(line)
        if outcome.waitedInVain {
            out.append("Released records were still about to be counted; prove again when till has caught up.")
        }
        let seconds = Double(outcome.nanos) / 1e9
        out.append(
            "proved \(outcome.tables) tables, \(comparison.rows) rows, \(outcome.events) events to \(position(outcome)): \(comparison.differenceCount) differences in \(fixed(seconds)) s (\(Int(Double(outcome.events) / max(seconds, 1e-9))) events/s)"
        )
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

    /// `GBP gross: line 1.00 = document 1.00 … ✓`, and only the first sum where all agree.
    private static func line(_ figure: ControlTotals.Figure) -> String {
        let head = "\(figure.currency) \(figure.name): "
        if figure.isRight {
            let tables = figure.sums.map(\.table).joined(separator: " = ")
            return head + tables + " = \(MoneyScale.text(figure.sums[0].sum)) \(mark(true))"
        }
        return head + figure.sums.map { "\($0.table) \(MoneyScale.text($0.sum))" }.joined(separator: ", ")
            + " \(mark(false))"
    }

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
        json.field("differences", outcome.comparison.differenceCount)
        json.key("seconds")
        json.raw(Array(fixed(Double(outcome.nanos) / 1e9).utf8))
        json.key("complete")
        json.bool(!outcome.waitedInVain)
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
}
