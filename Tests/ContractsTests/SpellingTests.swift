import Primitives
import Testing

@testable import Contracts

/// Text forms that standards and common tools write are read, or refused with their own reason, in CSV as in JSON.
@Suite struct SpellingTests {
    private static func field(_ type: FieldType, _ accepts: Accepts = .numberText) -> Field {
        var declared = FieldDeclaration(name: "f", type: type)
        if type != .time { declared.accepts = accepts }
        if type == .time { declared.formats = ["dd/MM/yyyy HH:mm:ss", "iso8601"].compactMap(TimeFormat.init) }
        if type == .time { declared.zone = ZoneRules(named: "UTC") }
        return Field(declared)
    }

    @Test(
        arguments: [
            ("5", "5"), ("-5", "-5"), ("1.5e3", "1500"), ("1.5E+3", "1500"), ("15e-1", "1.5"), ("007", "7"),
            ("0.50", "0.5"),
            ("-0", "0"), ("+5", "5"), ("1,234.50", nil), ("1.234,50", nil), ("1 234", nil), ("5\u{A0}", nil),
            (" 5", nil),
            ("1\u{202F}234", nil), ("\u{FF15}", nil), ("\u{2212}5", nil), (".5", nil), ("5.", nil), ("0x1F", nil),
            ("1_000", nil), ("nan", nil), ("NaN", nil), ("inf", nil), ("-Infinity", nil), ("5%", nil), ("£5", nil),
            ("(5)", nil),
            ("\u{661}", nil), ("--5", nil), ("+-5", nil), ("+1,234", nil), ("1e", nil),
        ] as [(String, String?)]
    ) func `a number in a CSV cell and in a JSON text`(text: String, wanted: String?) {
        for type in [FieldType.decimal, .money, .integer] {
            let field = Self.field(type, [.numberText, .wholeDecimal])
            let (cell, member) = (field.read(.csv(bytes(text))), field.read(.text(bytes(text))))
            #expect(cell == member)
            guard let wanted else {
                #expect(reason(cell)?.rule == "type" && reason(cell)?.message.contains("; send ") == true)
                continue
            }
            if type != .integer || !wanted.contains(".") { #expect(value(cell) == number(wanted)) }
            if type == .integer, !text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }) {
                #expect(value(Self.field(.integer).read(.csv(bytes(text)))) == number(wanted))
            }
        }
    }

    @Test(arguments: [
        (
            "1,234.50",
            "f \"1,234.50\" is not a decimal number: it has a comma; send no thousands separators, and a point before the fraction"
        ),
        ("5\u{A0}", "f \"5\u{A0}\" is not a decimal number: it has a blank (U+00A0); send it without"),
        (" 5", "f \" 5\" is not a decimal number: it has a blank (U+0020); send it without"),
        ("\u{FF15}", "f \"\u{FF15}\" is not a decimal number: it has full-width digits; send the digits 0 to 9"),
        ("\u{2212}5", "f \"\u{2212}5\" is not a decimal number: it has the dash U+2212; send the sign -"),
        ("nan", "f \"nan\" is not a decimal number; send a number such as 1.5"),
    ]) func `a refused number says why`(text: String, message: String) {
        #expect(reason(Self.field(.decimal).read(.csv(bytes(text))))?.message == message)
        // Without number_text a JSON text is no number however it is spelled, and says the same.
        #expect(reason(Self.field(.decimal, []).read(.text(bytes(text))))?.message == message)
    }

    @Test(
        arguments: [
            ("true", true), ("false", false), ("TRUE", nil), ("True", nil), ("FALSE", nil), ("yes", nil), ("no", nil),
            ("1", nil),
            ("0", nil), ("Y", nil), ("on", nil), ("t", nil), (" true", nil),
        ] as [(String, Bool?)]
    ) func `a truth in a CSV cell and in a JSON text`(text: String, wanted: Bool?) {
        let field = Self.field(.boolean)
        let (cell, member) = (field.read(.csv(bytes(text))), field.read(.text(bytes(text))))
        #expect(cell == member)
        #expect(value(cell) == wanted.map(FieldValue.boolean))
        if wanted == nil { #expect(reason(cell)?.message.contains("is not true or false") == true) }
    }

    @Test func `a truth in capitals says so`() {
        let found = reason(Self.field(.boolean).read(.csv(bytes("TRUE"))))
        #expect(found?.message == "f \"TRUE\" is not true or false: send true in lower case")
    }

    @Test(arguments: [
        ("2031-12-01T24:00:00Z", "has hour 24; send 00:00 of the next day"),
        ("20311201T240000Z", "has hour 24; send 00:00 of the next day"),
        ("2031-12-01T24:00", "has hour 24; send 00:00 of the next day"),
        ("01/12/2031 24:00:00", "has hour 24; send 00:00 of the next day"),
        ("2031-12-31T23:59:60Z", "has second 60, a leap second; send second 59"),
        ("31/12/2031 23:59:60", "has second 60, a leap second; send second 59"),
        (
            "2031-12-01T24:00:01Z",
            "is not in any declared format (dd/MM/yyyy HH:mm:ss, iso8601); send one of these or declare the sender's format in the contract"
        ),
        (
            "2031-12-01T25:00:00Z",
            "is not in any declared format (dd/MM/yyyy HH:mm:ss, iso8601); send one of these or declare the sender's format in the contract"
        ),
    ]) func `hour 24 and second 60 have reasons of their own`(text: String, sentence: String) {
        let field = Self.field(.time)
        for raw in [RawValue.csv(bytes(text)), .text(bytes(text))] {
            let found = reason(field.read(raw))
            #expect(found?.rule == "bad_time" && found?.message == "f \"\(text)\" \(sentence)")
        }
    }
}
