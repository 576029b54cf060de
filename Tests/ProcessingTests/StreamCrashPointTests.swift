import FaultKit
import Ports
import Primitives
import Proof
import Refine
import RetailFolds
import RetailModel
import SQLiteTables
import Tables
import Testing

@testable import Processing

/// Fails the n-th operation on the tables under sales, windows, counters, reference data, parking, redrives and
/// versions, for all n, before or after it took effect; a new worker goes on. The tables must end as without failures.
@Suite struct StreamCrashPointTests {
    /// Folds every round; whatever fails, a new worker on a store opened anew goes on. Returns the number of failures.
    static func fold(
        _ log: SteppedLog,
        _ book: ContractBook,
        _ plan: FaultyTables.Plan,
        overlap: ProcessingWorker.Overlap = .backlog,
        _ open: @escaping () throws -> any TableStore
    ) throws -> Int {
        log.reset()
        var life = WorkerLife(log, book, plan, overlap: overlap, open)
        for _ in 0..<log.roundCount {
            log.step()
            try life.catchUp()
        }
        life.expectAllFolded()
        try life.expectGauges(open())
        return life.failures
    }

    static func inMemory(
        _ log: SteppedLog,
        _ book: ContractBook,
        _ plan: FaultyTables.Plan,
        overlap: ProcessingWorker.Overlap = .backlog
    ) throws -> ProofContents {
        let storage = MemoryTables.Storage(RetailTables.all)
        let failures = try fold(log, book, plan, overlap: overlap) { MemoryTables(storage) }
        #expect(failures == (plan.hasFired ? 1 : 0))
        return try Proof.contents(of: MemoryTables(storage))
    }

    static func onDisk(
        _ log: SteppedLog,
        _ book: ContractBook,
        _ plan: FaultyTables.Plan,
        overlap: ProcessingWorker.Overlap = .backlog
    ) throws -> ProofContents {
        let directory = try TemporaryDirectory()
        func open() throws -> SQLiteTables {
            try SQLiteTables(path: directory.path + "/t.sqlite", tables: RetailTables.all, views: [])
        }
        let failures = try fold(log, book, plan, overlap: overlap, open)
        #expect(failures == (plan.hasFired ? 1 : 0))
        return try Proof.contents(of: open())
    }

    private static func numbers(_ contents: ProofContents, _ table: TableDeclaration, _ column: String) -> [Int64] {
        contents.rows(of: table).map { $0[column]?.integer ?? -1 }
    }

    @Test func `the workload has everything in it`() throws {
        let trade = try TradeRounds()
        let found = try Self.inMemory(SteppedLog(trade.everything), trade.book, FaultyTables.Plan(.before, at: -1))
        // Windows by watermark, by idleness, by a late sale, and corrected.
        #expect(Set(Self.numbers(found, RetailTables.windowRevision, "cause")) == [0, 1, 2, 3])
        #expect(!found.rows(of: RetailTables.lateSale).isEmpty)
        // One order waits for a user who does not come, the others were released.
        #expect(found.rows(of: RetailTables.parked).count == 1)
        #expect(found.rows(of: RetailTables.parkedRelease).isEmpty)
        #expect(Set(Self.numbers(found, RetailTables.version, "outcome")) == [0, 1])
        #expect(Self.numbers(found, RetailTables.quarantine, "attempts").max() == 2)
        #expect(found.rows(of: RetailTables.quarantine).count { $0["resolved_at"]?.integer != nil } == 2)
        #expect(Set(Self.numbers(found, RetailTables.userProduct, "orders")) == [2])
        #expect(found.lines().contains { $0.hasPrefix("user_category") && $0.contains("\"Hot drinks\"") })
        #expect(found.rows(of: RetailTables.senderRange).count == 2)
        let statuses = Self.numbers(found, RetailTables.document, "status")
        #expect(statuses.contains(SaleStatus.cancelled.rawValue) && statuses.contains(SaleStatus.closed.rawValue))
    }

    @Test(arguments: FaultyTables.Fault.allCases, [ProcessingWorker.Overlap.backlog, .always])
    func `tables end as in a clean run, whichever operation fails`(
        fault: FaultyTables.Fault,
        overlap: ProcessingWorker.Overlap
    ) throws {
        let trade = try TradeRounds()
        let log = SteppedLog(trade.everything)
        let clean = FaultyTables.Plan(fault, at: -1)
        let expected = try Self.inMemory(log, trade.book, clean, overlap: overlap)
        #expect(clean.operations > 150 && clean.commits > trade.everything.count)
        for at in 0..<clean.operations {
            let plan = FaultyTables.Plan(fault, at: at)
            let found = try Self.inMemory(log, trade.book, plan, overlap: overlap)
            #expect(plan.hasFired)
            guard found == expected else {
                Issue.record("operation \(at), \(clean.names[at]): \(found.difference(from: expected))")
                return
            }
        }
    }

    /// What the double in memory cannot have: a transaction that is open when its owner goes.
    @Test(arguments: FaultyTables.Fault.allCases, [ProcessingWorker.Overlap.backlog, .always])
    func `a begin, write or commit of SQLite that fails leaves nothing behind`(
        fault: FaultyTables.Fault,
        overlap: ProcessingWorker.Overlap
    ) throws {
        let trade = try TradeRounds()
        let log = SteppedLog(trade.everything)
        let clean = FaultyTables.Plan(fault, at: -1)
        let expected = try Self.onDisk(log, trade.book, clean, overlap: overlap)
        #expect(try expected == Self.inMemory(log, trade.book, FaultyTables.Plan(fault, at: -1)))
        for (at, name) in clean.names.enumerated() where ["begin", "write", "commit"].contains(name) {
            let found = try Self.onDisk(log, trade.book, FaultyTables.Plan(fault, at: at), overlap: overlap)
            #expect(found == expected, "operation \(at), \(name): \(found.difference(from: expected))")
        }
    }

    /// 501 orders wait for one restaurant: two commits release them, and the second, or the first, fails.
    @Test(arguments: FaultyTables.Fault.allCases)
    func `a release that fails in its middle is finished by the next worker`(fault: FaultyTables.Fault) throws {
        let trade = try TradeRounds()
        let log = SteppedLog(trade.manyParked)
        let clean = FaultyTables.Plan(fault, at: -1)
        let expected = try Self.inMemory(log, trade.book, clean)
        #expect(expected.rows(of: RetailTables.parked).isEmpty)
        #expect(expected.rows(of: RetailTables.document).count == 502)
        // Parked; user; restaurant; at least two of release; the last order.
        #expect(clean.commits >= trade.manyParked.count + 2)
        let commits = clean.names.indices.filter { clean.names[$0] == "commit" }
        for at in commits.dropFirst().dropLast() {
            let found = try Self.inMemory(log, trade.book, FaultyTables.Plan(fault, at: at))
            #expect(found == expected, "operation \(at): \(found.difference(from: expected))")
        }
    }
}
