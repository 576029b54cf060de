import Contracts
import EmbeddedLog
import FaultKit
import Foundation
import Ports
import Primitives
import Proof
import RecordBatch
import Refine
import RetailFolds
import RetailModel
import SQLiteTables
import Tables
import Telemetry
import Testing

@testable import Processing

/// Fails the n-th operation on the tables, for all n, before or after it took effect; the worker is made anew, as
/// `Processor` does. The tables must end as in a run without failures.
@Suite struct CrashPointTests {
    static let feed = TopicPartition("feed.invoices")

    struct World {
        let directory: TemporaryDirectory
        let log: EmbeddedLog
        let book = ContractBook()
        let contract: Contract

        init() throws {
            directory = try TemporaryDirectory()
            log = try EmbeddedLog(
                directory: directory.path + "/log",
                disk: PosixDisk(),
                settings: EmbeddedLogSettings(),
                time: SystemTime()
            )
            try log.start()
            let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let text = try Data(contentsOf: URL(fileURLWithPath: root + "/Contracts/invoices.yaml"))
            contract = try Contract.parse(Array(text), mappers: Mappers.signatures).get()
            book.add(contract, isCurrent: true)
        }

        /// Rounds of records: repeats, a correction of a line, an earlier line, returns, bad lines, no line number.
        static let rounds: [[String]] = {
            func line(
                _ invoice: String,
                _ number: Int?,
                _ quantity: Int,
                _ time: String,
                customer: String = "17850",
                country: String = "UK"
            ) -> String {
                let identity = number.map { ",\"client_line_no\":\($0)" } ?? ""
                return
                    "{\"InvoiceNo\":\"\(invoice)\",\"StockCode\":\"P\(quantity % 3)\",\"Quantity\":\(quantity),"
                    + "\"InvoiceDate\":\"\(time)\",\"UnitPrice\":2.55,\"CustomerID\":\(customer),"
                    + "\"Country\":\"\(country)\"\(identity)}"
            }
            let base = (1...4).map { line("5", $0, $0, "01/12/2010 08:2\($0)") }
            return [
                base, ["nonsense", line("5", 2, 9, "01/12/2010 08:00")], base.reversed() + ["nonsense"],
                [line("C6", 1, -2, "01/12/2010 07:00"), line("5", 5, 3, "02/12/2010 09:00", country: "FR")],
                [line("7", nil, 1, "03/12/2010 09:00", customer: "null"), line("5", 1, -4, "01/12/2010 08:21")],
            ]
        }()

        func append(_ records: [String], round: Int) async throws {
            var builder = RecordBatchBuilder(baseTimestamp: 0)
            for record in records { builder.append(Array(record.utf8)[...]) }
            var envelope = RecordEnvelope(
                feed: "invoices",
                contract: contract.digest,
                receivedAt: Timestamp(micros: Int64(round)),
                format: .json,
                recordIDBase: Identifier(high: 1, low: UInt64(round))
            )
            envelope.run = "run"
            let batch = LogBatch(
                partition: feed,
                envelope: envelope,
                bytes: builder.finish(),
                recordCount: records.count
            )
            _ = try await withCheckedThrowingContinuation { continuation in
                do { try log.submit(batch) { continuation.resume(with: $0) } } catch {
                    continuation.resume(throwing: error)
                }
            }
        }

        /// Folds every round into fresh tables; whatever fails, a new worker goes on.
        func run(_ plan: FaultyTables.Plan, on path: String) async throws -> ProofContents {
            func open() throws -> SQLiteTables { try SQLiteTables(path: path, tables: RetailTables.all, views: []) }
            var life = WorkerLife(log, book, plan, open)
            for (round, records) in Self.rounds.enumerated() {
                try await append(records, round: round)
                try life.catchUp()
            }
            life.expectAllFolded()
            return try Proof.contents(of: open())
        }
    }

    @Test(arguments: FaultyTables.Fault.allCases)
    func `tables end as in a clean run, whichever operation fails`(fault: FaultyTables.Fault) async throws {
        let clean = FaultyTables.Plan(fault, at: -1)
        let cleanWorld = try World()
        let expected = try await cleanWorld.run(clean, on: cleanWorld.directory.path + "/clean.sqlite")
        cleanWorld.log.close()
        #expect(clean.commits == World.rounds.count)
        let totals = expected.rows(of: RetailTables.feedTotal).map { row in
            ["received", "distinct_events", "duplicates", "quarantined", "current", "conflicting"].map {
                row[$0]?.integer
            }
        }
        #expect(totals == [[15, 9, 4, 2, 7, 2]], "the workload means something")
        for at in 0..<clean.operations {
            let world = try World()
            let plan = FaultyTables.Plan(fault, at: at)
            let found = try await world.run(plan, on: world.directory.path + "/t.sqlite")
            world.log.close()
            #expect(plan.hasFired)
            #expect(found == expected, "operation \(at): \(found.difference(from: expected))")
        }
    }

    @Test func `a worker that lost its store to another says so and changes nothing`() async throws {
        let world = try World()
        defer { world.log.close() }
        let path = world.directory.path + "/t.sqlite"
        func worker() throws -> ProcessingWorker {
            try ProcessingWorker(
                log: world.log,
                store: SQLiteTables(path: path, tables: RetailTables.all, views: []),
                book: world.book,
                board: PositionBoard(),
                metrics: Metrics(),
                time: SystemTime()
            )
        }
        let first = try worker()
        try await world.append(World.rounds[0], round: 0)
        let second = try worker()
        #expect(try first.step() == .fenced)
        #expect(try second.step() == .committed)
        #expect(try second.step() == .idle)
        try await world.append(World.rounds[1], round: 1)
        #expect(try first.step() == .fenced)
    }

    @Test func `a record of an unknown contract stops the work and commits nothing`() async throws {
        let world = try World()
        defer { world.log.close() }
        try await world.append(World.rounds[0], round: 0)
        let store = try SQLiteTables(path: world.directory.path + "/t.sqlite", tables: RetailTables.all, views: [])
        let worker = try ProcessingWorker(
            log: world.log,
            store: store,
            book: ContractBook(),
            board: PositionBoard(),
            metrics: Metrics(),
            time: SystemTime()
        )
        #expect(throws: ContractMissing.self) { try worker.step() }
        #expect(try store.positions() == PositionVector())
    }
}
