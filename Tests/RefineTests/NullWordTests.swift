import Contracts
import Ports
import Primitives
import RetailModel
import Testing

@testable import Refine

/// A contract says which words mean "none": a customer 0, nan or NULL is nobody, in CSV and in JSON alike.
@Suite struct NullWordTests {
    private static let customer = "    aliases: [\"Customer ID\"]\n"

    private func text(_ extra: String) throws -> String {
        String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self)
            .changing(Self.customer, Self.customer + extra)
    }

    private func desk(_ extra: String) throws -> Desk { try Desk(text: Array(text(extra).utf8)) }

    private static func row(_ customer: String) -> String {
        "536365,85123A,HEART,6,01/12/2010 08:26,2.55,\(customer),United Kingdom"
    }

    private static let csv = PayloadFormat.csv(header: Desk.header, separator: 0x2C)

    @Test(arguments: ["0", "nan", "NULL", "null", "\"NULL\""]) func `a null word of a CSV cell is nobody`(cell: String)
        throws
    {
        var desk = try desk("    null_words: [0, nan, NULL, null]\n")
        let line = try #require(try desk.refine(Self.row(cell), Self.csv).line)
        #expect(line.customer == nil && line.kind == .gross)
    }

    @Test(arguments: ["0", "\"nan\"", "\"NULL\"", "null"]) func `a null word of JSON is nobody`(member: String)
        throws
    {
        var desk = try desk("    null_words: [0, nan, NULL]\n")
        let line = try #require(try desk.refine(invoiceLine(["CustomerID": member])).line)
        #expect(line.customer == nil)
    }

    @Test func `only the exact word is null`() throws {
        var desk = try desk("    null_words: [0, nan, NULL]\n")
        #expect(try desk.refine(invoiceLine(["CustomerID": "17850"])).line?.customer == "17850")
        #expect(try desk.refine(invoiceLine(["CustomerID": "0.0"])).line?.customer == "0")
        #expect(try desk.refine(Self.row("NaN"), Self.csv).reasons == ["CustomerID type"])
        var plain = try self.desk("")
        #expect(try plain.refine(invoiceLine(["CustomerID": "0"])).line?.customer == "0")
        #expect(try plain.refine(Self.row("nan"), Self.csv).reasons == ["CustomerID type"])
    }

    /// `value: null`, plain or as an expression.
    @Test(arguments: ["null", "\"null\""]) func `a rule can set null`(value: String) throws {
        func desk(_ effect: String) throws -> Desk {
            let rule = """
                rules:
                  - id: guest
                    field: CustomerID
                    when: Country == "United Kingdom"
                    check: not CustomerID in [0, 99999]
                    on_failure: \(effect)
                    set: { field: CustomerID, value: \(value) }

                """
            return try Desk(text: Array(text("").changing("rules:\n", rule).utf8))
        }
        var corrects = try desk("correct")
        let none = try #require(try corrects.refine(Self.row("99999"), Self.csv).line)
        #expect(none.customer == nil && none.flags.contains(.corrected))
        #expect(try corrects.refine(Self.row("17850"), Self.csv).line?.customer == "17850")
        #expect(try corrects.refine(invoiceLine(["CustomerID": "0"])).line?.customer == nil)
        #expect(try corrects.refine(invoiceLine(["CustomerID": "0", "Country": "\"France\""])).line?.customer == "0")
        var normalises = try desk("normalise")
        let same = try #require(try normalises.refine(Self.row("0"), Self.csv).line)
        #expect(same.customer == nil && !same.flags.contains(.corrected))
        // Without a customer a negative quantity is an adjustment: later rules and the mapper see the null.
        let back = Self.row("0").replacing(",6,", with: ",-6,")
        #expect(try normalises.refine(back, Self.csv).line?.kind == .adjustment)
    }

    @Test func `a required field refuses its null words`() throws {
        var desk = try desk("    null_words: [NULL]\n    required: true\n")
        let said = try desk.refine(Self.row("NULL"), Self.csv)
        #expect(said.reasons == ["CustomerID required"])
        #expect(said.messages == ["CustomerID: CustomerID is \"NULL\", one of its null_words; send a value"])
    }

    @Test func `null words that cannot be are refused`() throws {
        let many = (0...16).map { "w\($0)" }.joined(separator: ", ")
        for (extra, message) in [
            ("    null_words: [[0]]\n", "null_words holds a list; write words of 1 to 64 bytes"),
            ("    null_words: [\"\"]\n", "null_words holds \"\"; write words of 1 to 64 bytes"),
            ("    null_words: [\(many)]\n", "null_words has 17 entries, more than 16; remove some"),
            ("    null_words: NULL\n", "null_words is not a list; write [a, b] or lines that begin with -"),
        ] {
            guard case .failure(let found) = Contract.parse(Array(try text(extra).utf8), mappers: Mappers.signatures)
            else {
                Issue.record("\(extra) was taken")
                continue
            }
            #expect(found.problems.map(\.message) == [message])
        }
    }
}
