package import Primitives

/// A point-of-sale transaction as a register sends it. Amounts are hundredths of EUR.
package struct Sale: Sendable {
    package struct Line: Sendable {
        package let product: Int
        package let quantity: Int

        package var total: Int { Catalogue.products[product].price * quantity }
    }

    package let id: Identifier
    /// Microseconds, UTC.
    package let time: Int64
    package let store: Int
    package let cashier: Int
    package let lines: [Line]
    package let paymentMethod: String
    package var paymentStatus: String
    package let customer: Int
    package let loyaltyPoints: Int
    package let receipt: Identifier
    package let receiptTime: Int64
    package let receiptTransaction: Identifier
    /// What is sent as total; the sum of the lines unless the plan wants it wrong.
    package var reportedTotal: Int
    /// 1 to the number of senders.
    package let sender: Int

    package var total: Int { lines.reduce(0) { $0 + $1.total } }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(500 + lines.count * 120)
        out.add("{\"transaction_id\":\"")
        out.addIdentifier(id)
        out.add("\",\"timestamp\":\"")
        out.addTime(time, zone: "Z")
        out.add("\",\"store_id\":\"STORE_")
        out.add(store)
        out.add("\",\"cashier_id\":\"CASHIER_")
        out.add(cashier)
        out.add("\",\"items\":[")
        for (index, line) in lines.enumerated() {
            let product = Catalogue.products[line.product]
            out.add(index == 0 ? "{\"item_id\":\"" : ",{\"item_id\":\"")
            out.add(product.id)
            out.add("\",\"name\":\"")
            out.add(product.name)
            out.add("\",\"quantity\":")
            out.add(line.quantity)
            out.add(",\"price_per_unit\":")
            out.addHundredths(product.price)
            out.add(",\"total_price\":")
            out.addHundredths(line.total)
            out.add("}")
        }
        out.add("],\"total_amount\":")
        out.addHundredths(reportedTotal)
        out.add(",\"payment_method\":\"")
        out.add(paymentMethod)
        out.add("\",\"payment_status\":\"")
        out.add(paymentStatus)
        out.add("\",\"customer_id\":\"CUSTOMER_")
        out.add(customer)
        out.add("\",\"loyalty_points_earned\":")
        out.add(loyaltyPoints)
        out.add(",\"receipt\":{\"receipt_id\":\"")
        out.addIdentifier(receipt)
        out.add("\",\"date\":\"")
        out.addTime(receiptTime, zone: "Z")
        out.add("\",\"total_amount\":")
        out.addHundredths(reportedTotal)
        out.add(",\"payment_method\":\"")
        out.add(paymentMethod)
        out.add("\",\"transaction_id\":\"")
        out.addIdentifier(receiptTransaction)
        out.add("\"}}")
        return out
    }
}

/// Sales of ten stores: sale `index` is a function of seed, start and index alone.
package struct SaleGenerator: Sendable {
    package static let stores = 10
    package static let cashiers = 8
    package static let customers = 500
    package static let paymentMethods = ["credit_card", "cash", "debit_card", "voucher"]
    private static let monthMicros = 30 * 86_400 * 1_000_000

    private let seeds: EventSeeds
    private let senders: Senders

    package init(seed: UInt64, start: Int64, senders: Senders) {
        seeds = EventSeeds(seed: seed, purpose: "pos", start: start)
        self.senders = senders
    }

    /// - Parameter clock: When the sale happens, microseconds; the clock of its register may be off.
    package func sale(at index: Int, clock: Int64) -> Sale {
        var random = seeds.draws(at: index)
        let store = random.within(1...Self.stores)
        let sender = senders.sender(ofPlace: store - 1, &random)
        let time = clock + senders.clockOffset(of: sender)
        let lines = random.distinct(random.within(1...5), below: Catalogue.products.count).map {
            Sale.Line(product: $0, quantity: random.within(1...5))
        }
        return Sale(
            id: Identifier.minted(by: &random),
            time: time,
            store: store,
            cashier: random.within(1...Self.cashiers),
            lines: lines,
            paymentMethod: random.one(of: Self.paymentMethods),
            paymentStatus: "success",
            customer: random.within(1...Self.customers),
            loyaltyPoints: random.within(0...5),
            receipt: Identifier.minted(by: &random),
            receiptTime: time - Int64(random.within(0...Self.monthMicros)),
            receiptTransaction: Identifier.minted(by: &random),
            reportedTotal: lines.reduce(0) { $0 + $1.total },
            sender: sender
        )
    }
}
