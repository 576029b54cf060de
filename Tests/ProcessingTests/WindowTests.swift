import FaultKit
import Ports
import Primitives
import Proof
import RetailFolds
import RetailModel
import Tables
import Testing

/// The window vectors of spec pos.md 7 (10 s windows, allowed lateness 10 s), and what they leave open.
@Suite struct WindowTests {
    /// Times in seconds after a boundary; receipt times in seconds too.
    struct Sale {
        var store = "STORE_1"
        var at: Double
        var amount: Int64
        var received: Double?
        var key: String?
        var version: Int64 = 0
        var status = SaleStatus.closed
        var sender = ""
        /// Seconds; as the contract of the feed says.
        var length: Int64 = 10
        /// It was in quarantine before.
        var isRedriven = false
    }

    static let boundary: Int64 = 1_731_628_800_000_000

    struct Published: Equatable, CustomStringConvertible {
        var store: String, start: Int64, revision: Int64, old: Int64, new: Int64, cause: Int64
        var description: String { "\(store) \(start) r\(revision) \(old)->\(new) cause \(cause)" }
    }

    struct Outcome {
        var totals: [String: Int64] = [:]
        var open: Set<String> = []
        var published: [Published] = []
        var late = 0
        var clocks = 0
        /// Seconds; nil before the first.
        var watermarks: [String: Int64] = [:]
    }

    static func micros(_ seconds: Double) -> Int64 { boundary + Int64((seconds * 1_000_000).rounded()) }

    static func record(_ sale: Sale, _ index: Int) throws -> RefinedRecord {
        let eur = try #require(Currency("EUR"))
        let time = Timestamp(micros: micros(sale.at))
        let key = ByteString(sale.key ?? "t\(index)")
        var header = DocumentHeader(
            source: "pos",
            document: key,
            store: ByteString(sale.store),
            timeZone: "UTC",
            occurredAt: time,
            day: 0,
            currency: eur
        )
        header.versionAt = sale.version
        header.status = sale.status
        header.window = WindowPolicy(
            length: sale.length * 1_000_000,
            lateness: 10_000_000,
            idle: 30_000_000,
            skew: 60_000_000
        )
        var line = LineEvent(
            source: "pos",
            document: key,
            identity: "1",
            store: header.store,
            timeZone: "UTC",
            product: "p",
            occurredAt: time,
            day: 0,
            hour: 0,
            quantity: 1_000,
            unitPrice: sale.amount,
            amount: sale.amount,
            currency: eur,
            rawTime: ""
        )
        var canonical = ByteBuilder()
        canonical.append(UInt8(sale.status.rawValue))
        line.canonical(into: &canonical)
        line.contentHash = .sha256(of: canonical.bytes)
        canonical.append(Array(sale.store.utf8))
        let event = SaleEvent(
            header: header,
            lines: [line],
            contentHash: .sha256(of: canonical.bytes)
        )
        var record = RefinedRecord(
            outcome: .accepted(.sale(event)),
            offset: Int64(index),
            topic: "feed.pos",
            feed: "pos",
            run: "",
            recordID: Identifier(high: 1, low: UInt64(index)),
            contract: .zero,
            receivedAt: Timestamp(micros: micros(sale.received ?? sale.at)),
            bytes: ""
        )
        record.sender = ByteString(sale.sender)
        if sale.isRedriven { record.action = .redrive }
        return record
    }

    static func tick(_ seconds: Double, _ index: Int) -> RefinedRecord {
        RefinedRecord(
            outcome: .tick,
            offset: Int64(index),
            topic: "feed.pos",
            feed: "pos",
            run: "",
            recordID: Identifier(high: 1, low: UInt64(index)),
            contract: .zero,
            receivedAt: Timestamp(micros: micros(seconds)),
            bytes: ""
        )
    }

    /// Folds in batches of `size`, with a new process between two of them.
    static func run(_ records: [RefinedRecord], size: Int) throws -> Outcome {
        let store = try ProvedTables.fold(records, size: size)
        var names: [Int64: String] = [:]
        for row in store.rows(of: RetailTables.store, prefix: []) {
            names[row[0].integer ?? 0] = row[2].bytes?.description ?? ""
        }
        func seconds(_ cell: Cell) -> Int64 { ((cell.integer ?? 0) - boundary) / 1_000_000 }
        var out = Outcome()
        for row in store.rows(of: RetailTables.storeWatermark, prefix: []) where row[2] != .integer(.min / 2) {
            out.watermarks[names[row[1].integer ?? 0] ?? ""] = seconds(row[2])
        }
        for row in store.rows(of: RetailTables.storeWindow, prefix: []) where row[6] != .integer(0) {
            out.totals["\(names[row[1].integer ?? 0] ?? "") \(seconds(row[2]))"] = Int64(row[5].wide)
        }
        for row in store.rows(of: RetailTables.openWindow, prefix: []) {
            out.open.insert("\(names[row[1].integer ?? 0] ?? "") \(seconds(row[2]))")
        }
        out.published = store.rows(of: RetailTables.windowRevision, prefix: [])
            .sorted { ($0[0].integer ?? 0) < ($1[0].integer ?? 0) }
            .map {
                Published(
                    store: names[$0[1].integer ?? 0] ?? "",
                    start: seconds($0[2]),
                    revision: $0[4].integer ?? 0,
                    old: Int64($0[5].wide),
                    new: Int64($0[6].wide),
                    cause: $0[9].integer ?? 0
                )
            }
        out.late = store.rows(of: RetailTables.lateSale, prefix: []).count
        out.clocks = store.rows(of: RetailTables.storeClock, prefix: []).count
        return out
    }

    static func outcome(_ sales: [Sale], ticks: [Double] = []) throws -> Outcome {
        var records: [RefinedRecord] = []
        for sale in sales {
            if sale.isRedriven {
                var rejected = try record(sale, records.count)
                rejected.action = .receive
                rejected.outcome = .quarantined(reasons: "[]")
                records.append(rejected)
            }
            var record = try record(sale, records.count)
            if sale.isRedriven { record.recordID = records[records.count - 1].recordID }
            records.append(record)
        }
        for tick in ticks { records.append(Self.tick(tick, records.count)) }
        let whole = try run(records, size: 1_000)
        // The same whatever the batches: what is published is a function of the log.
        for size in [1, 2] {
            let other = try run(records, size: size)
            #expect(other.published == whole.published && other.totals == whole.totals && other.open == whole.open)
        }
        return whole
    }

    @Test func `events in order fill their windows per store`() throws {
        let out = try Self.outcome([
            Sale(at: 0, amount: 110_000), Sale(at: 9.999, amount: 220_000),
            Sale(store: "STORE_2", at: 3, amount: 500_000), Sale(at: 10, amount: 700_000),
        ])
        #expect(out.totals == ["STORE_1 0": 330_000, "STORE_1 10": 700_000, "STORE_2 0": 500_000])
        #expect(out.published.isEmpty)
    }

    @Test func `an event inside an open window counts`() throws {
        #expect(
            try Self.outcome([Sale(at: 25, amount: 100_000), Sale(at: 24, amount: 300_000)]).totals
                == ["STORE_1 20": 400_000]
        )
        let out = try Self.outcome([Sale(at: 8, amount: 100_000), Sale(at: 2, amount: 200_000)])
        #expect(out.totals == ["STORE_1 0": 300_000])
        #expect(out.late == 0)
    }

    @Test func `stores do not make each other late`() throws {
        let out = try Self.outcome([Sale(at: 25, amount: 100_000), Sale(store: "STORE_2", at: 5, amount: 200_000)])
        #expect(out.totals == ["STORE_1 20": 100_000, "STORE_2 0": 200_000])
        #expect(out.late == 0)
    }

    @Test func `a late event is on the late stream and corrects its window`() throws {
        let out = try Self.outcome([Sale(at: 25, amount: 100_000), Sale(at: 5, amount: 200_000)])
        #expect(out.totals == ["STORE_1 20": 100_000, "STORE_1 0": 200_000])
        #expect(out.late == 1)
        #expect(
            out.published == [Published(store: "STORE_1", start: 0, revision: 1, old: 0, new: 200_000, cause: 2)]
        )
    }

    @Test func `a published window is corrected with old and new`() throws {
        let out = try Self.outcome([
            Sale(at: 5, amount: 100_000), Sale(at: 21, amount: 100_000), Sale(at: 6, amount: 50_000),
            Sale(at: 7, amount: 1),
        ])
        #expect(
            out.published == [
                Published(store: "STORE_1", start: 0, revision: 1, old: 0, new: 100_000, cause: 0),
                Published(store: "STORE_1", start: 0, revision: 2, old: 100_000, new: 150_000, cause: 2),
                Published(store: "STORE_1", start: 0, revision: 3, old: 150_000, new: 150_001, cause: 2),
            ]
        )
        #expect(out.open == ["STORE_1 20"])
    }

    @Test func `the watermark passes a window by its lateness, not before`() throws {
        #expect(try Self.outcome([Sale(at: 5, amount: 1), Sale(at: 19.999999, amount: 1)]).published.isEmpty)
        #expect(try Self.outcome([Sale(at: 5, amount: 1), Sale(at: 20, amount: 1)]).published.count == 1)
    }

    @Test func `the same transaction twice counts once`() throws {
        let out = try Self.outcome([
            Sale(at: 1, amount: 500_000, key: "x"), Sale(at: 1, amount: 500_000, key: "x"),
        ])
        #expect(out.totals == ["STORE_1 0": 500_000])
    }

    @Test func `a cancelled sale leaves a published window as a correction`() throws {
        let out = try Self.outcome([
            Sale(at: 5, amount: 100_000, key: "x", version: 1), Sale(at: 30, amount: 1),
            Sale(at: 5, amount: 100_000, received: 31, key: "x", version: 2, status: .cancelled),
        ])
        #expect(
            out.published.last == Published(store: "STORE_1", start: 0, revision: 2, old: 100_000, new: 0, cause: 3)
        )
        #expect(out.late == 0)
    }

    @Test func `a failed payment is in no window`() throws {
        #expect(try Self.outcome([Sale(at: 1, amount: 5, status: .failed)]).totals.isEmpty)
    }

    @Test func `an idle store is published when receipt time says so`() throws {
        let sales = [Sale(at: 1, amount: 5), Sale(at: 12, amount: 6)]
        #expect(try Self.outcome(sales, ticks: [41.9]).published.isEmpty)
        let out = try Self.outcome(sales, ticks: [42])
        #expect(out.published.map(\.start) == [0, 10])
        #expect(out.published.map(\.cause) == [1, 1])
        // What comes for them later is late.
        let after = try Self.outcome(
            sales + [Sale(at: 50, amount: 1, received: 50), Sale(at: 13, amount: 2, received: 51)]
        )
        #expect(after.published.last?.cause == 2)
    }

    @Test func `a clock that is ahead counts but makes nobody late`() throws {
        let out = try Self.outcome([
            Sale(at: 1, amount: 5), Sale(at: 500, amount: 7, received: 2), Sale(at: 2, amount: 6, received: 3),
        ])
        #expect(out.totals == ["STORE_1 0": 11, "STORE_1 500": 7])
        #expect(out.published.isEmpty && out.late == 0)
    }

    @Test func `a slow till of a store holds its windows open until it is idle`() throws {
        let sales = [
            Sale(at: 1, amount: 5, sender: "a"), Sale(at: 2, amount: 5, sender: "b"),
            Sale(at: 25, amount: 1, received: 25, sender: "a"),
        ]
        #expect(try Self.outcome(sales).published.isEmpty)
        let later = sales + [Sale(at: 33, amount: 1, received: 33, sender: "a")]
        #expect(try Self.outcome(later).published.map(\.start) == [0])
    }

    @Test func `idleness closes only what receipt time has reached`() throws {
        // The second till is 500 s ahead; then nothing comes for longer than the idle time.
        let sales = [Sale(at: 1, amount: 5), Sale(at: 500, amount: 7, received: 2)]
        let idle = try Self.outcome(sales, ticks: [33])
        #expect(idle.published == [Published(store: "STORE_1", start: 0, revision: 1, old: 0, new: 5, cause: 1)])
        #expect(idle.open == ["STORE_1 500"])
        #expect(idle.watermarks == ["STORE_1": 20])
        // What comes in time afterwards is not late.
        let after = try Self.outcome(sales + [Sale(at: 60, amount: 1, received: 60)])
        #expect(after.late == 0 && after.published == idle.published)
        #expect(after.open == ["STORE_1 60", "STORE_1 500"])
        // Receipt time reaches it: its end and the lateness.
        #expect(try Self.outcome(sales, ticks: [519.999_999]).open == ["STORE_1 500"])
        let reached = try Self.outcome(sales, ticks: [33, 520])
        #expect(reached.published.map(\.start) == [0, 500] && reached.published.map(\.cause) == [1, 1])
        #expect(reached.open.isEmpty && reached.watermarks == ["STORE_1": 520])
    }

    @Test func `a window in the far future makes nobody wait for it, nor late`() throws {
        let year2099 = 2_366_841_600.0
        let out = try Self.outcome([
            Sale(at: year2099, amount: 7, received: 1), Sale(at: 2, amount: 5), Sale(at: 40, amount: 5),
            Sale(at: 80, amount: 5), Sale(at: 79, amount: 5, received: 81),
        ])
        #expect(out.late == 0)
        #expect(out.published.map(\.start) == [0, 40] && out.watermarks == ["STORE_1": 80])
    }

    @Test func `a store whose window length changed closes by the length of its latest sale`() throws {
        // The window of 60 s, [0, 60), is asked for by the 10 s that hold since the second sale.
        let sales = [Sale(at: 1, amount: 5, length: 60), Sale(at: 2, amount: 5)]
        #expect(try Self.outcome(sales, ticks: [31.9]).published.isEmpty)
        #expect(try Self.outcome(sales, ticks: [32]).published.map(\.cause) == [1])
        let longer = [Sale(at: 1, amount: 5), Sale(at: 2, amount: 5, length: 60)]
        #expect(try Self.outcome(longer, ticks: [69.9]).published.isEmpty)
        #expect(try Self.outcome(longer, ticks: [70]).published.map(\.cause) == [1])
    }

    @Test func `what is waited for is the first window that receipt time and idleness can close`() throws {
        func waiting(_ sales: [Sale]) throws -> Double? {
            let store = MemoryTables(MemoryTables.Storage(RetailTables.all))
            var fold = RetailFold()
            _ = try fold.apply(sales.enumerated().map { try Self.record($1, $0) }, from: store)
            return fold.waiting["feed.pos"].map { Double($0 - Self.boundary) / 1_000_000 }
        }
        #expect(try waiting([]) == nil)
        #expect(try waiting([Sale(at: 1, amount: 5)]) == 31)
        #expect(try waiting([Sale(at: 500, amount: 5, received: 2)]) == 520)
        #expect(try waiting([Sale(at: 500, amount: 5, received: 2), Sale(at: 3, amount: 5)]) == 33)
        let two = [Sale(at: 500, amount: 5, received: 2), Sale(store: "STORE_2", at: 7, amount: 5)]
        #expect(try waiting(two) == 37)
    }

    @Test func `windows of a store known only by redriven sales close when it is idle`() throws {
        let sales = [Sale(at: 1, amount: 5, received: 100, isRedriven: true)]
        let early = try Self.outcome(sales, ticks: [129.9])
        #expect(early.open == ["STORE_1 0"] && early.watermarks.isEmpty)
        let out = try Self.outcome(sales, ticks: [130])
        #expect(out.published == [Published(store: "STORE_1", start: 0, revision: 1, old: 0, new: 5, cause: 1)])
        #expect(out.watermarks == ["STORE_1": 20])
        // Its first own sale sets the clock as it does in a store that nobody knew.
        let after = try Self.outcome(sales + [Sale(at: 105, amount: 6)])
        #expect(after.published.map(\.cause) == [0] && after.watermarks == ["STORE_1": 105])
    }

    @Test func `a sender that invents names costs a bounded number of clocks`() throws {
        var sales = (0..<300).map { Sale(at: Double($0) / 10, amount: 1, sender: "till-\($0)") }
        // The first was forgotten: it comes back as one that nobody knew, and forgets another.
        sales.append(Sale(at: 30, amount: 1, sender: "till-0"))
        sales.append(Sale(at: 31, amount: 1, sender: "till-299"))
        let out = try Self.outcome(sales)
        #expect(out.clocks == 256)
        #expect(out.late == 0 && out.totals.values.reduce(0, +) == 302)
    }
}
