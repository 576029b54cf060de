import Contracts
import Ports
import Primitives
import RetailModel
import Testing

@testable import Refine

/// Reading members of objects inside the event, and what a sale's content hash is of.
@Suite struct NestedReadingTests {
    static let contract = """
        contract: nest
        version: 1
        source: nest
        partition_key: id
        unknown_fields: reject
        settings: { time_zone: UTC, currency: EUR }
        fields:
          - { name: id, at: head.id, type: text, required: true }
          - { name: at, at: head.when.at, type: time, required: true, formats: [iso8601] }
          - { name: shop, at: shop, type: text, required: true }
          - { name: person, at: head.person, type: text }
          - { name: clerk, type: text, aliases: [cashier] }
          - name: rows
            at: body.rows
            type: list
            required: true
            fields:
              - { name: p, at: article.code, type: text, required: true }
              - { name: q, at: article.count, type: integer, required: true }
              - { name: u, type: money, required: true }
        mapper:
          name: sale
          bind:
            document: id
            occurred_at: at
            store: shop
            customer: person
            cashier: clerk
            lines.product: rows.p
            lines.quantity: rows.q
            lines.unit_price: rows.u
        rules:
          - { id: some, field: rows.q, check: "all(rows, rows.q > 0)", on_failure: reject, message: few }
        """

    static let event =
        "{\"head\":{\"id\":\"1\",\"when\":{\"at\":\"2025-01-01T00:00:00Z\"},\"person\":\"C\"},\"shop\":\"S\",\"clerk\":\"K\","
        + "\"body\":{\"rows\":[{\"article\":{\"code\":\"a\",\"count\":2},\"u\":3},{\"u\":1.5,\"article\":{\"count\":1,\"code\":\"b\"}}]}}"

    static let inputs: [(old: String, new: String, reasons: [String])] = [
        ("", "", []),
        ("\"head\"", "\"he\\u0061d\"", []),
        ("\"when\":{\"at\"", "\"when\":{\"\\u0061t\"", []),
        ("\"clerk\"", "\"cashier\"", []),
        ("\"clerk\":", "\"cashier\":\"K\",\"clerk\":", ["clerk given_twice"]),
        ("\"when\":{\"at\":\"2025-01-01T00:00:00Z\"},", "", ["head.when.at required"]),
        ("{\"at\":\"2025-01-01T00:00:00Z\"}", "null", ["head.when.at required"]),
        ("{\"at\":\"2025-01-01T00:00:00Z\"}", "{}", ["head.when.at required"]),
        ("{\"at\":\"2025-01-01T00:00:00Z\"}", "[]", ["head.when type"]),
        ("{\"at\":\"2025-01-01T00:00:00Z\"}", "\"2025-01-01T00:00:00Z\"", ["head.when type"]),
        ("\"head\":{", "\"head\":5,\"body2\":{", ["head type", "body2 unknown_field"]),
        ("\"head\":{", "\"head\":{\"x\":{\"id\":1},", ["head.x unknown_field"]),
        ("\"head\":{", "\"head.id\":\"1\",\"head\":{", ["head.id unknown_field"]),
        ("\"head\":{", "\"id\":\"1\",\"head\":{", ["id unknown_field"]),
        ("\"person\":\"C\"", "\"person\":{\"id\":\"C\"}", ["head.person type"]),
        ("\"body\":{", "\"body\":true,\"clerks\":{", ["body type", "clerks unknown_field"]),
        ("\"rows\":[", "\"rows\":{},\"r\":[", ["body.r unknown_field", "body.rows type"]),
        ("\"count\":2", "\"count\":0", ["body.rows[0].article.count some"]),
        ("\"count\":2", "\"count\":0.5", ["body.rows[0].article.count type"]),
        ("{\"count\":1,\"code\":\"b\"}", "9", ["body.rows[1].article type"]),
        (
            "{\"count\":1,\"code\":\"b\"}", "{}",
            ["body.rows[1].article.code required", "body.rows[1].article.count required"]
        ),
        ("{\"count\":1,", "{\"size\":1,\"count\":1,", ["body.rows[1].article.size unknown_field"]),
    ]

    @Test(arguments: inputs)
    func `members are found at their place`(old: String, new: String, reasons: [String]) throws {
        var desk = try Desk(text: Array(Self.contract.utf8))
        let plain = try #require(try desk.refine(Self.event).sale)
        let verdict = try desk.refine(old.isEmpty ? Self.event : Self.event.changing(old, new))
        #expect(verdict.reasons == reasons)
        if reasons.isEmpty { #expect(verdict.sale == plain) }
    }

    @Test func `a CSV column is named by the whole place`() throws {
        var desk = try Desk(text: Array(Self.contract.utf8))
        let header: ByteString = "head.id,head.when.at,shop,head.person,clerk"
        let row = "1,2025-01-01T00:00:00Z,S,C,K"
        #expect(try desk.refine(row, .csv(header: header, separator: 0x2C)).reasons == ["body.rows required"])
    }

    // MARK: The content hash of a sale

    @Test func `the hash of a plain sale is what it was before headers had more values`() throws {
        var desk = try Desk("Tests/RefineTests/Fixtures/shop.yaml")
        let text =
            "{\"id\":\"r\",\"at\":\"2010-12-01T08:26:00Z\",\"status\":\"open\",\"lines\":[{\"p\":\"x\",\"q\":2,\"u\":1.5}]}"
        let sale = try #require(try desk.refine(text).sale)
        var wanted = ByteBuilder()
        wanted.append([0, 0, 0, 1] + Array("S".utf8))
        for _ in 0..<3 { wanted.append([0xFF, 0xFF, 0xFF, 0xFF]) }
        for number in [1, 1_291_191_960_000_000, Int64.min] { wanted.appendBigEndian(number) }
        sale.lines[0].canonical(into: &wanted)
        #expect(sale.contentHash == Digest.sha256(of: wanted.bytes))
    }

    static let changes: [(old: String, new: String)] = [
        ("CASHIER_1", "CASHIER_2"),
        ("\"payment_method\":\"cash\",\"payment_status\"", "\"payment_method\":\"voucher\",\"payment_status\""),
        ("\"success\"", "\"failed\""), ("CUSTOMER_7", ""), ("points_earned\":3", "points_earned\":4"),
        ("\"r1\"", "\"r2\""),
        ("2024-12-01T", "2024-12-02T"), ("\"total_amount\":4.57,\n", "\"total_amount\":4.58,\n"),
        ("\"payment_method\":\"cash\",\"transaction_id\"", "\"payment_method\":\"\\u0063ard\",\"transaction_id\""),
        ("22222222-2222", "22222222-2223"), ("Brot", "Brote"), ("\"total_price\":1.99", "\"total_price\":2"),
        ("\"total_amount\":4.57,\"payment", "\"total_amount\":5,\"payment"), ("STORE_1", "STORE_2"),
    ]

    @Test(arguments: changes)
    func `the hash of a sale depends on every value`(old: String, new: String) throws {
        var desk = try Desk("Contracts/pos.yaml")
        let plain = try #require(try desk.refine(PosInputTests.example).sale)
        let other = try #require(try desk.refine(PosInputTests.example.changing(old, new)).sale)
        #expect(other.contentHash != plain.contentHash)
    }

    static let orderChanges: [(old: String, new: String)] = [
        ("\"bonus_payment\":0", "\"bonus_payment\":1"), ("\"bonus_grant\":0", "\"bonus_grant\":1"),
        ("\"payment\":4050", "\"payment\":4049"), ("\"OPEN\"", "\"COOKING\""), ("09:01:14", "09:01:15"),
        ("\"cost\":4050", "\"cost\":1"), ("\"CLOSED\"", "\"CANCELLED\""),
        (
            "\"bonus_payment\":0,\"cost\":4050,\"payment\":4050,\"bonus_grant\":0",
            "\"bonus_payment\":1,\"cost\":4050,\"payment\":4050,\"bonus_grant\":1"
        ),
    ]

    @Test(arguments: orderChanges)
    func `the hash of an order depends on every value`(old: String, new: String) throws {
        var desk = try OrderTests.desk()
        let plain = try #require(try desk.refine(OrderTests.example).sale)
        let other = try #require(try desk.refine(OrderTests.example.changing(old, new)).sale)
        #expect(other.contentHash != plain.contentHash)
    }

    @Test func `spelling, requirements and windows are not part of the hash`() throws {
        var desk = try Desk("Contracts/pos.yaml")
        let plain = try #require(try desk.refine(PosInputTests.example).sale)
        let spelled = PosInputTests.example.changing("STORE_1", "STORE_001").changing("4.57", "4.5700")
            .changing("\"quantity\":2", "\"quantity\":2.0").changing("18:42:24.008000Z", "19:42:24.008+01:00")
        #expect(try desk.refine(spelled).sale?.contentHash == plain.contentHash)
        let text = String(decoding: try packageText("Contracts/pos.yaml"), as: UTF8.self)
        var other = try Desk(text: Array(text.changing("window_seconds: 10", "window_seconds: 60").utf8))
        let windowed = try #require(try other.refine(PosInputTests.example).sale)
        #expect(windowed.contentHash == plain.contentHash && windowed.header.window != plain.header.window)
        let orders = String(decoding: try packageText("Contracts/orders.yaml"), as: UTF8.self)
        var free = try Desk(text: Array(orders.replacing("required: true }", with: "required: false }").utf8))
        var strict = try OrderTests.desk()
        let one = try #require(try strict.refine(OrderTests.example).sale)
        let two = try #require(try free.refine(OrderTests.example).sale)
        #expect(one.contentHash == two.contentHash && two.header.requires.isEmpty && !one.header.requires.isEmpty)
    }
}
