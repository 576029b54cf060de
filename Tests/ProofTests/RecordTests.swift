import Primitives
import RetailModel
import Testing

@testable import Proof

/// Quarantine, redrive, parking and senders: what happens to records as records.
@Suite struct RecordTests {
    static func totals(_ records: Records) throws -> [String] {
        try records.rows(RetailTables.feedTotal)
    }

    static func total(
        _ received: Int,
        feed: String = "pos",
        distinct: Int = 0,
        duplicates: Int = 0,
        quarantined: Int = 0,
        parked: Int = 0,
        current: Int = 0,
        superseded: Int = 0,
        conflicting: Int = 0
    ) -> String {
        "run=\(feed)/ | received=\(received) distinct_events=\(distinct) duplicates=\(duplicates) quarantined=\(quarantined) parked=\(parked) current=\(current) superseded=\(superseded) conflicting=\(conflicting)"
    }

    @Test func `a rejected record is one row, however often it comes`() throws {
        var records = Records()
        records.add(.quarantined(reasons: "[1]"), id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[2]"), id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[3]"), id: 8, bytes: "bad")
        #expect(try Self.totals(records) == [Self.total(3, duplicates: 1, quarantined: 2)])
        // Each: 320 for keys and indexes, 3 of the record, 3 of its reasons.
        #expect(try records.rows(RetailTables.quarantineUsage) == ["run=pos/ | entries=2 bytes=652"])
        let rows = try records.rows(
            RetailTables.quarantine,
            hiding: ["record_id", "content_hash", "contract", "csv_header", "csv_separator"]
        )
        #expect(
            rows == [
                "feed=pos | bytes=626164 reasons=[1] first_seen=1001000000 attempts=1 resolved_at=null topic=feed.pos log_offset=0",
                "feed=pos | bytes=626164 reasons=[3] first_seen=1003000000 attempts=1 resolved_at=null topic=feed.pos log_offset=2",
            ]
        )
    }

    @Test func `a redriven record counts as received once it is accepted`() throws {
        var records = Records()
        records.add(.quarantined(reasons: "[1]"), id: 7, bytes: "bad", run: "r")
        records.add(.quarantined(reasons: "[2]"), action: .redrive, id: 7, bytes: "bad")
        records.add(.accepted(.sale(Records.sale("d"))), action: .redrive, id: 7, bytes: "bad")
        // It is resolved: nothing happens any more.
        records.add(.accepted(.sale(Records.sale("e"))), action: .redrive, id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[3]"), action: .discard, id: 7, bytes: "bad")
        #expect(try Self.totals(records) == [Self.total(1, distinct: 1, current: 1)])
        #expect(
            try records.rows(
                RetailTables.quarantine,
                hiding: ["record_id", "content_hash", "contract", "bytes", "csv_header", "csv_separator"]
            ) == [
                "feed=pos | reasons=[2] first_seen=1001000000 attempts=3 resolved_at=1003000000 topic=feed.pos log_offset=0"
            ]
        )
        #expect(try records.rows(RetailTables.quarantineUsage).isEmpty)
        #expect(try records.rows(RetailTables.document, hiding: []).count == 1)
        #expect(
            try records.rows(RetailTables.runTotal).first?.hasPrefix("run=pos/r | received=1 distinct_events=0") == true
        )
    }

    @Test func `redrive and discard of what is not there change nothing`() throws {
        var records = Records()
        records.add(.accepted(.sale(Records.sale("d"))), action: .redrive, id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[]"), action: .discard, id: 7, bytes: "bad")
        #expect(try records.proved().rows.isEmpty)
    }

    @Test func `a discarded record stays counted as quarantined and frees its bytes`() throws {
        var records = Records()
        records.add(.quarantined(reasons: "[1]"), id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[1]"), action: .discard, id: 7, bytes: "bad")
        records.add(.quarantined(reasons: "[1]"), id: 7, bytes: "bad")
        #expect(try Self.totals(records) == [Self.total(2, duplicates: 1, quarantined: 1)])
        #expect(try records.rows(RetailTables.quarantineUsage).isEmpty)
    }

    static func needing(_ keys: [ReferenceKey], _ document: ByteString = "d") -> SaleEvent {
        var sale = Records.sale(document)
        sale.header.requires = keys
        return sale
    }

    static let customer = ReferenceKey(.customer, source: "pos", key: "c:1")
    static let product = ReferenceKey(.product, source: "pos", key: "p", store: "s")

    @Test func `a record waits for its references and names those that are missing`() throws {
        var records = Records()
        let sale = Outcome.accepted(.sale(Self.needing([Self.product, Self.customer])))
        records.add(sale, id: 7, bytes: "x", run: "r", sender: "till")
        records.add(sale, id: 7, bytes: "x")
        #expect(try Self.totals(records) == [Self.total(2, duplicates: 1, parked: 1)])
        records.add(.accepted(.reference(Records.customer("c:1", 1, name: "N"))), feed: "people")
        #expect(
            try records.rows(
                RetailTables.parked,
                hiding: ["record_id", "content_hash", "contract"]
            ) == [
                "feed=pos | bytes=78 missing=\"[\\\"product:pos:s:p\\\"]\" first_seen=1001000000 run=r sender=till csv_header=null csv_separator=0 topic=feed.pos log_offset=0"
                    .replacing("\\\"", with: "\"")
            ]
        )
        #expect(
            try records.rows(RetailTables.parkedNeed, hiding: ["record_id", "content_hash"]) == [
                "need=product:pos:s:p log_offset=0 feed=pos | "
            ]
        )
        #expect(try records.rows(RetailTables.document).isEmpty)

        records.add(.accepted(.reference(Records.store("s", 1, items: [("p", "c")]))), feed: "people")
        records.add(sale, id: 7, bytes: "x")
        #expect(
            try Self.totals(records) == [
                Self.total(2, feed: "people", distinct: 2, current: 2),
                Self.total(3, distinct: 1, duplicates: 2, current: 1),
            ]
        )
        #expect(try records.rows(RetailTables.parked).isEmpty)
        #expect(try records.rows(RetailTables.parkedNeed).isEmpty)
        #expect(try records.rows(RetailTables.document, hiding: []).count == 1)
    }

    @Test func `a record whose references are there is not parked`() throws {
        var records = Records()
        records.add(.accepted(.reference(Records.customer("c:1", 1, name: "N"))))
        records.add(.accepted(.sale(Self.needing([Self.customer]))))
        #expect(try Self.totals(records) == [Self.total(2, distinct: 2, current: 2)])
    }

    @Test func `a redriven record may be parked and then counts`() throws {
        var records = Records()
        records.add(.quarantined(reasons: "[1]"), id: 7, bytes: "x")
        records.add(.accepted(.sale(Self.needing([Self.customer]))), action: .redrive, id: 7, bytes: "x")
        #expect(try Self.totals(records) == [Self.total(1, parked: 1)])
        records.add(.accepted(.reference(Records.customer("c:1", 1, name: "N"))))
        #expect(try Self.totals(records) == [Self.total(2, distinct: 2, current: 2)])
    }

    @Test func `sequence numbers of a sender become ranges`() throws {
        var records = Records()
        for (sequence, second) in [(5, 1.0), (6, 9.0), (9, 2.0), (8, 3.0), (1, 4.0), (6, 5.0)] {
            let sale = Records.sale(ByteString("d\(sequence)"), at: second)
            records.add(.accepted(.sale(sale)), sender: "till", sequence: Int64(sequence))
        }
        records.add(.quarantined(reasons: "[]"), sender: "till", sequence: 2)
        records.add(.accepted(.sale(Records.sale("z"))), action: .redrive, sender: "till", sequence: 77)
        records.add(.accepted(.sale(Records.sale("z"))), sequence: 78)
        #expect(
            try records.rows(RetailTables.senderRange) == [
                "feed=pos name=till epoch= low=1 | high=2 event_max=4000000",
                "feed=pos name=till epoch= low=5 | high=6 event_max=9000000",
                "feed=pos name=till epoch= low=8 | high=9 event_max=3000000",
            ]
        )
        #expect(
            try records.rows(RetailTables.sender) == [
                "feed=pos name=till epoch= | records=7 first_seen=1001000000 last_seen=1007000000 event_max=9000000 delay_min=993000000 gaps_from=null hidden_from=null"
            ]
        )
    }

    @Test func `a sender keeps a thousand ranges, then the lowest but the first are one`() throws {
        var records = Records()
        for number in 0...1_001 {
            records.add(.quarantined(reasons: "[]"), sender: "till", sequence: Int64(2 * number))
        }
        let ranges = try records.rows(RetailTables.senderRange)
        #expect(ranges.count == 1_000)
        #expect(
            ranges.prefix(2) == [
                "feed=pos name=till epoch= low=0 | high=0 event_max=null",
                "feed=pos name=till epoch= low=2 | high=6 event_max=null",
            ]
        )
        #expect(
            try records.rows(RetailTables.sender).first?.hasSuffix("delay_min=null gaps_from=6 hidden_from=3") == true
        )
    }
}
