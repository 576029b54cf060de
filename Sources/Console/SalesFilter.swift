import Primitives
import Tables

/// The days and the country that figures are limited to: the country of the document; the local day of each line for
/// money and units, the day of the document's earliest line for orders, documents and customers.
struct SalesFilter {
    let days: ClosedRange<Int64>
    let country: String?
    /// The parameters say a first or last day.
    let isDated: Bool

    init(_ query: Query) throws {
        days = try query.days()
        country = query.text("country")
        isDated = query.text("from") != nil || query.text("to") != nil
    }

    /// Nothing is left out.
    var isOpen: Bool { !isDated && country == nil }

    /// ?1 and ?2 are the first and last day, ?3 is the country or null.
    var cells: [Cell] {
        [.integer(days.lowerBound), .integer(days.upperBound), Cell(text: country.map { ByteString($0) })]
    }

    /// A condition on rows of `table`, which has `day` and `country_id`; for ``cells``.
    static func holds(_ table: String) -> String { "\(table).day BETWEEN ?1 AND ?2 AND \(isCountry(table))" }

    /// The same without the days.
    static func isCountry(_ table: String) -> String {
        "(?3 IS NULL OR \(table).country_id = (SELECT id FROM country WHERE name = ?3))"
    }
}
