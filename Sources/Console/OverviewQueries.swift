import Formats
import Ports
import Primitives
import Tables

/// All figures that stand together on a page, of one read transaction: they are of one position.
enum OverviewQueries {
    static let productsListed = 10

    static func overview(_ query: Query) throws -> [UInt8] {
        let filter = try SalesFilter(query)
        let totals = try SalesQueries.totals(query.snapshot, filter)
        let counts = try SalesQueries.referenceDocuments(query, filter)
        let first = query.text("time_from") ?? query.text("from")
        let last = query.text("time_to") ?? query.text("to")
        let limit = String(productsListed)
        let most = totals.max { $0[10].number < $1[10].number }?[0]
        let shown = query.text("currency") ?? most.flatMap { Currency(code: $0.number)?.description }
        let time = try SalesQueries.overTime(query.asking(["grain": query.text("grain"), "from": first, "to": last]))
        let products = try SalesQueries.topProducts(query.asking(["limit": limit, "currency": shown]))
        let cancelled = try SalesQueries.cancellations(query.asking(["grain": query.text("cancelled_grain")]))
        let loyal = query.showsOriginals ? try CustomerQueries.summary(query.asking(["limit": limit])) : nil
        let position = try query.snapshot.positions()
        return JSONWriter.object { json in
            json.field("position", position.description)
            json.key("totals")
            json.beginArray()
            for row in totals {
                json.beginObject()
                SalesQueries.both(row, &json)
                let orders = row[10].number
                json.average("average", row[1].wide(row[2]), orders)
                let documents = counts.first { $0[0] == row[0] }?[1].number ?? 0
                json.average("reference_average", row[7].wide(row[8]), documents)
                json.endObject()
            }
            json.endArray()
            for (name, part) in [("time", time), ("products", products), ("cancelled", cancelled)] {
                json.key(name)
                json.raw(part)
            }
            json.key("loyal")
            if let loyal { json.raw(loyal) } else { json.null() }
        }
    }
}

extension JSONWriter {
    /// Null without orders.
    fileprivate mutating func average(_ name: String, _ sum: Int128, _ orders: Int64) {
        if orders == 0 { null(name) } else { money(name, SalesQueries.roundedQuotient(sum, Int128(orders))) }
    }
}
