/// One page of rows. They were asked for with one more than `limit`; that one only says that there is a next page.
struct Page<Row> {
    let rows: ArraySlice<Row>
    /// Nil on the last page.
    let next: String?

    /// - Parameter cursor: What tells the last shown row from all others, in the order of the query.
    init(_ rows: [Row], limit: Int, cursor: (Row) -> [String]) {
        self.rows = rows.prefix(limit)
        next = rows.count > limit ? self.rows.last.map { Query.cursor(cursor($0)) } : nil
    }
}
