import Primitives
import Tables

/// The days and the country that figures are limited to: the country of the document; the local day of each line for
/// money and units, the day of the document's earliest line for orders, documents and customers.
struct SalesFilter {
    let days: ClosedRange<Int64>
    let country: String?
    /// The parameters say a first or last day.
    let isDated: Bool

    /// Of all days and countries.
    static let open = SalesFilter(days: Query.allDays, country: nil, isDated: false)

    private init(days: ClosedRange<Int64>, country: String?, isDated: Bool) {
        self.days = days
        self.country = country
        self.isDated = isDated
    }

    init(_ query: Query) throws {
        days = try query.days()
        country = try Self.known(query.text("country"), query)
        isDated = query.text("from") != nil || query.text("to") != nil
    }

    /// Countries that a message about an unknown one names.
    private static let countriesNamed = 5

    /// A misspelled country would have figures of nothing.
    private static func known(_ country: String?, _ query: Query) throws -> String? {
        guard let country else { return nil }
        let name = Cell.text(ByteString(country))
        if try !query.rows("SELECT 1 FROM country WHERE name = ?1", [name], limit: 1).isEmpty { return country }
        // Those that begin alike, without regard to case, then any.
        let near = try query.rows(
            """
            SELECT name FROM country WHERE name <> ''
            ORDER BY substr(lower(name), 1, 3) <> substr(lower(?1), 1, 3), substr(lower(name), 1, 1) <> substr(lower(?1), 1, 1),
              name
            """,
            [name],
            limit: countriesNamed
        ).map { $0[0].string.quotedForMessage }
        throw APIError.badParameter(
            "country",
            country,
            near.isEmpty
                ? "none: no document names a country yet"
                : "a country of /v1/countries, such as \(near.joined(separator: ", "))"
        )
    }

    /// Nothing is left out.
    var isOpen: Bool { !isDated && country == nil }

    /// ?1 and ?2 are the first and last day, ?3 is the country or null.
    var cells: [Cell] {
        [.integer(days.lowerBound), .integer(days.upperBound), Cell(text: country.map { ByteString($0) })]
    }

    /// True for every row; like the other conditions it names all of ``cells``.
    static let everything = "?1 < ?2 AND ?3 IS NULL"

    /// A condition on rows of `table`, which has `day` and `country_id`; for ``cells``. An open filter also takes rows
    /// without a day.
    func holds(_ table: String) -> String { isOpen ? Self.everything : Self.isWithin(table) }

    /// Whether a row has a day within the limits, and the country.
    static func isWithin(_ table: String) -> String { "\(table).day BETWEEN ?1 AND ?2 AND \(isCountry(table))" }

    /// Whether a row is of the country, on whatever day.
    static func isCountry(_ table: String) -> String {
        "(?3 IS NULL OR \(table).country_id = (SELECT id FROM country WHERE name = ?3))"
    }
}
