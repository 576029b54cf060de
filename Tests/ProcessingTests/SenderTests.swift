import FaultKit
import Primitives
import RetailModel
import Tables
import Testing

/// Sequence numbers of senders: the live fold beyond the ranges that are kept, and the same from the proof.
@Suite struct SenderTests {
    static func record(_ sequence: Int64, _ index: Int) -> RefinedRecord {
        var record = RefinedRecord(
            outcome: .quarantined(reasons: "[]"),
            offset: Int64(index),
            topic: "feed.pos",
            feed: "pos",
            run: "",
            recordID: Identifier(high: 1, low: UInt64(index)),
            contract: .zero,
            receivedAt: Timestamp(micros: Int64(index)),
            bytes: ByteString("\(index)")
        )
        record.sender = "t"
        record.senderSequence = sequence
        return record
    }

    struct Found: Equatable {
        var ranges: [ClosedRange<Int64>] = []
        var gapsFrom: Int64?
        var hiddenFrom: Int64?
    }

    /// Folds in batches of `size`, with a new process between two of them, and compares with the proof.
    static func fold(_ sequences: [Int64], size: Int) throws -> Found {
        let records = sequences.enumerated().map { record($1, $0) }
        let store = try ProvedTables.fold(records, size: size)
        let sender = try #require(store.rows(of: RetailTables.sender, prefix: []).first)
        let ranges = store.rows(of: RetailTables.senderRange, prefix: []).map { row in
            (row[4].integer ?? 0)...(row[5].integer ?? 0)
        }
        return Found(
            ranges: ranges.sorted { $0.lowerBound < $1.lowerBound },
            gapsFrom: sender[9].integer,
            hiddenFrom: sender[10].integer
        )
    }

    @Test func `the epochs of a sender have ranges of their own`() throws {
        var records = [1, 2, 4].enumerated().map { Self.record($1, $0) }
        for (index, sequence) in [Int64(1), 2, 3, 6].enumerated() {
            var record = Self.record(sequence, 3 + index)
            record.senderEpoch = "again"
            records.append(record)
        }
        for size in [1, 3, 100] {
            let store = try ProvedTables.fold(records, size: size)
            let senders = store.rows(of: RetailTables.sender, prefix: []).map { [$0[3], $0[4]] }
            #expect(Set(senders) == [[.text(""), .integer(3)], [.text("again"), .integer(4)]])
            let ranges = store.rows(of: RetailTables.senderRange, prefix: []).map { [$0[3], $0[4], $0[5]] }
            #expect(
                Set(ranges) == [
                    [.text(""), .integer(1), .integer(2)], [.text(""), .integer(4), .integer(4)],
                    [.text("again"), .integer(1), .integer(3)], [.text("again"), .integer(6), .integer(6)],
                ]
            )
        }
    }

    /// 1, 2, then every other number: `count` ranges.
    static func holes(_ count: Int64) -> [Int64] { [1, 2] + (2...count).map { 2 * $0 } }

    @Test(arguments: [1_000_000, 700])
    func `as many ranges as are kept list every gap`(size: Int) throws {
        let found = try Self.fold(Self.holes(1_000), size: size)
        #expect(found.ranges.count == 1_000 && found.gapsFrom == nil && found.hiddenFrom == nil)
        #expect(found.ranges.first == 1...2 && found.ranges.last == 2_000...2_000)
    }

    @Test(arguments: [1_000_000, 700])
    func `beyond them the lowest gaps but the first are given up, and the sender says so`(size: Int) throws {
        let found = try Self.fold(Self.holes(1_010), size: size)
        #expect(found.ranges.count == 1_000)
        // 3 is missing still; 5, 7, … 23 are inside of the second range.
        #expect(found.ranges.prefix(3) == [1...2, 4...24, 26...26])
        #expect(found.gapsFrom == 24 && found.hiddenFrom == 5)
        // What is missing comes later: the first range grows, and the mark stays.
        let mended = try Self.fold(Self.holes(1_010) + [3], size: size)
        #expect(mended.ranges.first == 1...24 && mended.ranges.count == 999 && mended.gapsFrom == 24)
        #expect(mended.hiddenFrom == 5, "nobody may say that all is there up to 24")
    }

    @Test func `a gap that is given up later below the others is known too`() throws {
        let holes = [1, 2] + (50...1_058).map { Int64(2 * $0) }
        // Two gaps less, two ranges more below what was joined, and one more: now these two are joined.
        let found = try Self.fold(holes + [2_115, 2_113, 10, 20, 5_000] + (3...9), size: 300)
        #expect(found.ranges.prefix(2) == [1...20, 100...120])
        #expect(found.gapsFrom == 120 && found.hiddenFrom == 11)
    }

    @Test func `any order gives the tables of the proof`() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<3 {
            let found = try Self.fold(Self.holes(1_100).shuffled(using: &random), size: 300)
            #expect(found.ranges.count <= 1_000 && found.gapsFrom != nil)
        }
    }
}
