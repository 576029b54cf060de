import Ports
import Primitives
import RecordBatch
import RetailModel
import Testing

@testable import Refine

/// Records that processing gets as they were refined when they were received.
@Suite struct FreshRecordsTests {
    private static let partition = TopicPartition(feed: "invoices")

    private static func records(_ count: Int) throws -> [RefinedRecord] {
        let envelope = try Desk("Contracts/invoices.yaml").envelope()
        return (0..<count).map { number in
            RefinedRecord(
                outcome: .tick,
                offset: -1,
                topic: "t",
                feed: "invoices",
                run: "",
                recordID: envelope.recordIDBase.item(number),
                contract: envelope.contract,
                receivedAt: envelope.receivedAt,
                bytes: ""
            )
        }
    }

    private static func keep(_ fresh: FreshRecords, at base: Int64, _ count: Int, bytes: Int = 10) throws {
        let receipt = LogReceipt(partition: partition, offsets: base..<base + Int64(count))
        fresh.keep(try records(count), of: receipt, bytes: bytes)
    }

    private static func take(_ fresh: FreshRecords, from offset: Int64) -> [Int64]? {
        var out: [RefinedRecord] = []
        let end = fresh.take(partition, from: offset, into: &out)
        #expect((end == nil) == out.isEmpty && end == out.last.map { $0.offset + 1 })
        return end == nil ? nil : out.map(\.offset)
    }

    @Test func `what follows without a gap is taken once`() throws {
        let fresh = FreshRecords()
        try Self.keep(fresh, at: 5, 2)
        try Self.keep(fresh, at: 7, 1)
        try Self.keep(fresh, at: 9, 1)
        #expect(Self.take(fresh, from: 3) == nil)
        #expect(Self.take(fresh, from: 5) == [5, 6, 7])
        #expect(Self.take(fresh, from: 8) == nil)
        #expect(Self.take(fresh, from: 9) == [9])
        #expect(Self.take(fresh, from: 9) == nil)
        var none: [RefinedRecord] = []
        #expect(fresh.take(TopicPartition(feed: "pos"), from: 0, into: &none) == nil)
    }

    @Test func `what was read from the log meanwhile is forgotten, also a batch that was read in part`() throws {
        let fresh = FreshRecords()
        try Self.keep(fresh, at: 0, 2)
        try Self.keep(fresh, at: 2, 3)
        try Self.keep(fresh, at: 5, 1)
        #expect(Self.take(fresh, from: 3) == nil)
        #expect(Self.take(fresh, from: 5) == [5])
    }

    @Test func `no more than asked for is taken, in whole batches`() throws {
        let fresh = FreshRecords()
        for base in 0..<6 as Range<Int64> { try Self.keep(fresh, at: base, 1, bytes: 100) }
        var out: [RefinedRecord] = []
        #expect(fresh.take(Self.partition, from: 0, bytesMax: 250, into: &out) == 3)
        #expect(fresh.has(Self.partition, at: 3) && !fresh.has(Self.partition, at: 2))
        #expect(!fresh.has(Self.partition, at: 6) && !fresh.has(TopicPartition(feed: "pos"), at: 0))
        #expect(Self.take(fresh, from: 3) == [3, 4, 5])
    }

    @Test func `a line that is never empty does not grow`() throws {
        let fresh = FreshRecords()
        try Self.keep(fresh, at: 0, 1, bytes: 100)
        for next in 1..<20_000 as Range<Int64> {
            try Self.keep(fresh, at: next, 1, bytes: 100)
            var out: [RefinedRecord] = []
            #expect(fresh.take(Self.partition, from: next - 1, bytesMax: 1, into: &out) == next)
        }
        #expect(fresh.slots < 2_048)
    }

    @Test func `nothing is asked for while processing is far behind`() throws {
        let fresh = FreshRecords()
        fresh.note(lag: Int64(FreshRecords.recordsMax))
        #expect(fresh.hasRoom)
        fresh.note(lag: Int64(FreshRecords.recordsMax) + 1)
        #expect(!fresh.hasRoom)
        fresh.note(lag: 0)
        #expect(fresh.hasRoom)
    }

    @Test func `no more than its bounds are kept, and what is taken makes room`() throws {
        let fresh = FreshRecords()
        try Self.keep(fresh, at: 0, FreshRecords.recordsMax - 1)
        #expect(fresh.hasRoom)
        try Self.keep(fresh, at: 40_000, 2)
        #expect(fresh.hasRoom)
        try Self.keep(fresh, at: Int64(FreshRecords.recordsMax - 1), 1)
        #expect(!fresh.hasRoom)
        try Self.keep(fresh, at: Int64(FreshRecords.recordsMax), 1)
        #expect(Self.take(fresh, from: 0)?.count == FreshRecords.recordsMax)
        #expect(fresh.hasRoom)
        try Self.keep(fresh, at: 50_000, 1, bytes: FreshRecords.bytesMax)
        #expect(!fresh.hasRoom)
        #expect(Self.take(fresh, from: 60_000) == nil)
        #expect(fresh.hasRoom)
    }

    /// A sale, bad bytes, a CSV row and a bad one: as they are received, and as they are read from the log.
    @Test func `a record is the same on both ways`() throws {
        let csv = PayloadFormat.csv(header: Desk.header, separator: 0x2C)
        let good = "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"
        let cases: [(contract: String, format: PayloadFormat, records: [String])] = [
            ("Contracts/invoices.yaml", .json, [invoiceLine(), invoiceLine(["Quantity": "0"]), "[1", invoiceLine()]),
            ("Contracts/invoices.yaml", csv, [good, "nonsense", good]),
            ("Contracts/invoices.yaml", .unknown(mediaType: "text/plain"), [invoiceLine()]),
            ("Contracts/orders.yaml", .json, ["{}", "\"{}\""]),
        ]
        for one in cases {
            var desk = try Desk(one.contract)
            var envelope = desk.envelope(one.format)
            envelope.sender = "till-7"
            envelope.senderSequence = 12
            envelope.run = "run"
            envelope.recordIDBase = Identifier(high: 3, low: 4)
            var builder = RecordBatchBuilder(baseTimestamp: 0)
            var fresh: [RefinedRecord] = []
            for (index, record) in one.records.enumerated() {
                let bytes = Array(record.utf8)
                builder.append(bytes[...])
                let id = envelope.recordIDBase.item(index)
                let received = try desk.refiner.receive(bytes, bytes.indices, envelope, recordID: id, isKept: true)
                var refined = try #require(received.record)
                refined.offset = 100 + Int64(index)
                fresh.append(refined)
            }
            let bytes = builder.finish()
            let batch = LoggedBatch(
                envelope: envelope,
                baseOffset: 100,
                recordCount: one.records.count,
                buffer: bytes,
                range: bytes.indices
            )
            var read: [RefinedRecord] = []
            try desk.refiner.refine(batch, topic: TopicPartition(feed: envelope.feed).topic, from: 0, into: &read)
            #expect(read.map { "\($0)" } == fresh.map { "\($0)" })
            #expect(read.count == one.records.count && read.contains { $0.sender == "till-7" })
        }
    }
}

extension FreshRecords {
    /// With a budget of bytes alone.
    fileprivate func take(
        _ partition: TopicPartition,
        from offset: Int64,
        bytesMax: Int = .max,
        into out: inout [RefinedRecord]
    ) -> Int64? {
        var budget = SliceBudget(records: .max, bytes: bytesMax)
        return take(partition, from: offset, budget: &budget, into: &out)
    }
}
