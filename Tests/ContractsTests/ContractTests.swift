import Primitives
import Testing

@testable import Contracts

@Suite struct ContractTests {
    @Test func `the invoice contract loads and reads a line of the public file`() throws {
        let contract = try loaded("Contracts/invoices.yaml")
        #expect(contract.name == "invoices" && contract.partitionKey == 0 && contract.zone?.name == "Europe/London")
        #expect(contract.digest == Digest.sha256(of: contract.text))
        let row = ["489434", "85048", "15CM CHRISTMAS", "12", "2009-12-01 07:45:00", "6.95", "13085.0", "", "UK", ""]
        var values = try zip(contract.fields.fields, row).map { try #require(value($0.read(.csv(bytes($1))))) }
        #expect(contract.validate(&values) == Validation())
        #expect(contract.fields.index(of: "Customer ID") == 6 && contract.fields.index(of: "Price") == 5)
        #expect(contract.fields.index(of: "price") == nil && contract.fields.index(of: "") == nil)
        values[3] = number("0")
        values[2] = .null
        values[5] = number("0")
        let validation = contract.validate(&values)
        #expect(
            validation.reasons.map(\.rule) == ["quantity_zero"] && validation.flags == ["no_description", "zero_price"]
        )
        values[3] = number("-1000000")
        values[5] = number("1000.00001")
        #expect(contract.validate(&values).reasons.map(\.rule) == ["amount_limit"])
        let patterns = try #require(contract.settings["non_product_patterns"])
        guard case .texts(let sources) = patterns else { throw ContractProblems([]) }
        let compiled = try sources.map { try #require(Pattern.compiled($0.description)) }
        #expect(compiled.map { $0.matches("gift_0001_20") } == [true, false, false])
    }

    @Test(arguments: [
        ("1.5", "type"), ("80995000000", "out_of_range"), ("NaN", "type"), ("9223372036854775808", "out_of_range"),
        ("6.0", "type"),
    ])
    func `a wrong quantity is refused`(text: String, rule: String) throws {
        let field = try loaded("Contracts/invoices.yaml").fields.fields[3]
        #expect(reason(field.read(.number(bytes(text))))?.rule == rule)
    }

    @Test func `every part of the fixture is kept`() throws {
        let contract = try cornerShop()
        #expect(contract.version == 3 && contract.source == "corner" && contract.versionTime == 3)
        #expect(contract.csv.separator == UInt8(ascii: ";") && contract.csv.quote == UInt8(ascii: "'"))
        #expect(contract.unknownFields == .reject && contract.currency == Currency("EUR"))
        #expect(
            contract.references == [
                ReferenceNeed(entity: .customer, field: .init(field: 10, column: nil), isRequired: false)
            ]
        )
        #expect(contract.windows == WindowSettings(length: 60, lateness: 0, idle: 120, skew: 5))
        #expect(contract.json.isDoubleEncoded && contract.settings["counters"] == .text("on"))
        #expect(
            contract.mapper.name == "sale" && contract.mapper.bindings["lines.quantity"] == .init(field: 11, column: 2)
        )
        #expect(contract.fields.index(of: "receipt.id") == 0)
        #expect(contract.fields.fields[11].fields.index(of: "article") == 0)
        #expect(contract.fields.index(of: "device.drawer.no") == 13 && contract.fields.index(of: "drawer") == nil)
        #expect(contract.fields.fields.map(\.path).suffix(2) == ["device.id", "device.drawer.no"])
        let objects = contract.fields.objects
        #expect(objects.map(\.place) == [[], ["device"], ["device", "drawer"]])
        #expect(objects[0].member(bytes("device")) == .object(1) && objects[0].member(bytes("receipt.id")) == .field(0))
        #expect(objects[1].member(bytes("drawer")) == .object(2) && objects[1].member(bytes("id")) == .field(12))
        #expect(objects[2].member(bytes("no")) == .field(13) && objects[2].member(bytes("id")) == nil)
        #expect(objects[1].fields == [12, 13] && objects[2].fields == [13])
        let tax = contract.fields.fields[11].fields.fields[5]
        #expect(tax.path == "lines.tax.rate" && tax.shownName(2) == "lines[2].tax.rate")
        #expect(contract.fields.fields[11].fields.objects[1].shownName(1) == "lines[1].tax")
    }

    private func sale(_ store: String, total: String, rows: [[FieldValue]]) -> [FieldValue] {
        [
            .text("R1"), .text(ByteString(store)), .time(FieldTime(instant: Timestamp(micros: 0), raw: "0")), .null,
            .text("cash"), .text("closed"), number(total), .null, .null, .boolean(false), .null,
            .list(rows.map { $0 + [.null] }), .null, .null,
        ]
    }

    @Test func `corrections are made in order and later rules see them`() throws {
        let contract = try cornerShop()
        var values = sale(
            "STORE_007",
            total: "99",
            rows: [
                [.text("a"), .null, number("2"), number("1.5"), number("4")],
                [.text("a"), .null, number("0.333"), number("0.00001"), .null],
            ]
        )
        let validation = contract.validate(&values)
        #expect(validation.reasons == [] && validation.flags == ["item_twice"])
        #expect(values[1] == .text("STORE_7") && values[6] == number("3"))
        #expect(validation.corrections.map(\.rule) == ["store_normal", "line_total", "line_total", "total_mismatch"])
        #expect(validation.corrections.map(\.row) == [nil, 0, 1, nil])
        #expect(validation.corrections.last?.old == number("99"))
        #expect(contract.validate(&values).corrections == [], "validating again corrects nothing")
        values[4] = .text("Cash")
        #expect(contract.validate(&values).corrections == [] && values[4] == .text("cash"), "normalised, not corrected")
    }

    @Test func `an amount is rounded to five digits once the rules have seen it`() throws {
        let row: [FieldValue] = [.text("a"), .null, number("2"), number("1.5"), number("3")]
        var values = sale("STORE_7", total: "3.000005", rows: [row])
        #expect(try cornerShop().validate(&values).corrections.map(\.old) == [number("3.00001")])
        values[6] = number("2.999995000001")
        #expect(try cornerShop().validate(&values).corrections == [] && values[6] == number("3"))
    }

    @Test func `all reasons are reported at once with row and value`() throws {
        let contract = try cornerShop()
        var values = sale(
            "STORE_99",
            total: "0",
            rows: [
                [.text("a"), .null, number("1"), number("0"), number("0")],
                [.text("b"), .null, number("-2"), number("0"), number("0")],
                [.text("c"), .null, number("2"), number("0"), number("0")],
                [.text("d"), .null, number("-3"), number("0"), number("0")],
            ]
        )
        values[4] = .text("shells")
        values[9] = .boolean(true)
        let reasons = contract.validate(&values).reasons
        #expect(
            reasons.map(\.rule) == [
                "store_range", "quantity_positive", "quantity_positive", "card_known", "no_training",
            ]
        )
        #expect(reasons[2].field == "lines[3].quantity" && reasons[2].value == "-3", "every row that breaks the rule")
        #expect(reasons[1].field == "lines[1].quantity" && reasons[1].value == "-2")
        #expect(
            reasons[0].message
                == "Rule store_range (number(capture(store, \"STORE_(\\d+)\", 1)) <= $store_max) does not "
                + "hold; correct the event"
        )
        values[4] = .text("bonus-12")
        values[5] = .text("open")
        #expect(
            contract.validate(&values).reasons.map(\.rule) == ["store_range", "quantity_positive", "quantity_positive"]
        )
    }

    @Test func `five simple rules are validated in about a microsecond`() throws {
        let contract = try loaded("Contracts/invoices.yaml")
        var values: [FieldValue] = [
            .text("1"), .text("2"), .text("3"), number("6"), .null, number("2.55"), .null, .null, .text("UK"), .null,
        ]
        let clock = ContinuousClock()
        var count = 0
        let spent = clock.measure { for _ in 0..<20_000 { count += contract.validate(&values).reasons.count } }
        print("validate: \(spent / 20_000) per event, 4 rules")
        let cells = ["489434", "85048", "15CM CHRISTMAS", "12", "2009-12-01 07:45:00", "6.95", "13085", "", "UK", ""]
            .map(bytes)
        let reading = clock.measure {
            for _ in 0..<5_000 {
                for (field, cell) in zip(contract.fields.fields, cells) where reason(field.read(.csv(cell))) != nil {
                    count += 1
                }
            }
        }
        print("read: \(reading / 5_000) per event, 10 fields")
        #expect(count == 0 && spent < .seconds(2))
    }
}
