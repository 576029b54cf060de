import Contracts
import FaultKit
import Ports
import Primitives
import Proof
import Refine
import RetailModel
import Tables
import Testing

@testable import Processing

/// One request may hold more records than a commit takes: it is folded slice by slice.
@Suite struct PortionTests {
    /// Empty objects, which are all rejected, in one batch; beside it one batch of another feed.
    private static func world(_ count: Int) throws -> (log: SteppedLog, book: ContractBook) {
        let rounds = try TradeRounds()
        let pos = try #require(rounds.contracts["pos"])
        let users = try #require(rounds.contracts["users"])
        let log = SteppedLog([
            .init(feed: "pos", at: 1, records: Array(repeating: "{}", count: count), contract: pos),
            .init(feed: "users", at: 2, records: [TradeRounds.user("u1", "Ada")], contract: users),
        ])
        log.step()
        log.step()
        return (log, rounds.book)
    }

    private static func portions(_ log: SteppedLog, _ book: ContractBook) throws -> [RefineAhead.Portion] {
        let ahead = RefineAhead(log, book, FreshRecords()) { 0 }
        var all: [RefineAhead.Portion] = []
        var at = PositionVector()
        while true {
            let next = try ahead.next(after: at)
            guard next.to != at else { return all }
            all.append(next)
            at = next.to
        }
    }

    @Test func `a large batch is cut, no record is lost or doubled, and no feed waits for it`() throws {
        let count = 2 * PortionLimits.records + 100
        let (log, book) = try Self.world(count)
        let portions = try Self.portions(log, book)
        #expect(portions.allSatisfy { $0.records.count <= PortionLimits.records })
        #expect(portions.count >= 3)
        let pos = portions.flatMap(\.records).filter { $0.topic == "feed.pos" }
        #expect(pos.map(\.offset) == Array(0..<Int64(count)))
        #expect(portions.first?.records.contains { $0.topic == "feed.users" } == true)
    }

    @Test func `a portion ends after the record that passes the bound of bytes`() throws {
        let rounds = try TradeRounds()
        let pos = try #require(rounds.contracts["pos"])
        let text = "{\"x\":\"" + String(repeating: "a", count: 1 << 20) + "\"}"
        let log = SteppedLog([.init(feed: "pos", at: 1, records: Array(repeating: text, count: 9), contract: pos)])
        log.step()
        let portions = try Self.portions(log, rounds.book)
        // A record of 1 MiB weighs 4 MiB and what is said of it.
        #expect(portions.map(\.records.count) == [2, 2, 2, 2, 1])
    }

    @Test func `many feeds share the bound, each in its turn`() throws {
        let rounds = try TradeRounds()
        let pos = try #require(rounds.contracts["pos"])
        let feeds = (0..<100).map { "feed\($0)" }
        let log = SteppedLog(
            feeds.map { .init(feed: $0, at: 1, records: Array(repeating: "{}", count: 300), contract: pos) }
        )
        for _ in feeds { log.step() }
        let portions = try Self.portions(log, rounds.book)
        #expect(portions.allSatisfy { $0.records.count <= PortionLimits.records })
        // 32 feeds have room in each, and those that had no turn come first in the next.
        let turns = portions.prefix(4).reduce(into: Set()) { $0.formUnion($1.records.map(\.topic)) }
        #expect(turns.count == feeds.count)
        #expect(portions.reduce(0) { $0 + $1.records.count } == 300 * feeds.count)
    }

    @Test(arguments: FaultyTables.Fault.allCases)
    func `a crash between slices leaves the tables of a clean run`(fault: FaultyTables.Fault) throws {
        let (log, book) = try Self.world(PortionLimits.records + 100)
        func tables(_ plan: FaultyTables.Plan) throws -> ProofContents {
            let storage = MemoryTables.Storage(RetailTables.all)
            var life = WorkerLife(log, book, plan) { MemoryTables(storage) }
            try life.catchUp()
            life.expectAllFolded()
            return try Proof.contents(of: MemoryTables(storage))
        }
        let none = FaultyTables.Plan(fault, at: -1)
        let clean = try tables(none)
        // The second commit, and the look-ups before it.
        let commits = none.names.indices.filter { none.names[$0] == "commit" }
        let second = try #require(commits.dropFirst().first)
        for operation in [second - 1, second] {
            let plan = FaultyTables.Plan(fault, at: operation)
            #expect(try tables(plan) == clean)
            #expect(plan.hasFired)
        }
    }
}
