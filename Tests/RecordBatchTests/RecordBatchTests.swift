import Foundation
import Primitives
import Testing

@testable import RecordBatch

/// A batch is either accepted whole or refused with a reason, and its bytes are Kafka's.
@Suite struct RecordBatchTests {
    /// Three records, written by hand from the Kafka documentation ("Message Format", record batch v2) by a script that
    /// shares nothing with this product; kafka-python 2.0.2 reads it (DefaultRecordBatch, checksum included).
    static let golden = """
        0000000000000000 00000070 00000000 02 e14a8b9a 0000 00000002 0000018bcfe5687b 0000018bcfe5687b
        ffffffffffffffff ffff ffffffff 00000003
        2a 00 00 00 01 1e 7b2273616c65223a2234373131227d 00
        42 00 00 02 01 04 c3a4 02 0e 74696c6c2d6964 20 000102030405060708090a0b0c0d0e0f
        0c 00 00 04 01 00 00
        """

    static let bytes = Hex.bytes(golden.utf8.filter { $0 > 0x20 }) ?? []
    static let id = Identifier(Array(0..<16 as Range<UInt8>)) ?? .zero

    static func built() -> [UInt8] {
        var builder = RecordBatchBuilder(baseTimestamp: 1_700_000_000_123)
        builder.append(Array("{\"sale\":\"4711\"}".utf8)[...])
        builder.append(Array("ä".utf8)[...], id: id)
        builder.append([])
        return builder.finish()
    }

    static func records(_ bytes: [UInt8], at start: Int = 0) throws -> [(String, Identifier?)] {
        let view = try RecordBatchView(bytes, at: start, end: bytes.count)
        var all: [(String, Identifier?)] = []
        try view.forEach(in: bytes) { all.append((String(decoding: bytes[$0.value], as: UTF8.self), $0.id)) }
        return all
    }

    @Test func `the builder writes exactly the documented bytes`() {
        #expect(Self.bytes.count == 124)
        #expect(Hex.text(Self.built()) == Hex.text(Self.bytes))
    }

    @Test func `the view reads the documented bytes, also inside a buffer`() throws {
        let records = try Self.records([1, 2, 3] + Self.bytes, at: 3)
        #expect(records.map(\.0) == ["{\"sale\":\"4711\"}", "ä", ""])
        #expect(records.map(\.1) == [nil, Self.id, nil])
        let view = try RecordBatchView(Self.bytes, at: 0, end: Self.bytes.count)
        #expect(view.recordCount == 3 && view.baseOffset == 0 && view.leaderEpoch == 0)
        #expect(view.baseTimestamp == 1_700_000_000_123 && view.range == 0..<124)
    }

    @Test func `a Kafka client's keys and headers are read`() throws {
        // key "k", value "v", headers a = 1 byte and b = null.
        var record: [UInt8] = [0, 0, 0, 2, 0x6B, 2, 0x76, 4, 2, 0x61, 2, 0x31, 2, 0x62, 1]
        record.insert(UInt8(record.count * 2), at: 0)
        let bytes = Self.sealed(Array(Self.bytes.prefix(61)) + record, count: 1)
        let view = try RecordBatchView(bytes, at: 0, end: bytes.count)
        var seen = 0
        try view.forEach(in: bytes) { record in
            seen += 1
            #expect(
                record.key.map { Array(bytes[$0]) } == [0x6B] && Array(bytes[record.value]) == [0x76]
                    && record.id == nil
            )
        }
        #expect(seen == 1)
    }

    @Test func `placing sets offset and epoch and keeps the checksum`() throws {
        var bytes = Self.bytes
        RecordBatchBuilder.place(&bytes, baseOffset: 0x0102_0304_0506_0708, epoch: -2)
        let view = try RecordBatchView(bytes, at: 0, end: bytes.count)
        #expect(view.baseOffset == 0x0102_0304_0506_0708 && view.leaderEpoch == -2)
        #expect(Hex.text(bytes.prefix(16)) == "010203040506070800000070fffffffe")
    }

    @Test(arguments: 0..<bytes.count)
    func `a batch cut after any byte is torn`(length: Int) {
        let cut = Array(Self.bytes.prefix(length))
        #expect(throws: RecordBatchError.torn(needed: length < 61 ? 61 : 124, available: length)) {
            _ = try RecordBatchView(cut, at: 0, end: length)
        }
    }

    /// Offset and epoch (0 to 7, 12 to 15) are the log's: the commit group protects them.
    @Test(arguments: 0..<8)
    func `any flipped bit that the batch protects is noticed`(bit: Int) {
        for byte in Array(8..<12) + Array(16..<Self.bytes.count) {
            var damaged = Self.bytes
            damaged[byte] ^= 1 << bit
            #expect(throws: RecordBatchError.self, "byte \(byte)") {
                _ = try RecordBatchView(damaged, at: 0, end: damaged.count)
            }
        }
    }

    @Test func `what this product does not store is refused by name`() {
        func error(_ change: (inout [UInt8]) -> Void) -> RecordBatchError? {
            var bytes = Self.bytes
            change(&bytes)
            bytes.putBigEndian(CRC32C.of(bytes[21...]), at: 17)
            do throws(RecordBatchError) {
                _ = try RecordBatchView(bytes, at: 0, end: bytes.count)
                return nil
            } catch {
                return error
            }
        }
        for attributes in [1, 2, 3, 4, 16, 32] as [UInt8] {
            #expect(error { $0[22] = attributes } == .compressed(attributes: Int16(attributes)))
        }
        #expect(error { $0[22] = 8 } == nil, "log append time is only a note")
        #expect(error { $0[16] = 1 } == .magic(1))
        #expect(error { $0[60] = 4 } == .count(stated: 4, found: 3))
        #expect(error { $0.putBigEndian(Int32(0), at: 57) } == .count(stated: 0, found: 3))
        #expect(error { $0.putBigEndian(Int32.max, at: 23) } == .count(stated: 3, found: 1 << 31))
        #expect(RecordBatchError.magic(1).description == "The batch has format version 1; version 2 is supported.")
    }

    @Test func `malformed records behind a right checksum are refused`() throws {
        for byte in 61..<Self.bytes.count {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] where value != Self.bytes[byte] {
                var bytes = Self.bytes
                bytes[byte] = value
                bytes.putBigEndian(CRC32C.of(bytes[21...]), at: 17)
                if let records = try? Self.records(bytes) { #expect(records.count == 3) }
            }
        }
        // A record more, and one less, than stated.
        #expect(throws: RecordBatchError.record(index: 3)) {
            _ = try Self.records(Self.sealed(Self.bytes, count: 4))
        }
        #expect(throws: RecordBatchError.count(stated: 2, found: 3)) {
            _ = try Self.records(Self.sealed(Self.bytes, count: 2))
        }
    }

    @Test func `random and hostile bytes are refused and never trap`() {
        var random = SeededRandom(seed: 42)
        let count = ProcessInfo.processInfo.environment["TILL_FUZZ"] == "full" ? 1_000_000 : 20_000
        var opened = 0
        var read = 0
        for round in 0..<count {
            var bytes: [UInt8]
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...160, using: &random)).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
                if bytes.count > 61, round % 8 == 0 { bytes = Self.sealed(bytes, count: 1 + Int32(round % 5)) }
            } else {
                bytes = Self.bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let at = Int.random(in: 57..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, 0xFE][Int.random(in: 0..<6, using: &random)]
                    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
                    default: if bytes.count > 70 { bytes.remove(at: at) }
                    }
                }
                bytes = Self.sealed(bytes, count: round % 3 == 0 ? nil : 3)
            }
            guard let view = try? RecordBatchView(bytes, at: 0, end: bytes.count) else { continue }
            opened += 1
            var records = 0
            if (try? view.forEach(
                in: bytes,
                { record in
                    records += 1
                    precondition(record.value.upperBound <= bytes.count, "a value lies inside the batch")
                }
            )) != nil {
                read += 1
                precondition(records == view.recordCount, "a batch that reads well has all its records")
            }
        }
        #expect(opened > count / 4 && read > 0 && read < opened, "\(opened) opened, \(read) read of \(count)")
    }

    @Test func `a batch without records is a bug and traps`() async {
        await #expect(processExitsWith: .failure) { _ = RecordBatchBuilder(baseTimestamp: 0).finish() }
    }

    @Test(arguments: [0, 1, 63, 64, 127, 128, 8_191, 8_192, 1_000_000])
    func `a value of any size comes back`(size: Int) throws {
        var builder = RecordBatchBuilder(baseTimestamp: -1)
        builder.append([UInt8](repeating: 0x61, count: size)[...])
        #expect(try Self.records(builder.finish()).map(\.0.utf8.count) == [size])
    }

    /// Makes length, magic, counts and checksum right.
    static func sealed(_ bytes: [UInt8], count: Int32?) -> [UInt8] {
        var bytes = bytes
        bytes.putBigEndian(Int32(bytes.count - 12), at: 8)
        bytes[16] = 2
        bytes.putBigEndian(Int16(0), at: 21)
        if let count {
            bytes.putBigEndian(count - 1, at: 23)
            bytes.putBigEndian(count, at: 57)
        }
        bytes.putBigEndian(CRC32C.of(bytes[21...]), at: 17)
        return bytes
    }
}
