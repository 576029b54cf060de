import Contracts
import Primitives
import RetailModel
import Testing

@testable import Refine

/// The edge cases and messages of spec pos.md section 4, under both contracts.
@Suite struct PosInputTests {
    static let example =
        """
        {"transaction_id":"11111111-1111-4111-8111-111111111111","timestamp":"2024-12-19T18:42:24.008000Z",
        "store_id":"STORE_1","cashier_id":"CASHIER_1","items":[
        {"item_id":"i1","name":"Milch - 1L","quantity":2,"price_per_unit":1.29,"total_price":2.58},
        {"item_id":"i2","name":"Brot","quantity":1,"price_per_unit":1.99,"total_price":1.99}],
        "total_amount":4.57,"payment_method":"cash","payment_status":"success","customer_id":"CUSTOMER_7",
        "loyalty_points_earned":3,"receipt":{"receipt_id":"r1","date":"2024-12-01T00:00:00Z","total_amount":4.57,
        "payment_method":"cash","transaction_id":"22222222-2222-4222-8222-222222222222"}}
        """

    @Test(arguments: cases)
    func `an input is refined as the specification says`(c: Case) throws {
        for (path, expected) in [("pos", c.messages), ("pos-compat", c.compatible ?? c.messages)] {
            var desk = try Desk("Contracts/\(path).yaml")
            let verdict = try desk.refine(c.old.isEmpty ? Self.example : Self.example.changing(c.old, c.new))
            #expect(verdict.messages == expected, "\(path)")
            guard expected.isEmpty else { continue }
            let sale = try #require(verdict.sale)
            #expect(sale.header.flags == c.flags, "\(path)")
            #expect(c.check(sale), "\(path): \(sale)")
        }
    }

    @Test(arguments: [
        ("[]", "The event is no JSON object; send an object with the fields of the contract"),
        ("null", "The event is no JSON object; send an object with the fields of the contract"),
        ("{", "JSON at byte 1: the text ends inside a value; send the whole value. Send one JSON object per event"),
        ("", "JSON at byte 0: the text ends inside a value; send the whole value. Send one JSON object per event"),
    ])
    func `a body that is no transaction has one reason`(body: String, message: String) throws {
        for path in ["pos", "pos-compat"] {
            var desk = try Desk("Contracts/\(path).yaml")
            #expect(try desk.refine(body).messages == [": " + message])
        }
    }

    @Test func `no item is a reason, and every violated rule is named at once`() throws {
        var desk = try Desk("Contracts/pos.yaml")
        let items = try #require(Self.example.firstRange(of: /\[[^\]]*\]/))
        let empty = Self.example.replacingCharacters(items, with: "[]")
        #expect(try desk.refine(empty).messages == ["items: items is empty; send at least one item"])
        let bad = Self.example.changing("STORE_1", "STORE_0").changing("\"quantity\":2", "\"quantity\":-1")
            .changing("\"quantity\":1,", "\"quantity\":0,").changing("\"success\"", "\"x\"")
            .changing("\"CUSTOMER_7\"", "7").changing("\"date\":\"2024-12-01T00:00:00Z\"", "\"date\":\"\"")
        #expect(
            try desk.refine(bad).reasons == [
                "customer_id type", "receipt.date required", "store_id store_range",
                "items[0].quantity quantity_positive",
                "items[1].quantity quantity_positive", "payment_status payment_status_known",
            ]
        )
    }

    @Test func `ranges of stores and cashiers are settings`() throws {
        let text = String(decoding: try packageText("Contracts/pos.yaml"), as: UTF8.self)
        var desk = try Desk(
            text: Array(
                text.changing("stores_max: 10", "stores_max: 12").changing("cashiers_max: 8", "cashiers_max: 99").utf8
            )
        )
        let sale = Self.example.changing("STORE_1", "STORE_012").changing("CASHIER_1", "CASHIER_099")
        #expect(try desk.refine(sale).sale?.header.store == "STORE_12")
        #expect(
            try desk.refine(Self.example.changing("STORE_1", "STORE_13").changing("CASHIER_1", "CASHIER_100")).messages
                == [
                    "store_id: Store ID must be in the format STORE_01 to STORE_12",
                    "cashier_id: Cashier ID must be in the format CASHIER_1 to CASHIER_99",
                ]
        )
    }

    @Test func `the two contracts differ only in the comment and what amounts accept`() throws {
        func lines(_ name: String) throws -> [Substring] {
            String(decoding: try packageText("Contracts/\(name).yaml"), as: UTF8.self).split(separator: "\n")
        }
        var compatible = Array(try lines("pos-compat").drop { $0.hasPrefix("#") })
        compatible.removeAll { $0.hasSuffix("accepts: [excess_digits]") }
        #expect(Array(try lines("pos").drop { $0.hasPrefix("#") }) == compatible)
    }

    /// In the reference system 23.6 % of such sales were corrected, because it compared floats.
    @Test func `a correct sale is never corrected`() throws {
        var random = SeededRandom(seed: 4_711)
        func below(_ count: UInt64) -> Int { Int(random.next() % count) }
        func euros(_ cents: Int) -> String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)" }
        var desks = [try Desk("Contracts/pos.yaml"), try Desk("Contracts/pos-compat.yaml")]
        let items = try #require(Self.example.firstRange(of: /\[[^\]]*\]/))
        for number in 0..<2_000 {
            var total = 0
            let lines = (0...below(5)).map { index in
                let (price, quantity) = (79 + below(921), 1 + below(5))
                total += price * quantity
                return "{\"item_id\":\"\(index)\",\"name\":\"p\(below(55))\",\"quantity\":\(quantity),"
                    + "\"price_per_unit\":\(euros(price)),\"total_price\":\(euros(price * quantity))}"
            }
            let text = Self.example.replacingCharacters(items, with: "[\(lines.joined(separator: ","))]")
                .replacing("\"total_amount\":4.57", with: "\"total_amount\":\(euros(total))")
            let sale = try #require(try desks[number % 2].refine(text).sale)
            if sale.header.flags != [] || sale.header.reportedTotal != nil
                || sale.lines.contains(where: { $0.reportedAmount != nil })
            {
                Issue.record("corrected: \(text)")
            }
            #expect(sale.lines.reduce(0) { $0 + $1.amount } == Int64(total) * 1_000)
        }
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
