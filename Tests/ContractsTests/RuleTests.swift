import Primitives
import Testing

@testable import Contracts

@Suite struct RuleTests {
    /// n = 5, m = null, t = "Ab1", b = true, at = 1.5 s, rows (q, s) = (1, "x"), (2.5, "y").
    private let values: [FieldValue] = [
        .text("x"), number("5"), .null, .text("Ab1"), .boolean(true),
        .time(FieldTime(instant: Timestamp(micros: 1_500_000), raw: "")),
        .list([[number("1"), .text("x")], [number("2.5"), .text("y")]]),
    ]

    @Test(arguments: [
        ("n == 5", true), ("n != 5", false), ("n < 5", false), ("n <= 5", true), ("n > 4.99", true),
        ("n >= 5.01", false),
        ("n + 1 * 2 == 7", true), ("(n + 1) * 2 == 12", true), ("-n == 0 - 5", true), ("n - 1 - 1 == 3", true),
        ("n == 5.000", true), ("m == 1", true), ("not m == 1", true), ("m + n > 100", true), ("m == null", true),
        ("m != null", false), ("n == null", false), ("is_null(m)", true), ("is_null(n + m)", true),
        ("not is_null(n)", true),
        ("m == 1 or false", true), ("m == 1 and false", false), ("m == 1 and true", true), ("false or false", false),
        ("true and not false", true), ("t == \"Ab1\"", true), ("t < \"B\"", true), ("t >= \"B\"", false),
        ("lower(t) == \"ab1\"", true),
        ("upper(t) == \"AB1\"", true), ("t + \"!\" == \"Ab1!\"", true), ("length(t) == 3", true),
        ("matches(t, \"[A-Z]\\w+\")", true),
        ("matches(t, \"b\")", false), ("capture(t, \"(\\D+)(\\d)\", 2) == \"1\"", true),
        ("capture(t, \"x\", 0) == null", true),
        ("number(capture(t, \"\\D+(\\d)\", 1)) + 1 == 2", true), ("number(t) == null", true),
        ("t in [\"Ab1\", \"c\"]", true),
        ("t in $codes", false), ("t not in $codes", true), ("n in [1, -5, 5]", true), ("n in $numbers", false),
        ("m in [1]", true),
        ("n <= $limit", true), ("t == $word", false), ("b", true), ("b == false", false), ("b != $yes", false),
        ("seconds(at) == 1.5", true), ("at == at", true), ("sum(rows.q) == 3.5", true),
        ("sum(rows.q * rows.q + 1) == 9.25", true),
        ("count(rows) == 2", true), ("all(rows, rows.q > 1)", false), ("all(rows, rows.q >= 1 and n > rows.q)", true),
        ("any(rows, rows.s == \"y\")", true), ("any(rows, rows.s == \"z\")", false), ("unique(rows.s)", true),
        ("abs(-2) == 2", true), ("round(2.345, 2) == 2.35", true), ("round(-2.345, 2) == -2.35", true),
        ("exact(n) == 5", true), ("sum(exact(rows.q)) == 3.5", true),
    ])
    func `an expression is true or false`(check: String, wanted: Bool) throws {
        let contract = try smallContract(check: check).get()
        var values = values
        #expect(contract.validate(&values).reasons.isEmpty == wanted)
    }

    @Test(arguments: [
        ("n", 1, "In check: this is a number, not true or false; write a comparison such as Quantity > 0"),
        ("n = 5", 3, "In check: \"=\" is not an operator; write == to compare"),
        ("n == \"5\"", 3, "In check: a number is compared with a text; compare values of one type"),
        ("n + t == 1", 3, "In check: + needs two numbers, but one side is a text; use a number field or number(text)"),
        (
            "not n", 5,
            "In check: not needs true or false, but this is a number; write a comparison such as Quantity > 0"
        ),
        ("nn == 5", 1, "In check: Field \"nn\" is not declared; add it to fields"),
        ("rows.qq == 5", 1, "In check: Field \"rows.qq\" is not declared; add it to the fields of rows"),
        ("rows.q == 5", 1, "In check: rows.q has a value per row; put it inside sum, all, any or unique"),
        ("rows == 5", 1, "In check: rows is a list; use it in count(rows) or name one of its fields"),
        ("n < $limits", 5, "In check: Setting \"limits\" is not declared; did you mean limit?"),
        ("n < $codes", 5, "In check: Setting codes is a list; use it after in"),
        ("n in $limit", 3, "In check: Setting limit is not a list; compare with =="),
        ("n in $codes", 3, "In check: a number is looked up in a list of texts; compare values of one type"),
        ("n in [1, \"a\"]", 3, "In check: The list mixes numbers and texts; keep one kind"),
        ("n in [n]", 7, "In check: A list holds literals only; write numbers or texts in quotes"),
        ("smu(rows.q) == 1", 1, "In check: Function \"smu\" is not known; did you mean sum?"),
        ("sum(n) == 1", 1, "In check: sum names no field of a list; write sum(lines.quantity * lines.unit_price)"),
        ("sum(rows.s) == 1", 5, "In check: sum needs a number, but this is a text; use a number field or number(text)"),
        ("all(rows)", 1, "In check: all takes 2 arguments, not 1; write all(lines, lines.quantity > 0)"),
        (
            "all(rows, sum(rows.q) > 1)", 11,
            "In check: sum is inside another function over rows; split the rule in two"
        ),
        (
            "matches(t, t)", 12,
            "In check: matches needs its pattern as a literal or a setting with texts; write the pattern in quotes"
        ),
        (
            "matches(t, $bad)", 12,
            "In check: Pattern \"(\" is wrong at character 1: ( is not closed; add ) or write \\("
        ),
        (
            "capture(t, \"a\", 1) == t", 17,
            "In check: capture needs a group from 0 to 0, as a literal; add ( ) to the pattern"
        ),
        ("exact(n + 1) == 1", 9, "In check: exact needs a number field; write exact(lines.unit_price)"),
        ("exact(t) == 1", 7, "In check: exact needs a number, but this is a text; use a number field or number(text)"),
        ("n < null", 3, "In check: < cannot order null; write == null or != null"),
        ("b < true", 3, "In check: < cannot order true and false; write == or !="),
        ("n < 1 < 2", 7, "In check: Comparisons cannot be chained; write a < b and b < c"),
        ("(n == 1", 8, "In check: Expected \")\" but found the end; add it"),
        ("n == 1 n", 8, "In check: \"n\" does not continue the expression; add an operator or remove it"),
        ("n == ", 6, "In check: Expected a value but found the end; add a field, a number or a text"),
        ("t == \"a", 6, "In check: A text is not closed; add \""),
        ("n == 1.", 6, "In check: \"1.\" is not a number; write 1 or 1.5"),
    ])
    func `a mistake has its place and sentence`(check: String, column: Int, sentence: String) throws {
        guard case .failure(let problems) = smallContract(check: check) else {
            Issue.record("accepted")
            return
        }
        // A mistake of the whole check stands at the check itself, any other at its character.
        #expect(problems.problems.map(\.message) == [sentence])
        #expect(problems.problems.first?.column == 12 + (check == "n" ? 0 : column))
    }

    @Test func `every mistake of one expression is reported`() {
        guard case .failure(let problems) = smallContract(check: "n + t == 1 and nn == 2 or not m") else { return }
        #expect(problems.problems.count == 3)
    }

    @Test func `overflow and too much work are reasons`() throws {
        var values = values
        values[1] = number("99999999999999999999999999999999999999")
        let reasons = try smallContract(check: "n * n > 1").get().validate(&values).reasons
        #expect(reasons.map(\.rule) == ["overflow"])
        #expect(
            reasons[0].message
                == "Rule rule (n * n > 1) needs more than 127 bits or 30 fraction digits; send smaller or shorter numbers"
        )
        values[3] = .text(ByteString([UInt8](repeating: 0x61, count: 60_000)))
        let costly = (0..<4).map { _ in "matches(t, \"[^b]{0,120}[^b]*b\")" }.joined(separator: " or ")
        #expect(try smallContract(check: costly).get().validate(&values).reasons.map(\.rule) == ["too_costly"])
    }

    @Test(arguments: [
        String(repeating: "(", count: 2_000), String(repeating: "-", count: 2_000),
        String(repeating: "not ", count: 500),
        "n" + String(repeating: " + n", count: 400) + " > 1", String(repeating: "abs(", count: 400),
    ])
    func `deep expressions are refused`(check: String) {
        guard case .failure(let problems) = smallContract(check: check) else {
            Issue.record("accepted")
            return
        }
        #expect(problems.problems[0].message == "In check: The expression is nested deeper than 32; split the rule")
    }
}
