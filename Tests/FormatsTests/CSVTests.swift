import Formats
import Glibc
import Primitives
import Testing

@Suite struct CSVTests {
    struct Row: Equatable {
        let text: String
        let number: Int
        let line: Int
        let problem: CSVError.Problem?
    }

    static func rows(
        _ chunks: [ArraySlice<UInt8>],
        dialect: CSVDialect = .standard,
        max: Int = 1 << 20
    ) throws(CSVError) -> [Row] {
        var splitter = CSVRowSplitter(dialect: dialect, rowBytesMax: max)
        var rows: [Row] = []
        func drain(_ splitter: inout CSVRowSplitter) throws(CSVError) {
            while let row = try splitter.nextRow() {
                let text = String(decoding: splitter.bytes[row.range], as: UTF8.self)
                rows.append(Row(text: text, number: row.number, line: row.line, problem: row.error?.problem))
            }
        }
        for chunk in chunks {
            splitter.feed(Array(chunk))
            try drain(&splitter)
        }
        splitter.finish()
        try drain(&splitter)
        return rows
    }

    static func fields(_ row: String, _ dialect: CSVDialect = .standard) throws(CSVError) -> [String] {
        var fields = CSVFields()
        let bytes = Array("--\(row)--".utf8)
        try fields.parse(bytes, in: 2..<bytes.count - 2, dialect: dialect)
        return (0..<fields.count).map { "\(fields.text($0, in: bytes))" }
    }

    static let files: [(String, [String])] = [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\r\n", ["a"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]),
        ("\n", [""]), ("\n\n", ["", ""]), ("a\n\nb\n", ["a", "", "b"]), ("\u{FEFF}a,b\nc\n", ["a,b", "c"]),
        ("\u{FEFF}", []), ("\u{FEFF}\"a\nb\"\n", ["\"a\nb\""]), ("a,\"x\ny\",b\nc", ["a,\"x\ny\",b", "c"]),
        ("\"a\"\"\n\"\"\",b\nc\n", ["\"a\"\"\n\"\"\",b", "c"]), ("\"\"\n\"\",\"\"\n", ["\"\"", "\"\",\"\""]),
        ("15\" RULER,1\nb\n", ["15\" RULER,1", "b"]), ("a\rb\nc", ["a\rb", "c"]), ("\"a\r\nb\"\r\n", ["\"a\r\nb\""]),
        ("a\rb\r", ["a", "b"]), ("\u{FEFF}a,b\r\"c\rd\",e\r\rf", ["a,b", "\"c\rd\",e", "", "f"]),
        ("\"a\rb\"", ["\"a\rb\""]),
        ("\"a\"x\"\nb\n", ["\"a\"x\"", "b"]), ("a,\"\n\n\n\"\nb\n", ["a,\"\n\n\n\"", "b"]),
    ]

    @Test(arguments: files)
    func `rows are the same however the file is cut`(text: String, expected: [String]) throws {
        let bytes = Array(text.utf8)
        let whole = try Self.rows([bytes[...]])
        #expect(whole.map(\.text) == expected)
        for cut in 0...bytes.count {
            #expect(try Self.rows([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
        }
        #expect(try Self.rows(bytes.indices.map { bytes[$0...$0] }) == whole, "byte by byte")
    }

    /// 3,000 files; a million with TILL_FUZZ=full.
    static let inputs = getenv("TILL_FUZZ").map { String(cString: $0) } == "full" ? 1_000_000 : 3_000

    @Test func `random files give the same rows however they are cut`() throws {
        var random = SeededRandom(seed: 8)
        let parts = [
            "a", ",", "\"", "\"\"", "\n", "\r\n", "\r", "\u{FEFF}", "long field without anything in it", ",\"", ";",
            "\t",
            "'", ";'", "\0", "é",
        ].map { Array($0.utf8) }
        let dialects: [CSVDialect] = [
            .standard, CSVDialect(separator: UInt8(ascii: ";"), quote: UInt8(ascii: "'")),
            CSVDialect(separator: UInt8(ascii: "\t"), quote: UInt8(ascii: "\"")),
        ]
        for number in 0..<Self.inputs {
            let dialect = dialects[number % dialects.count]
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...14, using: &random) {
                // Any byte now and then: what is no text must not be a crash either.
                let any = Int.random(in: 0..<40, using: &random) == 0
                bytes += any ? [UInt8.random(in: 0...255, using: &random)] : parts.randomElement(using: &random) ?? []
            }
            let whole = try Self.rows([bytes[...]], dialect: dialect)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let inTwo = try Self.rows([bytes[..<cut], bytes[cut...]], dialect: dialect)
            let inBytes = try Self.rows(bytes.indices.map { bytes[$0...$0] }, dialect: dialect)
            if inTwo != whole || inBytes != whole {
                Issue.record("\(bytes), separator \(dialect.separator), cut at \(cut)")
                return
            }
            var fields = CSVFields()
            for row in whole { try? fields.parse(Array(row.text.utf8), in: 0..<row.text.utf8.count, dialect: dialect) }
        }
    }

    @Test func `rows count from one and lines count line feeds inside quotes`() throws {
        let rows = try Self.rows([Array("h\n\"a\n\n\"\nb\n\"open\nto the end".utf8)[...]])
        #expect(
            rows == [
                Row(text: "h", number: 1, line: 1, problem: nil),
                Row(text: "\"a\n\n\"", number: 2, line: 2, problem: nil),
                Row(text: "b", number: 3, line: 5, problem: nil),
                Row(text: "\"open\nto the end", number: 4, line: 6, problem: .unterminatedQuote),
            ]
        )
    }

    @Test(arguments: [1, 3, 1_000])
    func `a row over the limit is refused with row and line`(chunk: Int) throws {
        let bytes = Array("12345678\r\n\"2\n4567\"\n123456789\nx\n".utf8)
        let chunks = stride(from: 0, to: bytes.count, by: chunk).map { bytes[$0..<min(bytes.count, $0 + chunk)] }
        #expect { try Self.rows(chunks, max: 8) } throws: {
            "\($0)"
                == "CSV row 3 (line 4), byte 8: the row exceeds the limit of 8 bytes; look for a quote without its partner."
        }
        #expect(try Self.rows(chunks, max: 9).count == 4)
    }

    @Test(arguments: [
        ("", [""]), ("a", ["a"]), (",", ["", ""]), ("a,b,", ["a", "b", ""]), ("\"\"", [""]),
        ("\"a,b\",c", ["a,b", "c"]),
        ("\"a\"\"b\"", ["a\"b"]), ("\"\"\"\"", ["\""]), ("15\" RULER,\"x\"", ["15\" RULER", "x"]),
        (" \"a\"", [" \"a\""]),
        ("\"a\nb\",é", ["a\nb", "é"]), ("a,\"\"\"\"\"\"", ["a", "\"\""]), ("a\rb", ["a\rb"]),
    ])
    func `a row gives its fields`(row: String, expected: [String]) throws {
        #expect(try Self.fields(row) == expected)
    }

    @Test(
        arguments: [
            ("\"a\"b", .bytesAfterQuote, 3), ("x,\"a\" ,b", .bytesAfterQuote, 5), ("\"a", .unterminatedQuote, 0),
            ("x,\"a\"\"", .unterminatedQuote, 2),
        ] as [(String, CSVError.Problem, Int)]
    )
    func `a broken row is refused with the byte`(row: String, problem: CSVError.Problem, offset: Int) {
        #expect { try Self.fields(row) } throws: {
            ($0 as? CSVError)?.problem == problem && ($0 as? CSVError)?.offset == offset
        }
    }

    @Test func `quoting is visible, other dialects work and fields are bounded`() throws {
        var fields = CSVFields(fieldsMax: 3)
        let bytes = Array("1;'a''b';2".utf8)
        try fields.parse(bytes, in: 0..<bytes.count, dialect: CSVDialect(separator: 0x3B, quote: 0x27))
        #expect([fields.isQuoted(0), fields.isQuoted(1)] == [false, true])
        #expect(fields.hasDoubledQuotes(1) && fields.text(1, in: bytes) == "a'b" && fields.raw(1) == 3..<7)
        let wide = Array("1,2,3,4".utf8)
        #expect { try fields.parse(wide, in: 0..<wide.count) } throws: { ($0 as? CSVError)?.problem == .tooManyFields }
        #expect(fields.count == 0)
    }
}
