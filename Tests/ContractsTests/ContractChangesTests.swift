import Primitives
import Testing

@testable import Contracts

/// What a changed contract says about itself. The list of changes is that of decision 0043.
@Suite struct ContractChangesTests {
    static let text = """
        contract: small
        version: 1
        source: small
        partition_key: id
        version_time: at
        unknown_fields: ignore
        settings: { time_zone: UTC, currency: EUR, store: S, limit: 10, codes: [A, B] }
        csv: { separator: "," }
        fields:
          - { name: id, type: text, required: true, max_bytes: 9, accepts: [integer] }
          - { name: n, type: integer, max: $limit, min: -5, null_words: [none] }
          - { name: at, type: time, required: true, formats: ["dd/MM/yyyy", "yyyy-MM-dd"], zone: $time_zone }
          - { name: p, type: decimal, required: true, fraction_digits: 2 }
          - { name: kind, type: text, enum: [x, y], aliases: [Kind] }
          - { name: deep, at: a.b, type: text }
          - { name: rows, type: list, required: true, max_items: 5, fields: [
              { name: q, type: integer, required: true }, { name: c, type: money, required: true }] }
        mapper:
          name: sale
          bind: { document: id, occurred_at: at, customer: deep,
            lines.product: rows.q, lines.quantity: rows.q, lines.unit_price: rows.c }
        rules:
          - { id: bounded, check: "n < $limit and p > 0", on_failure: reject }
          - { id: coded, check: "kind in $codes", on_failure: reject }
          - { id: guarded, when: p > 1, check: n > 0, on_failure: reject }
          - { id: seen, check: n != 3, on_failure: flag }
          - { id: fixed, check: n != 4, on_failure: correct, set: { field: n, value: "5" } }
        reference: [{ entity: customer, field: deep }]
        """

    private static func parse(_ text: String) throws -> Contract {
        try Contract.parse(Array(text.utf8), mappers: testMappers).get()
    }

    /// The changes after `old` was replaced by `new` in the text.
    private func changes(_ replacements: [(String, String)]) throws -> [ContractChange] {
        var text = Self.text
        for (old, new) in replacements {
            #expect(text.contains(old), "\(old)")
            text = text.replacing(old, with: new)
        }
        let (contract, earlier) = (try Self.parse(text), try Self.parse(Self.text))
        return contract.changes(since: earlier)
    }

    @Test func `the same contract has no changes`() throws {
        let found = try changes([])
        #expect(found == [])
    }

    @Test func `a comment changes nothing`() throws {
        let found = try changes([("version: 1", "version: 1  # one")])
        #expect(found == [])
    }

    @Test(arguments: [
        ("fields:\n", "fields:\n  - { name: new, type: text, required: true }\n", "field new is new and required"),
        ("source: small", "source: other", "source is other, was small"),
        ("partition_key: id", "partition_key: kind2", "partition_key is kind2, was id"),
        ("version_time: at\n", "version_time: null\n", "version_time is null, was at"),
        ("version_time: at\n", "version_time: at\nsecond_version_time: at\n", "second_version_time is at, was null"),
        (
            "unknown_fields: ignore", "unknown_fields: ignore\nrow_identity: [id, n]",
            "row_identity is [id, n], was not set; rows keep the identity of the feed's first contract"
        ),
        ("unknown_fields: ignore", "unknown_fields: reject", "unknown_fields is reject, was ignore"),
        ("time_zone: UTC", "time_zone: Europe/Paris", "setting time_zone is Europe/Paris, was UTC"),
        ("currency: EUR", "currency: GBP", "setting currency is GBP, was EUR"),
        ("store: S", "store: T", "setting store is T, was S"),
        ("store: S", "store: S, counters: on", "setting counters is on, was not set"),
        (
            "store: S",
            "store: S, window_seconds: 9, window_lateness_seconds: 1, window_idle_seconds: 1, window_skew_seconds: 1",
            "setting window_seconds is 9, was not set"
        ),
        ("separator: \",\"", "separator: \",\", encoding: latin-1", "csv encoding is latin-1, was utf-8"),
        ("separator: \",\"", "separator: \";\"", "csv separator is \";\", was \",\""),
        ("max_bytes: 9, accepts: [integer]", "max_bytes: 8, accepts: [integer]", "field id: max_bytes is 8, was 9"),
        ("max_bytes: 9, accepts: [integer]", "max_bytes: 9", "field id no longer accepts integer"),
        ("max: $limit", "max: 9", "field n: max is 9, was 10"),
        ("min: -5", "min: -4", "field n: min is -4, was -5"),
        (
            "null_words: [none]", "null_words: [none, x]",
            "field n has null_words [none, x]: values that were sent mean something else"
        ),
        ("type: integer, max: $limit", "type: integer, required: true, max: $limit", "field n is required"),
        ("type: integer, max: $limit", "type: integer, default: 1, max: $limit", "field n has default 1, was null"),
        ("\"dd/MM/yyyy\", ", "", "field at no longer reads dd/MM/yyyy"),
        (
            "\"dd/MM/yyyy\", \"yyyy-MM-dd\"", "\"yyyy-MM-dd\", \"dd/MM/yyyy\"",
            "field at tries its formats in another order (yyyy-MM-dd, dd/MM/yyyy), so that a text can mean another time"
        ),
        ("zone: $time_zone", "zone: Asia/Tokyo", "field at has zone Asia/Tokyo, was UTC"),
        ("fraction_digits: 2", "fraction_digits: 1", "field p: fraction_digits is 1, was 2"),
        (
            "type: decimal, required: true, fraction_digits: 2", "type: integer, required: true",
            "field p is an integer, was a decimal number"
        ),
        ("  - { name: p, type: decimal, required: true, fraction_digits: 2 }\n", "", "field p was removed"),
        ("enum: [x, y]", "enum: [x]", "field kind no longer takes y"),
        ("aliases: [Kind]", "aliases: []", "field kind is no longer read from Kind"),
        ("at: a.b, ", "at: a.c, ", "customer is bound to a.c, was bound to a.b"),
        ("customer: deep,", "", "customer is not bound, was bound to a.b"),
        ("customer: deep", "customer: kind", "customer is bound to kind, was bound to a.b"),
        ("customer: deep", "customer: deep, country: kind", "country is bound to kind, which senders already send"),
        ("max_items: 5", "max_items: 4", "field rows: max_items is 4, was 5"),
        ("{ name: q, ", "{ name: r, type: text, required: true }, { name: q, ", "field rows.r is new and required"),
        (
            "entity: customer, field: deep", "entity: customer, field: deep, required: true",
            "reference customer by a.b is required: records wait until it arrives"
        ),
        (
            "rules:\n", "rules:\n  - { id: fresh, check: n > 1, on_failure: reject }\n",
            "rule fresh is new and rejects: n > 1"
        ),
        ("n < $limit and", "n < 9 and", "rule bounded is stricter: n < 9 and p > 0, was n < $limit and p > 0"),
        (
            "p > 0\"", "p > 0 and n > 2\"",
            "rule bounded is stricter: n < $limit and p > 0 and n > 2, was n < $limit and p > 0"
        ),
        ("codes: [A, B]", "codes: [A]", "rule coded is stricter: kind in $codes, was kind in $codes"),
        ("when: p > 1, ", "", "rule guarded is stricter: n > 0, was n > 0"),
        ("when: p > 1", "when: p > 0", "rule guarded is stricter: n > 0, was n > 0"),
        ("n != 3, on_failure: flag", "n != 3, on_failure: reject", "rule seen is on_failure: reject, was flag"),
        ("value: \"5\"", "value: \"6\"", "rule fixed sets values in another way"),
        ("n != 4, on", "n != 6, on", "rule fixed sets values in another way"),
    ])
    func `an incompatible change is named`(old: String, new: String, sentence: String) throws {
        var replacements = [(old, new)]
        if new.contains("kind2") {
            replacements.append(("fields:\n", "fields:\n  - { name: kind2, type: text, default: x }\n"))
        }
        if old.contains("name: p, ") {
            replacements += [(" and p > 0", ""), ("when: p > 1, ", "")]
        }
        let breaking = try changes(replacements).filter { !$0.isCompatible }.map(\.description)
        #expect(breaking.contains(sentence), "\(breaking)")
        let hasMore = ["name: p, ", "at: a.b", "time_zone"].contains(where: old.contains)
        if !hasMore { #expect(breaking.count == 1, "\(breaking)") }
    }

    @Test(arguments: [
        ("fields:\n", "fields:\n  - { name: new, type: text }\n", "field new is new"),
        ("fields:\n", "fields:\n  - { name: new, type: text, required: true, default: x }\n", "field new is new"),
        (
            "name: kind, type: text, enum: [x, y], aliases: [Kind]",
            "name: sort, type: text, enum: [x, y], aliases: [Kind, kind]", nil
        ),
        ("max_bytes: 9", "max_bytes: 10", "field id: max_bytes is 10, was 9"),
        ("type: integer, max", "type: decimal, max", "field n is a decimal number, was an integer"),
        ("\"yyyy-MM-dd\"]", "\"yyyy-MM-dd\", iso8601]", "field at also reads iso8601"),
        ("enum: [x, y]", "enum: [x, y, z]", "field kind also takes z"),
        ("aliases: [Kind]", "aliases: [Kind], accepts: [empty]", "field kind accepts empty"),
        ("separator: \",\"", "separator: \",\", resynchronise: false", "csv resynchronise is false, was true"),
        ("limit: 10", "limit: 11", "setting limit is 11, was 10"),
        ("codes: [A, B]", "codes: [B, C, A]", "rule coded is looser: kind in $codes, was kind in $codes"),
        ("n < $limit and p > 0", "p > 0", "rule bounded is looser: p > 0, was n < $limit and p > 0"),
        ("when: p > 1", "when: p > 2", "rule guarded is looser: n > 0, was n > 0"),
        (
            "n > 0, on", "abs(n) > 0, on",
            "rule guarded was changed, and till cannot tell whether it is stricter: abs(n) > 0, was n > 0"
        ),
        ("  - { id: seen, check: n != 3, on_failure: flag }\n", "", "rule seen was removed"),
        (
            "on_failure: reject }\n  - { id: coded", "on_failure: flag }\n  - { id: coded",
            "rule bounded is on_failure: flag, was reject"
        ),
    ])
    func `a compatible change is named`(old: String, new: String, sentence: String?) throws {
        var replacements = [(old, new)]
        if new.contains("sort") { replacements.append(("kind in", "sort in")) }
        let found = try changes(replacements)
        let breaking = found.filter { !$0.isCompatible }
        #expect(breaking == [])
        if let sentence { #expect(found.map(\.description).contains(sentence), "\(found)") }
    }

    @Test func `only a higher version may carry an incompatible change`() throws {
        let old = try Self.parse(Self.text)
        let changed = Self.text.replacing("currency: EUR", with: "currency: GBP")
        for (version, needed) in [(1, 2), (2, nil)] as [(Int, Int?)] {
            let new = try Self.parse(changed.replacing("version: 1", with: "version: \(version)"))
            let changes = new.changes(since: old)
            #expect(new.versionNeeded(since: old, changes) == needed)
        }
        let later = try Self.parse(Self.text.replacing("version: 1", with: "version: 7"))
        let back = try Self.parse(changed)
        #expect(back.versionNeeded(since: later, back.changes(since: later)) == 8)
    }

    @Test(arguments: [
        ("n < 5", "n < 6", true), ("n < 6", "n < 5", false), ("n <= 5", "n < 5", false), ("n < 5", "n <= 5", true),
        ("n == 5", "n <= 5", true), ("n == 5", "n < 5", false), ("n > 5", "n != 5", true), ("n >= 5", "n != 5", false),
        ("n > 5", "n > m", false), ("n < 5 or m < 5", "n < 5", false), ("n < 5", "n < 5 or m < 5", true),
        ("n < 5 and m < 5", "m < 6", true), ("all(rows, rows.q > 1)", "all(rows, rows.q > 0)", true),
        ("all(rows, rows.q > 0)", "all(rows, rows.q > 1)", false), ("t in [\"a\"]", "t in [\"a\", \"b\"]", true),
        ("not (n > 5)", "not (n > 6)", false), ("n > -5", "n > -6", true), ("n > -6", "n > -5", false),
    ])
    func `one check implies another`(one: String, other: String, implied: Bool) throws {
        func term(_ text: String) throws -> RuleTerm { RuleTerm(try RuleParser.parse(text), [:]) { $0 } }
        let (first, second) = (try term(one), try term(other))
        #expect(first.implies(second) == implied)
    }
}

@Suite struct ContractWarningsTests {
    private func warnings(_ replacements: (String, String)...) throws -> [String] {
        var text = ContractChangesTests.text
        for (old, new) in replacements {
            #expect(text.contains(old), "\(old)")
            text = text.replacing(old, with: new)
        }
        let contract = try Contract.parse(Array(text.utf8), mappers: testMappers).get()
        return contract.warnings.map(\.description)
    }

    @Test func `a contract without oddities has none`() throws {
        let said = try warnings()
        #expect(said == [])
    }

    @Test func `an alias with points is no place`() throws {
        let said = try warnings(("aliases: [Kind]", "aliases: [Kind, a.kind]"))
        #expect(
            said == [
                "line 14, column 61: Alias \"a.kind\" of kind is the name of one column or JSON member; to read a member of an object, write at: a.kind"
            ]
        )
    }

    @Test func `an unbound field`() throws {
        let said = try warnings(
            ("fields:\n", "fields:\n  - { name: idle, type: text }\n"),
            ("{ name: q, ", "{ name: z, type: text }, { name: q, ")
        )
        #expect(
            said == [
                "line 10, column 5: Field idle is checked but not bound, and no rule uses it; bind it under mapper, or remove it",
                "line 18, column 7: Field rows.z is checked but not bound, and no rule uses it; bind it under mapper, or remove it",
            ]
        )
    }

    @Test func `a setting that nothing reads`() throws {
        let said = try warnings(("store: S,", "store: S, counter: on, spare: 1,"))
        #expect(
            said == [
                "line 7, column 54: Setting counter is not used by the mapper, a rule, a field or a message; did you mean counters?",
                "line 7, column 67: Setting spare is not used by the mapper, a rule, a field or a message; remove it, or name it as $spare",
            ]
        )
    }

    @Test func `a name in a message that stays as it is`() throws {
        let said = try warnings(
            (
                "check: n != 3, on_failure: flag",
                "check: n != 3, on_failure: flag, message: \"{value} {n} {limit} {$limit} { }\""
            )
        )
        #expect(
            said.map { String($0.drop { $0 != "I" }) } == [
                "In message: {limit} is not replaced; write {value} for the value of the rule's field, or {$limit} for the setting",
                "In message: {n} is not replaced; write {value} for the value of the rule's field, or {$name} for a setting",
            ]
        )
    }
}
