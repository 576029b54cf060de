import Primitives
import Testing

@Suite struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func `SHA-256 is that of the standard, whole, sliced and in pieces`(text: String, hex: String) {
        let bytes = Array(text.utf8)
        #expect(Digest.sha256(of: bytes).description == hex)
        #expect(Digest.sha256(of: ([9] + bytes)[1...]).description == hex)
        let stream = DigestStream()
        for byte in bytes { stream.add([byte]) }
        #expect(stream.finish().description == hex)
        #expect(Digest(Hex.bytes(Array(hex.utf8)) ?? []) == Digest.sha256(of: bytes))
    }

    @Test func `order of digests is that of their bytes`() throws {
        var random = SeededRandom(seed: 3)
        let all = (0..<50).map { _ in Digest.sha256(of: [UInt8(random.next() & 0xFF)]) }
        for a in all { for b in all { #expect((a < b) == a.bytes.lexicographicallyPrecedes(b.bytes)) } }
        #expect(Digest([1, 2]) == nil && Digest(Digest.zero.bytes) == .zero)
    }

    @Test func `CRC-32C is Castagnoli's`() {
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.of([]) == 0 && CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    }

    @Test func `hex reads both cases and nothing else`() {
        #expect(Hex.text([0, 0x9F, 0xFF]) == "009fff" && Hex.bytes(Array("009FfF".utf8)) == [0, 0x9F, 0xFF])
        for wrong in ["0", "0g", " 0", "0x", "é"] { #expect(Hex.bytes(Array(wrong.utf8)) == nil) }
        #expect(Hex.bytes([]) == [])
    }
}

@Suite struct ByteBuilderTests {
    @Test func `a builder makes the bytes that a list is made of`() {
        var random = SeededRandom(seed: 5)
        var builder = ByteBuilder()
        for _ in 0..<20 {
            var list: [UInt8] = []
            builder.removeAll()
            for _ in 0..<200 {
                let value = Int64(bitPattern: random.next()) >> Int64(random.next() % 64)
                let text = (0..<random.next() % 20).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                list.append(UInt8(truncatingIfNeeded: value))
                list.appendBigEndian(value)
                list.appendVarint(value)
                list += text
                builder.append(UInt8(truncatingIfNeeded: value), bigEndian: value)
                builder.appendVarint(value)
                builder.append(text)
                let hasZero = text.contains(0)
                #expect(builder.appendWithoutZero(7, text.span, bigEndian: 300) != hasZero)
                if !hasZero { list += [7] + text + [1, 44] }
            }
            #expect(builder.bytes.elementsEqual(list) && builder.count == list.count)
            #expect(
                list[...].isEqual(to: [9] + list, at: 1)
                    && !list[...].isEqual(to: list.dropLast() + [~list[list.count - 1]], at: 0)
            )
            builder.cut(to: 9)
            builder.putBigEndian(Int64(-2), at: 1)
            #expect(builder.bytes.elementsEqual(list[..<1] + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]))
        }
    }

    @Test(arguments: 0..<20)
    func `parts of a list are equal when all their bytes are`(count: Int) {
        let list = (0..<count).map { UInt8($0) }
        #expect(list[...].isEqual(to: list, at: 0))
        for place in list.indices {
            var other = list
            other[place] ^= 0x80
            #expect(!list[...].isEqual(to: other, at: 0))
        }
    }
}

@Suite struct IdentifierTests {
    /// The table of spec model 1.6.
    static let surrogates: [(String, String, [String], String)] = [
        ("customer", "orders", ["97a91f3df3b44224bb8d67a4"], "73f0b77a-ff41-5eff-becf-0cec8ce732d2"),
        ("product", "orders", ["97a91f3df3b44224bb8d67a4"], "daf22189-ce88-5fa7-bd0e-9bacb59a7827"),
        ("sale", "orders", ["7608298"], "708e0979-5043-589a-8851-0f6c63c2521d"),
        ("category", "orders", ["Супы"], "e5640281-d218-584d-84c5-563bafa07e53"),
        ("store_window", "pos", ["STORE_1", "2024-11-15T00:00:00Z"], "8ecd36c5-5023-511e-a521-c586d44f9ba3"),
        ("customer", "invoices", ["17850"], "03eb316a-e99c-5f38-a0f4-cb65e3842f51"),
    ]

    @Test(arguments: surrogates)
    func `surrogates are those of the specification`(entity: String, source: String, key: [String], uuid: String) {
        #expect(Identifier.surrogate(entity: entity, source: source, key: key).description == uuid)
    }

    @Test func `parts of a key cannot run into each other`() {
        let keys = [["a:b"], ["a", "b"], ["a%3Ab"], ["a%b"], ["a%25b"], ["a", "", "b"]]
        #expect(Set(keys.map { Identifier.surrogate(entity: "e", source: "s", key: $0) }).count == keys.count)
    }

    @Test func `the namespace is uuid5 of the DNS namespace and the name`() throws {
        let dns = try #require(Identifier(text: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        #expect(Identifier.uuid5("tillstream", namespace: dns) == .tillstream)
        #expect(
            Identifier.uuid5("www.example.com", namespace: dns).description == "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        )
    }

    @Test func `texts and bytes lead back`() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<100 {
            let id = Identifier.minted(by: &random)
            #expect(Identifier(text: id.description) == id && Identifier(id.bytes) == id)
            #expect(Array(id.description)[14] == "4" && "89ab".contains(Array(id.description)[19]))
        }
        #expect(Identifier(text: "nonsense") == nil && Identifier([1]) == nil)
        #expect(Identifier(text: "06C5085F5BCB5198BF3D52E28B581F7C") == .tillstream)
        #expect(Set((0..<10_000).map { Identifier.tillstream.item($0) }).count == 10_000)
        #expect(Identifier.tillstream.item(0) == .tillstream)
    }
}

@Suite struct WireTests {
    static let numbers: [Int64] = [
        0, -1, 1, 63, -64, 64, -65, 8_191, 8_192, -8_193, 1 << 31, -(1 << 31), .max, .min, .max - 1, .min + 1,
    ]

    @Test(arguments: numbers)
    func `a varint comes back and takes the size that was foretold`(value: Int64) {
        var bytes: [UInt8] = []
        bytes.appendVarint(value)
        #expect(bytes.count == varintSize(value))
        var reader = WireReader(bytes)
        #expect(reader.varint() == value)
        #expect(reader.remaining == 0)
        for cut in 0..<bytes.count {
            var torn = WireReader(Array(bytes.prefix(cut)))
            #expect(torn.varint() == nil)
            #expect(torn.position == 0, "a failed read takes nothing")
        }
    }

    @Test func `varints are zig-zag, and longer than ten bytes is none`() {
        for (value, expected) in [(0, [0]), (-1, [1]), (1, [2]), (-2, [3]), (64, [0x80, 1])] as [(Int64, [UInt8])] {
            var bytes: [UInt8] = []
            bytes.appendVarint(value)
            #expect(bytes == expected)
        }
        for bytes in [[UInt8](repeating: 0x80, count: 11), [UInt8](repeating: 0xFF, count: 9) + [2]] {
            var reader = WireReader(bytes)
            #expect(reader.varint() == nil)
        }
    }

    @Test func `integers are big-endian and checked`() {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(Int32(-2))
        bytes.appendBigEndian(UInt16(0x1234))
        bytes.putBigEndian(UInt8(7), at: 0)
        bytes.appendShort(ByteString([1, 2]))
        #expect(bytes == [7, 0xFF, 0xFF, 0xFE, 0x12, 0x34, 0, 2, 1, 2])
        var reader = WireReader(bytes)
        #expect(reader.integer(UInt32.self) == 0x07FF_FFFE)
        #expect(reader.take(2) == [0x12, 0x34])
        #expect(reader.short() == [1, 2])
        #expect(reader.integer(UInt8.self) == nil)
        #expect(reader.take(1) == nil)
        #expect(reader.take(0) == [])
        #expect(reader.take(-1) == nil)
        var short = WireReader([0, 9, 1])
        #expect(short.short() == nil)
    }
}

@Suite struct ShownTextTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, 1_234_567_890, Int64.max, Int64.min, 1_000_000_000_000_000_000])
    func `decimal digits are those of the number`(value: Int64) {
        var bytes = Array("x:".utf8)
        bytes.appendDecimal(value)
        #expect(String(decoding: bytes, as: UTF8.self) == "x:\(value)")
    }

    @Test func `outside text in messages is cut and shows its control characters`() {
        #expect("a\nb\u{1}\u{7F}\t".quotedForMessage == "\"a\\nb\\u{1}\\u{7f}\\t\"")
        let eighty = String(repeating: "x", count: 80)
        #expect((eighty + "x").quotedForMessage == "\"" + eighty + "…\"")
    }
}
