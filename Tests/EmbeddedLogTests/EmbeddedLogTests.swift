import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import RecordBatch
import Synchronization
import Testing

@testable import EmbeddedLog

struct FixedTime: TimeSource {
    func now() -> Timestamp { Timestamp(micros: 1_700_000_000_000_000) }
    func monotonicNanos() -> Int64 { 0 }
}

@Suite(.timeLimit(.minutes(1))) struct EmbeddedLogTests {
    static func open(
        _ disk: any LogDisk,
        segmentBytes: Int = 4_000,
        stored: [TopicPartition: Int64] = [:],
        _ change: (inout EmbeddedLogSettings) -> Void = { _ in }
    ) throws -> EmbeddedLog {
        var settings = EmbeddedLogSettings()
        settings.segmentBytes = segmentBytes
        change(&settings)
        let log = try EmbeddedLog(directory: "log", disk: disk, settings: settings, time: FixedTime(), stored: stored)
        try log.start()
        return log
    }

    @Test func `what waits together shares one group`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let gate = GatedDisk(disk)
        let log = try Self.open(gate)
        gate.hold()
        try log.submit(.of(["first"])) { _ in }
        #expect(gate.waitUntilHeld())
        for number in 0..<100 { try log.submit(.of(["\(number)"])) { _ in } }
        gate.release()
        _ = try await log.append(["last"])
        log.close()
        let report = try #require(try LogInspection.stat("log", disk).first)
        #expect(report.batches == 102 && (2...3).contains(report.groups))
    }

    @Test func `a group is closed before its header passes the limit`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let gate = GatedDisk(disk)
        let log = try Self.open(gate, segmentBytes: 1 << 26)
        var wide = LogBatch.of(["x;y"])
        wide.envelope.format = .csv(
            header: ByteString([UInt8](repeating: 0x61, count: EmbeddedLogLimits.envelopeHeaderRowBytesMax)),
            separator: 0x3B
        )
        gate.hold()
        try log.submit(.of(["first"])) { _ in }
        #expect(gate.waitUntilHeld())
        let count = EmbeddedLogLimits.groupHeaderBytesMax / EmbeddedLogLimits.envelopeHeaderRowBytesMax + 50
        for _ in 0..<count { try log.submit(wide) { _ in } }
        gate.release()
        _ = try await log.append(["last"])
        log.close()
        let again = try Self.open(disk)
        #expect(again.cuts == [])
        #expect(again.durableEnd(of: feed) == Int64(count) + 2)
        again.close()
    }

    @Test func `a reader beside the writer sees every record once and in order`() async throws {
        let directory = try TemporaryDirectory()
        for disk in [SimulatedDisk(seed: 1), PosixDisk()] as [any LogDisk] {
            var settings = EmbeddedLogSettings()
            settings.segmentBytes = 3_000
            let log = try EmbeddedLog(directory: directory.path, disk: disk, settings: settings, time: FixedTime())
            try log.start()
            async let written: Void = {
                for number in 0..<300 { _ = try await log.append(["\(number)", "\(number)'"]) }
            }()
            var seen: [String] = []
            let reader = try log.reader(feed, from: 0)
            while seen.count < 600 {
                let found = try reader.next(bytesMax: 500)
                for batch in found { #expect(batch.baseOffset + Int64(batch.recordCount) <= log.durableEnd(of: feed)) }
                seen += found.flatMap(\.values)
                if found.isEmpty { await Task.yield() }
            }
            try await written
            #expect(seen == (0..<300).flatMap { ["\($0)", "\($0)'"] })
            log.close()
        }
    }

    @Test func `a reader with any budget gets at least one batch`() async throws {
        let log = try Self.open(SimulatedDisk(seed: 1))
        for number in 0..<20 { _ = try await log.append(["\(number)"]) }
        for budget in [-1, 0, 1, 400, 10_000] {
            let reader = try log.reader(feed, from: 0)
            var all: [String] = []
            while case let found = try reader.next(bytesMax: budget), !found.isEmpty { all += found.flatMap(\.values) }
            #expect(all.count == 20)
        }
        log.close()
    }

    @Test func `a partition is made once though a reader and the writer want it`() async throws {
        final class Counting: Sendable { let makes = Mutex<[String: Int]>([:]) }
        struct CountingDisk: LogDisk {
            let base = SimulatedDisk(seed: 1)
            let counting = Counting()
            func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
            func makeDirectory(_ directory: String) throws(DiskError) {
                counting.makes.withLock { $0[directory, default: 0] += 1 }
                try base.makeDirectory(directory)
            }
            func open(_ path: String, create: Bool, readOnly: Bool) throws(DiskError) -> any SegmentFile {
                try base.open(path, create: create, readOnly: readOnly)
            }
            func syncDirectory(_ directory: String) throws(DiskError) { try base.syncDirectory(directory) }
            func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) { try base.replace(path, with: bytes) }
        }
        let disk = CountingDisk()
        let log = try Self.open(disk)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                let partition = TopicPartition("feed.many", Int32(number))
                group.addTask { _ = try await log.append(["a"], to: partition) }
                group.addTask { _ = try log.reader(partition, from: 0) }
            }
            try await group.waitForAll()
        }
        log.close()
        let makes = disk.counting.makes.withLock { $0 }
        #expect(makes.count == 100 && makes.values.allSatisfy { $0 == 1 })
    }

    @Test func `every opening that writes has its own epoch and the segments roll`() async throws {
        let disk = SimulatedDisk(seed: 1)
        for round in 1...4 as ClosedRange<Int32> {
            let log = try Self.open(disk, segmentBytes: 600)
            for number in 0..<5 { _ = try await log.append(["\(round).\(number)"]) }
            log.close()
            #expect(try LogInspection.stat("log", disk).first?.epoch == round)
        }
        let report = try #require(try LogInspection.stat("log", disk).first)
        #expect(report.segments.count > 4 && report.records == 20)
        #expect(report.segments.dropLast().allSatisfy { $0.bytes >= 600 })
        #expect(try LogInspection.verify("log", disk).damages == [])
    }

    @Test func `a cut is told with partition file and bytes`() async throws {
        let disk = SimulatedDisk(seed: 1)
        var log = try Self.open(disk)
        _ = try await log.append(["a"])
        log.close()
        let path = "log/feed.test/0/00000000000000000000.log"
        let bytes = try #require(disk.bytes(path))
        disk.put(path, bytes + [0x54, 0x4C])
        log = try Self.open(disk)
        #expect(
            log.cuts.map(\.description) == [
                "00000000000000000000.log: 2 bytes (\(bytes.count) to \(bytes.count + 2)) were cut off, no record fits in them: "
                    + "the group needs 52 bytes and 2 are there"
            ]
        )
        log.close()
        let error = #expect(throws: EventLogError.self) { _ = try Self.open(disk, stored: [feed: 2]) }
        #expect(error?.code == "log.corrupt" && error?.domain == .integrity && error?.retry == .never)
    }

    @Test func `files beside the topics do not disturb`() throws {
        let directory = try TemporaryDirectory()
        try Data([1]).write(to: URL(fileURLWithPath: directory.path + "/lock"))
        try PosixDisk().makeDirectory(directory.path + "/feed.a/0")
        try Data([1]).write(to: URL(fileURLWithPath: directory.path + "/feed.a/notes.txt"))
        let log = try EmbeddedLog(
            directory: directory.path,
            disk: PosixDisk(),
            settings: EmbeddedLogSettings(),
            time: FixedTime()
        )
        #expect(log.partitions() == [TopicPartition("feed.a")])
    }

    @Test func `more partitions than the limit are refused and the log goes on`() async throws {
        let log = try Self.open(SimulatedDisk(seed: 1))
        for number in 0..<EmbeddedLogLimits.partitionsMax {
            _ = try log.reader(TopicPartition("feed.many", Int32(number)), from: 0)
        }
        await #expect(
            throws: EventLogError.unavailable(
                operation: "create partition feed.test/0",
                cause: "256 partitions exist, which is the limit"
            )
        ) { _ = try await log.append(["a"]) }
        _ = try await log.append(["a"], to: TopicPartition("feed.many", 0))
        log.close()
    }

    @Test func `a batch that lies about itself is a bug and traps`() async {
        await #expect(processExitsWith: .failure) {
            var batch = LogBatch.of(["a", "b"])
            batch.recordCount = 3
            try EmbeddedLogTests.open(SimulatedDisk(seed: 1)).submit(batch) { _ in }
        }
    }

    @Test func `two tills do not share a data directory`() throws {
        let directory = try TemporaryDirectory()
        let lock = try DirectoryLock(path: directory.path + "/lock")
        let error = #expect(throws: DiskError.self) { _ = try DirectoryLock(path: directory.path + "/lock") }
        #expect(error?.errno == 11)
        withExtendedLifetime(lock) {}
    }
}

/// The arithmetic that ``EmbeddedLogLimits`` states.
@Suite struct EmbeddedLogLimitsTests {
    @Test func `the limits fit into each other`() {
        #expect(RecordBatchLayout.bytesMax <= EmbeddedLogLimits.groupBytesMax, "one maximal batch fits a group")
        #expect(EmbeddedLogLimits.groupBytesTarget <= EmbeddedLogLimits.groupBytesMax)
        #expect(
            CommitGroup.fixedSize + 10 + EmbeddedLogLimits.envelopeBytesMax <= EmbeddedLogLimits.groupHeaderBytesMax,
            "one maximal envelope fits a header"
        )
        #expect(EmbeddedLogLimits.envelopeBytesMax <= Int(UInt16.max), "its size is a u16")
        #expect(EmbeddedLogLimits.envelopeHeaderRowBytesMax <= Int(UInt16.max))
        #expect(
            EmbeddedLogLimits.groupBatchesMax * RecordBatchLayout.recordsMax <= Int(UInt32.max),
            "a u32 counts a group's records"
        )
        #expect(EmbeddedLogLimits.groupBatchesMax * (10 + 57 + 10 + 8 + 100) <= EmbeddedLogLimits.groupHeaderBytesMax)
        let settings = EmbeddedLogSettings()
        #expect(settings.waitingBytesMax >= EmbeddedLogLimits.groupBytesMax)
        #expect(settings.segmentBytes >= EmbeddedLogLimits.groupBytesMax)
        #expect(
            (settings.segmentBytes + EmbeddedLogLimits.groupBytesMax) / EmbeddedLogLimits.indexBytesInterval * 24 < 64
                << 20,
            "an index file is far below what is read of one"
        )
    }

    @Test func `a maximal envelope has exactly the size the limit states`() {
        func field(_ count: Int) -> ByteString { ByteString([UInt8](repeating: 0x61, count: count)) }
        let most = EmbeddedLogLimits.envelopeFieldBytesMax
        var envelope = LogBatch.of(["a"]).envelope
        envelope.feed = String(repeating: "a", count: most)
        envelope.sender = field(most)
        envelope.senderSequence = .min
        envelope.run = field(most)
        envelope.subject = field(most)
        envelope.key = field(most)
        envelope.format = .csv(header: field(EmbeddedLogLimits.envelopeHeaderRowBytesMax), separator: 9)
        var bytes: [UInt8] = []
        RecordEnvelopeCodec.encode(envelope, into: &bytes)
        #expect(bytes.count == EmbeddedLogLimits.envelopeBytesMax)
        #expect(bytes.count == RecordEnvelopeCodec.size(envelope))
        #expect(RecordEnvelopeCodec.decode(bytes[...], in: bytes) == envelope)
        #expect(RecordEnvelopeCodec.oversized(envelope) == nil)
        envelope.key = field(most + 1)
        #expect(RecordEnvelopeCodec.oversized(envelope)?.bytes == most + 1)
        for length in 0..<200 { #expect(RecordEnvelopeCodec.decode(bytes.prefix(length), in: bytes) == nil) }
    }

    @Test func `an envelope of an unknown media type is kept`() {
        var envelope = LogBatch.of(["a"]).envelope
        envelope.format = .unknown(mediaType: "text/plain")
        envelope.action = .discard
        var bytes: [UInt8] = []
        RecordEnvelopeCodec.encode(envelope, into: &bytes)
        #expect(bytes.count == RecordEnvelopeCodec.size(envelope))
        #expect(RecordEnvelopeCodec.decode(bytes[...], in: bytes) == envelope)
        for length in bytes.indices { #expect(RecordEnvelopeCodec.decode(bytes.prefix(length), in: bytes) == nil) }
        // CSV and unknown at once, and a flag that nobody writes.
        for flags: UInt8 in [18, 64] {
            #expect(RecordEnvelopeCodec.decode([flags] + bytes[1...], in: [flags] + bytes[1...]) == nil)
        }
        envelope.format = .unknown(mediaType: ByteString([UInt8](repeating: 0x61, count: 600)))
        #expect(RecordEnvelopeCodec.oversized(envelope)?.bytes == 600)
    }
}

@Suite struct EmbeddedLogFailuresTests {
    @Test(
        arguments: [
            (2, "no such file or directory"), (5, "input/output error, the disk is failing"),
            (11, "another process holds it"), (13, "permission denied, till needs to own the data directory"),
            (24, "too many open files, raise the limit (ulimit -n)"), (28, "no space left on the device, free some"),
            (30, "the file system is read-only"), (122, "the disk quota is used up"),
            (7, "Argument list too long (errno 7)"),
            (27, "the file would be larger than the file system or `ulimit -f` allows"),
        ] as [(Int32, String)]
    )
    func `an errno has a text with its remedy`(errno: Int32, text: String) {
        #expect(EmbeddedLogFailures.text(errno) == text)
        let isFull = [27, 28, 122].contains(errno)
        #expect(
            EmbeddedLogFailures.translate(DiskError(operation: "open x", errno: errno))
                == (isFull
                    ? .full(operation: "open x", cause: text) : .unavailable(operation: "open x", cause: text))
        )
        #expect(
            EmbeddedLogFailures.translate(DiskError(operation: "sync x", errno: errno, isUncertain: true))
                == .poisoned(cause: "sync x: \(text)")
        )
    }
}
