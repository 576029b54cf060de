import Primitives
import Testing
import YAMLTree

@testable import Contracts

@Suite struct ContractProblemsTests {
    /// A correct contract of 22 lines; each test replaces one piece.
    static let text = """
        contract: small
        version: 1
        source: small
        partition_key: id
        version_time: at
        settings: { time_zone: UTC, currency: EUR, limit: 10 }
        csv: { separator: "," }
        fields:
          - { name: id, type: text, required: true, max_bytes: 9 }
          - { name: n, type: integer, max: $limit }
          - { name: at, type: time, required: true, formats: ["yyyy-MM-dd"], zone: $time_zone }
          - { name: p, type: money }
          - { name: rows, type: list, required: true, fields: [{ name: q, type: integer, required: true }] }
          - { name: more, type: list, required: true, fields: [{ name: p, type: money, required: true }] }
        mapper:
          name: sale
          bind: { document: id, occurred_at: at, lines.product: rows.q, lines.quantity: rows.q, lines.unit_price: rows.q }
        rules:
          - id: first
            check: n > 0
            on_failure: reject
        reference: [{ entity: customer, field: id }]
        """

    static let mappers: [String: MapperSignature] = [
        "sale": MapperSignature(
            parameters: [
                .init("document", [.text]), .init("occurred_at", [.time]),
                .init("lines.product", [.integer], isNested: true),
                .init("lines.quantity", [.integer], isNested: true),
                .init("lines.unit_price", [.integer, .money], isNested: true),
                .init("status", [.text], isRequired: false),
            ],
            settings: ["currency"]
        )
    ]

    private func problems(_ text: String) -> [String] {
        switch Contract.parse(Array(text.utf8), mappers: Self.mappers) {
        case .success: []
        case .failure(let problems): problems.problems.map(\.description)
        }
    }

    @Test func `the correct contract has no mistakes`() { #expect(problems(Self.text) == []) }

    @Test(arguments: [
        (
            "contract: small", "contract: Small",
            "line 1, column 11: contract \"Small\" is not a name; use 1 to 40 of a-z, 0-9, _ and -, beginning with a letter"
        ),
        (
            "version: 1\n", "version: one\n",
            "line 2, column 10: version is \"one\", not a whole number from 1 to 1000000; correct it"
        ),
        ("version: 1\n", "", "line 1, column 1: Key version is missing in the contract; add it"),
        (
            "source: small", "sorce: small",
            "line 1, column 1: Key source is missing in the contract; add it\n"
                + "line 3, column 1: Key \"sorce\" is not known in the contract; did you mean source?"
        ),
        (
            "partition_key: id", "partition_key: ids",
            "line 4, column 16: Field \"ids\" is not declared; did you mean id?"
        ),
        (
            "partition_key: id", "partition_key: at",
            "line 4, column 16: partition_key at is a time; use a text or integer field"
        ),
        (
            "partition_key: id", "partition_key: n",
            "line 4, column 16: partition_key n may be null; add required: true to the field"
        ),
        (
            "partition_key: id", "partition_key: rows.q",
            "line 4, column 16: partition_key \"rows.q\" is a field of a list; name a field outside lists"
        ),
        ("version_time: at", "version_time: id", "line 5, column 15: version_time id is a text; use a time field"),
        (
            "time_zone: UTC", "time_zone: Mars",
            "line 6, column 24: Time zone \"Mars\" is not known; use a tz name such as Europe/London"
        ),
        (
            "currency: EUR", "currency: eur",
            "line 6, column 39: currency \"eur\" is not an ISO 4217 code; write three letters such as GBP"
        ),
        ("currency: EUR, ", "", "line 16, column 9: Mapper sale needs setting currency; add it to settings"),
        (
            "limit: 10", "limit: { a: 1 }",
            "line 6, column 51: setting limit is a mapping; write a text, a number, true, false or a "
                + "list\nline 10, column 36: Setting \"limit\" is not declared; add it to settings"
        ),
        (
            "limit: 10", "limit: 10, l: [1, a]",
            "line 6, column 58: setting l mixes texts and numbers; put the numbers in quotes to "
                + "make them texts"
        ),
        ("limit: 10", "limit: 10, e: null", "line 6, column 58: setting e is null; give it a value or remove it"),
        (
            "limit: 10", "limit: 10, in: 1",
            "line 6, column 55: setting \"in\" is a word of the rule language; choose another name"
        ),
        (
            "separator: \",\"", "separator: \"ab\"",
            "line 7, column 19: csv separator is \"ab\", not one sign; write one such as \",\" or \"\\t\""
        ),
        (
            "separator: \",\"", "separator: \"\\\"\"",
            "line 7, column 6: csv separator and quote are the same sign; change one"
        ),
        (
            "on_failure: reject", "on_failure: reject\n    message: \"up to {$limi}\"",
            "line 22, column 14: In message: Setting \"limi\" is not declared; did you mean limit?"
        ),
        (
            "check: n > 0", "check: n > 0 and n in $l\n    message: \"one of {$l}\"",
            "line 20, column 24: In check: Setting \"l\" is not declared; add it to settings\n"
                + "line 21, column 14: In message: Setting \"l\" is not declared; add it to settings"
        ),
        (
            "name: n, type: integer", "name: n, type: int",
            "line 10, column 22: type \"int\" is not known; did you mean integer?\n"
                + "line 20, column 12: In check: Field \"n\" is not declared; add it to fields"
        ),
        (
            "name: p, type: money }\n  - { name: rows", "name: n, type: money }\n  - { name: rows",
            "line 12, column 5: Name \"n\" is used twice in fields; change one of the two"
        ),
        (
            "name: p, type: money }\n  - { name: rows", "name: 1p, type: money }\n  - { name: rows",
            "line 12, column 13: name \"1p\" is not a name; use 1 to 64 of A-Z, a-z, 0-9 and _, not beginning with a digit"
        ),
        (
            "max_bytes: 9", "max_bytes: 0",
            "line 9, column 56: max_bytes is \"0\", not a whole number from 1 to 65536; correct it"
        ),
        (
            "max_bytes: 9", "maxbytes: 9",
            "line 9, column 45: Key \"maxbytes\" is not known in a field; did you mean max_bytes?"
        ),
        ("max_bytes: 9", "max: 9", "line 9, column 50: max does not belong to a text; remove it from field id"),
        (
            "required: true, max_bytes", "required: yes, max_bytes",
            "line 4, column 16: partition_key id may be null; add required: true to the field\nline 9, column 39: required is "
                + "\"yes\", not true or false; write one of the two\nline 17, column 21: Mapper sale needs document, but id may be "
                + "null; add required: true to the field"
        ),
        ("max: $limit", "max: $limt", "line 10, column 36: Setting \"limt\" is not declared; did you mean limit?"),
        ("max: $limit", "max: $currency", "line 10, column 36: Setting currency is not a number; use one that is"),
        (
            "max: $limit", "max: ten",
            "line 10, column 36: max is \"ten\", not a number; write a number or a setting such as "
                + "$quantity_max"
        ),
        ("max: $limit", "max: 1, min: 2", "line 10, column 5: Field n has min 2 above max 1; swap them"),
        (
            "max: $limit", "accepts: [integer]",
            "line 10, column 41: accepts \"integer\" does not belong to an integer; known are number_text, whole_decimal"
        ),
        (
            "max: $limit", "default: x",
            "line 10, column 40: default does not fit its field: n \"x\" is not an integer; send a whole "
                + "number such as 6"
        ),
        (
            "max: $limit", "default: null",
            "line 10, column 40: default of n is \"null\", not a value; write a scalar or remove it"
        ),
        (
            "formats: [\"yyyy-MM-dd\"]", "formats: [\"yy-MM-dd\"]",
            "line 11, column 55: Format \"yy-MM-dd\" is not known; use yyyy MM dd "
                + "HH mm ss with signs between them, iso8601, epoch_seconds or epoch_millis"
        ),
        (
            "formats: [\"yyyy-MM-dd\"], ", "",
            "line 11, column 5: Field at declares no formats; add formats: [iso8601] or the sender's "
                + "pattern"
        ),
        (
            ", zone: $time_zone", "",
            "line 11, column 5: Field at has a format without an offset and no zone; add zone: with a tz name "
                + "or $time_zone"
        ),
        (
            "$time_zone", "$timezone",
            "line 11, column 76: Setting \"timezone\" is not declared; did you mean time_zone?"
        ),
        ("$time_zone", "$limit", "line 11, column 76: Setting limit is not a text; use one with a tz name"),
        (
            "[{ name: q, type: integer, required: true }]", "[]",
            "line 13, column 55: fields of rows is empty; declare at least one field\n"
                + "line 17, column 57: Field \"rows.q\" is not declared; add it to the fields of rows\n"
                + "line 17, column 81: Field \"rows.q\" is not declared; add it to the fields of rows\n"
                + "line 17, column 107: Field \"rows.q\" is not declared; add it to the fields of rows"
        ),
        ("name: sale", "name: sales", "line 16, column 9: Mapper \"sales\" is not known; did you mean sale?"),
        (
            "document: id", "documents: id",
            "line 17, column 9: Mapper sale needs document; bind it to a field\n"
                + "line 17, column 11: Mapper sale has no parameter \"documents\"; did you mean document?"
        ),
        (
            "document: id", "document: p",
            "line 17, column 21: Mapper sale needs text for document, but p is an amount; bind another "
                + "field or change its type"
        ),
        (
            "document: id", "document: id, status: rows.q",
            "line 17, column 33: Mapper sale needs a field outside lists for status, "
                + "but rows.q is not one; bind another"
        ),
        (
            "lines.product: rows.q", "lines.product: n",
            "line 17, column 57: Mapper sale needs a field of a list for lines.product, but n is not one; bind another"
        ),
        (
            "lines.unit_price: rows.q", "lines.unit_price: more.p",
            "line 17, column 107: Mapper sale reads one list, but lines.unit_price is of another; bind fields of one list"
        ),
        ("id: first", "id: overflow", "line 19, column 9: id overflow belongs to a built-in rule; choose another"),
        (
            "on_failure: reject", "on_failure: drop",
            "line 21, column 17: on_failure \"drop\" is not known; known are reject, flag, "
                + "correct, normalise"
        ),
        (
            "on_failure: reject", "on_failure: correct",
            "line 19, column 5: A correcting rule has no set; add set: { field: …, value: "
                + "… }"
        ),
        (
            "on_failure: reject", "on_failure: flag\n    set: { field: n, value: 1 }",
            "line 22, column 10: set belongs to on_failure: correct or normalise; remove it or change on_failure"
        ),
        (
            "on_failure: reject", "on_failure: correct\n    set: { field: n, value: id }",
            "line 22, column 29: In value: a text cannot be set in n, an integer; give an integer"
        ),
        (
            "on_failure: reject", "on_failure: correct\n    set: { field: id, value: null }",
            "line 22, column 30: Field id may not be null; set another value"
        ),
        (
            "check: n > 0", "check: 1 > 0",
            "line 19, column 5: Rule first names no field; add field: with the one its reasons are "
                + "about"
        ),
        (
            "check: n > 0", "check: n > nn",
            "line 20, column 16: In check: Field \"nn\" is not declared; add it to fields"
        ),
        (
            "check: n > 0", "check: \"n > nn\"",
            "line 20, column 17: In check: Field \"nn\" is not declared; add it to fields"
        ),
        (
            "    on_failure: reject", "    on_failure: reject\n  - { id: first, check: n > 1, on_failure: flag }",
            "line 22, column 5: Rule first occurs twice; rename one of the two"
        ),
        (
            "field: id }]", "field: idd, need: 1 }]",
            "line 22, column 40: Field \"idd\" is not declared; did you mean id?\n"
                + "line 22, column 45: Key \"need\" is not known in a reference; known are entity, field, required"
        ),
        ("rules:\n", "rules: &a\n", "line 18, column 8: Anchors and tags are not allowed; write the value out"),
        (
            "version: 1\n", "version: 1\nversion: 2\n",
            "line 3, column 1: Key \"version\" occurs twice; keep one of the two"
        ),
        (
            "csv: {", "csv: [",
            "line 7, column 23: Not YAML: did not find expected ',' or ']'; correct the YAML at this place"
        ),
    ])
    func `a mistake is reported with place and remedy`(old: String, new: String, wanted: String) throws {
        let range = try #require(Self.text.firstRange(of: old))
        let text = Self.text[..<range.lowerBound] + new + Self.text[range.upperBound...]
        #expect(problems(String(text)).joined(separator: "\n") == wanted)
    }

    @Test func `all mistakes come at once and sorted`() {
        let text = Self.text.replacing("version: 1\n", with: "version: x\n").replacing("n > 0", with: "n > \"a\"")
            .replacing("max_bytes: 9", with: "a: 9")
        #expect(problems(text).map { $0.prefix(7) } == ["line 2,", "line 9,", "line 20"])
    }

    @Test func `mutated contracts never crash`() throws {
        var seed: UInt64 = 42
        func random(_ n: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % n
        }
        let sources = [try packageFile("Tests/ContractsTests/Fixtures/corner-shop.yaml"), Array(Self.text.utf8)]
        let pieces = [
            "null", "[", "{}", "- ", "\"", "(", ")", "lines.", "$", "-", "\n", ": ", "*", "9999999999999999999",
            "\u{0}",
            "rows", "not ", " in ", "sum(", "\t", "é", "[a-z]{1,255}", "!x", "&a", "#",
        ].map { Array($0.utf8) }
        var accepted = 0
        for round in 0..<5_000 {
            var text = sources[round % 2]
            for _ in 0...random(3) {
                let at = random(text.count)
                let count = min(random(8), text.count - at)
                switch random(4) {
                case 0: text.removeSubrange(at..<(at + count))
                case 1: text.insert(contentsOf: pieces[random(pieces.count)], at: at)
                case 2: text[at] = UInt8(random(256))
                default: text.insert(contentsOf: text[at..<(at + count)], at: random(text.count))
                }
            }
            switch Contract.parse(
                text,
                mappers: testMappers.merging(Self.mappers) { a, _ in round % 2 == 0 ? a : testMappers["free"] ?? a }
            ) {
            case .failure(let problems):
                #expect(!problems.problems.isEmpty && problems.problems == problems.problems.sorted())
            case .success(let contract):
                accepted += 1
                var values = contract.fields.fields.map { value($0.read(.csv(bytes("1")))) ?? FieldValue.null }
                for (index, field) in contract.fields.fields.enumerated() where field.type == .list {
                    values[index] = .list([
                        field.fields.fields.map { value($0.read(.csv(bytes("1")))) ?? FieldValue.null }
                    ])
                }
                _ = contract.validate(&values)
            }
        }
        #expect(accepted > 100, "the mutations leave some contracts whole")
    }
}

@Suite struct YAMLTreeTests {
    @Test(arguments: [
        ("", 1, 1, "The file is empty; write at least one key"),
        ("a: *b", 1, 4, "Aliases are not allowed; write the value out"),
        ("a: !!int 1", 1, 4, "Anchors and tags are not allowed; write the value out"),
        ("a: 1\n---\nb: 1", 2, 1, "A second document starts here; keep one document in a file"),
        ("? [a]\n: 1", 1, 3, "A key must be text; write a name here"),
        ("a: 1\nb: {c: 1, c: 2}", 2, 11, "Key \"c\" occurs twice; keep one of the two"),
        (String(repeating: "[", count: 17), 1, 17, "Values are nested deeper than 16; flatten them"),
        (
            "[" + String(repeating: "a,", count: 50_000) + "]", 1, 100_000,
            "The file has more than 50000 values; split it"
        ),
        (String(repeating: "a", count: 1_048_577), 1, 1, "The file has 1048577 bytes, more than 1048576; split it"),
    ])
    func `a refused file names the place`(text: String, line: Int, column: Int, sentence: String) {
        #expect(throws: YAMLError(line: line, column: column, sentence: sentence)) {
            try YAMLTree.parse(Array(text.utf8))
        }
    }

    @Test func `scalars keep their text, their quotes and their place`() throws {
        let tree = try YAMLTree.parse(Array("a: null\nb: [\"null\", ~, é x]\n".utf8))
        let entries = try #require(tree.entries)
        #expect(entries.map(\.key.text) == ["a", "b"] && entries[0].value.isNull)
        let items = try #require(entries[1].value.items)
        #expect(items.map(\.isNull) == [false, true, false] && items[2].text == "é x")
        #expect(items[0].line == 2 && items[0].column == 5)
    }

    @Test(arguments: [[0xFF], [0x61, 0x00], [0x61, 0x3A, 0x20, 0xC3]] as [[UInt8]])
    func `bytes that are not text are refused`(bytes: [UInt8]) {
        #expect(throws: YAMLError.self) { try YAMLTree.parse(bytes) }
    }

    @Test func `deep and wide hostile files finish`() {
        for piece in ["[", "{", "- ", "? ", "a: ", "\"", "&a ", "{a: [", "-\n "] {
            _ = try? YAMLTree.parse(Array(String(repeating: piece, count: 100_000).utf8))
        }
    }
}
