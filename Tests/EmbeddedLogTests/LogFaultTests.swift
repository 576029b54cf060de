import CShims
import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import RecordBatch
import Testing

@testable import EmbeddedLog

let feed = TopicPartition("feed.test")

/// The write path under test: opened on a disk, appends groups.
protocol GroupWriter {
    func append(_ batches: [LogBatch]) throws -> [LogReceipt]
}

extension PartitionLog: GroupWriter {
    func append(_ batches: [LogBatch]) throws -> [LogReceipt] {
        try append(batches, committedAt: 1_700_000_000_000_000)
    }
}

extension PartitionLog {
    static func open(
        _ disk: any LogDisk,
        _ directory: String = "log/feed.test/0",
        segmentBytes: Int = 2_500,
        reserveBytes: Int = 0,
        storedBelow: Int64 = 0
    ) throws(EventLogError) -> PartitionLog {
        try PartitionLog(
            feed,
            directory: directory,
            disk: disk,
            segmentBytes: segmentBytes,
            reserveBytes: reserveBytes,
            storedBelow: storedBelow
        )
    }

    func values() throws -> [(offset: Int64, value: String)] {
        let reader = PartitionReader(log: self, from: start)
        var all: [(Int64, String)] = []
        while case let found = try reader.next(bytesMax: 1_000), !found.isEmpty {
            for batch in found {
                for (index, value) in batch.values.enumerated() { all.append((batch.baseOffset + Int64(index), value)) }
            }
        }
        return all
    }
}

/// Fixed work, a careless caller, and the promise that is checked afterwards.
struct Workload {
    /// Groups of one to three batches; a record is `number.` and filler, so that some groups span several sectors.
    static let groups: [[LogBatch]] = {
        var number = 0
        return (0..<12).map { group in
            (0...(group % 3)).map { batch in
                LogBatch.of(
                    (0...(batch % 2)).map { _ in
                        defer { number += 1 }
                        return "\(number)." + String(repeating: "x", count: number * 53 % 700)
                    }
                )
            }
        }
    }()
    static let recordCount = groups.joined().reduce(0) { $0 + $1.recordCount }

    static let expected = groups.joined().flatMap { values($0) }

    static func number(_ value: String) -> Int { Int(value.prefix { $0 != "." }) ?? -1 }

    /// Record number to offset, of what was acknowledged.
    var acknowledged: [Int: Int64] = [:]
    /// Records that were refused for want of room: they may not come back.
    private(set) var refusedForSpace: Set<Int> = []
    /// Numbers of the first record of each group that was submitted.
    private var next = 0
    private var record = 0
    private(set) var refusals = 0

    /// Appends groups until `count` were tried; goes on after every error, as no caller should.
    mutating func run(_ writer: any GroupWriter, _ count: Int) {
        for _ in 0..<count where next < Self.groups.count {
            let group = Self.groups[next]
            do {
                var at = record
                for (batch, receipt) in zip(group, try writer.append(group)) {
                    for offset in receipt.offsets {
                        acknowledged[at] = offset
                        at += 1
                    }
                    precondition(receipt.offsets.count == batch.recordCount)
                }
            } catch {
                refusals += 1
                if case .full? = error as? EventLogError {
                    refusedForSpace.formUnion(record..<record + group.reduce(0) { $0 + $1.recordCount })
                }
            }
            next += 1
            record += group.reduce(0) { $0 + $1.recordCount }
        }
    }

    /// What is wrong with the records found, or nil.
    func objection(to found: [(offset: Int64, value: String)]) -> String? {
        let numbers = found.map { Self.number($0.value) }
        for (index, one) in found.enumerated() where one.offset != Int64(index) {
            return "offset \(one.offset) at place \(index)"
        }
        for (a, b) in zip(numbers, numbers.dropFirst()) where a >= b { return "record \(b) after \(a)" }
        for (number, offset) in acknowledged {
            guard offset < found.count, numbers[Int(offset)] == number else {
                return "acknowledged record \(number) is not at offset \(offset)"
            }
        }
        if let back = numbers.first(where: refusedForSpace.contains) { return "refused record \(back) came back" }
        for (number, one) in zip(numbers, found) where number < 0 || Self.expected[number] != one.value {
            return "record \(number) was changed"
        }
        return nil
    }

    private static func values(_ batch: LogBatch) -> [String] {
        LoggedBatch(
            envelope: batch.envelope,
            baseOffset: 0,
            recordCount: batch.recordCount,
            buffer: batch.bytes,
            range: 0..<batch.bytes.count
        ).values
    }
}

/// One fault over every disk operation of the workload: fail operation 0, go on carelessly, restart, go on, cut the
/// power, recover, check, use, restart, check, cut the power, check; then operation 1, … until the fault is not met.
struct Sweep: Sendable {
    let open: @Sendable (SimulatedDisk) throws -> any GroupWriter

    static let product = Sweep { try PartitionLog.open($0) }
    /// Every segment is written ahead with zeros up to its size.
    static let reserving = Sweep { try PartitionLog.open($0, reserveBytes: 1 << 20) }

    struct Outcome {
        var operations = 0
        var objections: [String] = []
    }

    func run(_ kind: Fault.Kind, seed: UInt64, errno: Int32 = 5) -> Outcome {
        var outcome = Outcome()
        while true {
            let disk = SimulatedDisk(seed: seed, fault: Fault(kind, atOperation: outcome.operations, errno: errno))
            if let objection = check(disk, seed: seed) {
                outcome.objections.append("seed \(seed), \(kind) at operation \(outcome.operations): \(objection)")
            }
            guard disk.faultFired else { return outcome }
            outcome.operations += 1
        }
    }

    private func check(_ first: SimulatedDisk, seed: UInt64) -> String? {
        var work = Workload()
        if let writer = try? open(first) { work.run(writer, 6) }
        // The process ends here, with or without the power; the fault may still lie ahead.
        let killed = seed % 2 == 0 ? first : first.faultFired ? first.afterPowerLoss(seed: seed ^ 0x55) : first
        if let writer = try? open(killed) { work.run(writer, 4) }
        do {
            var disk = (seed % 3 == 0 ? killed.afterRestart() : killed.afterPowerLoss(seed: seed))
            for round in 0..<3 {
                let log = try PartitionLog.open(disk)
                if let objection = try work.objection(to: log.values()) { return "round \(round): \(objection)" }
                let refusals = work.refusals
                if round < 2 {
                    let writer = try open(disk)
                    work.run(writer, 1)
                    if work.refusals > refusals { return "unusable after recovery, round \(round)" }
                }
                disk = round == 0 ? disk.afterRestart() : disk.afterPowerLoss(seed: seed &+ 1)
            }
        } catch {
            return "\(error)"
        }
        return nil
    }
}

@Suite struct LogFaultTests {
    static let seeds: Range<UInt64> = ProcessInfo.processInfo.environment["TILL_FUZZ"] == "full" ? 0..<400 : 0..<16

    @Test(arguments: Fault.Kind.allCases, seeds)
    func `acknowledged records survive a fault at any step and a power cut`(kind: Fault.Kind, seed: UInt64) {
        for errno in seed % 4 == 0 ? [5, 28] : [5] as [Int32] {
            let outcome = Sweep.product.run(kind, seed: seed, errno: errno)
            #expect(outcome.objections == [])
            #expect(outcome.operations == Self.operations)
            let ahead = Sweep.reserving.run(kind, seed: seed, errno: errno)
            #expect(ahead.objections == [])
            // Zeros once in each of the four segments and behind the second opening, which cuts off and syncs what it
            // found of them.
            #expect(ahead.operations > Self.operations + 4)
        }
    }

    /// Three directories made and synced (6); 10 groups of write and sync (20); 4 segments of open and sync directory
    /// (8) and 3 indices of create, write, sync, rename and sync directory (15); two openings with a directory
    /// sync (2),
    /// of which the second opens 2 segments with their index and the last one (5) and repeats the last group (2).
    static let operations = 6 + 20 + 8 + 15 + 2 + 5 + 2

    @Test func `a power cut after any number of operations loses nothing acknowledged`() throws {
        for reserve in [0, 1 << 20] {
            var operation = 0
            while true {
                let disk = SimulatedDisk(seed: UInt64(operation), fault: Fault(.forever, atOperation: operation))
                var work = Workload()
                if let log = try? PartitionLog.open(disk, reserveBytes: reserve) { work.run(log, 12) }
                for seed in 0..<24 as Range<UInt64> {
                    let log = try PartitionLog.open(disk.afterPowerLoss(seed: seed), reserveBytes: reserve)
                    #expect(try work.objection(to: log.values()) == nil, "operation \(operation), seed \(seed)")
                }
                guard disk.faultFired else { break }
                operation += 1
            }
            #expect(operation > 40)
        }
    }

    @Test(arguments: Fault.Kind.allCases, [5, 28] as [Int32])
    func `the same on real files`(kind: Fault.Kind, errno: Int32) throws {
        try sweepFiles(kind, errno, reserve: 0)
        try sweepFiles(kind, errno, reserve: 1 << 20)
    }

    private func sweepFiles(_ kind: Fault.Kind, _ errno: Int32, reserve: Int) throws {
        let base = try TemporaryDirectory()
        let disk = PosixDisk()
        var operation: Int64 = 0
        while true {
            let place = base.path + "/\(operation)/feed.test/0"
            cshims_fault_arm(operation, errno, kind == .forever)
            var work = Workload()
            if let log = try? PartitionLog.open(disk, place, reserveBytes: reserve) { work.run(log, 6) }
            if let log = try? PartitionLog.open(disk, place, reserveBytes: reserve) { work.run(log, 4) }
            let fired = cshims_fault_fired()
            let counted = cshims_fault_disarm()
            #expect(fired ? counted > operation : counted == operation)

            let log = try PartitionLog.open(disk, place, reserveBytes: reserve)
            #expect(try work.objection(to: log.values()) == nil, "operation \(operation)")
            let refusals = work.refusals
            work.run(log, 2)
            #expect(work.refusals == refusals, "unusable after recovery, operation \(operation)")
            #expect(try work.objection(to: PartitionLog.open(disk, place).values()) == nil, "operation \(operation)")
            guard fired else { break }
            operation += 1
        }
        #expect(reserve == 0 ? operation == Self.fileOperations : operation > Self.fileOperations + 4)
    }

    /// And the second opening syncs the parents of the three directories that it finds.
    static let fileOperations = Int64(operations + 3)

    @Test func `a full disk names the file, the reason and the remedy`() throws {
        let base = try TemporaryDirectory()
        let log = try PartitionLog.open(PosixDisk(), base.path + "/feed.test/0")
        _ = try log.append([.of(["a"])])
        cshims_fault_arm(0, 28, false)
        defer { cshims_fault_disarm() }
        let error = #expect(throws: EventLogError.self) { _ = try log.append([.of(["b"])], committedAt: 0) }
        let file = base.path + "/feed.test/0/00000000000000000000.log"
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("bytes to \(file): no space left on the device, free some"))
        #expect(text.contains("free space and send again, till goes on by itself"))
        #expect(error?.code == "log.full" && log.poison == nil)
        #expect(try log.append([.of(["c"])], committedAt: 0).first?.offsets == 1..<2)
    }

    @Test func `directories that another process made are synced again`() throws {
        let base = try TemporaryDirectory()
        let directory = base.path + "/data/feed.test/0"
        try PosixDisk().makeDirectory(directory)
        cshims_fault_arm(.max, 5, false)
        try PosixDisk().makeDirectory(directory)
        #expect(cshims_fault_disarm() == 3, "the parents of data, feed.test and 0")
    }
}

/// Writers with one mistake each, to show that the sweep sees it. With all three habits kept it finds nothing.
@Suite struct PlantedMistakeTests {
    enum Habit: CaseIterable { case none, syncsBeforeAnswer, stopsAfterFailure, cutsTornTail }

    final class CarelessWriter: GroupWriter {
        private let file: any SegmentFile
        private let missing: Habit
        private var index: SegmentIndex
        private var end: Int
        private var broken = false

        init(_ disk: SimulatedDisk, without missing: Habit) throws {
            self.missing = missing
            try disk.makeDirectory("log/feed.test/0")
            file = try disk.open("log/feed.test/0/" + PartitionLog.name(0), create: true, readOnly: false)
            try disk.syncDirectory("log/feed.test/0")
            let scan = try SegmentScan(file, baseOffset: 0, previousCRC: 0)
            index = scan.index
            end = index.size
            if scan.damage != nil {
                if missing == .cutsTornTail {
                    end = try file.size()
                } else {
                    try file.truncate(to: end)
                    try file.sync()
                }
            }
            if scan.groups > 0 {
                try file.write(file.read(at: scan.lastGroup, count: index.size - scan.lastGroup), at: scan.lastGroup)
                try file.sync()
            }
        }

        func append(_ batches: [LogBatch]) throws -> [LogReceipt] {
            if broken { throw EventLogError.closed }
            let (bytes, header) = CommitGroup.encode(
                batches,
                baseOffset: index.endOffset,
                epoch: 1,
                committedAt: 0,
                previousCRC: index.lastCRC
            )
            do {
                try file.write(bytes, at: end)
                if missing != .syncsBeforeAnswer { try file.sync() }
            } catch {
                // Tries again later as if nothing had happened: the pages of the failed sync count as clean.
                guard missing == .stopsAfterFailure else {
                    broken = true
                    throw error
                }
                try file.sync()
            }
            end += bytes.count
            index.add(header)
            var offset = header.baseOffset
            return batches.map { batch in
                defer { offset += Int64(batch.recordCount) }
                return LogReceipt(partition: feed, offsets: offset..<offset + Int64(batch.recordCount))
            }
        }
    }

    @Test(arguments: Habit.allCases)
    func `the sweep sees a writer that misses one habit`(habit: Habit) {
        let sweep = Sweep { try CarelessWriter($0, without: habit) }
        var objections: [String] = []
        for seed in 0..<16 as Range<UInt64> {
            for kind in Fault.Kind.allCases { objections += sweep.run(kind, seed: seed).objections }
        }
        if habit == .none {
            #expect(objections == [])
        } else {
            #expect(objections.count > 16, "\(habit) must be caught in most seeds, not by luck")
        }
    }
}
