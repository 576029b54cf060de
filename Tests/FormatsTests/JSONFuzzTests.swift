import Formats
import Glibc
import Primitives
import Testing

/// Mutated documents: nothing crashes, and what is accepted parses the same again from its canonical form.
/// 20,000 inputs; a million with TILL_FUZZ=full (run that with `-c release`).
@Suite struct JSONFuzzTests {
    static let inputs = getenv("TILL_FUZZ").map { String(cString: $0) } == "full" ? 1_000_000 : 20_000

    static let seeds: [[UInt8]] = [
        #"{"id":"a1","lines":[{"sku":"85123A","q":6,"price":"2.55"},{"sku":null,"ok":true}],"total":15.30e0}"#,
        #"["\u00e9\ud83d\ude00","\\\"\/\b\f\n\r\t",-0.5E-7,[],{},[[[[{"":0}]]]],"é€😀"]"#,
        #"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":1,"k":2,"l":3,"m":4,"n":5,"o":6,"p":7,"q":8}"#,
        " \n[ 1 , 2 ,\t3 ] ", "null", "\"plain text that is longer than one vector\"",
    ].map { Array($0.utf8) }
    static let words: [[UInt8]] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "0", "-", ".", "e", "null", "NaN", " ",
        "\u{0}", "é", "😀", "\u{FEFF}", "\"a\":1,", "[[[[[[[[[[[[[[[[",
    ].map { Array($0.utf8) }

    static func mutate(_ random: inout SeededRandom) -> [UInt8] {
        var out = seeds[Int.random(in: 0..<seeds.count, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0...out.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: out.insert(contentsOf: words[Int.random(in: 0..<words.count, using: &random)], at: at)
            case 1: out.removeSubrange(at..<min(out.count, at + Int.random(in: 0...4, using: &random)))
            case 2: out.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 3 where at < out.count: out[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            default: out.insert(contentsOf: out[at..<min(out.count, at + 20)], at: at)
            }
        }
        return out
    }

    @Test func `mutated documents never crash and what is accepted parses the same again`() throws {
        var random = SeededRandom(seed: 4_711)
        var tape = JSONTape()
        var again = JSONTape()
        var accepted = 0
        for _ in 0..<Self.inputs {
            let bytes = Self.mutate(&random)
            do throws(JSONError) {
                try tape.parse(bytes)
            } catch {
                guard error.offset >= 0, error.offset <= bytes.count, tape.nodeCount == 0 else {
                    Issue.record("\(error) for \(bytes)")
                    return
                }
                continue
            }
            accepted += 1
            let canonical = JSONDifferential.canonical(tape, bytes)
            try again.parse(canonical)
            let nodesAgree =
                again.nodeCount == tape.nodeCount
                && (0..<tape.nodeCount).allSatisfy { node in
                    guard tape.kind(node) == again.kind(node) else { return false }
                    switch tape.kind(node) {
                    case .array, .object: return tape.count(node) == again.count(node)
                    default: return tape.text(node, in: bytes) == again.text(node, in: canonical)
                    }
                }
            guard nodesAgree, JSONDifferential.canonical(again, canonical) == canonical else {
                Issue.record("not the same again: \(bytes)")
                return
            }
        }
        print("\(Self.inputs) mutated documents, \(accepted) accepted")
        #expect(accepted > Self.inputs / 50)
    }

    @Test func `splitting mutated bodies never crashes and agrees with the parser`() throws {
        var random = SeededRandom(seed: 17)
        var tape = JSONTape()
        for _ in 0..<Self.inputs {
            let bytes = Self.mutate(&random)
            let isArray = (try? tape.parse(bytes)) != nil && tape.kind(0) == .array
            let count = isArray ? tape.count(0) : nil
            let parts = try? JSONSplitter.splitTopLevel(bytes, in: 0..<bytes.count, valuesMax: 100, using: &tape)
            if let count, parts?.count != count {
                Issue.record("\(bytes)")
                return
            }
            _ = try JSONSplitter.splitLines(bytes, in: 0..<bytes.count, valuesMax: 1_000)
        }
    }
}
