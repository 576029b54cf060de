import Contracts
import Foundation
import Primitives
import RetailModel
import Testing

@testable import Refine

/// Orders and reference records of spec orders.md sections 4, 5 and 8.
@Suite struct OrderTests {
    static let example =
        """
        {"object_id":7608298,"object_type":"order","sent_dttm":"2025-02-22T09:43:14.049943+00:00","payload":{\
        "restaurant":{"id":"af69ef12f4f34c6d86441c69"},"date":"2025-02-22T08:56:14.049848+00:00",\
        "user":{"id":"d3275d9d9530440ea2b0be23"},"order_items":[{"id":"97a91f3df3b44224bb8d67a4","name":"какой-то суп",\
        "price":641,"category":"Супы","quantity":5},{"id":"22a38d8dbb584051b8b72f15","name":"еще суп","price":169,\
        "category":"Супы","quantity":5}],"bonus_payment":0,"cost":4050,"payment":4050,"bonus_grant":0,\
        "statuses":[{"status":"OPEN","dttm":"2025-02-22T09:01:14.049848+00:00"}],"final_status":"CLOSED",\
        "update_ts":"2025-02-22T09:56:14.049848+00:00"}}
        """

    static func desk() throws -> Desk { try Desk("Contracts/orders.yaml") }

    /// JSON as a JSON text, as the reference system's topics hold it.
    static func encoded(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("с", with: "\\u0441")
        return "\"\(escaped)\""
    }

    @Test func `the example order is read completely`() throws {
        var desk = try Self.desk()
        let sale = try #require(try desk.refine(Self.example).sale)
        let header = sale.header
        #expect(header.source == "orders" && header.document == "7608298" && header.currency.description == "RUB")
        #expect(header.store == "af69ef12f4f34c6d86441c69" && header.customer == "d3275d9d9530440ea2b0be23")
        #expect(header.status == .closed && header.traits == [.counted, .history] && header.window == nil)
        #expect(header.occurredAt.description == "2025-02-22T08:56:14.049848Z")
        #expect(header.versionAt == 1_740_218_174_049_848 && header.timeZone == "Europe/Moscow")
        #expect(header.paid == 405_000_000 && header.bonusPayment == 0 && header.bonusGranted == 0)
        #expect(header.reportedTotal == nil && header.flags == [])
        #expect(header.statuses == [StatusEntry(status: .open, at: 1_740_214_874_049_848)])
        #expect(sale.lines.map(\.amount) == [320_500_000, 84_500_000])
        #expect(sale.lines.map(\.product) == ["97a91f3df3b44224bb8d67a4", "22a38d8dbb584051b8b72f15"])
        #expect(sale.lines.map(\.description) == ["какой-то суп", "еще суп"])
        #expect(
            header.requires.map(\.text) == [
                "customer:orders:d3275d9d9530440ea2b0be23", "store:orders:af69ef12f4f34c6d86441c69",
                "product:orders:af69ef12f4f34c6d86441c69:97a91f3df3b44224bb8d67a4",
                "product:orders:af69ef12f4f34c6d86441c69:22a38d8dbb584051b8b72f15",
            ]
        )
    }

    @Test func `sent_dttm is the second version time and no part of the content`() throws {
        var desk = try Self.desk()
        let sent = try #require(try desk.refine(Self.example).sale)
        let again = try #require(try desk.refine(Self.example.changing("09:43:14.049943", "09:44:00")).sale)
        #expect(sent.header.secondVersionAt == 1_740_217_394_049_943)
        #expect(again.header.secondVersionAt == 1_740_217_440_000_000)
        #expect(sent.contentHash == again.contentHash && sent.header.versionAt == again.header.versionAt)
    }

    static let secondTimes: [(old: String, new: String, message: String)] = [
        (
            "second_version_time: sent_dttm", "second_version_time: object_id",
            "second_version_time object_id is an integer; use a time field"
        ),
        (
            "version_time: update_ts\n", "version_time: null\n",
            "second_version_time decides between versions of one version_time; add version_time or remove it"
        ),
    ]

    @Test(arguments: secondTimes)
    func `a second version time that cannot decide is refused`(old: String, new: String, message: String) throws {
        let text = String(decoding: try packageText("Contracts/orders.yaml"), as: UTF8.self).changing(old, new)
        #expect(Self.problems(text) == [message])
    }

    @Test func `lines of invoices take no second version time`() throws {
        let text = String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self)
            .changing("version_time: null\n", "version_time: InvoiceDate\nsecond_version_time: InvoiceDate\n")
        #expect(Self.problems(text) == ["The mapper takes no second version time; remove second_version_time"])
    }

    private static func problems(_ text: String) -> [String] {
        switch Contract.parse(Array(text.utf8), mappers: Mappers.signatures) {
        case .success: []
        case .failure(let found): found.problems.map(\.message)
        }
    }

    @Test func `one and two encodings give the same event`() throws {
        var desk = try Self.desk()
        let plain = try #require(try desk.refine(Self.example).sale)
        #expect(try desk.refine(" " + Self.encoded(Self.example) + "\n").sale == plain)
        #expect(try desk.refine(Self.encoded(Self.encoded(Self.example))).reasons == [" bad_json"])
        #expect(try desk.refine("\"\"").reasons == [" bad_json"] && desk.refine("\"[]\"").reasons == [" bad_json"])
        #expect(try desk.refine("\"{\"").reasons == [" bad_json"])
        var pos = try Desk("Contracts/pos.yaml")
        #expect(try pos.refine(Self.encoded(PosInputTests.example.replacing("\n", with: " "))).reasons == [" bad_json"])
    }

    static let inputs: [(name: String, old: String, new: String, reasons: [String])] = [
        ("type", "\"order\",", "\"refund\",", ["object_type object_type_order"]),
        ("no type", "\"object_type\":\"order\",", "", ["object_type required"]),
        ("quantity 0", "\"quantity\":5}]", "\"quantity\":0}]", ["payload.order_items[1].quantity quantity_positive"]),
        ("price -1", "\"price\":641", "\"price\":-1", ["payload.order_items[0].price price_not_negative"]),
        ("cost -1", "\"cost\":4050", "\"cost\":-1", ["payload.cost cost_not_negative"]),
        ("payment -1", "\"payment\":4050", "\"payment\":-1", ["payload.payment payment_not_negative"]),
        (
            "bonus -1", "\"bonus_payment\":0", "\"bonus_payment\":-1",
            ["payload.bonus_payment bonus_payment_not_negative"]
        ),
        ("grant -1", "\"bonus_grant\":0", "\"bonus_grant\":-1", ["payload.bonus_grant bonus_grant_not_negative"]),
        ("status", "\"CLOSED\"", "\"LOST\"", ["payload.final_status not_in_enum"]),
        ("history", "\"OPEN\"", "\"open\"", ["payload.statuses[0].status not_in_enum"]),
        ("null name", "\"еще суп\"", "null", ["payload.order_items[1].name required"]),
        ("no user", "\"user\":{\"id\":\"d3275d9d9530440ea2b0be23\"},", "", ["payload.user.id required"]),
        ("null user", "{\"id\":\"d3275d9d9530440ea2b0be23\"}", "null", ["payload.user.id required"]),
        ("text user", "{\"id\":\"d3275d9d9530440ea2b0be23\"}", "\"u\"", ["payload.user type"]),
        ("list restaurant", "{\"id\":\"af69ef12f4f34c6d86441c69\"}", "[]", ["payload.restaurant type"]),
        ("no items", "\"order_items\":[", "\"order_items\":[],\"x\":[", ["payload.order_items required"]),
        ("payload no object", "\"payload\":{", "\"payload\":1,\"x\":{", ["payload type"]),
        (
            "empty payload", "\"payload\":{", "\"payload\":{},\"x\":{",
            [
                "restaurant.id", "date", "user.id", "order_items", "bonus_payment", "cost", "payment", "bonus_grant",
                "statuses", "final_status", "update_ts",
            ].map { "payload.\($0) required" }
        ),
    ]

    @Test(arguments: inputs)
    func `a wrong order is refused with its place`(name: String, old: String, new: String, reasons: [String]) throws {
        var desk = try Self.desk()
        #expect(try desk.refine(Self.example.changing(old, new)).reasons == reasons)
        #expect(try desk.refine(Self.encoded(Self.example.changing(old, new))).reasons == reasons)
    }

    @Test func `a wrong cost is corrected, flagged and kept; a price of 0 stays 0`() throws {
        var desk = try Self.desk()
        let wrong = try #require(try desk.refine(Self.example.changing("\"cost\":4050", "\"cost\":4049.5")).sale)
        #expect(wrong.header.flags == .corrected && wrong.header.reportedTotal == 404_950_000)
        #expect(wrong.header.paid == 405_000_000)
        let free = try #require(
            try desk.refine(
                Self.example.changing("\"price\":169", "\"price\":0").changing("\"cost\":4050", "\"cost\":3205")
            )
            .sale
        )
        #expect(free.lines[1].unitPrice == 0 && free.lines[1].flags == .zeroPrice && free.header.flags == [])
    }

    static let histories: [(entries: String, isOrdered: Bool, count: Int)] = [
        ("OPEN 1 COOKING 2 DELIVERING 3 CLOSED 4", true, 4), ("CLOSED 4 OPEN 1 DELIVERING 3 COOKING 2", true, 4),
        ("OPEN 1 CLOSED 2", true, 2), ("OPEN 1 CANCELLED 2", true, 2), ("CLOSED 1 CANCELLED 2", true, 2),
        ("OPEN 1 OPEN 1 COOKING 1", true, 2), ("CANCELLED 1", true, 1), ("COOKING 1 OPEN 2", false, 2),
        ("OPEN 1 OPEN 2", false, 2), ("CLOSED 1 DELIVERING 2", false, 2), ("CANCELLED 1 CLOSED 2", false, 2),
        ("CANCELLED 1 CANCELLED 2", false, 2), ("OPEN 1 CANCELLED 2 OPEN 3", false, 3),
    ]

    @Test(arguments: histories)
    func `a status history out of order is flagged`(entries: String, isOrdered: Bool, count: Int) throws {
        let words = entries.split(separator: " ")
        let rows = stride(from: 0, to: words.count, by: 2).map {
            "{\"status\":\"\(words[$0])\",\"dttm\":\"2025-02-22T09:0\(words[$0 + 1]):00Z\"}"
        }
        var desk = try Self.desk()
        let text = Self.example.changing(
            "{\"status\":\"OPEN\",\"dttm\":\"2025-02-22T09:01:14.049848+00:00\"}",
            rows.joined(separator: ",")
        )
        let header = try #require(try desk.refine(text).sale).header
        #expect(header.flags == (isOrdered ? [] : .statusOrder))
        #expect(header.statuses.count == count && header.statuses.map(\.at) == header.statuses.map(\.at).sorted())
    }

    @Test(arguments: zip(["OPEN", "COOKING", "DELIVERING", "CLOSED", "CANCELLED"], [1, 2, 3, 0, 4] as [Int64]))
    func `every final status has its own`(name: String, status: Int64) throws {
        var desk = try Self.desk()
        let sale = try #require(try desk.refine(Self.example.changing("\"CLOSED\"", "\"\(name)\"")).sale)
        #expect(sale.header.status == SaleStatus(rawValue: status))
    }

    // MARK: Reference records

    static let user =
        "{\"_id\":\"d3275d9d9530440ea2b0be23\",\"name\":\"Customer A\",\"login\":\"customer_a\","
        + "\"update_ts_utc\":\"2025-02-22 09:43:14\"}"
    static let restaurant =
        "{\"_id\":\"af69ef12f4f34c6d86441c69\",\"name\":\"Restaurant A\",\"menu\":["
        + "{\"_id\":\"97a91f3df3b44224bb8d67a4\",\"name\":\"суп\",\"price\":641,\"category\":\"Супы\"},"
        + "{\"_id\":\"22a38d8dbb584051b8b72f15\",\"name\":\"чай\",\"price\":0,\"category\":\"Напитки\"}],"
        + "\"update_ts_utc\":\"2025-02-22 09:43:14\"}"

    @Test func `a user is a customer`() throws {
        var desk = try Desk("Contracts/users.yaml")
        let event = try #require(try desk.refine(Self.user).reference)
        #expect(event.entity == .customer && event.source == "orders" && event.key == "d3275d9d9530440ea2b0be23")
        #expect(event.name == "Customer A" && event.login == "customer_a" && event.items == [])
        #expect(event.validFrom == 1_740_217_394_000_000 && event.timeZone == "Europe/Moscow")
        var canonical = ByteBuilder()
        event.canonical(into: &canonical)
        #expect(event.contentHash == Digest.sha256(of: canonical.bytes))
        #expect(try desk.refine(Self.encoded(Self.user)).reference == event)
        #expect(try desk.refine(Self.user.changing("\"customer_a\"", "null")).reference?.login == nil)
        #expect(try desk.refine(Self.user.changing("\"Customer A\"", "\"\"")).reasons == ["name required"])
        #expect(try desk.refine(Self.user.changing(" 09", "T09")).reasons == ["update_ts_utc bad_time"])
        let later = try #require(try desk.refine(Self.user.changing("14\"}", "15\"}")).reference)
        #expect(later.contentHash == event.contentHash, "the validity start is the version, not the content")
    }

    @Test func `a restaurant is a store with its menu`() throws {
        var desk = try Desk("Contracts/restaurants.yaml")
        let event = try #require(try desk.refine(Self.restaurant).reference)
        #expect(event.entity == .store && event.key == "af69ef12f4f34c6d86441c69" && event.name == "Restaurant A")
        #expect(event.login == nil)
        #expect(
            event.items == [
                .init(product: "97a91f3df3b44224bb8d67a4", name: "суп", category: "Супы", price: 64_100_000),
                .init(product: "22a38d8dbb584051b8b72f15", name: "чай", category: "Напитки", price: 0),
            ]
        )
        for (old, new) in [("641", "642"), ("чай", "чаи"), ("Супы", "Чаи"), ("97a", "97b"), ("Restaurant A", "B")] {
            let other = try #require(try desk.refine(Self.restaurant.changing(old, new)).reference)
            #expect(other.contentHash != event.contentHash)
        }
        #expect(try desk.refine(Self.restaurant.changing("641", "-1")).reasons == ["menu[0].price price_not_negative"])
        #expect(try desk.refine(Self.restaurant.changing("\"чай\"", "null")).reasons == ["menu[1].name required"])
        #expect(
            try desk.refine(Self.restaurant.changing("\"_id\":\"22a38d8dbb584051b8b72f15\",", "")).reasons
                == ["menu[1]._id required"]
        )
    }

    /// TILL_FUZZ=full mutates half a million records.
    @Test(arguments: 0..<2 as Range<UInt64>)
    func `a mutated nested record ends in a verdict, the same twice`(shard: UInt64) throws {
        let count = ProcessInfo.processInfo.environment["TILL_FUZZ"] == "full" ? 250_000 : 3_000
        var random = SeededRandom(seed: 99 + shard)
        var (desk, other) = (try Self.desk(), try Self.desk())
        let seeds = [Self.example, Self.encoded(Self.example)].map { Array($0.utf8) }
        let pieces = [
            "{", "}", "[", "]", "\"", ",", ":", "null", "{}", "[]", "\"id\":", "\"user\":{", "\"payload\":", "1e9",
            "-1",
            "\\\"", "\\", "\"statuses\":[{}]", "\u{0}",
        ].map { Array($0.utf8) }
        var accepted = 0
        for number in 0..<count {
            var bytes = seeds[number % 2]
            for _ in 0..<(1 + random.next() % 3) where !bytes.isEmpty {
                let at = Int(random.next() % UInt64(bytes.count))
                let end = min(bytes.count, at + Int(random.next() % 8))
                switch random.next() % 4 {
                case 0: bytes[at] = UInt8(0x30 + random.next() % 10)
                case 1: bytes.removeSubrange(at..<end)
                case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int(random.next() % UInt64(bytes.count)))
                default: bytes.replaceSubrange(at..<end, with: pieces[Int(random.next() % UInt64(pieces.count))])
                }
            }
            let verdict = try desk.refine(bytes)
            switch verdict {
            case .accepted: accepted += 1
            case .rejected(let reasons): if reasons.isEmpty { Issue.record("no reason: \(bytes)") }
            }
            let again = try other.refine(bytes)
            if again.sale != verdict.sale || again.reasons != verdict.reasons { Issue.record("two verdicts: \(bytes)") }
        }
        #expect(accepted > count / 50 && accepted < count, "both ends are met")
    }
}
