import Formats
import Primitives
import RetailModel
import Tables

/// Who sends, how far it is complete, and what is missing in between.
enum SenderQueries {
    /// Missing ranges that one answer lists of a sender; the count is of all.
    private static let gapsListed = 100
    /// Ranges kept of a sender (RetailFolds), and one.
    private static let rangesMax = 1_001

    static func list(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.cursor(parts: 3)
        let rows = try query.rows(
            """
            SELECT feed, name, records, first_seen, last_seen, delay_min, gaps_from, hidden_from, epoch FROM sender
            WHERE (?1 IS NULL OR feed = ?1) AND (?2 IS NULL OR (feed, name, epoch) > (?2, ?3, ?4))
            ORDER BY feed, name, epoch
            """,
            [try query.feed(), Cell(after?[0]), Cell(after?[1]), Cell(after?[2])],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [$0[0].string, $0[1].string, $0[8].string] }
        let ranges = try page.rows.map { row in
            try query.rows(
                "SELECT low, high, event_max FROM sender_range WHERE feed = ?1 AND name = ?2 AND epoch = ?3 ORDER BY low",
                [row[0], row[1], row[8]],
                limit: rangesMax
            )
        }
        return JSONWriter.list(next: page.next) { json in
            for (row, ranges) in zip(page.rows, ranges) {
                json.beginObject()
                json.optional("feed", row[0])
                json.optional("name", row[1])
                json.optional("epoch", row[8] == .text("") ? .null : row[8])
                json.field("records", row[2].number)
                json.time("first_seen", row[3])
                json.time("last_seen", row[4])
                json.key("clock_offset")
                if let delay = row[5].integer {
                    json.raw(Array(Decimal.text(Int128(delay), scale: 6, keepZeros: false).utf8))
                } else {
                    json.null()
                }
                gaps(ranges, hiddenFrom: row[7].integer, &json)
                json.number("gaps_listed_from", row[6])
                json.endObject()
            }
        }
    }

    /// What lies between ranges that arrived, and up to where nothing is missing.
    ///
    /// - Parameter hiddenFrom: Missing for all that is known: a gap that was given up begins there.
    private static func gaps(_ ranges: [[Cell]], hiddenFrom: Int64?, _ json: inout JSONWriter) {
        var missing: Int128 = 0
        json.key("missing")
        json.beginArray()
        for (index, (before, after)) in zip(ranges, ranges.dropFirst()).enumerated() {
            let first = Int128(before[1].number) + 1
            let last = Int128(after[0].number) - 1
            missing += last - first + 1
            if index < gapsListed { json.string(first == last ? "\(first)" : "\(first)-\(last)") }
        }
        json.endArray()
        json.key("missing_count")
        json.raw(Array(String(missing).utf8))
        json.key("complete_until")
        if let first = ranges.first {
            json.beginObject()
            let cut = hiddenFrom.flatMap { $0 <= first[1].number ? $0 - 1 : nil }
            json.field("sequence", cut ?? first[1].number)
            // Of a part of the range the event time is not known.
            json.time("time", cut == nil ? first[2] : .null)
            json.endObject()
        } else {
            json.null()
        }
    }
}
