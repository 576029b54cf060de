import Formats
import Primitives
import Testing

/// Each rule of the grammar and each limit, with the code and the offset that the caller sees.
@Suite struct JSONTapeTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let bytes: [UInt8]
        let problem: JSONError.Problem
        let offset: Int
        var testDescription: String { "\(problem) in \(String(decoding: bytes.prefix(40), as: UTF8.self))" }

        init(_ text: String, _ problem: JSONError.Problem, _ offset: Int) {
            self.init(Array(text.utf8), problem, offset)
        }

        init(_ bytes: [UInt8], _ problem: JSONError.Problem, _ offset: Int) {
            self.bytes = bytes
            self.problem = problem
            self.offset = offset
        }
    }

    static let refusals: [Refusal] = [
        .init("", .unexpectedEnd, 0), .init("  ", .unexpectedEnd, 2), .init("[1", .unexpectedEnd, 2),
        .init("{\"a\":", .unexpectedEnd, 5), .init("\"a", .unexpectedEnd, 2), .init("\"a\\", .unexpectedEnd, 3),
        .init("\"\\u00", .unexpectedEnd, 5), .init("-", .unexpectedEnd, 1), .init("1.", .unexpectedEnd, 2),
        .init("[1 2]", .unexpectedByte, 3), .init("{1:2}", .unexpectedByte, 1), .init("{\"a\" 1}", .unexpectedByte, 5),
        .init("[1}", .unexpectedByte, 2), .init("]", .unexpectedByte, 0), .init("[,1]", .unexpectedByte, 1),
        .init("+1", .unexpectedByte, 0), .init(".5", .unexpectedByte, 0), .init("1 2", .trailingBytes, 2),
        .init("{}x", .trailingBytes, 2), .init("[1,]", .trailingComma, 2), .init("{\"a\":1, }", .trailingComma, 6),
        .init([0xEF, 0xBB, 0xBF, 0x31], .byteOrderMark, 0), .init("nul", .wordUnknown, 0),
        .init("True", .wordUnknown, 0),
        .init("[truer]", .wordUnknown, 1), .init("NaN", .notFinite, 0), .init("-Infinity", .notFinite, 0),
        .init("[Infinity]", .notFinite, 1), .init("-x", .numberInvalid, 1), .init("1.e5", .numberInvalid, 2),
        .init("[1e+]", .numberInvalid, 4), .init("01", .leadingZero, 0), .init("[-007]", .leadingZero, 2),
        .init("\"\\x\"", .escapeInvalid, 1), .init("\"a\\u12g4\"", .escapeInvalid, 2),
        .init("\"\\ud800\"", .loneSurrogate, 1), .init("\"\\udc00\\ud800\"", .loneSurrogate, 1),
        .init("\"\\ud800\\u0041\"", .loneSurrogate, 1), .init("\"a\nb\"", .controlByte, 2),
        .init("\"0123456789abcdef\u{0}\"", .controlByte, 17), .init([0x22, 0x61, 0xFF, 0x22], .utf8Invalid, 2),
        .init([0x22, 0xED, 0xA0, 0x80, 0x22], .utf8Invalid, 1), .init([0x22, 0x61, 0xC3, 0x22], .utf8Invalid, 2),
        .init("{\"a\":1,\"a\":2}", .duplicateKey, 7), .init("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
        .init("[{\"b\":{\"\":1,\"\":2}}]", .duplicateKey, 12),
        .init(String(repeating: "[", count: 33), .tooDeep, 32),
        .init(String(repeating: "1", count: 101), .numberTooLong, 0),
        .init([UInt8](repeating: 0x20, count: 1 << 20) + [0x31], .tooLarge, 1 << 20),
    ]

    @Test(arguments: refusals)
    func `refuses with code and offset`(_ c: Refusal) {
        var tape = JSONTape()
        #expect { try tape.parse(c.bytes) } throws: {
            let error = $0 as? JSONError
            return error?.problem == c.problem && error?.offset == c.offset
        }
        #expect(tape.nodeCount == 0, "a refused text leaves nothing")
    }

    @Test(arguments: refusals)
    func `the offset counts from the start of the range`(_ c: Refusal) {
        var tape = JSONTape()
        let shifted = Array("  [[".utf8) + c.bytes + Array("]]\"".utf8)
        #expect { try tape.parse(shifted, in: 4..<4 + c.bytes.count) } throws: {
            let error = $0 as? JSONError
            return error?.problem == c.problem && error?.offset == c.offset
        }
    }

    @Test func `nodes follow the source and give text, kind and count`() throws {
        let bytes = Array(#" {"a":[1,-2.50e+1,"x\n\u00e9\ud83d\ude00"],"b\t":{},"c":null,"d":true,"e":false} "#.utf8)
        var tape = JSONTape()
        try tape.parse(bytes)
        #expect(tape.kind(0) == .object && tape.count(0) == 5)
        #expect(String(decoding: bytes[tape.raw(0)], as: UTF8.self).hasPrefix("{\"a\""))
        let array = try #require(tape.member(0, named: "a", in: bytes))
        var elements: [ByteString] = []
        tape.forEachElement(array) { elements.append(tape.text($0, in: bytes)) }
        #expect(elements == ["1", "-2.50e+1", "x\né😀"])
        #expect(tape.count(array) == 3)
        var walked: [JSONTape.Kind] = []
        var child = tape.firstChild(0)
        while let node = child {
            walked.append(tape.kind(node))
            child = tape.next(after: node, in: 0)
        }
        #expect(
            walked == [
                .string, .array, .string, .object, .string, .null, .string, .true, .string, .false,
            ]
        )
        let escaped = try #require(tape.member(0, named: "b\t", in: bytes))
        #expect(tape.kind(escaped) == .object && tape.firstChild(escaped) == nil)
        #expect(tape.member(0, named: "f", in: bytes) == nil)
        #expect(tape.member(escaped, named: "a", in: bytes) == nil)
    }

    @Test(arguments: [1, 2, 15, 16, 17, 18, 100, 5_000])
    func `a duplicate is found in objects of every size`(count: Int) throws {
        let members = (0..<count).map { "\"key\($0)\":\($0)" }
        var tape = JSONTape()
        try tape.parse(Array("{\(members.joined(separator: ","))}".utf8))
        #expect(tape.count(0) == count)
        for duplicate in ["\"key0\"", "\"\\u006bey\(count - 1)\""] {
            let text = Array("{\(members.joined(separator: ",")),\(duplicate):0}".utf8)
            #expect { try tape.parse(text) } throws: { ($0 as? JSONError)?.problem == .duplicateKey }
        }
    }

    @Test func `every limit holds exactly`() throws {
        var limits = JSONLimits()
        limits.bytesMax = 40
        limits.depthMax = 2
        limits.nodesMax = 7
        limits.membersMax = 2
        limits.stringBytesMax = 5
        limits.numberBytesMax = 3
        var tape = JSONTape(limits: limits)
        for good in [
            "[[]]", "{\"a\":1,\"b\":2}", "\"12345\"", "123", "[1,2,3,4,5,6]", String(repeating: " ", count: 39) + "1",
        ] {
            try tape.parse(Array(good.utf8))
        }
        let bad: [(String, JSONError.Problem)] = [
            ("[[[]]]", .tooDeep), ("{\"a\":1,\"b\":2,\"c\":3}", .tooManyMembers), ("\"123456\"", .stringTooLong),
            ("1234", .numberTooLong), ("[1,2,3,4,5,6,7]", .tooManyNodes),
            (String(repeating: " ", count: 40) + "1", .tooLarge),
        ]
        for (text, problem) in bad {
            #expect { try tape.parse(Array(text.utf8)) } throws: {
                ($0 as? JSONError)?.problem == problem && ($0 as? JSONError)?.limit != 0
            }
        }
    }

    @Test func `the sentence names place, fact and remedy`() {
        var tape = JSONTape()
        #expect { try tape.parse(Array("{\"a\":1,\"a\":2}".utf8)) } throws: {
            "\($0)" == "JSON at byte 7: the key stands twice in one object; send it once."
        }
        #expect { try tape.parse(Array(String(repeating: "[", count: 33).utf8)) } throws: {
            "\($0)" == "JSON at byte 32: containers exceed the depth limit of 32; flatten the value."
        }
    }

    @Test func `a node that is not on the tape is a bug and traps`() async {
        await #expect(processExitsWith: .failure) { _ = JSONTape().kind(0) }
    }
}
