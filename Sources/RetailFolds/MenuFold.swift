import Ports
import Primitives
import RetailModel
import Tables

/// A product on the menu of a store.
struct MenuKey: Hashable, Comparable {
    var storeID: Int64
    var productID: Int64

    static func < (a: Self, b: Self) -> Bool { (a.storeID, a.productID) < (b.storeID, b.productID) }
}

/// Menus of stores, as far as they were asked for: which category a product has at a time.
struct Menus {
    private(set) var rows: [MenuKey: [MenuRow]] = [:]

    /// Menu entries that are remembered between batches: about 150 bytes each, so 15 MB at the most.
    static var entriesMax: Int { 100_000 }

    subscript(key: MenuKey) -> [MenuRow] {
        get { rows[key] ?? [] }
        set { rows[key] = newValue }
    }

    mutating func forget(_ key: MenuKey) { rows[key] = nil }

    mutating func trim() {
        if rows.count > Self.entriesMax { rows.removeAll() }
    }

    mutating func load(_ keys: Set<MenuKey>, _ source: any TableStore) throws(TableStoreError) {
        for key in keys.sorted() where rows[key] == nil {
            let found = try source.rows(
                of: RetailTables.menuItem,
                prefix: [.integer(key.storeID), .integer(key.productID)]
            )
            rows[key] = found.map { MenuRow($0) }
        }
    }

    func category(_ storeID: Int64, _ productID: Int64, at time: Int64) -> Int64? {
        Self.category(rows[MenuKey(storeID: storeID, productID: productID)] ?? [], at: time)
    }

    /// The one valid at a time: the latest that began by then, else the first (spec model 1.11).
    static func category(_ rows: [MenuRow], at time: Int64) -> Int64? {
        var first: MenuRow?
        var latest: MenuRow?
        for row in rows where row.isWinner {
            if row.validFrom <= time, row.validFrom >= latest?.validFrom ?? .min { latest = row }
            if Mutant.isPlanted(.menuOfToday()), row.validFrom >= latest?.validFrom ?? .min { latest = row }
            if row.validFrom <= first?.validFrom ?? .max { first = row }
        }
        return (latest ?? first)?.categoryID
    }

    /// The spans of time in which two menus give another category.
    static func differences(_ old: [MenuRow], _ new: [MenuRow]) -> [Range<Int64>] {
        let starts = Set((old + new).filter(\.isWinner).map(\.validFrom)).sorted()
        var spans: [Range<Int64>] = []
        for (low, high) in zip([.min] + starts, starts + [.max])
        where low < high && category(old, at: low) != category(new, at: low) {
            spans.append(low..<high)
        }
        return spans
    }
}

/// What the order counters of a customer gain and lose.
struct CounterSums {
    var products: [SumKey: Int128] = [:]
    var categories: [SumKey: Int128] = [:]

    /// Counts a document: once per product and once per category, whatever its number of lines.
    mutating func count(_ document: DocumentRow, _ lines: some Sequence<LineRow>, _ menus: Menus, sign: Int128) {
        guard let customer = Self.customer(document) else { return }
        let found = Set(lines.map(\.productID))
        for product in found { products[SumKey(customer, product), default: 0] += sign }
        let time = document.occurredAt ?? 0
        for category in Set(found.compactMap { menus.category(document.storeID, $0, at: time) }) {
            categories[SumKey(customer, category), default: 0] += sign
        }
    }

    /// The customer whose counters a document moves; nil when it moves none.
    static func customer(_ document: DocumentRow) -> Int64? {
        document.traits.contains(.counted) && document.status == .closed ? document.customerID : nil
    }

    func add(to changes: inout ChangeSet) {
        for (table, sums) in [(RetailTables.userProduct, products), (RetailTables.userCategory, categories)] {
            let kept = sums.filter { $0.value != 0 }.mapValues { [$0] }
            if !kept.isEmpty { changes[table.name, default: TableChanges()].additions.merge(kept) { $1 } }
        }
    }
}

/// Moves the category counters of stored orders when a menu changes for the time that they are of.
struct MenuRebase {
    /// Menus before the batch, of the pairs that the batch changed.
    var before: [MenuKey: [MenuRow]] = [:]

    /// Lines that are looked at in one piece.
    static var pageLines: Int { 2_000 }

    /// - Parameter menus: Menus after the batch.
    mutating func run(
        _ menus: inout Menus,
        _ source: any TableStore,
        _ sums: inout CounterSums
    ) throws(TableStoreError) {
        var spans: [MenuKey: [Range<Int64>]] = [:]
        for (key, old) in before {
            let found = Menus.differences(old, menus[key])
            if !found.isEmpty { spans[key] = found }
        }
        for key in spans.keys.sorted() {
            for span in spans[key] ?? [] { try scan(key, span, spans, &menus, source, &sums) }
        }
    }

    private func scan(
        _ key: MenuKey,
        _ span: Range<Int64>,
        _ spans: [MenuKey: [Range<Int64>]],
        _ menus: inout Menus,
        _ source: any TableStore,
        _ sums: inout CounterSums
    ) throws(TableStoreError) {
        var from = span.lowerBound
        var limit = Self.pageLines
        // Documents at `from` that are done: lines of one instant may lie on two pages.
        var done: Set<Int64> = []
        while true {
            let page = try source.rows(
                of: RetailTables.line,
                index: "line_by_product",
                prefix: [.integer(key.productID)],
                range: from..<span.upperBound,
                limit: limit
            ).map { LineRow($0) }
            let last = page.last?.occurredAt ?? from
            var ids: [Int64] = []
            for line in page where done.insert(line.documentID).inserted { ids.append(line.documentID) }
            for cells in try source.rows(of: RetailTables.document, ids: ids) {
                guard let cells else { continue }
                let document = DocumentRow(cells)
                if document.storeID == key.storeID {
                    try move(document, key, spans, &menus, source, &sums)
                }
            }
            if page.count < limit { return }
            if last == from { limit *= 2 } else { limit = Self.pageLines }
            done = Set(page.filter { $0.occurredAt == last }.map(\.documentID))
            from = last
        }
    }

    /// Takes back the document's categories under the old menus and adds those under the new ones; once, although
    /// several of its products may have moved.
    private func move(
        _ document: DocumentRow,
        _ key: MenuKey,
        _ spans: [MenuKey: [Range<Int64>]],
        _ menus: inout Menus,
        _ source: any TableStore,
        _ sums: inout CounterSums
    ) throws(TableStoreError) {
        guard let customer = CounterSums.customer(document), let time = document.occurredAt else { return }
        let lines = try source.rows(of: RetailTables.line, prefix: [.integer(document.id)]).map { LineRow($0) }
        let products = Set(lines.map(\.productID))
        let moved = products.filter { product in
            spans[MenuKey(storeID: document.storeID, productID: product)]?.contains { $0.contains(time) } ?? false
        }
        guard moved.min() == key.productID else { return }
        let keys = Set(products.map { MenuKey(storeID: document.storeID, productID: $0) })
        try menus.load(keys, source)
        var old: Set<Int64> = []
        var new: Set<Int64> = []
        for key in keys {
            let current = menus[key]
            if let category = Menus.category(before[key] ?? current, at: time) { old.insert(category) }
            if let category = Menus.category(current, at: time) { new.insert(category) }
        }
        for category in old.subtracting(new) { sums.categories[SumKey(customer, category), default: 0] -= 1 }
        for category in new.subtracting(old) { sums.categories[SumKey(customer, category), default: 0] += 1 }
    }
}
