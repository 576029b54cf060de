import Primitives
import RetailModel
import Testing

@testable import Proof

/// Versions, documents, sums, reference data and counters: pure functions of the set of records.
@Suite struct DocumentTests {
    static let moneyOnly: Set<String> = ["units", "orders", "reference", "adjustments", "documents"]

    @Test func `lines make their document and its sums`() throws {
        var records = Records()
        records.add(.accepted(.line(Records.line("1", identity: "a", cents: 250))), feed: "invoices", run: "r")
        records.add(.accepted(.line(Records.line("1", identity: "b", cents: -100, at: 5))), feed: "invoices", run: "r")
        #expect(
            try records.rows(RetailTables.salesDay) == [
                "day=1970-01-01 country=null store=pos/STORE_1 currency=EUR | gross=2.50 returns=-1.00 adjustments=0.00 reference=1.50 units=1000 orders=1"
            ]
        )
        #expect(
            try records.rows(RetailTables.productTotal) == [
                "product=pos/p currency=EUR | gross=2.50 returns=-1.00 units=1000"
            ]
        )
        let document = try #require(try records.proved().rows(of: RetailTables.document).first)
        #expect(document["gross"] == .wide(250_000) && document["returns"] == .wide(-100_000))
        #expect(document["gross_lines"] == .integer(1) && document["occurred_at"] == .integer(0))
        #expect(document["log_offset"] == .integer(1))
    }

    @Test func `the greatest version time wins, of one time the greatest hash`() throws {
        let versions = [
            Records.line("1", identity: "a", cents: 100, versionAt: 1),
            Records.line("1", identity: "a", cents: 200, versionAt: 2),
            Records.line("1", identity: "a", cents: 300, versionAt: 2),
        ]
        let winner = versions[1].contentHash > versions[2].contentHash ? versions[1] : versions[2]
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2, 0]] {
            var records = Records()
            for index in order { records.add(.accepted(.line(versions[index]))) }
            let line = try #require(try records.proved().rows(of: RetailTables.line).first)
            #expect(line["amount"] == .integer(winner.amount))
            #expect(line["log_offset"] == .integer(Int64(order.firstIndex { versions[$0] == winner } ?? -1)))
            #expect(try records.rows(RetailTables.version).count == 2)
            #expect(
                try records.rows(RetailTables.feedTotal) == [
                    RecordTests.total(
                        order.count,
                        distinct: 3,
                        duplicates: order.count - 3,
                        current: 1,
                        superseded: 1,
                        conflicting: 1
                    )
                ]
            )
        }
    }

    @Test func `only closed documents count`() throws {
        var records = Records()
        records.add(.accepted(.sale(Records.sale("a", cents: [100, 50], customer: "c"))))
        records.add(.accepted(.sale(Records.sale("b", status: .open, customer: "c"))))
        records.add(.accepted(.sale(Records.sale("a", versionAt: 1, status: .cancelled, customer: "c"))))
        #expect(try records.rows(RetailTables.salesDay).isEmpty)
        #expect(try records.rows(RetailTables.customerTotal).isEmpty)
        records.add(.accepted(.sale(Records.sale("a", cents: [70], versionAt: 2, customer: "c"))))
        #expect(
            try records.rows(RetailTables.customerTotal) == [
                "customer=pos/c currency=EUR | gross=0.70 returns=0.00 adjustments=0.00 orders=1 documents=1"
            ]
        )
        #expect(try records.rows(RetailTables.line, hiding: []).count == 2)
    }

    @Test func `the winner of one validity start makes the menu`() throws {
        let first = Records.store("s", 10, items: [("p", "old"), ("q", "x")])
        let second = Records.store("s", 10, items: [("p", "new"), ("p", "newer")])
        let winner = first.contentHash > second.contentHash ? first : second
        let later = Records.store("s", 20, items: [("p", "later")], name: "Shop")
        for order in [[first, second, later], [later, second, first, second]] {
            var records = Records()
            for event in order { records.add(.accepted(.reference(event))) }
            let items = try records.rows(RetailTables.menuItem, hiding: ["content_hash", "name", "price"])
            func row(_ product: String, _ from: Int, _ category: String, _ event: ReferenceEvent) -> String {
                let wins = event == winner || event == later ? 1 : 0
                return
                    "store=pos/s product=pos/\(product) valid_from=\(from) | category=pos/\(category) is_winner=\(wins)"
            }
            let expected: Set = [
                row("p", 10, "old", first), row("p", 10, "newer", second), row("p", 20, "later", later),
                row("q", 10, "x", first),
            ]
            #expect(Set(items) == expected)
            let versions = try records.proved().rows(of: RetailTables.referenceVersion)
            #expect(versions.map { $0["outcome"] }.filter { $0 == .integer(0) }.count == 1)
            #expect(versions.map { $0["outcome"] }.filter { $0 == .integer(2) }.count == 1)
            #expect(try records.rows(RetailTables.category).count == 5)
            #expect(
                try records.rows(RetailTables.store) == ["source=pos source_key=s | name=Shop name_at=20 time_zone=UTC"]
            )
            #expect(
                try records.rows(RetailTables.feedTotal) == [
                    RecordTests.total(
                        order.count,
                        distinct: 3,
                        duplicates: order.count - 3,
                        current: 1,
                        superseded: 1,
                        conflicting: 1
                    )
                ]
            )
        }
    }

    @Test func `order counters take the category that was valid`() throws {
        var records = Records()
        records.add(.accepted(.reference(Records.store("s", 10_000_000, items: [("p", "first"), ("q", "first")]))))
        records.add(.accepted(.reference(Records.store("s", 20_000_000, items: [("p", "second")]))))
        for (document, second) in [("a", 5.0), ("b", 15.0), ("c", 25.0)] {
            var sale = Records.sale(
                ByteString(document),
                cents: [100, 100, 100],
                at: second,
                store: "s",
                products: ["p", "q", "p"],
                customer: "u"
            )
            sale.header.isCounted = true
            records.add(.accepted(.sale(sale)))
        }
        #expect(
            try records.rows(RetailTables.userProduct) == [
                "customer=pos/u product=pos/p | orders=3", "customer=pos/u product=pos/q | orders=3",
            ]
        )
        #expect(
            try records.rows(RetailTables.userCategory) == [
                "customer=pos/u category=pos/first | orders=3", "customer=pos/u category=pos/second | orders=1",
            ]
        )
    }

    @Test func `the latest attribute wins, also one of a superseded version`() throws {
        var records = Records()
        records.add(.accepted(.reference(Records.customer("c", 5, name: "B", login: "b"))))
        records.add(.accepted(.reference(Records.customer("c", 7, name: "", login: nil))))
        records.add(.accepted(.reference(Records.customer("c", 6, name: "C", login: "c"))))
        #expect(
            try records.rows(RetailTables.customer) == [
                "source=pos source_key=c | name=C name_at=6 country=null country_at=null login=c login_at=6"
            ]
        )
    }

    @Test func `statuses are kept once each`() throws {
        var sale = Records.sale("a")
        sale.header.statuses = [
            StatusEntry(status: .open, at: 1), StatusEntry(status: .closed, at: 2), StatusEntry(status: .open, at: 1),
        ]
        var records = Records()
        records.add(.accepted(.sale(sale)))
        #expect(
            try records.rows(RetailTables.statusHistory) == [
                "document=pos/a at=1 status=1 | ", "document=pos/a at=2 status=0 | ",
            ]
        )
    }

    @Test func `events read back as they were written`() {
        var sale = Records.sale("a", cents: [100, -50], versionAt: 3, window: Records.policy, customer: "c")
        sale.header.receipt = DocumentHeader.Receipt(id: "r", at: 1, total: 2, paymentMethod: "cash", document: "x")
        sale.header.paid = -7
        sale.header.flags = [.corrected]
        sale.header.statuses = [StatusEntry(status: .cooking, at: 9)]
        sale.header.requires = [ReferenceKey(.product, source: "s", key: "k", store: "t")]
        sale.lines[0].reportedAmount = 5
        sale.lines[0].description = ""
        let reference = Records.store("s", -4, items: [("p", "c")], name: "n")
        for event in [RetailEvent.sale(sale), .reference(reference), .line(sale.lines[1])] {
            var fact = FactWriter()
            fact.event(event)
            var reader = FactReader(Array(fact.bytes))
            #expect(reader.event() == event)
        }
    }

    @Test func `an event has no field that is not written`() {
        let sale = Records.sale("a", window: Records.policy)
        func fields(_ value: Any) -> Int { Mirror(reflecting: value).children.count }
        // Whoever adds a field adds it to EventCodec, to the test above, and here.
        #expect(fields(sale) == 3 && fields(sale.header) == 26 && fields(sale.lines[0]) == 24)
        #expect(fields(Records.policy) == 4 && fields(StatusEntry(status: .open, at: 1)) == 2)
        #expect(fields(ReferenceKey(.store, source: "s", key: "k")) == 4)
        let reference = Records.store("s", 1, items: [("p", "c")])
        #expect(fields(reference) == 9 && fields(reference.items[0]) == 4)
    }

    @Test func `the same rows come out of small buffers on disk`() throws {
        var records = Records()
        for number in 0..<300 {
            let line = Records.line(
                ByteString("d\(number % 37)"),
                identity: ByteString("\(number % 50)"),
                cents: Int64(number % 90 + 1),
                at: Double(number),
                versionAt: Int64(number % 4)
            )
            records.add(.accepted(.line(line)))
            let sale = Records.sale(
                ByteString("s\(number % 23)"),
                cents: [Int64(number)],
                at: Double(number),
                versionAt: Int64(number % 3),
                window: Records.policy
            )
            records.add(.accepted(.sale(sale)))
            if number % 7 == 0 { records.add(.quarantined(reasons: "[]"), id: UInt64(number % 5)) }
        }
        let small = try Proof.contents(of: records.all, scratch: SorterTests.scratch(), bufferBytes: 20_000)
        #expect(try small == records.proved())
        #expect(small.rows.count > 500)
    }
}
