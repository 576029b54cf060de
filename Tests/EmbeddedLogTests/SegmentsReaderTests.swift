import FaultKit
import Ports
import RecordBatch
import Testing

@testable import EmbeddedLog

/// The reader beside a running till gives every batch below its end, or names the damage.
@Suite struct SegmentsReaderTests {
    static func offsets(_ disk: any LogDisk, to end: Int64, bytesMax: Int = 1) throws -> [Range<Int64>] {
        let reader = try LogInspection.reader(feed, "log", disk, to: end)
        var out: [Range<Int64>] = []
        while true {
            let batches = try reader.next(bytesMax: bytesMax)
            if batches.isEmpty { return out }
            out += batches.map { $0.baseOffset..<$0.baseOffset + Int64($0.recordCount) }
        }
    }

    @Test(arguments: [1, 1 << 20])
    func `every record comes once and in order, over all segments`(bytesMax: Int) throws {
        let disk = try SegmentIndexTests.rolled()
        let end = Int64(Workload.recordCount)
        let found = try Self.offsets(disk, to: end, bytesMax: bytesMax)
        #expect(found.first?.lowerBound == 0 && found.last?.upperBound == end)
        for (a, b) in zip(found, found.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
    }

    @Test func `what lies behind the end is not looked at`() throws {
        let disk = try SegmentIndexTests.rolled()
        let whole = try Self.offsets(disk, to: Int64(Workload.recordCount))
        let end = try #require(whole.first).upperBound
        let segments = disk.paths.filter { $0.hasSuffix(".log") }
        for path in segments.dropFirst() { disk.put(path, [1, 2, 3]) }
        #expect(try Self.offsets(disk, to: end).last?.upperBound ?? 0 >= end)
        #expect(try Self.offsets(disk, to: 0).isEmpty)
    }

    @Test func `damage names segment and byte, a missing segment too`() throws {
        let disk = try SegmentIndexTests.rolled()
        let segments = disk.paths.filter { $0.hasSuffix(".log") }
        let end = Int64(Workload.recordCount)
        for path in segments {
            let bytes = try #require(disk.bytes(path))
            for byte in stride(from: 0, to: bytes.count, by: 11) {
                var damaged = bytes
                damaged[byte] ^= 4
                disk.put(path, damaged)
                do {
                    _ = try Self.offsets(disk, to: end)
                    Issue.record("\(path) \(byte) was not noticed")
                } catch EventLogError.corrupt(_, let segment, let position, _) {
                    #expect(path.hasSuffix(segment) && position <= Int64(byte))
                }
            }
            disk.put(path, bytes)
        }
        disk.remove(segments[1])
        #expect(throws: EventLogError.self) { try Self.offsets(disk, to: end) }
    }

    @Test func `a partition that is not there has no records`() throws {
        let disk = try SegmentIndexTests.rolled()
        let reader = try LogInspection.reader(TopicPartition("feed.none"), "log", disk, to: 5)
        #expect(try reader.next(bytesMax: 100).isEmpty)
    }
}
