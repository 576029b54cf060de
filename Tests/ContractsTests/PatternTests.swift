import Primitives
import Testing

@testable import Contracts

@Suite struct PatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("abc", "abc", true), ("abc", "abcd", false), ("abc", "xabc", false),
        ("a|b", "b", true), ("a|b|", "", true), ("a|b", "ab", false), ("a*", "", true), ("a*", "aaaa", true),
        ("a+", "", false),
        ("a?b", "b", true), ("a{2}", "aa", true), ("a{2}", "aaa", false), ("a{2,}", "aaaaa", true),
        ("a{2,3}", "aaaa", false),
        ("a{0}b", "b", true), ("(ab)+", "abab", true), ("(?:ab){2}", "abab", true), ("[a-c]+", "abcabc", true),
        ("[^a-c]", "d", true), ("[^a-c]", "b", false), ("[]a]", "]", true), ("[a-]", "-", true),
        ("[\\d_]+", "1_2", true),
        ("[^\\d]", "1", false), ("[\\D]", "x", true), ("[\\D]", "5", false), ("\\w+", "aZ_9", true),
        ("\\w", "é", false),
        ("\\s", "\t", true), ("\\S", " ", false), ("\\.", ".", true), ("\\.", "x", false), (".", "é", true),
        (".", "\n", true),
        (".", "𝄞", true), ("..", "é", false), ("[à-ü]", "é", true), ("^a$", "a", true), ("a^b", "ab", false),
        ("a$b", "ab", false),
        ("(^a|b)c", "bc", true), ("x*^", "", true), ("(a*)*", "aaa", true), ("(a*)*b", "aaa", false),
        ("(|a)+", "aa", true),
        ("STORE_0*[1-9]\\d*", "STORE_0010", true), ("STORE_0*[1-9]\\d*", "STORE_000", false),
        ("\\t\\n\\r\\\\", "\t\n\r\\", true),
        ("[0-9a-f]{8}-?[0-9a-f]{4}", "0123abcd-ffff", true), ("(a|b)*abb", "ababb", true),
        ("(a|b)*abb", "ababa", false),
    ])
    func `whole texts match or not, by bits and by captures alike`(pattern: String, text: String, wanted: Bool) throws {
        let compiled = try Pattern(pattern)
        #expect(compiled.matches(ByteString(text)) == wanted)
        #expect((compiled.capture(ByteString(text)) != nil) == wanted)
    }

    @Test(
        arguments: [
            ("(a+)(a*)", "aaa", [0..<3, 0..<3, 3..<3]), ("(a|ab)(c|bcd)", "abcd", [0..<4, 0..<1, 1..<4]),
            ("STORE_0*(\\d+)", "STORE_007", [0..<9, 8..<9]), ("(a)|(b)", "b", [0..<1, nil, 0..<1]),
            ("(a){2}", "aa", [0..<2, 1..<2]),
        ] as [(String, String, [Range<Int>?])]
    )
    func `groups give the leftmost and longest ranges`(pattern: String, text: String, wanted: [Range<Int>?]) throws {
        #expect(try Pattern(pattern).capture(ByteString(text)) == wanted)
    }

    @Test(arguments: [
        ("(", 0, "( is not closed; add ) or write \\("), (")", 0, "a ) closes no group; remove it or write \\)"),
        ("[a", 0, "[ is not closed; add ] or write \\["),
        ("*", 0, "* repeats nothing; put something before it or write \\*"),
        ("a**", 2, "a repetition follows a repetition; keep one, or put a group around the first"),
        ("a{3,2}", 6, "{3,2} has its numbers in the wrong order; swap them"),
        ("a{", 2, "{ needs a number; write {2}, {2,} or {2,5}, or \\{ for the brace"),
        ("a{300}", 4, "a repetition is above 255; use a smaller number"),
        ("\\q", 1, "\\q is not known; known are \\d \\w \\s \\D \\W \\S \\n \\r \\t and signs"),
        ("[z-a]", 4, "a range has its ends in the wrong order; swap them"),
        ("(?=a)", 2, "only (?: is known after (?; remove the ?"),
        ("a\\", 2, "the pattern ends in a backslash; write \\\\ for the character"),
        ("(?:a{100}){100}", 0, "the pattern compiles to more than 256 instructions; use smaller repetitions"),
        (
            "(?:(?:(?:){255}){255}){255}", 0,
            "the pattern compiles to more than 256 instructions; use smaller repetitions"
        ),
    ])
    func `a wrong pattern is refused with its place`(pattern: String, offset: Int, sentence: String) {
        #expect(throws: PatternError(offset: offset, sentence: sentence)) { try Pattern(pattern) }
    }

    @Test(arguments: ["(a*)*b", "(a|aa)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)b", "a{0,70}a{70}"])
    func `catastrophic patterns finish`(pattern: String) throws {
        let text = ByteString([UInt8](repeating: 0x61, count: 2_000))
        #expect(try Pattern(pattern).matches(text) == false)
        #expect(try Pattern(pattern).capture(text) == nil)
    }

    /// Random patterns and texts over two letters, against a backtracking matcher of five lines.
    @Test func `random patterns agree with a naive matcher`() throws {
        var seed: UInt64 = 4711
        func random(_ n: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % n
        }
        indirect enum Node { case letter(UInt8), either(Node, Node), both(Node, Node), maybe(Node), many(Node) }
        func make(_ depth: Int) -> Node {
            switch depth == 0 ? 0 : random(5) {
            case 0: .letter(UInt8(0x61 + random(2)))
            case 1: .either(make(depth - 1), make(depth - 1))
            case 2: .both(make(depth - 1), make(depth - 1))
            case 3: .maybe(make(depth - 1))
            default: .many(make(depth - 1))
            }
        }
        func text(_ node: Node) -> String {
            switch node {
            case .letter(let byte): String(UnicodeScalar(byte))
            case .either(let a, let b): "(\(text(a))|\(text(b)))"
            case .both(let a, let b): text(a) + text(b)
            case .maybe(let a): "(?:\(text(a)))?"
            case .many(let a): "(?:\(text(a)))*"
            }
        }
        func ends(_ node: Node, _ input: [UInt8], _ starts: Set<Int>) -> Set<Int> {
            switch node {
            case .letter(let byte): return Set(starts.filter { $0 < input.count && input[$0] == byte }.map { $0 + 1 })
            case .either(let a, let b): return ends(a, input, starts).union(ends(b, input, starts))
            case .both(let a, let b): return ends(b, input, ends(a, input, starts))
            case .maybe(let a): return starts.union(ends(a, input, starts))
            case .many(let a):
                var all = starts
                while true {
                    let grown = all.union(ends(a, input, all))
                    if grown == all { return all }
                    all = grown
                }
            }
        }
        for _ in 0..<2_000 {
            let node = make(4)
            guard text(node).filter({ $0 == "(" }).count - text(node).split(separator: "(?:").count < 9,
                let pattern = try? Pattern(text(node))
            else { continue }
            for _ in 0..<8 {
                let input = (0..<random(7)).map { _ in UInt8(0x61 + random(2)) }
                let wanted = ends(node, input, [0]).contains(input.count)
                let subject = ByteString(input)
                #expect(pattern.matches(subject) == wanted, "\(text(node)) on \(input)")
                #expect((pattern.capture(subject) != nil) == wanted, "\(text(node)) on \(input)")
                // Groups, too: the two ways are written from different ideas.
                if pattern.closures.isEmpty { continue }
                let (bits, threads) = (pattern.captureByBits(subject), pattern.captureByThreads(subject))
                #expect(bits == threads, "\(text(node)) on \(input)")
            }
        }
    }
}
