import FaultKit
import Ports
import Primitives
import Proof
import RetailFolds
import RetailModel
import Tables
import Testing

@testable import Processing

/// Windows, counters, reference data, parking, quarantine and senders: any order, duplication, batching and crash point
/// of the same records gives the same tables.
@Suite struct StreamPropertyTests {
    static let partition = TopicPartition("feed.shop")

    /// One history as workers fold it: in batches of random sizes, references before what came with them.
    final class History {
        /// As they are folded; a crash does not change what was put forward.
        private var records: [RefinedRecord]
        private var parked: [Identifier: RefinedRecord] = [:]

        init(_ records: [RefinedRecord]) {
            self.records = records
            for record in records where !record.requires.isEmpty { parked[record.recordID] = record }
        }

        /// Folds all that is left, as one worker.
        func fold(into store: any TableStore, _ random: inout SeededRandom) throws {
            var fold = RetailFold()
            let owner = try store.claim()
            var position = try store.positions()
            try release(&fold, store, position, owner)
            var done: Int { Int(position.offsets[StreamPropertyTests.partition, default: 0]) }
            while done < records.count {
                let size = 1 + Int(random.next() % UInt64(random.next() % 3 == 0 ? records.count : 3))
                let range = done..<min(done + size, records.count)
                var batch = Array(records[range])
                let references = batch.filter(Self.isReference)
                if !references.isEmpty, references.count < batch.count {
                    // As the worker does it: what waited for references is counted before what came after them.
                    records.replaceSubrange(range, with: references + batch.filter { !Self.isReference($0) })
                    batch = references
                }
                let (changes, tally) = try fold.apply(batch, from: store)
                #expect(tally.received == tally.distinct + tally.duplicates + tally.quarantined + tally.parked)
                var to = position
                to.offsets[StreamPropertyTests.partition, default: 0] += Int64(batch.count)
                try Committing.commit(changes, to: store, from: position, to: to, owner: owner)
                position = to
                try release(&fold, store, position, owner)
                if random.next() % 4 == 0 { fold.forget() }
            }
        }

        private static func isReference(_ record: RefinedRecord) -> Bool {
            if case .accepted(.reference) = record.outcome { true } else { false }
        }

        /// Parked records are released as the worker does it.
        private func release(
            _ fold: inout RetailFold,
            _ store: any TableStore,
            _ position: PositionVector,
            _ owner: Int64
        ) throws {
            while let due = try fold.dueRelease(store) {
                let again = due.rows.compactMap { row -> RefinedRecord? in
                    guard var record = parked[Identifier(row[2].bytes?.bytes ?? []) ?? Identifier(Digest.zero)] else {
                        return nil
                    }
                    record.action = .release
                    record.receivedAt = Timestamp(micros: row[7].integer ?? 0)
                    record.run = row[8].bytes ?? ""
                    record.sender = row[9].bytes ?? ""
                    record.offset = row[13].integer ?? 0
                    return record
                }
                #expect(again.count == due.rows.count)
                let released = try fold.release(due, again, from: store)
                #expect(try store.commit(released.changes, from: position, to: position, owner: owner) == .committed)
            }
        }
    }

    static func fold(
        _ records: [RefinedRecord],
        _ random: inout SeededRandom,
        _ lives: inout CrashingLives
    ) throws -> ProofContents {
        let history = History(records)
        return try Proof.contents(of: lives.run(&random) { try history.fold(into: $0, &$1) })
    }

    /// What arrival order decides by nature (spec model 1.8).
    static let byArrival: Set<String> = [
        "log_offset", "contract", "first_seen", "revision", "late_count", "resolved_at", "last_seen", "delay_min",
    ]
    static let arrivalTables: Set<String> = [
        "window_revision", "open_window", "late_sale", "store_watermark", "store_clock", "sender", "run_total",
    ]

    /// Without windows that every sale left again: another order may never have opened them.
    static func lines(_ contents: ProofContents) -> [String] {
        contents.lines(hiding: byArrival, without: arrivalTables)
            .filter { !$0.contains("total=0.00 sale_count=0") }.sorted()
    }

    @Test(arguments: 0..<8)
    func `any order, batching and crash gives the same tables`(shard: Int) throws {
        var seen: Set<StreamGenerator.Situation> = []
        var lives = CrashingLives()
        var failures = 0
        for number in stride(from: shard, to: FoldPropertyTests.histories, by: 8) where failures < 2 {
            var generator = StreamGenerator(seed: UInt64(number) &+ 77 &+ FoldPropertyTests.firstSeed)
            let records = generator.history()
            seen.formUnion(generator.seen)
            var random = SeededRandom(seed: UInt64(number))
            var orders = [records, generator.reordered(records)].map { order -> [String] in
                do {
                    let found = try Self.fold(order, &random, &lives)
                    let expected = try Proof.contents(of: order)
                    if found != expected {
                        failures += 1
                        Issue.record("history \(number): found (-), proved (+)\(found.difference(from: expected))")
                    }
                    return Self.lines(found)
                } catch {
                    Issue.record("history \(number): \(error)")
                    return []
                }
            }
            if orders[0] != orders[1] {
                failures += 1
                let first = Set(orders.removeFirst())
                let last = Set(orders.removeFirst())
                Issue.record(
                    "history \(number): one order \(first.subtracting(last).sorted()), another \(last.subtracting(first).sorted())"
                )
            }
        }
        #expect(seen == Set(StreamGenerator.Situation.allCases), "a situation did not occur")
        lives.expectAll()
    }
}
