import Primitives
import Testing
import YAMLTree

@testable import Contracts

/// Places, windows, counters and references: mistakes in them, and values of the types that came with them.
@Suite struct NestedContractTests {
    /// A correct contract of 25 lines; each test replaces one piece.
    static let text = """
        contract: small
        version: 1
        source: small
        partition_key: id
        settings:
          currency: EUR
          window_seconds: 10
          window_lateness_seconds: 10
          window_idle_seconds: 30
          window_skew_seconds: 60
          counters: on
        json: { double_encoded: true }
        fields:
          - { name: id, at: head.id, type: uuid, required: true }
          - { name: user, at: head.user.key, type: text, required: true, accepts: [empty] }
          - { name: at, at: head.at, type: time, required: true, formats: [iso8601] }
          - { name: n, type: integer }
          - { name: rows, at: body.rows, type: list, required: true, fields: [{ name: q, at: a.q, type: integer, required: true }] }
          - { name: more, at: body.more, type: list, fields: [{ name: t, type: time, formats: [iso8601] }] }
        mapper:
          name: sale
          bind: { document: id, occurred_at: at, lines.product: rows.q, user: user, n: n }
        rules:
          - { id: low, check: n > 0, on_failure: normalise, set: { field: n, value: 1 } }
        reference: [{ entity: customer, field: user }]
        """

    static let mappers: [String: MapperSignature] = [
        "sale": MapperSignature(
            parameters: [
                .init("document", [.uuid]), .init("occurred_at", [.time]),
                .init("lines.product", [.integer], isNested: true), .init("user", [.text], isRequired: false),
                .init("n", [.integer], isRequired: false), .init("p", [.integer], isRequired: false),
                .init("history.at", [.time], isRequired: false, isNested: true, isNeverNull: true),
                .init("key", [.text], isRequired: false, isNeverNull: true),
            ],
            settings: ["currency"],
            choices: ["counters": ["on", "off"], "entity": ["customer", "store"]],
            together: [["user", "n"], ["p", "key"]],
            features: [.windows, .requiredReferences]
        ),
        "plain": MapperSignature(parameters: []),
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
            "at: head.user.key", "at: head..key",
            "line 15, column 23: at is \"head..key\", not 1 to 8 names with points between them; write the members that lead "
                + "to the value, such as payload.user.id"
        ),
        (
            "at: head.user.key", "at: a.b.c.d.e.f.g.h.i",
            "line 15, column 23: at is \"a.b.c.d.e.f.g.h.i\", not 1 to 8 names with points between them; write the members "
                + "that lead to the value, such as payload.user.id"
        ),
        ("at: head.user.key", "at: [a]", "line 15, column 23: at is not a text; write one"),
        (
            "at: head.user.key", "at: head.id",
            "line 15, column 5: Fields id and user are both at head.id; change one of the two"
        ),
        (
            "at: head.user.key", "at: head.id.key",
            "line 15, column 5: Field user is at head.id.key, inside head.id, which is field id; change one of the two"
        ),
        (
            "at: head.user.key", "at: head",
            "line 15, column 5: Field user is at head, where field id needs an object; change one of the two\n"
                + "line 16, column 5: Field at is at head.at, inside head, which is field user; change one of the two"
        ),
        (
            "name: n, type", "name: head, type",
            "line 17, column 5: Field head is at head, where field id needs an object; change one of the two\n"
                + "line 22, column 80: Field \"n\" is not declared; add it to fields\n"
                + "line 24, column 23: In check: Field \"n\" is not declared; add it to fields\n"
                + "line 24, column 67: Field \"n\" is not declared; add it to fields"
        ),
        (
            "name: n, type", "name: n, at: body.rows.x, type",
            "line 18, column 5: Field rows is at body.rows, where field n needs an object; change one of the two"
        ),
        (
            "name: n, type", "name: n, at: m, aliases: [k], type",
            "line 17, column 32: Field n has at and aliases; a place has one name, remove the aliases"
        ),
        (
            "name: n, type", "name: n, default: 1, at: \"\", type",
            "line 17, column 32: at has 0 bytes, not 1 to 512; change it"
        ),
        (
            "at: a.q, type: integer, required: true }",
            "at: a.q, type: integer, required: true }, { name: b, at: a, type: text }",
            "line 18, column 124: Field b is at a, where field q needs an object; change one of the two"
        ),
        (
            "type: uuid, required", "type: uuid, max_bytes: 3, required",
            "line 14, column 53: max_bytes does not belong to a UUID; remove it from field id"
        ),
        (
            "type: uuid, required", "type: uuid, accepts: [empty], required",
            "line 14, column 51: accepts does not belong to a UUID; remove it from field id\n"
                + "line 14, column 52: accepts \"empty\" does not belong to a UUID; remove it"
        ),
        (
            "name: n, type: integer", "name: n, type: integer, accepts: [empty]",
            "line 17, column 41: accepts \"empty\" does not belong to an integer; known are number_text, whole_decimal"
        ),
        (
            "user: user, n: n", "user: user, n: n, p: n, key: user",
            "line 22, column 94: Mapper sale needs key, but head.user.key may be null; remove accepts: [empty] from the field"
        ),
        (
            "user: user, n: n", "user: user",
            "line 22, column 9: Mapper sale takes user only with n; bind all of them or none"
        ),
        (
            "user: user, n: n", "user: user, n: n, history.at: more.t",
            "line 22, column 95: Mapper sale needs history.at, but body.more.t may be null; add required: true to the field"
        ),
        (
            "set: { field: n, value: 1 } }", "message: x }",
            "line 24, column 5: A normalising rule has no set; add set: { field: …, value: … }"
        ),
        (
            "double_encoded: true", "double_encoded: twice",
            "line 12, column 25: double_encoded is \"twice\", not true or false; write one of the two"
        ),
        (
            "double_encoded: true", "doubleencoded: true",
            "line 12, column 9: Key \"doubleencoded\" is not known in json; did you mean double_encoded?"
        ),
        (
            "json: { double_encoded: true }", "json: on",
            "line 12, column 7: json is not a mapping; write key: value lines"
        ),
        (
            "window_seconds: 10", "window_seconds: 0",
            "line 7, column 19: setting window_seconds is \"0\", not a whole number from 1 to 86400; correct it"
        ),
        (
            "window_seconds: 10", "window_seconds: 86401",
            "line 7, column 19: setting window_seconds is \"86401\", not a whole number from 1 to 86400; correct it"
        ),
        (
            "window_lateness_seconds: 10", "window_lateness_seconds: -1",
            "line 8, column 28: setting window_lateness_seconds is \"-1\", not a whole number from 0 to 604800; correct it"
        ),
        (
            "window_idle_seconds: 30", "window_idle_seconds: 1.5",
            "line 9, column 24: setting window_idle_seconds is \"1.5\", not a whole number from 1 to 604800; correct it"
        ),
        (
            "window_skew_seconds: 60", "window_skew_seconds: \"60\"",
            "line 10, column 24: setting window_skew_seconds is \"60\", not a whole number from 0 to 86400; correct it"
        ),
        (
            "  window_seconds: 10\n", "",
            "line 7, column 28: Windows need all four settings; add window_seconds or remove window_lateness_seconds, "
                + "window_idle_seconds, window_skew_seconds"
        ),
        (
            "counters: on", "counters: yes",
            "line 11, column 13: setting counters is \"yes\"; mapper sale takes on or off"
        ),
        (
            "counters: on", "counters: true",
            "line 11, column 13: setting counters is \"true\"; mapper sale takes on or off"
        ),
        (
            "counters: on", "entity: shop",
            "line 11, column 11: setting entity is \"shop\"; mapper sale takes customer or store"
        ),
        (
            "entity: customer, field: user", "entity: customer, field: user, required: true",
            "line 25, column 56: A sale that waits for its reference comes too late for its window, whose turnover would depend "
                + "on it; remove required or the settings window_…"
        ),
        (
            "entity: customer", "entity: clerk",
            "line 25, column 23: entity \"clerk\" is not known; known are customer, store, product"
        ),
        (
            "entity: customer, field: user", "entity: customer, field: rows.q",
            "line 25, column 40: A customer is named by a field outside lists, but body.rows.a.q is not one; name another"
        ),
        (
            "entity: customer, field: user", "entity: product, field: user",
            "line 25, column 39: A product is named by a field of a list, but head.user.key is not one; name another"
        ),
        (
            "entity: customer, field: user", "entity: store, field: at",
            "line 25, column 37: A key is text, uuid or integer, but head.at is a time; name another"
        ),
    ])
    func `a mistake is reported with place and remedy`(old: String, new: String, wanted: String) throws {
        let range = try #require(Self.text.firstRange(of: old))
        let text = Self.text[..<range.lowerBound] + new + Self.text[range.upperBound...]
        #expect(problems(String(text)).joined(separator: "\n") == wanted)
    }

    @Test func `a mapper without sales has no windows and nothing that waits`() {
        let text = Self.text.replacing("name: sale", with: "name: plain").replacing(
            "  window_skew_seconds: 60\n",
            with: ""
        )
        .replacing("field: user }]", with: "field: user, required: true }]")
        .replacing(
            "bind: { document: id, occurred_at: at, lines.product: rows.q, user: user, n: n }",
            with: "bind: {}"
        )
        #expect(
            problems(text) == [
                "line 7, column 19: The mapper makes no sales, so there are no windows; remove window_seconds, "
                    + "window_lateness_seconds, window_idle_seconds",
                "line 7, column 19: Windows need all four settings; add window_skew_seconds or remove window_seconds, "
                    + "window_lateness_seconds, window_idle_seconds",
                "line 24, column 56: Only sales wait for a reference; the mapper makes none, remove required",
            ]
        )
    }

    @Test func `a required reference without windows is fine`() {
        let windows = ["seconds: 10", "lateness_seconds: 10", "idle_seconds: 30", "skew_seconds: 60"]
        let text = windows.reduce(Self.text) { $0.replacing("  window_\($1)\n", with: "") }
        #expect(problems(text.replacing("field: user }]", with: "field: user, required: true }]")) == [])
    }

    private let uuid = Field(FieldDeclaration(name: "id", type: .uuid))

    @Test(arguments: [
        "11111111-1111-4111-8111-1111111111aF", "111111111111411181111111111111AF",
        "11111111111141118111111111111 1af", "11111111-1111-4111-81111-111111111af",
        "{111111111111411181111111111111af}",
        "11111111-1111-4111-8111-1111111111a", "1111111111114111811111111111111g", "٣1111111111141118111111111111",
    ])
    func `a UUID is kept in lower case with dashes`(text: String) {
        let isGood = text.hasSuffix("aF") || text.hasSuffix("AF")
        let reading = uuid.read(.text(bytes(text)))
        #expect(value(reading) == (isGood ? .text("11111111-1111-4111-8111-1111111111af") : nil))
        guard !isGood else { return }
        #expect(
            reason(reading)?.message
                == "id \(text.quotedForMessage) is not a UUID; send 32 hexadecimal digits, with dashes as in 8-4-4-4-12 or without"
        )
    }

    @Test func `a required text that accepts empty must be sent`() {
        var declared = FieldDeclaration(name: "user", place: ["head", "user"], type: .text)
        declared.isRequired = true
        declared.accepts = [.empty]
        let field = Field(declared)
        #expect(field.isNullable && value(field.read(.text([]))) == .null && value(field.read(.csv([]))) == .null)
        #expect(reason(field.read(.missing))?.message == "head.user is missing; send it with every event")
        #expect(reason(field.read(.null))?.message == "head.user is null; send a value")
        #expect(value(uuid.read(.text([]))) == .null && reason(uuid.read(.number(bytes("7"))))?.rule == "type")
    }

    @Test func `a message shows what the field held`() throws {
        let text = Self.text.replacing(
            "on_failure: normalise, set: { field: n, value: 1 } }",
            with: "on_failure: reject, message: \"{value} is low: {value}\" }"
        )
        let contract = try Contract.parse(Array(text.utf8), mappers: Self.mappers).get()
        var values: [FieldValue] = [.text("x"), .null, .null, number("-3"), .list([]), .null]
        #expect(contract.validate(&values).reasons.map(\.message) == ["-3 is low: -3"])
    }
}
