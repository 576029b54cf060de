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
        var lines = 1
        var rowLike = 0
        var cut: CutRow?
    }

    static func rows(
        _ chunks: [ArraySlice<UInt8>],
        dialect: CSVDialect = .standard,
        max: Int = 1 << 20,
        fields: Int? = nil
    ) -> [Row] {
        var splitter = CSVRowSplitter(dialect: dialect, rowBytesMax: max)
        if let fields { splitter.resynchronise(fields: fields) }
        var rows: [Row] = []
        func drain(_ splitter: inout CSVRowSplitter) {
            while let row = splitter.nextRow() {
                rows.append(
                    Row(
                        text: String(decoding: splitter.bytes[row.range], as: UTF8.self),
                        number: row.number,
                        line: row.line,
                        problem: row.error?.problem,
                        lines: row.lines,
                        rowLike: row.rowLikeLines,
                        cut: row.cut
                    )
                )
            }
        }
        for chunk in chunks {
            splitter.feed(Array(chunk))
            drain(&splitter)
        }
        splitter.finish()
        drain(&splitter)
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
        let whole = Self.rows([bytes[...]])
        #expect(whole.map(\.text) == expected)
        for cut in 0...bytes.count {
            #expect(Self.rows([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
        }
        #expect(Self.rows(bytes.indices.map { bytes[$0...$0] }) == whole, "byte by byte")
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
            // Also with rows beyond the limit, and with a search for rows behind a bad one.
            let max = number % 5 == 0 ? Int.random(in: 1...30, using: &random) : 1 << 20
            let wanted = number % 2 == 0 ? Int.random(in: 1...3, using: &random) : nil
            let whole = Self.rows([bytes[...]], dialect: dialect, max: max, fields: wanted)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let inTwo = Self.rows([bytes[..<cut], bytes[cut...]], dialect: dialect, max: max, fields: wanted)
            let inBytes = Self.rows(bytes.indices.map { bytes[$0...$0] }, dialect: dialect, max: max, fields: wanted)
            if inTwo != whole || inBytes != whole {
                Issue.record(
                    "\(String(decoding: bytes, as: UTF8.self).debugDescription), separator \(dialect.separator), cut at \(cut), max \(max), fields \(wanted ?? 0)\n\(whole)\n\(inTwo)\n\(inBytes)"
                )
                return
            }
            var fields = CSVFields()
            for row in whole { try? fields.parse(Array(row.text.utf8), in: 0..<row.text.utf8.count, dialect: dialect) }
        }
    }

    @Test func `rows count from one and lines count line feeds inside quotes`() throws {
        let rows = Self.rows([Array("h\n\"a\n\n\"\nb\n\"open\nto the end".utf8)[...]])
        #expect(
            rows == [
                Row(text: "h", number: 1, line: 1, problem: nil),
                Row(text: "\"a\n\n\"", number: 2, line: 2, problem: nil, lines: 3),
                Row(text: "b", number: 3, line: 5, problem: nil),
                Row(text: "\"open\nto the end", number: 4, line: 6, problem: .unterminatedQuote, lines: 2),
            ]
        )
    }

    @Test(arguments: [1, 3, 1_000])
    func `of a row over the limit its beginning, size and digest are kept, and the next row follows`(chunk: Int) {
        let long = String(repeating: "ab", count: 5_000)
        for (text, limit, fields, whole, lines, rest) in [
            ("12345678\r\n123456789\nx\n", 8, nil, "123456789", 1, ["x"]),
            // Quotes tell where it ends, or the next line that is a row.
            ("h\n\"\n\n\n\n67890\n\"\nx\n", 8, nil, "\"\n\n\n\n67890\n\"", 6, ["x"]),
            ("a,b\n\"ccccccccc\nddddddddd\ne,f\ng,h", 8, 2, "\"ccccccccc\nddddddddd\n", 2, ["e,f", "g,h"]),
            ("a,b\n\"\(long)\n1,\(long)\nc,d", 100, 2, "\"\(long)\n1,\(long)\n", 2, ["c,d"]),
            ("h\n\(long)", 9_999, nil, long, 1, []), ("h\n\(long)", 9_999, 1, long, 1, []),
        ] as [(String, Int, Int?, String, Int, [String])] {
            let bytes = Array(text.utf8)
            let chunks = stride(from: 0, to: bytes.count, by: chunk).map { bytes[$0..<min(bytes.count, $0 + chunk)] }
            let rows = Self.rows(chunks, max: limit, fields: fields)
            let cut = rows.first { $0.cut != nil }
            #expect(cut?.problem == .rowTooLarge && cut?.line == 2 && cut?.lines == lines, "\(rows)")
            #expect(cut?.cut?.size == whole.utf8.count, "\(text.prefix(40))")
            #expect(cut?.cut?.digest == .sha256(of: Array(whole.utf8)))
            let head = String(decoding: cut?.cut?.head ?? [], as: UTF8.self)
            #expect(head.count == min(whole.count, 4_096) && whole.hasPrefix(head), "\(head.prefix(40))")
            #expect(rows.dropFirst(2).map(\.text) == rest)
        }
    }

    /// Quotes without their partner; three fields to a row.
    @Test(
        arguments: [
            // One opens and never closes: one line is lost, not all behind it.
            ("1,\"x,a\n2,y,b\n3,z,c\n", ["1,\"x,a", "2,y,b", "3,z,c"], [0]),
            // It closes in a place where none may close.
            ("1,\"x,a\n2,y,b\n3,z\"c,d\n4,w,e\n", ["1,\"x,a", "2,y,b", "3,z\"c,d", "4,w,e"], [0]),
            // The rows between are no text of a field: a broken line behind it stays with it.
            ("1,\"x,a\nhalf\n2,y,b\n", ["1,\"x,a\nhalf", "2,y,b"], [0]),
            // It closes in a place where it may: one good row, but its lines look like rows.
            ("1,\"x,a\n2,y,b\n3,z\",c\n4,w,d\n", ["1,\"x,a\n2,y,b\n3,z\",c", "4,w,d"], []),
            // Text of several lines, as it should be.
            ("1,\"x\nand, more\n\",a\r\n2,y,b", ["1,\"x\nand, more\n\",a", "2,y,b"], []),
            // None of its lines is a row: it stays one.
            ("1,\"x\ny", ["1,\"x\ny"], [0]),
        ] as [(String, [String], [Int])]
    )
    func `a quote without its partner costs one line`(text: String, expected: [String], broken: [Int]) {
        let rows = Self.rows([Array(text.utf8)[...]], fields: 3)
        #expect(rows.map(\.text) == expected)
        #expect(rows.indices.filter { rows[$0].problem != nil } == broken)
        #expect(rows[0].rowLike == (text.hasPrefix("1,\"x,a\n2,y,b\n3,z\",c") ? 2 : 0))
        // Without the search, as RFC 4180 says: a row goes on until its quote closes.
        #expect(Self.rows([Array(text.utf8)[...]]).count <= expected.count)
    }

    /// Every other line opens a quote, alone and inside a quoted field: each would be searched to the limit.
    @Test func `no file costs its square`() {
        let text = String(repeating: "1,2\na\",\"\n", count: 30_000)
        let rows = Self.rows([Array(text.utf8)[...]], fields: 2)
        #expect(rows.map(\.lines).reduce(0, +) == 60_000)
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
