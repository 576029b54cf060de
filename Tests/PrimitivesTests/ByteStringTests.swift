import Primitives
import Testing

/// The value against the list of bytes that it stands for: short texts are kept in another form than long ones.
@Suite struct ByteStringTests {
    /// Of every length around the two borders, of few different bytes so that many are alike, zeros among them.
    private static let samples: [[UInt8]] = {
        var random = SeededRandom(seed: 28)
        var samples: [[UInt8]] = []
        for count in 0...40 {
            for alphabet in [[0], [0, 1], [0, 0x61, 0xFF], Array(0...255)] as [[UInt8]] {
                for _ in 0..<4 {
                    samples.append(
                        (0..<count).map { _ in alphabet[Int(random.next(upperBound: UInt64(alphabet.count)))] }
                    )
                }
            }
        }
        // Pairs that differ in the last byte, and those where one is the beginning of the other.
        for sample in samples where !sample.isEmpty {
            samples.append(sample.dropLast() + [sample[sample.count - 1] ^ 1])
            samples.append(Array(sample.dropLast()))
        }
        return samples
    }()

    @Test func `every way to make one keeps every byte, and every way to read it gives them back`() {
        for bytes in Self.samples {
            let text = ByteString(bytes)
            let framed = [7] + bytes + [7]
            #expect(ByteString(framed[1..<bytes.count + 1]) == text)
            #expect(ByteString(copying: bytes.span) == text)
            #expect(text.bytes == bytes)
            #expect(text.count == bytes.count && text.isEmpty == bytes.isEmpty && text.first == bytes.first)
            #expect(bytes.indices.map { text[$0] } == bytes)
            #expect(text.withSpan { span in span.indices.map { span[$0] } } == bytes)
            #expect(text.description == String(decoding: bytes, as: UTF8.self))
            var builder = ByteBuilder()
            builder.append(text)
            #expect(Array(builder.bytes) == bytes)
            var list: [UInt8] = [9]
            list.append(text)
            list.appendShort(text)
            #expect(list == [9] + bytes + [0, UInt8(bytes.count)] + bytes)
        }
    }

    @Test func `parts are those of the bytes`() {
        for bytes in Self.samples where bytes.count > 12 {
            for start in 0...bytes.count {
                for end in start...bytes.count {
                    let part = ByteString(bytes)[start..<end]
                    guard part != ByteString(bytes[start..<end]) || part.bytes != Array(bytes[start..<end]) else {
                        continue
                    }
                    Issue.record("\(bytes) from \(start) to \(end) gives \(part.bytes)")
                }
            }
        }
    }

    @Test func `equality, order and hash are those of the bytes`() {
        let texts = Self.samples.map { ByteString($0) }
        for (mine, text) in zip(Self.samples, texts) {
            for (theirs, other) in zip(Self.samples, texts) {
                let isEqual = mine == theirs
                guard
                    (text == other) != isEqual || (text < other) != mine.lexicographicallyPrecedes(theirs)
                        || isEqual && text.hashValue != other.hashValue
                else { continue }
                Issue.record("\(mine) and \(theirs)")
            }
        }
    }

    @Test func `a builder hashes as the text of its bytes`() {
        for bytes in Self.samples {
            var builder = ByteBuilder()
            builder.append([1, 2, 3])
            builder.removeAll()
            builder.append(bytes)
            var (a, b) = (Hasher(), Hasher())
            builder.hash(into: &a)
            ByteString(bytes).hash(into: &b)
            #expect(a.finalize() == b.finalize())
        }
    }

    @Test func `one takes 24 bytes, also where it may be missing`() {
        #expect(MemoryLayout<ByteString>.size == 24)
        #expect(MemoryLayout<ByteString?>.size == 24)
    }

    @Test func `two spellings of one letter are two keys, in order of the bytes`() {
        let composed: ByteString = "é"
        let decomposed: ByteString = "e\u{301}"
        #expect(composed != decomposed && decomposed < composed)
        #expect(composed.description == decomposed.description, "String thinks otherwise")
        #expect(Set([composed, decomposed, "é"]).count == 2)
        let sorted: [ByteString] = ["", ByteString([0]), "A", "Z", "a", "aa", "é", "€", "😀", ByteString([0xFF])]
        #expect(sorted.reversed().sorted() == sorted)
    }
}
