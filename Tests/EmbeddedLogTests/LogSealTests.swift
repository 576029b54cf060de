import CShims
import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import Testing

@testable import EmbeddedLog

/// A seal states that what precedes it was durable: damage before it is no torn write.
@Suite struct LogSealTests {
    static let path = "log/feed.test/0/00000000000000000000.log"

    /// Two groups, sealed; the places of the last group, of the seal and of the end.
    private func sealed() throws -> (bytes: [UInt8], last: Int, seal: Int) {
        let disk = SimulatedDisk(seed: 1)
        let log = try PartitionLog.open(disk, segmentBytes: 1 << 20)
        _ = try log.append([.of(["a"])])
        let last = try #require(disk.bytes(Self.path)).count
        _ = try log.append([.of(["b", "c"])])
        let seal = try #require(disk.bytes(Self.path)).count
        try log.seal(committedAt: 9)
        try log.seal(committedAt: 10)
        let bytes = try #require(disk.bytes(Self.path))
        #expect(bytes.count == seal + CommitGroup.fixedSize, "one seal, however often it is asked for")
        return (bytes, last, seal)
    }

    private func disk(_ bytes: [UInt8]) -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        disk.put(Self.path, bytes)
        return disk
    }

    @Test func `a flipped bit in the last sealed group is damage, whatever the tables have`() throws {
        let (bytes, last, seal) = try sealed()
        for byte in last..<seal {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[byte] ^= 1 << bit
                let error = #expect(throws: EventLogError.self) { _ = try PartitionLog.open(disk(damaged)) }
                guard case .corrupt("feed.test/0", "00000000000000000000.log", Int64(last), _)? = error else {
                    Issue.record("byte \(byte): \(error as Any)")
                    continue
                }
                let verdict = try LogInspection.verify("log", disk(damaged))
                #expect(verdict.damages.map(\.byte) == [last] && verdict.tails == [], "byte \(byte)")
            }
        }
    }

    @Test func `a damaged seal costs nothing`() throws {
        let (bytes, _, seal) = try sealed()
        for byte in seal..<bytes.count {
            var damaged = bytes
            damaged[byte] ^= 0x10
            let log = try PartitionLog.open(disk(damaged))
            #expect(try log.values().map(\.value) == ["a", "b", "c"])
            #expect(log.cut?.from == seal && log.cut?.description.contains("no record fits in them") == true)
        }
    }

    @Test func `a torn group behind a seal is cut off, and nobody claims to know what it held`() throws {
        let (bytes, last, seal) = try sealed()
        let log = try PartitionLog.open(disk(Array(bytes[..<(seal - 1)])))
        #expect(try log.values().map(\.value) == ["a"])
        let text = try #require(log.cut?.description)
        #expect(text.contains("\(seal - 1 - last) bytes (\(last) to \(seal - 1)) were cut off"))
        #expect(text.contains("it cannot be told whether up to \(CommitGroup.recordsMax(in: seal - 1 - last)) records"))
    }

    @Test func `groups follow a seal, also in the next segment, and all readers pass it`() throws {
        for segmentBytes in [1, 1 << 20] {
            let disk = SimulatedDisk(seed: 2)
            let log = try PartitionLog.open(disk, segmentBytes: segmentBytes, reserveBytes: 1 << 20)
            for number in 0..<6 {
                _ = try log.append([.of(["\(number)"])])
                let reader = PartitionReader(log: log, from: Int64(2 * number))
                #expect(try reader.next(bytesMax: 1).count == 1)
                try log.seal(committedAt: 0)
                #expect(try reader.next(bytesMax: 1).isEmpty)
                _ = try log.append([.of(["\(number)+"])])
                // The reader goes on behind the seal at once, also when the group is in the next segment.
                #expect(try !reader.next(bytesMax: 1).isEmpty)
            }
            let values = try log.values().map(\.value)
            #expect(values == (0..<6).flatMap { ["\($0)", "\($0)+"] })
            #expect(try LogInspection.verify("log", disk).damages == [])
            let report = try #require(try LogInspection.stat("log", disk).first)
            #expect(report.groups == 12 && report.records == 12)
            let inspected = try LogInspection.reader(feed, "log", disk, to: 12)
            var count = 0
            while case let found = try inspected.next(bytesMax: 1), !found.isEmpty { count += found.count }
            #expect(count == 12)
            #expect(try PartitionLog.open(disk.afterPowerLoss(seed: 3)).values().map(\.value) == values)
        }
    }

    @Test func `a group of a newer format is refused and not cut off`() throws {
        var (bytes, _, seal) = try sealed()
        bytes[seal + 13] = 3
        bytes.putBigEndian(CRC32C.of(bytes[(seal + 12)...]), at: seal + 8)
        let error = #expect(throws: EventLogError.self) { _ = try PartitionLog.open(disk(bytes)) }
        #expect(error?.description.contains("a newer till wrote the group (format version 3") == true)
        #expect(try LogInspection.verify("log", disk(bytes)).damages.map(\.byte) == [seal])
    }

    @Test(arguments: Fault.Kind.allCases, 0..<4 as Range<UInt64>)
    func `acknowledged records survive a fault at any step with a seal after every group`(
        kind: Fault.Kind,
        seed: UInt64
    ) {
        struct Sealing: GroupWriter {
            let log: PartitionLog
            func append(_ batches: [LogBatch]) throws -> [LogReceipt] {
                defer { try? log.seal(committedAt: 0) }
                return try log.append(batches, committedAt: 0)
            }
        }
        for reserve in [0, 1 << 20] {
            let sweep = Sweep { Sealing(log: try PartitionLog.open($0, reserveBytes: reserve)) }
            for errno in [5, 28] as [Int32] {
                let outcome = sweep.run(kind, seed: seed, errno: errno)
                #expect(outcome.objections == [])
                // A write and a sync for each of the ten seals.
                #expect(outcome.operations >= LogFaultTests.operations + 20)
            }
        }
    }

    @Test func `an idle log is sealed once and does not grow`() async throws {
        let directory = try TemporaryDirectory()
        let log = try EmbeddedLog(
            directory: directory.path,
            disk: PosixDisk(),
            settings: EmbeddedLogSettings(),
            time: SystemTime()
        )
        try log.start()
        _ = try await log.append(["a"])
        log.close()
        let report = try #require(try LogInspection.stat(directory.path, PosixDisk()).first)
        let file = directory.path + "/feed.test/0/00000000000000000000.log"
        let size = try #require(FileManager.default.contents(atPath: file)).count
        #expect(report.groups == 1 && report.bytes == size)
        let again = try EmbeddedLog(
            directory: directory.path,
            disk: PosixDisk(),
            settings: EmbeddedLogSettings(),
            time: SystemTime()
        )
        try again.start()
        again.close()
        #expect(FileManager.default.contents(atPath: file)?.count == size)
        #expect(again.cuts == [])
    }
}

/// Who may write, and what a failed open means.
@Suite struct LogFenceTests {
    @Test func `a removed lock file lets no second writer in`() throws {
        let directory = try TemporaryDirectory()
        let lock = try DirectoryLock(path: directory.path + "/LOCK")
        try FileManager.default.removeItem(atPath: directory.path + "/LOCK")
        let error = #expect(throws: DiskError.self) { _ = try DirectoryLock(path: directory.path + "/LOCK") }
        #expect(error?.errno == 11)
        withExtendedLifetime(lock) {}
    }

    @Test func `a log whose directory was replaced acknowledges nothing`() throws {
        let directory = try TemporaryDirectory()
        let log = try PartitionLog.open(PosixDisk(), directory.path + "/log/feed.test/0")
        _ = try log.append([.of(["a"])])
        try FileManager.default.moveItem(atPath: directory.path + "/log", toPath: directory.path + "/moved")
        _ = try PartitionLog.open(PosixDisk(), directory.path + "/log/feed.test/0").append([.of(["other"])])
        let error = #expect(throws: EventLogError.self) { _ = try log.append([.of(["b"])], committedAt: 0) }
        #expect(error?.code == "log.poisoned")
        #expect(error?.description.contains("was moved, removed or replaced while this till wrote to it") == true)
        let moved = try PartitionLog.open(PosixDisk(), directory.path + "/moved/feed.test/0")
        #expect(try moved.values().map(\.value) == ["a"])
    }

    @Test(arguments: [5, 12, 13, 23, 24] as [Int32])
    func `an open that failed refuses the batch and nothing more`(errno: Int32) throws {
        let directory = try TemporaryDirectory()
        let log = try PartitionLog.open(PosixDisk(), directory.path + "/feed.test/0", segmentBytes: 1)
        _ = try log.append([.of(["a"])])
        // The next group opens a new segment: first the file of the index, then, at operation 5, the segment.
        for operation in [0, 5] as [Int64] {
            cshims_fault_arm(operation, errno, false)
            let error = #expect(throws: EventLogError.self) { _ = try log.append([.of(["b"])], committedAt: 0) }
            cshims_fault_disarm()
            #expect(error?.code == "log.unavailable" && log.poison == nil)
        }
        _ = try log.append([.of(["c"])], committedAt: 0)
        #expect(try log.values().map(\.value) == ["a", "c"])
    }
}
