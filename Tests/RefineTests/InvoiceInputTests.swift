import Contracts
import Ports
import Primitives
import RetailModel
import Testing

@testable import Refine

/// The input table of spec invoices.md section 3, under both contracts.
@Suite struct InvoiceInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let changes: [String: String?]
        /// Reasons as `field rule`; empty: accepted.
        var native: [String] = []
        /// What the compatibility path says; nil: the same.
        var compatible: [String]?
        var flags: LineFlags = []
        var check: @Sendable (LineEvent) -> Bool = { _ in true }
    }

    static let cases: [Case] = [
        Case(testDescription: "the example", changes: [:]) {
            $0.document == "536365" && $0.product == "85123A" && $0.description == "WHITE HANGING HEART"
                && $0.quantity == 6_000
                && $0.unitPrice == 255_000 && $0.amount == 1_530_000 && $0.customer == "17850"
                && $0.customerName == "Customer A"
                && $0.country == "United Kingdom" && $0.occurredAt.description == "2010-12-01T08:26:00Z"
                && $0.kind == .gross
                && $0.currency.description == "GBP" && $0.store == "ONLINE" && $0.source == "invoices"
                && $0.rawTime == "01/12/2010 08:26"
                && $0.day == 14_944 && $0.hour == 14_944 * 24 + 8
        },
        Case(testDescription: "int InvoiceNo is kept as text", changes: ["InvoiceNo": "536365"]) {
            $0.document == "536365"
        },
        Case(testDescription: "CustomerName is customerName", changes: ["customerName": nil, "CustomerName": "\"B\""]) {
            $0.customerName == "B"
        },
        Case(testDescription: "Quantity 1.5", changes: ["Quantity": "1.5"], native: ["Quantity type"]),
        Case(
            testDescription: "Quantity \"6\"",
            changes: ["Quantity": "\"6\""],
            native: ["Quantity type"],
            compatible: []
        ) { $0.quantity == 6_000 },
        Case(testDescription: "Quantity 6.0", changes: ["Quantity": "6.0"], native: ["Quantity type"]),
        Case(testDescription: "CustomerID 17850.0", changes: ["CustomerID": "17850.0"]) { $0.customer == "17850" },
        Case(testDescription: "CustomerID 17850.5", changes: ["CustomerID": "17850.5"], native: ["CustomerID type"]),
        Case(testDescription: "CustomerID null is anonymous", changes: ["CustomerID": "null"]) { $0.customer == nil },
        Case(testDescription: "CustomerID missing", changes: ["CustomerID": nil]) { $0.customer == nil },
        Case(testDescription: "customerName missing", changes: ["customerName": nil]) { $0.customerName == nil },
        Case(testDescription: "customerName empty", changes: ["customerName": "\"\""]) { $0.customerName == nil },
        Case(testDescription: "Description null", changes: ["Description": "null"], flags: .noDescription) {
            $0.description == nil
        },
        Case(testDescription: "Description empty", changes: ["Description": "\"\""], flags: .noDescription),
        Case(testDescription: "Quantity 0", changes: ["Quantity": "0"], native: ["Quantity quantity_zero"]),
        Case(testDescription: "Quantity negative", changes: ["Quantity": "-1"]) {
            $0.kind == .returned && $0.amount == -255_000
        },
        Case(testDescription: "Quantity negative, anonymous", changes: ["Quantity": "-1", "CustomerID": "null"]) {
            $0.kind == .adjustment
        },
        Case(testDescription: "UnitPrice 0", changes: ["UnitPrice": "0"], flags: .zeroPrice) {
            $0.kind == .gross && $0.amount == 0
        },
        Case(testDescription: "UnitPrice -11062.06", changes: ["UnitPrice": "-11062.06"]) {
            $0.kind == .adjustment && $0.unitPrice == -1_106_206_000
        },
        Case(
            testDescription: "Quantity 80995000000",
            changes: ["Quantity": "80995000000"],
            native: ["Quantity out_of_range"]
        ),
        Case(testDescription: "Quantity at its limit", changes: ["Quantity": "1000000", "UnitPrice": "1000"]) {
            $0.amount == MoneyScale.lineUnitsMax
        },
        Case(
            testDescription: "Quantity over its limit",
            changes: ["Quantity": "1000001"],
            native: ["Quantity out_of_range"]
        ),
        Case(
            testDescription: "amount over 10^9",
            changes: ["Quantity": "1000000", "UnitPrice": "1000.00001"],
            native: ["UnitPrice amount_limit"]
        ),
        Case(
            testDescription: "amount under -10^9",
            changes: ["Quantity": "-1000000", "UnitPrice": "1000.00001"],
            native: ["UnitPrice amount_limit"]
        ),
        Case(testDescription: "NaN price", changes: ["UnitPrice": "NaN"], native: [" bad_json"]),
        Case(testDescription: "\"NaN\" price", changes: ["UnitPrice": "\"NaN\""], native: ["UnitPrice type"]),
        Case(
            testDescription: "six fraction digits",
            changes: ["UnitPrice": "2.550001"],
            native: ["UnitPrice too_many_decimals"],
            compatible: []
        ),
        Case(
            testDescription: "date 1/2/2010 8:5 is the first of February",
            changes: ["InvoiceDate": "\"1/2/2010 8:5\""]
        ) {
            $0.occurredAt.description == "2010-02-01T08:05:00Z"
        },
        Case(
            testDescription: "date 12/01/2010 is the twelfth of January",
            changes: ["InvoiceDate": "\"12/01/2010 08:26\""]
        ) {
            $0.occurredAt.description == "2010-01-12T08:26:00Z"
        },
        Case(testDescription: "ISO date", changes: ["InvoiceDate": "\"2010-12-01T08:26:00+01:00\""]) {
            $0.occurredAt.description == "2010-12-01T07:26:00Z"
        },
        Case(
            testDescription: "date with seconds",
            changes: ["InvoiceDate": "\"01/12/2010 08:26:00\""],
            native: ["InvoiceDate bad_time"]
        ),
        Case(
            testDescription: "date MM/dd",
            changes: ["InvoiceDate": "\"12/31/2010 08:26\""],
            native: ["InvoiceDate bad_time"]
        ),
        Case(testDescription: "date empty", changes: ["InvoiceDate": "\"\""], native: ["InvoiceDate required"]),
        Case(testDescription: "London summer time", changes: ["InvoiceDate": "\"01/07/2010 00:30\""]) {
            $0.occurredAt.description == "2010-06-30T23:30:00Z" && $0.day == 14_791 && $0.hour == 14_791 * 24
        },
        Case(
            testDescription: "nonexistent local time",
            changes: ["InvoiceDate": "\"28/03/2010 01:30\""],
            native: ["InvoiceDate nonexistent_time"]
        ),
        Case(
            testDescription: "ambiguous local time takes the first",
            changes: ["InvoiceDate": "\"31/10/2010 01:30\""],
            flags: .ambiguousTime
        ) {
            $0.occurredAt.description == "2010-10-31T00:30:00Z"
        },
        Case(testDescription: "no Country", changes: ["Country": nil], native: ["Country required"]),
        Case(
            testDescription: "everything wrong at once",
            changes: ["InvoiceNo": nil, "Quantity": "1.5", "InvoiceDate": "\"x\"", "Country": "null"],
            native: ["InvoiceNo required", "Quantity type", "InvoiceDate bad_time", "Country required"]
        ),
        Case(
            testDescription: "long number",
            changes: ["InvoiceNo": "\"123456789012345678901\""],
            native: ["InvoiceNo too_long"]
        ),
        Case(testDescription: "no goods", changes: ["StockCode": "\"POST\""], flags: .notMerchandise),
        Case(testDescription: "case is kept", changes: ["StockCode": "\"post\""]) { $0.product == "post" },
        Case(
            testDescription: "a voucher by pattern",
            changes: ["StockCode": "\"gift_0001_20\""],
            flags: .notMerchandise
        ),
        Case(testDescription: "a name and its alias", changes: ["Price": "1"], native: ["UnitPrice given_twice"]),
        Case(testDescription: "an unknown member is ignored", changes: ["Colour": "[1,{}]"]),
    ]

    @Test(arguments: cases)
    func `an input is refined as the specification says`(c: Case) throws {
        for (path, expected) in [("invoices", c.native), ("invoices-compat", c.compatible ?? c.native)] {
            var desk = try Desk("Contracts/\(path).yaml")
            let verdict = try desk.refine(invoiceLine(c.changes))
            #expect(verdict.reasons == expected, "\(path)")
            guard expected.isEmpty else { continue }
            let line = try #require(verdict.line)
            #expect(line.flags == c.flags, "\(path)")
            #expect(c.check(line), "\(path): \(line)")
        }
    }

    @Test func `the two contracts differ only in the comment and what two fields accept`() throws {
        func lines(_ name: String) throws -> [Substring] {
            String(decoding: try packageText("Contracts/\(name).yaml"), as: UTF8.self).split(separator: "\n").filter {
                !$0.hasPrefix("#")
            }
        }
        var compatible = try lines("invoices-compat")
        let quantity = try #require(compatible.firstIndex(of: "    accepts: [number_text]"))
        #expect(compatible[quantity - 2] == "  - name: Quantity")
        compatible.remove(at: quantity)
        let price = try #require(compatible.firstIndex(of: "    accepts: [excess_digits]"))
        #expect(compatible[..<price].last { $0.hasPrefix("  - name") } == "  - name: UnitPrice")
        compatible.remove(at: price)
        #expect(try lines("invoices") == compatible)
    }

    static let classes: [(document: String, quantity: String, price: String, customer: String, kind: LineKind)] = [
        ("A563185", "1", "11062.06", "null", .adjustment), ("A563186", "1", "-11062.06", "null", .adjustment),
        ("A1", "-1", "1", "1", .adjustment),
        ("5", "1", "-0.00001", "1", .adjustment), ("C5", "-1", "-1", "1", .adjustment),
        ("C5", "-1", "1", "1", .returned),
        ("C5", "-1", "1", "null", .returned), ("C5", "1", "1", "1", .adjustment), ("C5", "1", "0", "null", .adjustment),
        ("C5", "-1", "0", "1", .returned),
        ("5", "-1", "1", "1", .returned), ("5", "-1", "1", "null", .adjustment), ("5", "-1", "0", "null", .adjustment),
        ("5", "1", "1", "1", .gross),
        ("5", "1", "1", "null", .gross), ("5", "1", "0", "null", .gross), ("c5", "1", "1", "1", .gross),
        ("5C", "-1", "1", "1", .returned),
    ]

    @Test(arguments: classes)
    func `a line counts as model 1 dot 9 says`(
        document: String,
        quantity: String,
        price: String,
        customer: String,
        kind: LineKind
    ) throws {
        var desk = try Desk("Contracts/invoices.yaml")
        let text = invoiceLine([
            "InvoiceNo": "\"\(document)\"", "Quantity": quantity, "UnitPrice": price, "CustomerID": customer,
        ])
        #expect(try desk.refine(text).line?.kind == kind)
    }
}
