import FaultKit
import PortConformance
import Ports
import Testing

@testable import EmbeddedLog

/// The zeros that the last segment is written ahead with; what faults and power cuts leave of them is in LogFaultTests.
@Suite struct LogReserveTests {
    static let path = "log/feed.test/0/" + PartitionLog.name(0)
    static let size = 40_000

    /// Some groups in one segment, as a killed till leaves it.
    static func killed(groups: Int = 5) throws -> (disk: SimulatedDisk, work: Workload) {
        let disk = SimulatedDisk(seed: 9)
        var work = Workload()
        work.run(try PartitionLog.open(disk, segmentBytes: size, reserveBytes: 1 << 20), groups)
        return (disk.afterRestart(), work)
    }

    /// Bytes of the groups in a file that ends with zeros.
    static func end(_ disk: SimulatedDisk) throws -> Int {
        try #require(try LogInspection.stat("log", disk).first?.segments.first?.bytes)
    }

    @Test func `groups are written into zeros and the file keeps its size`() throws {
        let (few, _) = try Self.killed(groups: 2)
        let (many, work) = try Self.killed(groups: 10)
        let bytes = try #require(many.bytes(Self.path))
        #expect(bytes.count == Self.size && few.bytes(Self.path)?.count == Self.size)
        let end = try Self.end(many)
        #expect(try Self.end(few) < end)
        #expect(bytes[end...].allSatisfy { $0 == 0 })
        #expect(work.acknowledged.count > 10)
    }

    @Test func `opening cuts zeros off, as nothing that was lost`() throws {
        let (disk, work) = try Self.killed()
        let end = try Self.end(disk)
        let log = try PartitionLog.open(disk, segmentBytes: Self.size)
        #expect(log.cut == nil && disk.bytes(Self.path)?.count == end)
        #expect(try work.objection(to: log.values()) == nil)
    }

    @Test func `inspection counts no zeros and finds no damage in them`() throws {
        let (disk, work) = try Self.killed()
        let end = try Self.end(disk)
        let verdict = try LogInspection.verify("log", disk)
        #expect(verdict.damages == [] && verdict.tails == [])
        #expect(verdict.records == Int64(work.acknowledged.count) && Int(verdict.bytes) == end && end < Self.size)
        #expect(try LogInspection.stat("log", disk).first?.segments.first?.tailBytes == 0)
        #expect(try LogCopy.parts("log", disk).first?.pieces.map(\.bytes) == [end])
    }

    @Test func `every flipped bit of the zeros is named and cut off, and no record with it`() throws {
        let (disk, work) = try Self.killed()
        let bytes = try #require(disk.bytes(Self.path))
        let end = try Self.end(disk)
        for byte in Array(end..<end + 100) + Array(stride(from: end + 100, to: bytes.count, by: 997)) {
            let damaged = disk.afterRestart()
            var flipped = bytes
            flipped[byte] ^= 1 << UInt8(byte % 8)
            damaged.put(Self.path, flipped)
            let verdict = try LogInspection.verify("log", damaged)
            #expect(verdict.damages == [] && verdict.tails.map(\.from) == [end], "byte \(byte)")
            let log = try PartitionLog.open(damaged, segmentBytes: Self.size)
            #expect(log.cut?.from == end, "byte \(byte)")
            #expect(try work.objection(to: log.values()) == nil, "byte \(byte)")
        }
    }

    @Test func `zeros in a segment that another follows are damage`() throws {
        let disk = try SegmentIndexTests.rolled()
        let first = try #require(disk.paths.first { $0.hasSuffix(".log") })
        disk.put(first, try #require(disk.bytes(first)) + [UInt8](repeating: 0, count: 100))
        disk.remove(try #require(disk.paths.first { $0.hasSuffix(".index") }))
        #expect(try LogInspection.verify("log", disk).damages.count == 1)
        #expect(throws: EventLogError.self) { try PartitionLog.open(disk) }
    }

    @Test func `a segment that is full has no zeros left`() throws {
        let disk = SimulatedDisk(seed: 4)
        var work = Workload()
        work.run(try PartitionLog.open(disk, reserveBytes: 1 << 20), 12)
        let report = try #require(try LogInspection.stat("log", disk).first)
        #expect(report.segments.count >= 4)
        for segment in report.segments.dropLast() {
            #expect(disk.bytes("log/feed.test/0/" + segment.name)?.count == segment.bytes)
        }
        #expect(try work.objection(to: PartitionLog.open(disk.afterRestart()).values()) == nil)
    }

    @Test func `a clean stop leaves no zeros`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let log = try EmbeddedLogTests.open(disk, segmentBytes: Self.size)
        _ = try await log.append(["a", "b"])
        #expect(disk.bytes(Self.path)?.count == Self.size)
        log.close()
        let end = try Self.end(disk)
        #expect(disk.bytes(Self.path)?.count == end)
    }

    @Test func `without room for zeros groups are appended`() throws {
        let disk = SimulatedDisk(seed: 2)
        let log = try PartitionLog.open(disk, segmentBytes: Self.size, reserveBytes: 1 << 20)
        disk.arm(Fault(.once, atOperation: disk.operations + 2, errno: 28, onlyForSpace: true))
        var work = Workload()
        work.run(log, 1)
        #expect(disk.faultFired && work.refusals == 0)
        let end = try Self.end(disk)
        #expect(disk.bytes(Self.path)?.count == end)
        work.run(log, 1)
        #expect(disk.bytes(Self.path)?.count == Self.size, "the next group tries again")
        #expect(try work.objection(to: log.values()) == nil && log.poison == nil)
    }
}
