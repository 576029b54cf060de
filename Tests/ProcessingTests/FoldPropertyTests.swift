import FaultKit
import Foundation
import Ports
import Primitives
import Proof
import RetailFolds
import RetailModel
import SQLiteTables
import Tables
import Testing

@testable import Processing

/// Any order, duplication, batching and crash point of the same records gives the same tables (spec model 1.8), and
/// they are those that the proof computes, to the last column. TILL_PROPERTY=n runs n histories, TILL_SEED=n others.
@Suite struct FoldPropertyTests {
    static let histories = ProcessInfo.processInfo.environment["TILL_PROPERTY"].flatMap { Int($0) } ?? 5_000
    /// Histories of two seeds are different ones.
    static let firstSeed =
        (ProcessInfo.processInfo.environment["TILL_SEED"].flatMap { UInt64($0) } ?? 0) &* 1_000_000_007
    static let shards = 8

    /// Folds records in batches of random sizes, sometimes with a new process between two of them.
    static func fold(_ records: [RefinedRecord], into store: any TableStore, _ random: inout SeededRandom) throws {
        var fold = RetailFold()
        var owner = try store.claim()
        var position = try store.positions()
        var rest = records.dropFirst(Int(position.offsets[TopicPartition("feed.test"), default: 0]))
        while !rest.isEmpty {
            let size = 1 + Int(random.next() % UInt64(random.next() % 3 == 0 ? records.count : 3))
            let batch = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let (changes, tally) = try fold.apply(batch, from: store)
            #expect(tally.received == Int64(batch.count))
            #expect(tally.received == tally.distinct + tally.duplicates + tally.quarantined)
            #expect(tally.distinct == tally.current + tally.superseded + tally.conflicting)
            var to = position
            to.offsets[TopicPartition("feed.test"), default: 0] += Int64(batch.count)
            try Committing.commit(changes, to: store, from: position, to: to, owner: owner)
            position = to
            if random.next() % 4 == 0 {
                fold = RetailFold()
                owner = try store.claim()
            } else if random.next() % 8 == 0 {
                fold.forget()
            }
        }
        try Committing.end(store)
    }

    static func inMemory(
        _ records: [RefinedRecord],
        _ random: inout SeededRandom,
        _ lives: inout CrashingLives
    ) throws -> ProofContents {
        try Proof.contents(of: lives.run(&random) { try fold(records, into: $0, &$1) })
    }

    /// Offsets as this order has them in a log.
    static func logged(_ records: [RefinedRecord]) -> [RefinedRecord] {
        records.enumerated().map { index, record in
            var record = record
            record.offset = Int64(index)
            return record
        }
    }

    /// What arrival order decides: offsets, receipt times, who refined first, and totals of runs.
    static let byArrival: Set<String> = ["log_offset", "contract", "first_seen"]

    @Test(arguments: 0..<shards)
    func `any order, duplication, batching and crash gives the tables of the direct computation`(shard: Int) throws {
        var seen: Set<RecordGenerator.Situation> = []
        var lives = CrashingLives()
        var failures = 0
        for number in stride(from: shard, to: Self.histories, by: Self.shards) where failures < 3 {
            var generator = RecordGenerator(seed: UInt64(number) &+ Self.firstSeed)
            let records = generator.history()
            seen.formUnion(generator.seen)
            var random = SeededRandom(seed: UInt64(number) &* 31)
            var contents: [ProofContents] = []
            for round in 0..<2 {
                let order = Self.logged(round == 0 ? records : records.shuffled(using: &random))
                let found = try Self.inMemory(order, &random, &lives)
                let expected = try Proof.contents(of: order)
                if found != expected {
                    failures += 1
                    Issue.record(
                        "history \(number), round \(round): found (-), proved (+)\(found.difference(from: expected))"
                    )
                    break
                }
                contents.append(found)
            }
            guard let first = contents.first, let last = contents.last else { continue }
            if first.lines(hiding: Self.byArrival, without: ["run_total"])
                != last.lines(hiding: Self.byArrival, without: ["run_total"])
            {
                failures += 1
                let difference = first.difference(from: last, hiding: Self.byArrival, without: ["run_total"])
                Issue.record("history \(number): one order (-), another (+)\(difference)")
            }
        }
        #expect(seen == Set(RecordGenerator.Situation.allCases), "a situation did not occur")
        lives.expectAll()
    }

    @Test func `SQLite holds the same as the memory`() throws {
        for number in 0..<30 as Range<UInt64> {
            var generator = RecordGenerator(seed: 1_000_000 + number)
            let records = Self.logged(generator.history())
            var random = SeededRandom(seed: number)
            let directory = try TemporaryDirectory()
            let file = try SQLiteTables(path: directory.path + "/t.sqlite", tables: RetailTables.all, views: [])
            let store: any TableStore = number % 2 == 0 ? file : CommitBehind(file, time: SystemTime())
            try Self.fold(records, into: store, &random)
            let found = try Proof.contents(of: store)
            let expected = try Proof.contents(of: records)
            #expect(found == expected, "history \(number): \(found.difference(from: expected))")
        }
    }
}

/// Commits as the worker does: at once, or behind when the store can.
enum Committing {
    static func commit(
        _ changes: ChangeSet,
        to store: any TableStore,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws {
        guard let behind = store as? CommitBehind else {
            #expect(try store.commit(changes, from: from, to: to, owner: owner) == .committed)
            return
        }
        let isBegun = try behind.commitBehind(changes, from: from, to: to, owner: owner, isFollowed: false) {
            answer,
            _ in
            #expect(answer == .committed)
        }
        #expect(isBegun)
    }

    static func end(_ store: any TableStore) throws { try (store as? CommitBehind)?.settle() }
}

/// A directory of its own for one test, removed at the end; in memory where the machine has such a place.
final class TemporaryDirectory: Sendable {
    let path: String
    init() throws {
        let parent =
            FileManager.default.isWritableFile(atPath: "/dev/shm")
            ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        path = parent + "/till-fold-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
