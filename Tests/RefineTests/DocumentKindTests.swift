import Contracts
import Primitives
import RetailModel
import Testing

@testable import Refine

/// What a document's number says about its kind is a setting of the contract, and of no shop but the one that says so.
@Suite struct DocumentKindTests {
    private static let rows = [
        "1,CA-2031-000101,03/08/2031,AB-10001,Ann Bee,United States,FUR-BO-1,Shelf,261.96,2,0",
        "2,AMB1,03/08/2031,AB-10001,Ann Bee,United States,OFF-LA-9,Labels,14.6200,2,0",
        "3,US-2031-000102,11/13/2031,CD-10002,Cy Dee,United States,TEC-PH-3,Phone,907.152,6,0.2",
    ]
    private static let header: ByteString =
        "Row ID,Order ID,Order Date,Customer ID,Customer Name,Country,Product ID,Product Name,Sales,Quantity,Discount"

    private func lines(_ text: [UInt8]) throws -> [LineEvent] {
        var desk = try Desk(text: text)
        return try Self.rows.compactMap { row in
            try desk.refine(row, .csv(header: Self.header, separator: 0x2C)).line
        }
    }

    private func superstore(_ kinds: String = "") throws -> [UInt8] {
        let text = String(decoding: try packageText("Tests/RefineTests/Fixtures/superstore.yaml"), as: UTF8.self)
        return Array(text.changing("version_time: null\n", "version_time: null\n" + kinds).utf8)
    }

    @Test("orders CA-2031-…, AMB1 of a shop that names no kinds are sales") func noneSaid() throws {
        let found = try lines(superstore())
        #expect(found.map(\.documentType) == [.sale, .sale, .sale] && found.map(\.kind) == [.gross, .gross, .gross])
    }

    @Test("prefixes that a contract names hold, whole") func prefixes() throws {
        let found = try lines(superstore("document_kinds: { cancellation: [CA-, CB-], bad_debt: AMB }\n"))
        #expect(found.map(\.documentType) == [.cancellation, .badDebt, .sale])
        #expect(found.map(\.kind) == [.adjustment, .adjustment, .gross])
        let longer = try lines(superstore("document_kinds: { cancellation: [CA-2031-0001011] }\n"))
        #expect(longer.map(\.documentType) == [.sale, .sale, .sale])
    }

    @Test("without kinds a negative quantity is a return of a customer, else an adjustment") func returns() throws {
        let text = String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self)
            .changing("document_kinds: { cancellation: [\"C\"], bad_debt: [\"A\"] }", "document_kinds: {}")
        var desk = try Desk(text: Array(text.utf8))
        let back = try desk.refine(invoiceLine(["InvoiceNo": "\"C1\"", "Quantity": "-1"])).line
        let lost = try desk.refine(
            invoiceLine(["InvoiceNo": "\"C1\"", "Quantity": "-1", "CustomerID": nil])
        ).line
        let sold = try desk.refine(invoiceLine(["InvoiceNo": "\"A1\""])).line
        #expect(back?.kind == .returned && lost?.kind == .adjustment && sold?.kind == .gross)
    }

    @Test("texts of source invoices from before the key keep C and A; of another source they never had a meaning")
    func oldTexts() throws {
        let text = String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self)
            .changing("document_kinds: { cancellation: [\"C\"], bad_debt: [\"A\"] }\n", "")
        var old = try Desk(text: Array(text.utf8))
        #expect(try old.refine(invoiceLine(["InvoiceNo": "\"C1\""])).line?.documentType == .cancellation)
        #expect(try old.refine(invoiceLine(["InvoiceNo": "\"A1\""])).line?.documentType == .badDebt)
        var other = try Desk(text: Array(text.changing("source: invoices", "source: shop").utf8))
        #expect(try other.refine(invoiceLine(["InvoiceNo": "\"C1\""])).line?.documentType == .sale)
        #expect(try other.refine(invoiceLine(["InvoiceNo": "\"A1\""])).line?.documentType == .sale)
    }

    @Test(
        "kinds that cannot hold are refused with the remedy",
        arguments: [
            (
                "document_kinds: { cancellation: [C], bad_debt: [CA] }\n",
                "A document can begin with prefix \"C\" of cancellation and with prefix \"CA\" of bad_debt; change one so that neither begins with the other"
            ),
            ("document_kinds: { cancelation: [C] }\n", "Key \"cancelation\" is not known in document_kinds"),
            ("document_kinds: { bad_debt: [\"\"] }\n", "prefix of bad_debt has 0 bytes, not 1 to 64; change it"),
            ("document_kinds: C\n", "document_kinds is not a mapping; write key: value lines"),
            (
                "document_kinds: { refund: { field: pname } }\n",
                "refund is told by a prefix, by field and values, or by when; write one of the three"
            ),
            (
                "document_kinds: { refund: { when: quantity < 0, field: pname, values: [x] } }\n",
                "refund is told by a prefix, by field and values, or by when; write one of the three"
            ),
            (
                "document_kinds: { refund: { field: quantity, values: [x] } }\n",
                "field quantity is an integer; use a text field, or write when: with an expression"
            ),
            (
                "document_kinds: { refund: { field: pname, values: [] } }\n",
                "values of refund is empty; list at least one value"
            ),
            ("document_kinds: { refund: { when: quantity } }\n", "In when: this is a number, not true or false"),
            ("document_kinds: { refund: { when: qantity < 0 } }\n", "In when: Field \"qantity\" is not declared"),
        ]
    ) func mistakes(kinds: String, sentence: String) throws {
        let problems = Self.problems(of: try superstore(kinds))
        #expect(problems.count == 1 && problems.first?.hasPrefix(sentence) == true, "\(problems)")
    }

    private static let kindHeader: ByteString = "No,Kind,Item,Qty,Price,At,Customer"

    /// Lines of a shop whose contract tells kinds by a column.
    private func kinds(_ kinds: String, _ rows: [String]) throws -> [LineEvent?] {
        let text = """
            contract: outlet
            version: 1
            source: outlet
            partition_key: number
            document_kinds: \(kinds)
            settings: { time_zone: UTC, currency: EUR, store: ONLINE }
            fields:
              - { name: number, at: No, type: text, required: true }
              - { name: kind, at: Kind, type: text }
              - { name: item, at: Item, type: text, required: true }
              - { name: quantity, at: Qty, type: decimal, required: true }
              - { name: price, at: Price, type: decimal, required: true }
              - { name: sold, at: At, type: time, required: true, formats: [iso8601] }
              - { name: customer, at: Customer, type: text }
            mapper:
              name: invoice-line
              bind:
                { document: number, product: item, quantity: quantity, unit_price: price, occurred_at: sold, customer: customer }
            """
        var desk = try Desk(text: Array(text.utf8))
        return try rows.map { try desk.refine($0, .csv(header: Self.kindHeader, separator: 0x2C)).line }
    }

    private static let kindRows = [
        "1,SALE,a,2,5,2026-01-01T00:00:00Z,", "2,CN,a,-2,5,2026-01-01T00:00:00Z,", "3,CN,a,2,5,2026-01-01T00:00:00Z,",
        "4,WO,a,2,5,2026-01-01T00:00:00Z,", "5,REFUND,a,-2,5,2026-01-01T00:00:00Z,",
        "6,REFUND,a,2,5,2026-01-01T00:00:00Z,", "7,SALE,a,-2,5,2026-01-01T00:00:00Z,",
        "8,SALE,a,-2,5,2026-01-01T00:00:00Z,K1", "9,,a,2,5,2026-01-01T00:00:00Z,",
        "10,REFUND,a,-2,-5,2026-01-01T00:00:00Z,",
    ]

    @Test(
        "kinds by the value of a field, and by an expression",
        arguments: [
            "{ cancellation: { field: kind, values: [CN, CREDIT] }, bad_debt: { field: kind, values: [WO] }, refund: { field: kind, values: [REFUND] } }",
            "{ cancellation: { when: 'kind == \"CN\"' }, bad_debt: { when: 'kind == \"WO\"' }, refund: { when: 'matches(kind, \"RE.*\") and quantity < 0' } }",
        ]
    ) func byField(text: String) throws {
        let found = try kinds(text, Self.kindRows).compactMap { $0 }
        #expect(
            found.map(\.documentType) == [
                .sale, .cancellation, .cancellation, .badDebt, .sale, .sale, .sale, .sale, .sale, .sale,
            ]
        )
        #expect(
            found.map(\.kind) == [
                .gross, .returned, .adjustment, .adjustment, .returned, .gross, .adjustment, .returned, .gross,
                .adjustment,
            ]
        )
    }

    @Test("of a bad debt and a cancellation, the bad debt holds, as in model 1.9") func both() throws {
        let text = "{ cancellation: { when: quantity < 0 }, bad_debt: { when: price < 10 } }"
        #expect(try kinds(text, [Self.kindRows[4]]).first??.documentType == .badDebt)
    }

    @Test("the refund mark is part of the content: with and without it are two versions") func refundHash() throws {
        let row = [Self.kindRows[4]]
        let marked = try kinds("{ refund: { field: kind, values: [REFUND] } }", row).first ?? nil
        let plain = try kinds("{}", row).first ?? nil
        #expect(marked?.kind == .returned && plain?.kind == .adjustment)
        #expect(marked?.contentHash != plain?.contentHash)
        // A line that names its customer is a return either way, with the hash that it always had.
        let named = [Self.kindRows[7].replacing("SALE", with: "REFUND")]
        let one = try kinds("{ refund: { field: kind, values: [REFUND] } }", named).first ?? nil
        let other = try kinds("{}", named).first ?? nil
        #expect(one?.kind == .returned && one?.contentHash == other?.contentHash)
    }

    @Test("an expression that overflows rejects the line") func overflow() throws {
        let text = "{ refund: { when: quantity * quantity * quantity * quantity * quantity > price } }"
        let row = "1,SALE,a,1000000000,0.1,2026-01-01T00:00:00Z,"
        let found = try kinds(text, [row, Self.kindRows[0]])
        #expect(found.map { $0 == nil } == [true, false])
    }

    @Test("a mapper without document kinds refuses the key") func wrongMapper() throws {
        let text = String(decoding: try packageText("Contracts/orders.yaml"), as: UTF8.self)
            .changing("version_time: update_ts\n", "version_time: update_ts\ndocument_kinds: { bad_debt: [A] }\n")
        #expect(
            Self.problems(of: Array(text.utf8)) == [
                "The mapper makes no documents of several kinds; remove document_kinds"
            ]
        )
    }

    private static func problems(of text: [UInt8]) -> [String] {
        switch Contract.parse(text, mappers: Mappers.signatures) {
        case .success: []
        case .failure(let found): found.problems.map(\.message)
        }
    }
}
