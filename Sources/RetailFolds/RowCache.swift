/// Current rows of a small table by natural key, kept between batches and forgotten when there are too many.
struct RowCache<Row> {
    private(set) var rows: [NaturalKey: Row] = [:]
    private(set) var changed: Set<NaturalKey> = []
    var nextID: Int64 = 1

    /// Rows that one cache holds between batches: about 400 bytes each with their keys, so 20 MB at the most.
    static var rowsMax: Int { 50_000 }

    subscript(key: NaturalKey) -> Row? { rows[key] }

    mutating func keep(_ key: NaturalKey, _ row: Row) { rows[key] = row }

    mutating func set(_ key: NaturalKey, _ row: Row) {
        rows[key] = row
        changed.insert(key)
    }

    /// Changes the row of a key in place, made when there is none; `body` says whether it changed, and its id.
    mutating func update(
        _ key: NaturalKey,
        make: (_ id: Int64) -> Row,
        body: (_ row: inout Row, _ isNew: Bool) -> (changed: Bool, id: Int64)
    ) -> Int64 {
        if let index = rows.index(forKey: key) {
            let (hasChanged, id) = body(&rows.values[index], false)
            if hasChanged { changed.insert(key) }
            return id
        }
        var row = make(mintID())
        let (_, id) = body(&row, true)
        set(key, row)
        return id
    }

    mutating func mintID() -> Int64 {
        defer { nextID += 1 }
        return nextID
    }

    /// The changed rows, and a clean slate for the next batch.
    mutating func takeChanged() -> [Row] {
        let out = changed.compactMap { rows[$0] }
        changed.removeAll(keepingCapacity: true)
        return out
    }

    mutating func trim() {
        if rows.count > Self.rowsMax { rows.removeAll() }
    }
}

extension RowCache where Row == Int64 {
    /// The id of a key; one that is new gets the next, and `isNew` hands its row over.
    mutating func id(of key: NaturalKey, isNew: (_ id: Int64) -> Void) -> Int64 {
        if let id = rows[key] { return id }
        let id = mintID()
        keep(key, id)
        isNew(id)
        return id
    }
}
