import Primitives
import Testing

@testable import Contracts

@Suite struct FieldReadTests {
    private func field(_ name: String) throws -> Field {
        let contract = try cornerShop()
        return contract.fields.fields[try #require(contract.fields.index(of: name))]
    }

    @Test(arguments: [
        ("receipt", RawValue.missing, "required", "receipt is missing; send it with every event"),
        ("receipt", .null, "required", "receipt is null; send a value"),
        ("receipt", .text(bytes("")), "required", "receipt is empty; send a value"),
        ("receipt", .csv(bytes("")), "required", "receipt is empty; send a value"),
        ("receipt", .boolean(true), "type", "receipt true is not a text; send a text in quotes"),
        ("receipt", .number(bytes("1.5")), "type", "receipt 1.5 is not a text; send a text in quotes"),
        ("receipt", .other("an object"), "type", "receipt is an object, not a text; send a text in quotes"),
        (
            "receipt", .text(bytes("123456789012345678901")), "too_long",
            "receipt \"123456789012345678901\" has 21 bytes, more than 20; shorten it or raise max_bytes in the contract"
        ),
        (
            "receipt", .text([0x61, 0x00]), "bad_text",
            "receipt \"a\\u{0}\" is not UTF-8 or holds a NUL; send UTF-8 text without NUL"
        ),
        (
            "receipt", .csv([0xFF]), "bad_text",
            "receipt \"\u{FFFD}\" is not UTF-8 or holds a NUL; send UTF-8 text without NUL"
        ),
        (
            "status", .text(bytes("gone")), "not_in_enum",
            "status \"gone\" is not one of: open, closed; send one of these"
        ),
        (
            "total", .number(bytes("-1")), "out_of_range",
            "total -1 is below the minimum 0; correct it or lower min in the contract"
        ),
        (
            "total", .number(bytes("922337203685470000")), "out_of_range",
            "total 922337203685470000 is beyond ±92233720368547.75807; correct it"
        ),
        (
            "total", .number(bytes("1e50")), "out_of_range",
            "total 1e50 has more digits than 38 or a finer fraction than 30 digits; send a shorter number"
        ),
        (
            "weight", .number(bytes("1.2345")), "too_many_decimals",
            "weight 1.2345 has more than 3 fraction digits; round it before sending"
        ),
        (
            "weight", .text(bytes("1.2")), "type",
            "weight \"1.2\" is a text, not a number; send it without quotes or declare accepts: [number_text]"
        ),
        ("weight", .text(bytes("x")), "type", "weight \"x\" is not a decimal number; send a number such as 1.5"),
        ("weight", .csv(bytes("1.")), "type", "weight \"1.\" is not a decimal number; send a number such as 1.5"),
        (
            "points", .number(bytes("1001")), "out_of_range",
            "points 1001 is above the maximum 1000; correct it or raise max in the contract"
        ),
        ("points", .number(bytes("1.5")), "type", "points 1.5 is not an integer; send a whole number such as 2"),
        ("points", .boolean(false), "type", "points false is not an integer; send a whole number such as 6"),
        ("training", .text(bytes("maybe")), "type", "training \"maybe\" is not true or false; send true or false"),
        ("training", .number(bytes("1")), "type", "training 1 is not true or false; send true or false"),
        (
            "sold_at", .text(bytes("12/31/2010 08:26")), "bad_time",
            "sold_at \"12/31/2010 08:26\" is not in any declared format (dd.MM.yyyy HH:mm, iso8601, epoch_seconds); send one of "
                + "these or declare the sender's format in the contract"
        ),
        (
            "sold_at", .text(bytes("28.03.2021 02:30")), "nonexistent_time",
            "sold_at \"28.03.2021 02:30\" does not exist in Europe/Berlin (the clock skips it); correct the time or send it with "
                + "its offset"
        ),
        (
            "sold_at", .number(bytes("253402300800")), "out_of_range",
            "sold_at \"253402300800\" is outside the years 1 to 9999; correct it"
        ),
        (
            "changed_at", .text(bytes("2021-01-01T00:00:00")), "bad_time",
            "changed_at \"2021-01-01T00:00:00\" has no offset from UTC and the contract declares no zone for it; send it with an "
                + "offset or declare zone in the contract"
        ),
        (
            "changed_at", .number(bytes("7")), "type",
            "changed_at 7 is not a time; send a text in one of the declared formats (iso8601)"
        ),
    ])
    func `a wrong value has its reason`(name: String, raw: RawValue, rule: String, message: String) throws {
        let reading = try field(name).read(raw)
        #expect(reason(reading)?.rule == rule)
        #expect(reason(reading)?.message == message)
    }

    @Test(arguments: [
        ("receipt", RawValue.number(bytes("536365")), FieldValue.text("536365")),
        ("receipt", .csv(bytes("C1")), .text("C1")), ("payment", .null, .text("cash")),
        ("payment", .text(bytes("")), .text("cash")),
        ("customer", .text(bytes("")), .null), ("customer", .missing, .null), ("training", .missing, .boolean(false)),
        ("training", .csv(bytes("true")), .boolean(true)), ("training", .text(bytes("true")), .boolean(true)),
        ("training", .boolean(true), .boolean(true)), ("points", .text(bytes("6")), number("6")),
        ("points", .number(bytes("17.0")), number("17")), ("points", .number(bytes("1e2")), number("100")),
        ("points", .csv(bytes("")), .null), ("points", .text(bytes("")), .null),
        ("total", .number(bytes("2.5500000")), number("2.55")),
        ("total", .number(bytes("0.000005")), number("0.000005")),
        ("total", .number(bytes("0.000000000000000000005")), number("0.00000000000000000001")),
        ("total", .text(bytes("3")), number("3")),
        ("weight", .number(bytes("-0.125")), number("-0.125")),
        ("weight", .csv(bytes("12345678901234567890")), number("12345678901234567890")),
    ])
    func `a right value is read exactly`(name: String, raw: RawValue, wanted: FieldValue) throws {
        #expect(value(try field(name).read(raw)) == wanted)
    }

    @Test func `times keep their text and say when the clock showed them twice`() throws {
        let field = try field("sold_at")
        guard case .time(let twice) = value(field.read(.text(bytes("31.10.2021 02:30")))),
            case .time(let once) = value(field.read(.csv(bytes("1.11.2021 2:30")))),
            case .time(let epoch) = value(field.read(.number(bytes("12.5"))))
        else { throw ContractProblems([]) }
        #expect(
            twice.isAmbiguous && twice.instant.description == "2021-10-31T00:30:00Z" && twice.raw == "31.10.2021 02:30"
        )
        #expect(!once.isAmbiguous && once.instant.description == "2021-11-01T01:30:00Z")
        #expect(epoch.instant.micros == 12_500_000)
    }

    @Test func `lists are counted and nested fields are named with their row`() throws {
        let list = try field("lines")
        #expect(reason(list.readList(nil))?.message == "lines is missing; send it with every event")
        #expect(reason(list.readList([]))?.message == "lines is empty; send at least one item")
        #expect(
            reason(list.readList(Array(repeating: [], count: 4)))?.message
                == "lines has 4 items, more than 3; split the event or raise max_items in the contract"
        )
        let nested = list.fields.fields[2]
        #expect(reason(nested.read(.text(bytes("x")), row: 2))?.field == "lines[2].quantity")
        let unknown = Reason.unknownField(bytes("x y"))
        #expect(unknown.rule == "unknown_field" && unknown.message.hasPrefix("Field \"x y\" is not in the contract"))
    }

    @Test(arguments: [
        "0", "-0", "1", "007", "1.50", "123456789012345678", "1234567890123456789", "-9.999", "1e3", "", ".", "5.", "-",
        "1.2.3", "+1",
    ])
    func `short numbers read like long ones`(text: String) {
        let isRefused = text == "5."
        #expect(DecimalText.read(bytes(text)) == (isRefused ? nil : Decimal(bytes(text))))
    }
}
