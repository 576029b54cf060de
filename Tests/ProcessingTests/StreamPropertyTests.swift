import FaultKit
import Ports
import Primitives
import RetailFolds
import RetailModel
import Tables
import Testing

/// Windows, counters, reference data, parking, quarantine and senders: any order, duplication and batching of the same
/// records gives the same tables.
@Suite struct StreamPropertyTests {
    /// Folds records in batches of random sizes; parked records are released as the worker does it.
    static func fold(_ records: [JudgedRecord], _ random: inout SeededRandom) throws -> MemoryTables {
        let store = MemoryTables(MemoryTables.Storage(RetailTables.all))
        var parked: [Identifier: JudgedRecord] = [:]
        for record in records where !record.requires.isEmpty { parked[record.recordID] = record }
        var fold = RetailFold()
        var rest = records[...]
        let owner = store.claim()
        var position = PositionVector()
        while !rest.isEmpty {
            let size = 1 + Int(random.next() % UInt64(random.next() % 3 == 0 ? records.count : 3))
            let batch = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let source = FoldPropertyTests.Source(store: store)
            let (changes, tally) = try fold.apply(batch, from: source)
            #expect(tally.received == tally.distinct + tally.duplicates + tally.quarantined + tally.parked)
            var to = position
            to.offsets[TopicPartition("feed.shop"), default: 0] += Int64(batch.count)
            #expect(try store.commit(changes, from: position, to: to, owner: owner) == .committed)
            position = to
            while let due = try fold.dueRelease(source) {
                let again = due.rows.compactMap { row -> JudgedRecord? in
                    guard var record = parked[Identifier(row[2].bytes?.bytes ?? []) ?? Identifier(Digest.zero)] else {
                        return nil
                    }
                    record.action = .release
                    record.run = row[8].bytes ?? ""
                    record.offset = row[13].integer ?? 0
                    return record
                }
                #expect(again.count == due.rows.count)
                let released = try fold.release(due, again, from: source)
                #expect(try store.commit(released.changes, from: position, to: position, owner: owner) == .committed)
            }
            if random.next() % 4 == 0 { fold.forget() }
        }
        return store
    }

    @Test(arguments: 0..<8)
    func `any order and batching gives the same tables`(shard: Int) throws {
        var seen: Set<StreamGenerator.Situation> = []
        var failures = 0
        for number in stride(from: shard, to: FoldPropertyTests.histories, by: 8) where failures < 2 {
            var generator = StreamGenerator(seed: UInt64(number) &+ 77)
            let records = generator.history()
            seen.formUnion(generator.seen)
            var random = SeededRandom(seed: UInt64(number))
            let first = try TableContents(of: Self.fold(records, &random))
            let second = try TableContents(of: Self.fold(generator.reordered(records), &random))
            if first != second {
                failures += 1
                Issue.record("history \(number): first (-), reordered (+)\(first.difference(from: second))")
            }
        }
        #expect(seen == Set(StreamGenerator.Situation.allCases), "a situation did not occur")
    }
}
