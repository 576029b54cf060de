import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import RecordBatch
import Testing

@testable import EmbeddedLog

@Suite struct LogInspectionTests {
    let fixture = SegmentFixture.shared

    @Test func `stat counts what is there`() throws {
        let disk = fixture.disk(fixture.bytes)
        let report = try #require(try LogInspection.stat("log", disk).first)
        #expect(report.partition == feed && report.segments.count == 1)
        let segment = report.segments[0]
        #expect(
            segment.name == "00000000000000000000.log" && segment.bytes == fixture.bytes.count && segment.tailBytes == 0
        )
        #expect(segment.groups == 4 && segment.batches == 8 && segment.epoch == 1)
        #expect(report.records == Int64(fixture.values.count) && report.endOffset == report.records)
        #expect(report.firstCommittedAt == Timestamp(micros: 1_700_000_000_000_000))
        #expect(try LogInspection.stat("elsewhere", disk) == [])
    }

    @Test func `verify of a rolled log finds nothing and changes nothing`() throws {
        let disk = try SegmentIndexTests.rolled()
        let before = disk.paths.map { disk.bytes($0) }
        let verdict = try LogInspection.verify("log", disk)
        #expect(verdict.damages == [] && verdict.tails == [] && verdict.records == Int64(Workload.recordCount))
        #expect(disk.paths.map { disk.bytes($0) } == before)
    }

    @Test func `verify names every flipped bit of every file`() throws {
        let disk = try SegmentIndexTests.rolled()
        let segments = disk.paths.filter { $0.hasSuffix(".log") }
        for path in disk.paths {
            let bytes = try #require(disk.bytes(path))
            let isLast = path == segments.last
            for byte in stride(from: 0, to: bytes.count, by: path.hasSuffix(".log") ? 7 : 1) {
                var damaged = bytes
                damaged[byte] ^= UInt8(1 << (byte % 8))
                disk.put(path, damaged)
                let verdict = try LogInspection.verify("log", disk)
                #expect(verdict.damages.count + verdict.tails.count == 1, "\(path) \(byte): \(verdict)")
                #expect(verdict.tails.isEmpty || isLast)
                if let damage = verdict.damages.first { #expect(path.hasSuffix(damage.segment) && damage.byte <= byte) }
            }
            disk.put(path, bytes)
        }
    }

    @Test func `a tail of the last segment is no damage`() throws {
        for length in fixture.groups[3] + 1..<fixture.bytes.count {
            let verdict = try LogInspection.verify("log", fixture.disk(Array(fixture.bytes.prefix(length))))
            #expect(verdict.damages == [])
            #expect(verdict.tails.map { [$0.from, $0.to] } == [[fixture.groups[3], length]])
        }
    }

    @Test func `a missing segment and a foreign index are damage`() throws {
        let disk = try SegmentIndexTests.rolled()
        let segments = disk.paths.filter { $0.hasSuffix(".log") }
        let indices = disk.paths.filter { $0.hasSuffix(".index") }
        let foreign = try #require(disk.bytes(indices[1]))
        disk.put(indices[0], foreign)
        #expect(
            try LogInspection.verify("log", disk).damages.map(\.defect) == [
                "the index describes another segment; delete it, the next start makes it again"
            ]
        )
        disk.remove(indices[0])
        disk.remove(segments[1])
        let verdict = try LogInspection.verify("log", disk)
        #expect(verdict.damages.contains { segments[2].hasSuffix($0.segment) && $0.defect.contains("expected") })
    }

    @Test func `dump gives every record with its identifier from any offset`() throws {
        let disk = try SegmentIndexTests.rolled()
        let expected = try PartitionLog.open(disk).values()
        for from in Int64(0)..<Int64(expected.count) {
            for limit in [1, 3, 1_000] {
                var found: [(Int64, String)] = []
                let given = try LogInspection.dump(feed, "log", disk, from: from, limit: limit) { record in
                    found.append((record.offset, String(decoding: record.value, as: UTF8.self)))
                    return true
                }
                #expect(given == found.count)
                #expect(found.map(\.0) == expected.dropFirst(Int(from)).prefix(limit).map(\.offset))
                #expect(found.map(\.1) == expected.dropFirst(Int(from)).prefix(limit).map(\.value))
            }
        }
        var ids: [Identifier] = []
        #expect(
            try LogInspection.dump(feed, "log", fixture.disk(fixture.bytes), from: 5, limit: 2) { record in
                ids.append(record.id)
                return true
            } == 2
        )
        #expect(ids == [Identifier(high: 3, low: 4), Identifier(high: 1, low: 2)])
        #expect(try LogInspection.dump(feed, "log", disk, from: 0, limit: 9) { _ in false } == 1)
        #expect(try LogInspection.dump(feed, "log", disk, from: Int64(expected.count), limit: 9) { _ in true } == 0)
        #expect(
            throws: EventLogError.offsetOutOfRange(
                partition: "feed.test/0",
                offset: 99,
                start: 0,
                end: Int64(expected.count)
            )
        ) { try LogInspection.dump(feed, "log", disk, from: 99, limit: 1) { _ in true } }
    }

    @Test func `dump begins at a time, which the indexes of closed segments look up`() throws {
        let disk = SimulatedDisk(seed: 5)
        let log = try PartitionLog.open(disk)
        for number in 0..<40 {
            var batch = LogBatch.of(["\(number)"])
            batch.envelope.receivedAt = Timestamp(micros: Int64(number) * 1_000_000)
            _ = try log.append([batch], committedAt: Int64(number) * 1_000_000 + 1)
        }
        let files = disk.paths.filter { $0.hasSuffix(".index") }
        let indexes = files.compactMap { disk.bytes($0).flatMap(SegmentIndex.init) }
        #expect(indexes.count == files.count)
        #expect(indexes.count >= 3)
        #expect(indexes.allSatisfy { $0.offset(before: 0) == nil })
        #expect(indexes[2].offset(before: .max) == indexes[2].entries.last?.offset)
        for number in 0..<40 {
            var found: [Int64] = []
            try LogInspection.dump(
                feed,
                "log",
                disk,
                from: 0,
                since: Timestamp(micros: Int64(number) * 1_000_000),
                limit: 2
            ) { record in
                found.append(record.offset)
                return true
            }
            #expect(found == (Int64(number)..<40).prefix(2).map { $0 })
        }
    }

    @Test func `dump stops at damage after the records before it`() throws {
        var damaged = fixture.bytes
        damaged[fixture.groups[2] + 80] ^= 1
        var given = 0
        let error = #expect(throws: EventLogError.self) {
            try LogInspection.dump(feed, "log", fixture.disk(damaged), from: 0, limit: 100) { _ in
                given += 1
                return true
            }
        }
        #expect(given == Int(fixture.headers[2].baseOffset))
        #expect(error?.code == "log.corrupt")
    }

    @Test(.timeLimit(.minutes(1))) func `inspection beside a running writer sees no damage`() async throws {
        let directory = try TemporaryDirectory()
        var settings = EmbeddedLogSettings()
        settings.segmentBytes = 20_000
        let log = try EmbeddedLog(directory: directory.path, disk: PosixDisk(), settings: settings, time: FixedTime())
        try log.start()
        async let written: Void = {
            for number in 0..<400 { _ = try await log.append(["\(number)" + String(repeating: "x", count: number)]) }
        }()
        var last: Int64 = 0
        var rounds = 0
        repeat {
            let verdict = try LogInspection.verify(directory.path, PosixDisk())
            #expect(verdict.damages == [])
            #expect(verdict.records >= last)
            last = verdict.records
            rounds += 1
            await Task.yield()
        } while last < 400
        try await written
        log.close()
        #expect(rounds > 1)
    }
}
