import Tables

/// Contributions to the sums: pure functions of the winning state rows.
struct Marts {
    private var hours: [SumKey: [Int128]] = [:]
    private var days: [SumKey: [Int128]] = [:]
    private var products: [SumKey: [Int128]] = [:]
    private var productTotals: [SumKey: [Int128]] = [:]
    private var customers: [SumKey: [Int128]] = [:]
    private var cancellations: [SumKey: [Int128]] = [:]

    /// What a line adds, under the document that it belongs to. Nothing while the document is not closed.
    mutating func add(_ line: LineRow, of document: DocumentRow, sign: Int128) {
        guard document.status == .closed else { return }
        let amount = Int128(line.amount) * sign
        let gross = line.kind == .gross ? amount : 0, returns = line.kind == .returned ? amount : 0
        let units = line.kind == .gross ? Int128(line.quantity) * sign : 0
        let adjustment = line.kind == .adjustment ? amount : 0
        let reference = document.type == .cancellation ? 0 : amount
        let currency = line.currency
        if line.kind != .adjustment {
            hours.add(SumKey(document.storeID, line.hour, currency), [gross, returns, units])
            products.add(SumKey(line.day, line.productID, currency), [gross, returns, units])
            productTotals.add(SumKey(line.productID, currency), [gross, returns, units])
        }
        days.add(
            SumKey(line.day, document.countryID, document.storeID, currency),
            [gross, returns, adjustment, reference, units, 0])
        if document.type == .cancellation {
            cancellations.add(SumKey(line.day, currency), [-Int128(line.amount.magnitude) * sign, 0])
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
                [
                    document.gross * sign, document.returns * sign, document.adjustments * sign, order, sign,
                ])
        }
        days.add(
            SumKey(day, document.countryID, document.storeID, document.currency), [0, 0, 0, 0, 0, order])
        if document.type == .cancellation { cancellations.add(SumKey(day, document.currency), [0, sign]) }
    }

    func add(to changes: inout [String: TableChanges]) {
        for (table, sums) in [
            (RetailTables.salesHour, hours), (RetailTables.salesDay, days), (RetailTables.productDay, products),
            (RetailTables.productTotal, productTotals),
            (RetailTables.customerTotal, customers), (RetailTables.cancellationDay, cancellations),
        ] {
            let kept = sums.filter { $0.value.contains { $0 != 0 } }
            if !kept.isEmpty { changes[table.name, default: TableChanges()].additions = kept }
        }
    }
}

extension [SumKey: [Int128]] {
    fileprivate mutating func add(_ key: SumKey, _ values: [Int128]) {
        let index = self.index(forKey: key)
        if let index {
            for i in values.indices where values[i] != 0 { self.values[index][i] += values[i] }
        } else {
            self[key] = values
        }
    }
}
