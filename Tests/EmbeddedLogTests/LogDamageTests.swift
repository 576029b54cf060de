import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import RecordBatch
import Testing

@testable import EmbeddedLog

/// A sound segment of four groups, and where everything in it lies.
struct SegmentFixture: Sendable {
    static let path = "log/feed.test/0/00000000000000000000.log"
    static let shared = SegmentFixture()

    let bytes: [UInt8]
    /// First byte of each group, and the end.
    let groups: [Int]
    let headers: [CommitGroup.Header]
    let batchSizes: [[Int]]
    let values: [(offset: Int64, value: String)]

    static let batches: [[LogBatch]] = {
        var csv = LogBatch.of(["4711;2;1.50", "4712;1;0.99"])
        csv.envelope.format = .csv(header: "sale;count;price", separator: 0x3B)
        csv.envelope.sender = "till 7"
        csv.envelope.senderSequence = 42
        csv.envelope.senderEpoch = "morning"
        csv.envelope.run = "run-1"
        var named = RecordBatchBuilder(baseTimestamp: 5)
        named.append(Array("{}".utf8)[...], id: Identifier(high: 3, low: 4))
        var json = LogBatch.of(["x"])
        json.bytes = named.finish()
        return [[.of(["{\"a\":1}"]), csv], [csv], [json, .of(["", "b"]), csv], [csv, json]]
    }()

    init() {
        let disk = SimulatedDisk(seed: 1)
        guard let log = try? PartitionLog.open(disk, segmentBytes: 1 << 20) else {
            preconditionFailure("a sound disk opens")
        }
        for group in Self.batches { _ = try? log.append(group) }
        bytes = disk.bytes(Self.path) ?? []
        values = (try? log.values()) ?? []
        var groups = [0]
        var headers: [CommitGroup.Header] = []
        while let at = groups.last, let header = try? CommitGroup.header(bytes, at: at) {
            headers.append(header)
            groups.append(at + header.groupSize)
        }
        self.groups = groups
        self.headers = headers
        batchSizes = Self.batches.map { $0.map(\.bytes.count) }
    }

    func disk(_ bytes: [UInt8]) -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        disk.put(Self.path, bytes)
        return disk
    }

    func scan(_ bytes: [UInt8]) throws -> SegmentScan {
        let file = try disk(bytes).open(Self.path, create: false, readOnly: true)
        return try SegmentScan(file, baseOffset: 0, previousCRC: 0)
    }

    func group(of byte: Int) -> Int { groups.lastIndex { $0 <= byte } ?? 0 }

    /// Whether a defect is the one that damage at this byte must be called.
    func names(_ defect: CommitGroup.Defect, damageAt byte: Int) -> Bool {
        let group = group(of: byte)
        let at = byte - groups[group]
        switch (at, defect) {
        case (0..<4, .magic), (4..<8, .headerSize), (4..<8, .torn), (4..<8, .headerChecksum): return true
        case (8..<headers[group].size, .headerChecksum): return true
        case (..<headers[group].size, _): return false
        default: break
        }
        var inside = at - headers[group].size
        var batch = 0
        while inside >= batchSizes[group][batch] {
            inside -= batchSizes[group][batch]
            batch += 1
        }
        switch (inside, defect) {
        case (0..<8, .batchPlacement(batch)), (12..<16, .batchPlacement(batch)): return true
        case (8..<12, .batch(batch, .torn)), (8..<12, .batch(batch, .checksum)): return true
        case (16, .batch(batch, .magic)): return true
        case (17..., .batch(batch, .checksum)): return true
        default: return false
        }
    }
}

/// No bit of a segment can change unnoticed, and what is noticed has a place and a name.
@Suite struct LogDamageTests {
    let fixture = SegmentFixture.shared

    @Test func `the fixture is sound`() throws {
        #expect(fixture.headers.count == 4 && fixture.groups.last == fixture.bytes.count)
        #expect(try fixture.scan(fixture.bytes).damage == nil)
        #expect(fixture.values.map(\.value).contains("4711;2;1.50"))
    }

    @Test(arguments: 0..<8)
    func `a scan names every flipped bit`(bit: Int) throws {
        for byte in fixture.bytes.indices {
            var damaged = fixture.bytes
            damaged[byte] ^= 1 << bit
            let scan = try fixture.scan(damaged)
            let group = fixture.group(of: byte)
            #expect(scan.groups == group && scan.damage?.position == fixture.groups[group], "byte \(byte)")
            #expect(
                scan.damage.map { fixture.names($0.defect, damageAt: byte) } == true,
                "\(byte): \(scan.damage as Any)"
            )
        }
    }

    @Test(arguments: 0..<8)
    func `recovery stops at a flip before the last group and cuts one inside it`(bit: Int) throws {
        let last = fixture.groups[3]
        let end = fixture.bytes.count
        let firstOfLast = fixture.headers[3].baseOffset
        for byte in fixture.bytes.indices {
            var damaged = fixture.bytes
            damaged[byte] ^= 1 << bit
            if byte < last {
                let error = #expect(throws: EventLogError.self) { _ = try PartitionLog.open(fixture.disk(damaged)) }
                guard case .corrupt("feed.test/0", "00000000000000000000.log", let at, _)? = error else {
                    Issue.record("byte \(byte): \(error as Any)")
                    continue
                }
                #expect(at == fixture.groups[fixture.group(of: byte)])
            } else {
                let log = try PartitionLog.open(fixture.disk(damaged), storedBelow: firstOfLast)
                #expect(log.cut?.from == last && log.cut?.to == end && log.durableEnd == firstOfLast, "byte \(byte)")
                #expect(throws: EventLogError.self) {
                    _ = try PartitionLog.open(fixture.disk(damaged), storedBelow: firstOfLast + 1)
                }
            }
        }
    }

    @Test func `a segment cut after any byte recovers to its last whole group`() throws {
        for length in fixture.bytes.indices {
            let disk = fixture.disk(Array(fixture.bytes.prefix(length)))
            let log = try PartitionLog.open(disk)
            let whole = fixture.group(of: length)
            let end = whole == 0 ? 0 : fixture.headers[whole - 1].endOffset
            #expect(log.durableEnd == end)
            #expect(
                log.cut.map { [$0.from, $0.to] }
                    == (length == fixture.groups[whole] ? nil : [fixture.groups[whole], length])
            )
            #expect(try log.values().map(\.value) == fixture.values.prefix(Int(end)).map(\.value))
            #expect(disk.bytes(SegmentFixture.path)?.count == fixture.groups[whole])
            _ = try log.append([.of(["next"])])
            #expect(try PartitionLog.open(disk.afterPowerLoss(seed: 1)).values().last?.value == "next")
        }
    }

    @Test func `a whole group that was moved, repeated or left out is noticed`() throws {
        func group(_ number: Int) -> ArraySlice<UInt8> {
            fixture.bytes[fixture.groups[number]..<fixture.groups[number + 1]]
        }
        for order in [[1, 0, 2, 3], [0, 0, 1, 2], [0, 2, 3], [1, 2, 3]] {
            let scan = try fixture.scan(order.flatMap { group($0) })
            guard case .offset? = scan.damage?.defect else {
                Issue.record("\(order): \(scan.damage as Any)")
                continue
            }
        }
        // Same offsets, other history: only the chain tells.
        var (foreign, header) = CommitGroup.encode(
            SegmentFixture.batches[1],
            baseOffset: fixture.headers[1].baseOffset,
            epoch: 1,
            committedAt: 9,
            previousCRC: fixture.headers[0].crc ^ 1
        )
        #expect(header.endOffset == fixture.headers[1].endOffset)
        foreign = Array(group(0)) + foreign
        #expect(
            try fixture.scan(foreign).damage
                == .init(
                    position: fixture.groups[1],
                    defect: .chain(stated: fixture.headers[0].crc ^ 1, expected: fixture.headers[0].crc)
                )
        )
    }

    @Test func `tables ahead of the log stop the partition`() throws {
        let end = fixture.headers[3].endOffset
        let error = #expect(throws: EventLogError.self) {
            _ = try PartitionLog.open(fixture.disk(fixture.bytes), storedBelow: end + 1)
        }
        #expect(
            error?.description.contains("the log ends at offset \(end) and tables have stored up to \(end + 1)") == true
        )
    }

    @Test func `a file that shrinks under a reader is reported and not waited for`() throws {
        let disk = fixture.disk(fixture.bytes)
        let log = try PartitionLog.open(disk)
        for keep in [1, 40, 60, 300] {
            try disk.open(SegmentFixture.path, create: false, readOnly: false).truncate(to: keep)
            let reader = PartitionReader(log: log, from: 0)
            #expect(throws: EventLogError.self) { while try !reader.next(bytesMax: 1).isEmpty {} }
        }
    }

    @Test func `hostile groups are refused and never trap`() throws {
        var random = SeededRandom(seed: 4711)
        let count = ProcessInfo.processInfo.environment["TILL_FUZZ"] == "full" ? 1_000_000 : 20_000
        var accepted = 0
        for round in 0..<count {
            let group = round % 4
            var bytes = Array(fixture.bytes[fixture.groups[group]..<fixture.groups[group + 1]])
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[Int.random(in: bytes.indices, using: &random)] = UInt8(random.next() & 0xFF)
                case 1:
                    bytes[Int.random(in: 12..<fixture.headers[group].size, using: &random)] = UInt8(
                        random.next() & 0xFF
                    )
                case 2: bytes[Int.random(in: 12..<60, using: &random)] = [0, 0x7F, 0x80, 0xFF][Int(random.next() & 3)]
                default: bytes.removeLast(Int.random(in: 0...min(8, bytes.count - 61), using: &random))
                }
            }
            // The checksum is made right, so that what lies behind it is tried.
            let size = fixture.headers[group].size
            if bytes.count >= size, round % 8 != 0 { bytes.putBigEndian(CRC32C.of(bytes[12..<size]), at: 8) }
            if let header = try? CommitGroup.header(bytes, at: 0),
                (try? CommitGroup.batches(bytes, at: 0, header)) != nil
            {
                accepted += 1
            }
        }
        #expect(accepted > 0 && accepted < count / 2, "changes of times and identifiers are legal, others are not")
    }
}

/// The index is a cache: without it, or with a damaged one, the same is read.
@Suite struct SegmentIndexTests {
    static let directory = "log/feed.test/0/"

    static func rolled() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 3)
        var work = Workload()
        work.run(try PartitionLog.open(disk), 12)
        return disk
    }

    @Test func `missing and damaged indices give identical reads and are made again`() throws {
        let sound = try Self.rolled()
        let expected = try PartitionLog.open(sound).values().map(\.value)
        let indices = sound.paths.filter { $0.hasSuffix(".index") }
        #expect(indices.count >= 3 && expected.count == Workload.recordCount)
        for path in indices {
            let bytes = try #require(sound.bytes(path))
            var variants: [[UInt8]?] = [nil, [], Array(bytes.dropLast()), bytes + [0]]
            for byte in bytes.indices {
                var damaged = bytes
                damaged[byte] ^= 0x10
                variants.append(damaged)
            }
            for variant in variants {
                let disk = sound.afterRestart()
                disk.remove(path)
                if let variant { disk.put(path, variant) }
                #expect(try PartitionLog.open(disk).values().map(\.value) == expected)
                #expect(disk.bytes(path) == bytes)
            }
        }
    }

    @Test func `an index of many groups finds every offset`() {
        var index = SegmentIndex(baseOffset: 10)
        var places: [(Int64, Int)] = []
        for number in 0..<500 {
            var header = CommitGroup.Header()
            header.size = 100
            header.bodySize = number * 37
            header.baseOffset = index.endOffset
            header.recordCount = 1 + number % 5
            places.append((header.baseOffset, index.size))
            index.add(header)
        }
        #expect(index.entries.count > 5)
        #expect(SegmentIndex(index.encoded()) == index)
        for (offset, position) in places {
            let found = index.position(of: offset)
            #expect(found <= position && position - found < EmbeddedLogLimits.indexBytesInterval + 500 * 37)
        }
    }

    @Test func `a missing segment in the middle is named`() throws {
        let disk = try Self.rolled()
        let segments = disk.paths.filter { $0.hasSuffix(".log") }
        disk.remove(segments[1])
        let error = #expect(throws: EventLogError.self) { _ = try PartitionLog.open(disk) }
        #expect(error?.description.contains("the file starts at offset") == true)
    }

    @Test func `an empty last segment keeps chain and epoch`() throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try PartitionLog.open(disk, segmentBytes: 1)
        _ = try first.append([.of(["a"])])
        let operations = disk.operations
        // The roll makes index and file; the write of the group is what fails.
        disk.arm(Fault(.forever, atOperation: operations + 7))
        #expect(throws: EventLogError.self) { _ = try first.append([.of(["b"])], committedAt: 0) }
        let restarted = disk.afterRestart()
        let second = try PartitionLog.open(restarted, segmentBytes: 1 << 20)
        #expect(second.epoch == 2)
        _ = try second.append([.of(["c"])])
        _ = try second.append([.of(["d"])])
        #expect(try PartitionLog.open(restarted.afterPowerLoss(seed: 5)).values().map(\.value) == ["a", "c", "d"])
    }
}
