import Primitives
import RetailModel
import Testing

@testable import Refine

/// Spec model 1.3: amounts are rounded to five fraction digits on the compatible path, and this alone corrects nothing.
@Suite struct PosRoundingTests {
    /// Quantity, price and line total of one item, as sent.
    typealias Item = (quantity: Int, price: String, total: String)

    private static func sale(_ items: [Item], total: String, receipt: String? = nil) -> String {
        let lines = items.enumerated().map { index, item in
            "{\"item_id\":\"i\(index)\",\"name\":\"p\(index)\",\"quantity\":\(item.quantity),"
                + "\"price_per_unit\":\(item.price),\"total_price\":\(item.total)}"
        }
        return PosInputTests.example.replacing(/\[[^\]]*\]/, with: "[\(lines.joined(separator: ","))]")
            .changing("\"total_amount\":4.57,\"payment_method\"", "\"total_amount\":\(total),\"payment_method\"")
            .changing("\"total_amount\":4.57,\n", "\"total_amount\":\(receipt ?? total),\n")
    }

    private static func refine(_ text: String, _ contract: String = "pos-compat") throws -> Refiner.Verdict {
        var desk = try Desk("Contracts/\(contract).yaml")
        return try desk.refine(text)
    }

    @Test func `a hundred times a rounded price is no error`() throws {
        let sale = try #require(try Self.refine(Self.sale([(100, "0.333333", "33.3333")], total: "33.3333")).sale)
        #expect(sale.header.flags == [] && sale.lines[0].flags == [])
        // What is stored has five digits: the price as rounded, the product of it, and what was sent.
        #expect(sale.lines[0].unitPrice == 33_333 && sale.lines[0].amount == 3_333_300)
        #expect(sale.lines[0].reportedAmount == 3_333_330 && sale.header.reportedTotal == 3_333_330)
        #expect(sale.header.receipt?.total == 3_333_330)
    }

    @Test(
        arguments: [
            // The total of a float sum.
            ([(2, "1.29", "2.58"), (1, "1.99", "1.99")], "4.569999999999999"),
            // A sender that rounds the price itself.
            ([(100, "0.333333", "33.333")], "33.333"),
            // The lines rounded first, or their sum.
            ([(1, "1.000004", "1"), (1, "1.000004", "1.000004")], "2"),
            ([(1, "1.000004", "1"), (1, "1.000004", "1.000004")], "2.00001"),
            ([(3, "0.333333333333333333333333333333", "1")], "1"),
            ([(10, "99999998.123456789012345678901234567890", "999999981.23457")], "999999981.23457"),
        ] as [([Item], String)]
    )
    func `what rounding explains is not corrected`(items: [Item], total: String) throws {
        let sale = try #require(try Self.refine(Self.sale(items, total: total)).sale)
        #expect(sale.header.flags == [] && sale.lines.allSatisfy { $0.flags == [] })
    }

    @Test(
        arguments: [
            ([(2, "1.29", "2.58"), (1, "1.99", "1.99")], "4.57005"),
            ([(2, "1.29", "2.58"), (1, "1.99", "1.99")], "4.56999"),
            ([(1, "1.000004", "1"), (1, "1.000004", "1.000004")], "2.00002"),
            ([(100, "0.333333", "33.3333")], "33.33335"),
        ] as [([Item], String)]
    )
    func `a wrong digit of a total is corrected`(items: [Item], total: String) throws {
        let text = Self.sale(items, total: total)
        for contract in items[0].price.utf8.count > 7 ? ["pos-compat"] : ["pos", "pos-compat"] {
            let sale = try #require(try Self.refine(text, contract).sale)
            #expect(sale.header.flags.contains(.corrected), "\(contract)")
            #expect(sale.header.reportedTotal.map { Decimal.text(Int128($0), scale: 5, keepZeros: false) } == total)
            #expect(sale.lines.allSatisfy { $0.flags == [] }, "\(contract)")
        }
    }

    @Test func `of two lines the wrong one is corrected`() throws {
        let items: [Item] = [(100, "0.333333", "33.3333"), (1, "1.99", "1.98995")]
        // The receipt says what the total would be without the error.
        let text = Self.sale(items, total: "40", receipt: "35.3233")
        let sale = try #require(try Self.refine(text).sale)
        #expect(sale.header.flags == .corrected)
        #expect(sale.lines.map(\.flags) == [[], .corrected])
        #expect(sale.lines.map(\.reportedAmount) == [3_333_330, 198_995])
    }

    @Test func `bounds and signs are those of the rounded amount`() throws {
        let text = Self.sale([(1, "0.000001", "0.000001")], total: "0.000004")
        #expect(
            try Self.refine(text).messages == [
                "items[0].price_per_unit: Price per unit must be positive",
                "items[0].total_price: Total price must be positive",
                "total_amount: Total amount must be positive", "receipt.total_amount: Total amount must be positive",
            ]
        )
    }

    @Test func `the native path still refuses a sixth digit`() throws {
        let text = Self.sale([(100, "0.333333", "33.3333")], total: "33.3333")
        #expect(
            try Self.refine(text, "pos").messages == [
                "items[0].price_per_unit: items[0].price_per_unit 0.333333 has more than 5 fraction digits; round it before "
                    + "sending"
            ]
        )
    }
}
