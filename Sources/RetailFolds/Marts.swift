import Primitives
import RetailModel
import Tables

/// Contributions to the sums: pure functions of the winning state rows.
struct Marts {
    /// Neighbours share hour, day and store: they are added up before anything is looked up.
    private var hours = NeighbourSums()
    private var days = NeighbourSums()
    private var products: [SumKey: MartValues] = [:]
    private var countries: [SumKey: MartValues] = [:]
    private var customers: [SumKey: MartValues] = [:]
    private var cancellations: [SumKey: MartValues] = [:]

    /// What a line adds, under the document that it belongs to. Nothing while the document is not closed.
    mutating func add(_ line: LineRow, of document: DocumentRow, sign: Int128) {
        guard document.status == .closed || Mutant.isPlanted(.countedFailure()) else { return }
        var amount = Int128(line.amount) * sign
        if Mutant.isPlanted(.floatSum()) { amount = Int128((Double(amount) / 1_000).rounded() * 1_000) }
        let gross = line.kind == .gross ? amount : 0
        let returns = line.kind == .returned ? amount : 0
        let units = line.kind == .gross ? Int128(line.quantity) * sign : 0
        let adjustment = line.kind == .adjustment ? amount : 0
        let reference = document.type == .cancellation ? 0 : amount
        let currency = line.currency
        if line.kind != .adjustment {
            let hour = Mutant.isPlanted(.wrongZone()) ? line.occurredAt / 3_600_000_000 : line.hour
            hours.add(SumKey(document.storeID, hour, currency), MartValues(gross, returns, units))
            products.add(SumKey(line.day, line.productID, currency), MartValues(gross, returns, units))
            countries.add(
                SumKey(document.countryID, line.productID, currency),
                MartValues(gross, returns, units)
            )
        }
        days.add(
            SumKey(line.day, document.countryID, document.storeID, currency),
            MartValues(gross, returns, adjustment, reference, units, 0)
        )
        if document.type == .cancellation {
            cancellations.add(SumKey(line.day, currency), MartValues(-Int128(line.amount.magnitude) * sign, 0))
        }
    }

    /// What a document adds itself: orders, documents, and the customer's totals.
    mutating func count(stored: DocumentRow?, now: DocumentRow) {
        if let stored { count(stored, sign: -1) }
        count(now, sign: 1)
    }

    private mutating func count(_ document: DocumentRow, sign: Int128) {
        guard document.status == .closed, document.lineCount > 0, let day = document.day else { return }
        let order: Int128 = document.grossLines > 0 ? sign : 0
        if let customer = document.customerID {
            customers.add(
                SumKey(customer, document.currency),
                MartValues(document.gross * sign, document.returns * sign, document.adjustments * sign, order, sign)
            )
        }
        days.add(
            SumKey(day, document.countryID, document.storeID, document.currency),
            MartValues(0, 0, 0, 0, 0, order)
        )
        if document.type == .cancellation { cancellations.add(SumKey(day, document.currency), MartValues(0, sign)) }
    }

    /// A product's sums over all days.
    private var productTotals: [SumKey: MartValues] {
        var totals: [SumKey: MartValues] = [:]
        for (key, values) in products { totals.add(SumKey(key.b, key.c), values) }
        return totals
    }

    /// All sales by currency.
    private func totals(_ days: [SumKey: MartValues]) -> [SumKey: MartValues] {
        var totals: [SumKey: MartValues] = [:]
        for (key, values) in days { totals.add(SumKey(key.d), values) }
        return totals
    }

    func add(to changes: inout [String: TableChanges]) {
        let days = days.all
        for (table, sums) in [
            (RetailTables.salesHour, hours.all), (RetailTables.salesDay, days), (RetailTables.salesTotal, totals(days)),
            (RetailTables.productDay, products), (RetailTables.productTotal, productTotals),
            (RetailTables.productCountry, countries),
            (RetailTables.customerTotal, customers), (RetailTables.cancellationDay, cancellations),
        ] {
            let width = table.columns.count - table.key.count
            var kept: [SumKey: [Int128]] = [:]
            kept.reserveCapacity(sums.count)
            for (key, values) in sums where !values.isZero { kept[key] = values.array(width) }
            if !kept.isEmpty { changes[table.name, default: TableChanges()].additions = kept }
        }
    }
}

/// Up to six summed columns side by side: a line adds to four sums, and an array for each would be an allocation.
private struct MartValues {
    private var a: Int128, b: Int128, c: Int128, d: Int128, e: Int128, f: Int128

    init(_ a: Int128, _ b: Int128, _ c: Int128 = 0, _ d: Int128 = 0, _ e: Int128 = 0, _ f: Int128 = 0) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
        self.e = e
        self.f = f
    }

    var isZero: Bool { a == 0 && b == 0 && c == 0 && d == 0 && e == 0 && f == 0 }

    static func += (x: inout Self, y: Self) {
        x.a += y.a
        x.b += y.b
        x.c += y.c
        x.d += y.d
        x.e += y.e
        x.f += y.f
    }

    func array(_ width: Int) -> [Int128] {
        switch width {
        case 1: [a]
        case 2: [a, b]
        case 3: [a, b, c]
        case 4: [a, b, c, d]
        case 5: [a, b, c, d, e]
        default: [a, b, c, d, e, f]
        }
    }
}

extension [SumKey: MartValues] {
    fileprivate mutating func add(_ key: SumKey, _ values: MartValues) {
        self[key, default: MartValues(0, 0)] += values
    }
}

/// Sums by key that are added to in runs of one key.
private struct NeighbourSums {
    private var sums: [SumKey: MartValues] = [:]
    private var last: (key: SumKey, values: MartValues)?

    mutating func add(_ key: SumKey, _ values: MartValues) {
        if last?.key == key {
            last?.values += values
        } else {
            if let last { sums.add(last.key, last.values) }
            last = (key, values)
        }
    }

    var all: [SumKey: MartValues] {
        guard let last else { return sums }
        var all = sums
        all.add(last.key, last.values)
        return all
    }
}
