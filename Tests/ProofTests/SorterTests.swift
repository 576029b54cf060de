import Primitives
import Testing

@testable import Proof

/// A sorter gives every record back once, in order, whatever memory it had.
@Suite struct SorterTests {
    static func scratch() throws -> Scratch {
        try Scratch(directory: "/tmp/till-proof-tests")
    }

    static func sorted(_ records: [(key: [UInt8], value: UInt32)], _ bufferBytes: Int) throws -> [SortedRecord] {
        var sorter = Sorter(try scratch(), bufferBytes: bufferBytes)
        for (key, value) in records {
            var bytes = key
            bytes.appendBigEndian(value)
            try sorter.add(bytes, keyLength: key.count)
        }
        let runs = try sorter.finish()
        #expect(runs.count == records.count)
        var out: [SortedRecord] = []
        var merged = runs.records()
        while let record = try merged.next() { out.append(record) }
        return out
    }

    @Test func `nothing gives nothing`() throws {
        #expect(try Self.sorted([], 64).isEmpty)
    }

    @Test(arguments: [1, 40, 1_000, 100_000, 10_000_000])
    func `any buffer gives the same order, and equal keys keep theirs`(bufferBytes: Int) throws {
        var random = SplitMix(seed: UInt64(bufferBytes))
        var records: [(key: [UInt8], value: UInt32)] = []
        let count = bufferBytes == 1 ? 1_500 : 5_000
        for number in 0..<count {
            let length = Int.random(in: 0...9, using: &random)
            let key = (0..<length).map { _ in UInt8.random(in: 0...2, using: &random) * 127 }
            records.append((key, UInt32(number)))
        }
        let found = try Self.sorted(records, bufferBytes)
        let expected = records.enumerated().sorted { a, b in
            a.element.key == b.element.key
                ? a.offset < b.offset : a.element.key.lexicographicallyPrecedes(b.element.key)
        }
        #expect(found.count == expected.count)
        for (record, (_, element)) in zip(found, expected) {
            var bytes = element.key
            bytes.appendBigEndian(element.value)
            #expect(record.bytes == bytes && record.keyLength == element.key.count)
        }
    }

    @Test func `a record larger than the reader's buffer survives a run`() throws {
        let large = [UInt8](repeating: 7, count: 300_000)
        let found = try Self.sorted([(large, 1), ([1], 2), (large, 3)], 10)
        #expect(found.map(\.keyLength) == [1, 300_000, 300_000])
        #expect(found.last?.bytes.suffix(4) == [0, 0, 0, 3])
    }

    @Test func `keys compare as their values do`() {
        func key(_ value: Int64) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.appendCell(value)
            return bytes
        }
        let values: [Int64] = [.min, -5, -1, 0, 1, 256, .max]
        for (a, b) in zip(values, values.dropFirst()) { #expect(key(a).lexicographicallyPrecedes(key(b))) }
        func text(_ value: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.appendCell(text: ByteString(value))
            return bytes
        }
        let texts: [[UInt8]] = [
            [], [0], [0, 0], [0, 1], [1], [1, 0], [1, 0, 0xFF], [1, 1], [1, 1, 1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1, 1, 1, 0],
            [1, 1, 1, 1, 1, 1, 1, 1, 1], [0xFF],
        ]
        for (a, b) in zip(texts, texts.dropFirst()) { #expect(text(a).lexicographicallyPrecedes(text(b))) }
        for one in texts {
            var reader = KeyReader(text(one))
            #expect(reader.cell() == .text(ByteString(one)))
            var builder = ByteBuilder()
            builder.appendCell(text: ByteString(one))
            #expect(builder.bytes.elementsEqual(text(one)))
        }
        for value in values {
            var builder = ByteBuilder()
            builder.appendCell(value)
            #expect(builder.bytes.elementsEqual(key(value)))
        }
    }

    @Test func `keys are numbered in the order in which they come first`() {
        var table = KeyTable()
        var builder = ByteBuilder()
        for round in 0..<2 {
            for turn in 0..<3 {
                for number in 0..<1_000 {
                    builder.removeAll()
                    builder.appendCell(Int64(number * 7 + round))
                    #expect(table.number(of: builder) == number)
                    if turn == 2 { #expect(table.key(number).elementsEqual(builder.bytes)) }
                }
            }
            #expect(table.count == 1_000)
            table.removeAll()
        }
    }
}

/// Repeatable chance.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
