import Formats
import Primitives
import Tables

/// Returned items of a customer, each with its likely original.
///
/// The rule (spec model 1.9): the latest earlier sale of the same product to the same customer with enough units left,
/// where earlier returns of that product took theirs first. Computed at read, never in the fold.
enum ReturnQueries {
    static func list(_ query: Query) throws -> [UInt8] {
        let customer = try CustomerQueries.find(query)
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT l.id, d.source, d.source_key, l.occurred_at, p.source_key, coalesce(l.description, p.description),
              l.quantity, l.unit_price, l.amount, l.currency, l.product_id
            FROM document d JOIN line l ON l.document_id = d.id JOIN product p ON p.id = l.product_id
            WHERE d.customer_id = ?1 AND l.kind = 1
              AND (?2 IS NULL OR (l.occurred_at, l.id) < (CAST(?2 AS INTEGER), CAST(?3 AS INTEGER)))
            ORDER BY l.occurred_at DESC, l.id DESC
            """,
            [
                customer[0], Cell(text: after.map { ByteString($0[0]) }),
                Cell(text: after.map { ByteString($0.last ?? "") }),
            ],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[3].number), String($0[0].number)] }
        var originals: [Int64: [Cell]] = [:]
        for product in Set(page.rows.map { $0[10].number }).sorted() {
            for (line, sale) in try match(customer: customer[0], product: product, query) { originals[line] = sale }
        }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.field("invoice", "\(row[1].string):\(row[2].string)")
                json.optional("number", row[2])
                json.time("occurred_at", row[3])
                json.optional("product", row[4])
                json.optional("description", row[5])
                json.quantity("quantity", Int128(row[6].number))
                json.money("unit_price", Int128(row[7].number))
                json.money("total", Int128(row[8].number))
                json.currency(row[9])
                json.key("likely_original")
                if let sale = originals[row[0].number] {
                    json.beginObject()
                    json.field("invoice", "\(sale[1].string):\(sale[2].string)")
                    json.optional("number", sale[2])
                    json.time("occurred_at", sale[3])
                    json.endObject()
                } else {
                    json.null()
                }
                json.endObject()
            }
        }
    }

    /// For each return of the product by the customer, in time order, the sale that it is taken from.
    private static func match(customer: Cell, product: Int64, _ query: Query) throws -> [(Int64, [Cell])] {
        let lines = try query.rows(
            """
            SELECT l.id, d.source, d.source_key, l.occurred_at, l.quantity, l.kind
            FROM line l JOIN document d ON d.id = l.document_id
            WHERE l.product_id = ?1 AND d.customer_id = ?2 AND l.kind IN (0, 1)
            ORDER BY l.occurred_at, l.kind, d.source_key, l.identity
            """,
            [.integer(product), customer]
        )
        var left: [(row: [Cell], units: Int64)] = []
        var found: [(Int64, [Cell])] = []
        for line in lines {
            if line[5].number == 0 {
                left.append((line, line[4].number))
                continue
            }
            let wanted = -line[4].number
            if let index = left.lastIndex(where: { $0.units >= wanted && $0.row[3].number <= line[3].number }) {
                left[index].units -= wanted
                found.append((line[0].number, left[index].row))
            }
        }
        return found
    }
}
