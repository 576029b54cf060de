import CShims
import Primitives
import Testing

@testable import Network

@Suite struct ParserFuzzTests {
    static let seeds: [[UInt8]] = HTTPRequestParserTests.cases.map { Array($0.input.utf8) }.filter { $0.count < 2_000 }
    static let goodSeeds: [[UInt8]] = HTTPRequestParserTests.cases.filter { $0.refusal == nil }
        .map { Array($0.input.utf8) }.filter { $0.count < 2_000 }
    static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "\t", "%", "%00", "0\r\n\r\n", "Host: a\r\n", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "HTTP/1.1", "GET / ", "ffffffff\r\n", "Expect: 100-continue\r\n", "\u{0}",
        "?", "#",
    ].map { Array($0.utf8) }

    static func mutate(_ random: inout SeededRandom) -> [UInt8] {
        let pool = Int.random(in: 0..<4, using: &random) == 0 ? seeds : goodSeeds
        var bytes = pool[Int.random(in: 0..<pool.count, using: &random)]
        if Bool.random(using: &random) { bytes += pool[Int.random(in: 0..<pool.count, using: &random)] }
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let length = min(bytes.count - at, Int.random(in: 1...12, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(at..<at + length)
            case 3: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
            case 4: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: at)
            default: bytes.removeLast(bytes.count - at)
            }
        }
        return bytes
    }

    /// 20,000 inputs; 1,200,000 with TILL_FUZZ=full.
    @Test func `no input crashes or hangs the parser, and no cut changes its verdict`() {
        let isFull = cshims_getenv("TILL_FUZZ").map { String(cString: $0) } == "full"
        let count = isFull ? 1_200_000 : 20_000
        var random = SeededRandom(seed: 4711)
        var refused = 0
        var taken = 0
        var open = 0
        for round in 0..<count {
            let bytes = Self.mutate(&random)
            let whole = ParserVerdict(bytes, bodyMax: 64)
            let cuts = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }.sorted()
            let cut = ParserVerdict(bytes, cuts: cuts, bodyMax: 64)
            if cut != whole || whole.steps > bytes.count + 1 {
                Issue.record("round \(round): \(bytes) cut at \(cuts): \(whole) against \(cut)")
                return
            }
            if whole.refusal != nil { refused += 1 } else if whole.requests.isEmpty { open += 1 } else { taken += 1 }
        }
        #expect(refused + taken + open == count)
        // The mutations must reach all three ends, or the run says little.
        #expect(refused > count / 10 && taken > count / 10 && open > count / 20, "\(refused) \(taken) \(open)")
    }
}
