import Formats
import Primitives
import Testing

@testable import Simulation

@Suite struct SaleGeneratorTests {
    static let generator = SaleGenerator(seed: 7, start: Sample.start, senders: Senders(count: 12, skew: 0))

    @Test func `the catalogue has 55 different products from 0.79 to 9.99`() {
        #expect(Catalogue.products.count == 55)
        #expect(Set(Catalogue.products.map(\.id)).count == 55)
        #expect(Set(Catalogue.products.map(\.name)).count == 55)
        #expect(Catalogue.products.map(\.price).min() == 79)
        #expect(Catalogue.products.map(\.price).max() == 999)
        #expect(Catalogue.products[0].id == "P001" && Catalogue.products[54].id == "P055")
    }

    @Test func `20,000 sales keep to every range, reach its ends, and have exact totals`() throws {
        var seen: [String: Set<String>] = [:]
        var ids: Set<String> = []
        for index in 0..<20_000 {
            let clock = Sample.start + Int64(index) * 10_000
            let record = try Reader(Self.generator.sale(at: index, clock: clock).bytes)
            let id = try record.text("transaction_id")
            #expect(Identifier(text: id) != nil)
            ids.insert(id)
            #expect(try record.time("timestamp") == clock)
            for name in ["store_id", "cashier_id", "customer_id", "payment_method", "payment_status"] {
                seen[name, default: []].insert(try record.text(name))
            }
            seen["loyalty", default: []].insert(try record.number("loyalty_points_earned").description)
            let count = try record.count("items")
            seen["lines", default: []].insert("\(count)")
            var total = Decimal(0)
            var products: Set<String> = []
            for line in 0..<count {
                let quantity = try record.number("items", line, "quantity")
                seen["quantity", default: []].insert(quantity.description)
                let price = try record.number("items", line, "price_per_unit")
                let product = try #require(quantity.multiplied(by: price))
                #expect(try record.number("items", line, "total_price") == product)
                total = try #require(total.adding(product))
                products.insert(try record.text("items", line, "item_id"))
                seen["names", default: []].insert(try record.text("items", line, "name"))
            }
            #expect(products.count == count, "the products of a sale are distinct")
            #expect(try record.number("total_amount") == total)
            #expect(try record.number("receipt", "total_amount") == total)
            #expect(try record.text("receipt", "payment_method") == record.text("payment_method"))
            #expect(try record.text("receipt", "transaction_id") != id)
            let age = clock - (try record.time("receipt", "date"))
            #expect(0...30 * 86_400_000_000 ~= age)
        }
        #expect(ids.count == 20_000)
        #expect(seen["store_id"] == Set((1...10).map { "STORE_\($0)" }))
        #expect(seen["cashier_id"] == Set((1...8).map { "CASHIER_\($0)" }))
        #expect(seen["customer_id"] == Set((1...500).map { "CUSTOMER_\($0)" }))
        #expect(seen["payment_method"] == ["credit_card", "cash", "debit_card", "voucher"])
        #expect(seen["payment_status"] == ["success"])
        #expect(seen["loyalty"] == Set((0...5).map(String.init)))
        #expect(seen["lines"] == Set((1...5).map(String.init)))
        #expect(seen["quantity"] == Set((1...5).map(String.init)))
        #expect(seen["names"] == Set(Catalogue.products.map(\.name)))
    }

    @Test func `a till belongs to one store when there are enough tills`() {
        var stores: [Int: Set<Int>] = [:]
        for index in 0..<5_000 {
            let sale = Self.generator.sale(at: index, clock: Sample.start)
            stores[sale.sender, default: []].insert(sale.store)
        }
        #expect(Set(stores.keys) == Set(1...12))
        #expect(stores.values.allSatisfy { $0.count == 1 })
        #expect(stores[11] == stores[1] && stores[12] == stores[2])
    }

    @Test(arguments: [1, 3, 10, 25])
    func `every till sends and none besides`(count: Int) {
        let senders = Senders(count: count, skew: 0)
        var random = SeededRandom(seed: 1)
        let used = Set((0..<10_000).map { senders.sender(ofPlace: $0 % 10, &random) })
        #expect(used == Set(1...count))
    }

    @Test func `a third of the clocks is right, one is ahead, one behind`() {
        let senders = Senders(count: 3, skew: 5)
        #expect((1...3).map(senders.clockOffset) == [0, 5, -5])
    }
}
