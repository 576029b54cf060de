import Formats
import Primitives
import Testing

@Suite struct JSONSplitterTests {
    func split(_ text: String, valuesMax: Int = 10) throws(JSONError) -> [String] {
        let bytes = Array("xx".utf8) + Array(text.utf8)
        var tape = JSONTape()
        return try JSONSplitter.splitTopLevel(bytes, in: 2..<bytes.count, valuesMax: valuesMax, using: &tape)
            .map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test(arguments: [
        ("[]", []), (" [ ] ", []), ("[1]", ["1"]),
        ("[ {\"a\":[1,2]} , \"],[\" ,3 ]\n", ["{\"a\":[1,2]}", "\"],[\"", "3"]),
        ("[{\"a\":1,\"a\":2},\"\\ud800\"]", ["{\"a\":1,\"a\":2}", "\"\\ud800\""]),
    ])
    func `elements keep their bytes and semantic faults are left to them`(text: String, parts: [String]) throws {
        #expect(try split(text) == parts)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), ("{}", .notAnArray, 0), ("[1,]", .trailingComma, 2), ("[1", .unexpectedEnd, 2),
            ("[1,2]]", .trailingBytes, 5), ("[1 2]", .unexpectedByte, 3), ("[1,01]", .leadingZero, 3),
            ("[1,\u{FEFF}2]", .byteOrderMark, 3), ("\u{FEFF}[]", .byteOrderMark, 0), ("[1,2,3", .unexpectedEnd, 6),
            ("[1,2,3,4,5,6,7,8,9,10,11]", .tooManyValues, 22),
        ] as [(String, JSONError.Problem, Int)]
    )
    func `a body that is not one array is refused`(text: String, problem: JSONError.Problem, offset: Int) {
        #expect { try split(text) } throws: {
            ($0 as? JSONError)?.problem == problem && ($0 as? JSONError)?.offset == offset
        }
    }

    @Test func `lines end with LF or CRLF and blank ones are left out`() throws {
        let bytes = Array("{}\r\n\n  \t\r\n[1]\n\r\n\"x\"".utf8)
        let lines = try JSONSplitter.splitLines(bytes, in: 0..<bytes.count, valuesMax: 3)
        #expect(lines.map { String(decoding: bytes[$0], as: UTF8.self) } == ["{}", "[1]", "\"x\""])
        #expect { try JSONSplitter.splitLines(bytes, in: 0..<bytes.count, valuesMax: 2) } throws: {
            ($0 as? JSONError)?.problem == .tooManyValues
        }
    }
}
