import Primitives
import RetailModel
import Testing

@testable import Proof

/// The window vectors of the POS contract: seconds after a boundary, allowed lateness 10 s.
@Suite struct WindowTests {
    private struct Sale {
        var store: ByteString = "STORE_1"
        var second: Double
        var cents: Int64
    }

    private static func records(_ sales: [Sale]) -> Records {
        var records = Records()
        for (number, sale) in sales.enumerated() {
            let event = Records.sale(
                ByteString("d\(number)"),
                cents: [sale.cents],
                at: sale.second,
                store: sale.store,
                window: Records.policy
            )
            records.add(.accepted(.sale(event)))
        }
        return records
    }

    private static func windows(_ sales: [Sale]) throws -> [String] {
        try records(sales).rows(RetailTables.storeWindow, hiding: ["currency", "window_end"])
    }

    @Test func `events in order fill their windows`() throws {
        let sales = [
            Sale(second: 0, cents: 110), Sale(second: 9.999, cents: 220), Sale(store: "STORE_2", second: 3, cents: 500),
            Sale(second: 10, cents: 700),
        ]
        #expect(
            try Self.windows(sales) == [
                "store=pos/STORE_1 window_start=0 | total=3.30 sale_count=2 revision=0 late_count=0",
                "store=pos/STORE_1 window_start=10000000 | total=7.00 sale_count=1 revision=0 late_count=0",
                "store=pos/STORE_2 window_start=0 | total=5.00 sale_count=1 revision=0 late_count=0",
            ]
        )
    }

    @Test func `an earlier event inside an open window counts`() throws {
        #expect(
            try Self.windows([Sale(second: 25, cents: 100), Sale(second: 24, cents: 300)]) == [
                "store=pos/STORE_1 window_start=20000000 | total=4.00 sale_count=2 revision=0 late_count=0"
            ]
        )
        #expect(
            try Self.windows([Sale(second: 8, cents: 100), Sale(second: 2, cents: 200)]) == [
                "store=pos/STORE_1 window_start=0 | total=3.00 sale_count=2 revision=0 late_count=0"
            ]
        )
    }

    @Test func `stores do not make each other late`() throws {
        let sales = [Sale(second: 25, cents: 100), Sale(store: "STORE_2", second: 5, cents: 200)]
        #expect(try Self.records(sales).rows(RetailTables.lateSale).isEmpty)
        #expect(
            try Self.windows(sales) == [
                "store=pos/STORE_1 window_start=20000000 | total=1.00 sale_count=1 revision=0 late_count=0",
                "store=pos/STORE_2 window_start=0 | total=2.00 sale_count=1 revision=0 late_count=0",
            ]
        )
    }

    @Test func `a late event goes to the late stream and then corrects its window`() throws {
        let sales = [Sale(second: 25, cents: 100), Sale(second: 5, cents: 200)]
        let records = Self.records(sales)
        #expect(
            try Self.windows(sales) == [
                "store=pos/STORE_1 window_start=0 | total=2.00 sale_count=1 revision=1 late_count=1",
                "store=pos/STORE_1 window_start=20000000 | total=1.00 sale_count=1 revision=0 late_count=0",
            ]
        )
        #expect(
            try records.rows(RetailTables.lateSale) == [
                "document=pos/d1 window_start=0 log_offset=1 | store=pos/STORE_1 occurred_at=5000000 received_at=1002000000"
            ]
        )
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | old_total=0.00 total=2.00 old_count=0 sale_count=1 cause=2 published_at=1002000000 log_offset=1"
            ]
        )
    }

    @Test func `tenths add up and a repeated sale counts once`() throws {
        var records = Self.records((0..<3).map { Sale(second: Double($0), cents: 10) })
        records.add(records.all[0].outcome)
        #expect(
            try records.rows(RetailTables.storeWindow, hiding: ["currency", "window_end"]) == [
                "store=pos/STORE_1 window_start=0 | total=0.30 sale_count=3 revision=0 late_count=0"
            ]
        )
    }

    @Test func `the watermark publishes a window once it is passed by the lateness`() throws {
        let records = Self.records([
            Sale(second: 1, cents: 100), Sale(second: 19.9, cents: 100), Sale(second: 20, cents: 100),
        ])
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | old_total=0.00 total=1.00 old_count=0 sale_count=1 cause=0 published_at=1003000000 log_offset=2"
            ]
        )
        #expect(
            try records.rows(RetailTables.openWindow, hiding: ["currency"]) == [
                "store=pos/STORE_1 window_start=10000000 | ", "store=pos/STORE_1 window_start=20000000 | ",
            ]
        )
        #expect(
            try records.rows(RetailTables.storeWatermark, hiding: ["length", "lateness", "idle", "topic"]) == [
                "store=pos/STORE_1 | watermark=20000000 received_at=1003000000"
            ]
        )
    }

    @Test func `a tick publishes the windows of an idle store`() throws {
        var records = Self.records([Sale(second: 1, cents: 100), Sale(second: 12, cents: 100)])
        records.add(.tick, at: records.clock + 59_999_999)
        #expect(try records.rows(RetailTables.windowRevision).isEmpty)
        records.add(.tick, at: 1_002_000_000 + 60_000_000)
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency", "old_total", "old_count"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | total=1.00 sale_count=1 cause=1 published_at=1062000000 log_offset=3",
                "store=pos/STORE_1 window_start=10000000 revision=1 | total=1.00 sale_count=1 cause=1 published_at=1062000000 log_offset=3",
            ]
        )
        #expect(
            try records.rows(RetailTables.storeWatermark, hiding: ["length", "lateness", "idle", "topic"]) == [
                "store=pos/STORE_1 | watermark=30000000 received_at=1002000000"
            ]
        )
        #expect(try records.rows(RetailTables.feedTotal).first?.contains("received=2 ") == true)
    }

    @Test func `a correction of a published window is no late sale`() throws {
        var records = Self.records([Sale(second: 1, cents: 100), Sale(second: 30, cents: 100)])
        let newer = Records.sale("d0", cents: [250], at: 1, versionAt: 5, window: Records.policy)
        records.add(.accepted(.sale(newer)))
        #expect(try records.rows(RetailTables.lateSale).isEmpty)
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency", "published_at"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | old_total=0.00 total=1.00 old_count=0 sale_count=1 cause=0 log_offset=1",
                "store=pos/STORE_1 window_start=0 revision=2 | old_total=1.00 total=2.50 old_count=1 sale_count=1 cause=3 log_offset=2",
            ]
        )
    }

    @Test func `a sale far ahead of its receipt counts and moves no watermark`() throws {
        var records = Records()
        let policy = WindowPolicy(length: 10_000_000, lateness: 0, idle: 60_000_000, skew: 5_000_000)
        records.add(.accepted(.sale(Records.sale("a", at: 1, window: policy))), at: 2_000_000)
        records.add(.accepted(.sale(Records.sale("b", at: 900, window: policy))), at: 3_000_000)
        #expect(
            try records.rows(RetailTables.storeClock) == [
                "store=pos/STORE_1 sender= | event_max=1000000 received_at=3000000"
            ]
        )
        #expect(try records.rows(RetailTables.openWindow).count == 2)
    }

    @Test func `the slowest live sender holds the watermark back`() throws {
        var records = Records()
        func add(_ document: ByteString, _ second: Double, _ sender: ByteString, at: Int64) {
            let sale = Records.sale(document, at: second, window: Records.policy)
            records.add(.accepted(.sale(sale)), sender: sender, at: at)
        }
        add("a", 5, "x", at: 100_000_000)
        add("b", 50, "y", at: 101_000_000)
        #expect(try records.rows(RetailTables.windowRevision).isEmpty)
        // Nothing came from x for 60 s: it is not waited for any more.
        add("c", 51, "y", at: 160_500_000)
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency", "published_at"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | old_total=0.00 total=1.00 old_count=0 sale_count=1 cause=0 log_offset=2"
            ]
        )
        #expect(
            try records.rows(RetailTables.storeWatermark, hiding: ["length", "lateness", "idle", "topic"]) == [
                "store=pos/STORE_1 | watermark=51000000 received_at=160500000"
            ]
        )
    }

    @Test func `idle stores are published before the record that shows it`() throws {
        var records = Self.records([Sale(second: 1, cents: 100)])
        let late = Records.sale("b", at: 2, window: Records.policy)
        records.add(.accepted(.sale(late)), at: 1_001_000_000 + 60_000_000)
        #expect(
            try records.rows(RetailTables.windowRevision, hiding: ["currency", "published_at"]) == [
                "store=pos/STORE_1 window_start=0 revision=1 | old_total=0.00 total=1.00 old_count=0 sale_count=1 cause=1 log_offset=1",
                "store=pos/STORE_1 window_start=0 revision=2 | old_total=1.00 total=2.00 old_count=1 sale_count=2 cause=2 log_offset=1",
            ]
        )
        #expect(try records.rows(RetailTables.lateSale).count == 1)
    }

    @Test func `a sale that leaves its window leaves a zero`() throws {
        var records = Self.records([Sale(second: 1, cents: 100)])
        records.add(
            .accepted(.sale(Records.sale("d0", at: 1, versionAt: 1, status: .cancelled, window: Records.policy)))
        )
        #expect(
            try records.rows(RetailTables.storeWindow, hiding: ["currency", "window_end"]) == [
                "store=pos/STORE_1 window_start=0 | total=0.00 sale_count=0 revision=0 late_count=0"
            ]
        )
    }

    private static let short = WindowPolicy(
        length: 10_000_000,
        lateness: 10_000_000,
        idle: 30_000_000,
        skew: 60_000_000
    )

    private static func marks(_ records: Records) throws -> [String] {
        try records.rows(RetailTables.storeWatermark, hiding: ["length", "lateness", "idle", "topic"])
    }

    @Test func `idleness closes only what receipt time has reached`() throws {
        var records = Records()
        records.add(.accepted(.sale(Records.sale("a", at: 1, window: Self.short))), at: 1_000_000)
        records.add(.accepted(.sale(Records.sale("b", at: 500, window: Self.short))), at: 2_000_000)
        records.add(.tick, at: 33_000_000)
        #expect(
            try records.rows(RetailTables.openWindow, hiding: ["currency"]) == [
                "store=pos/STORE_1 window_start=500000000 | "
            ]
        )
        #expect(try Self.marks(records) == ["store=pos/STORE_1 | watermark=20000000 received_at=2000000"])
        var later = records
        later.add(.accepted(.sale(Records.sale("c", at: 60, window: Self.short))), at: 60_000_000)
        #expect(try later.rows(RetailTables.lateSale).isEmpty)
        records.add(.tick, at: 519_999_999)
        #expect(try records.rows(RetailTables.openWindow).count == 1)
        records.add(.tick, at: 520_000_000)
        #expect(try records.rows(RetailTables.openWindow).isEmpty)
        #expect(try Self.marks(records) == ["store=pos/STORE_1 | watermark=520000000 received_at=2000000"])
    }

    @Test func `windows of a store known only by redriven sales close when it is idle`() throws {
        var records = Records()
        records.add(.quarantined(reasons: "[]"), id: 7, bytes: "x", at: 99_000_000)
        let sale = Records.sale("a", at: 1, window: Self.short)
        records.add(.accepted(.sale(sale)), action: .redrive, id: 7, bytes: "x", at: 100_000_000)
        records.add(.tick, at: 129_999_999)
        #expect(try records.rows(RetailTables.openWindow).count == 1)
        #expect(
            try Self.marks(records) == ["store=pos/STORE_1 | watermark=\(Int64.min / 2) received_at=100000000"]
        )
        #expect(try records.rows(RetailTables.storeClock).isEmpty)
        records.add(.tick, at: 130_000_000)
        #expect(try records.rows(RetailTables.openWindow).isEmpty)
        #expect(try Self.marks(records) == ["store=pos/STORE_1 | watermark=20000000 received_at=100000000"])
    }
}
