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
        ]
    ) func mistakes(kinds: String, sentence: String) throws {
        let problems = Self.problems(of: try superstore(kinds))
        #expect(problems.count == 1 && problems.first?.hasPrefix(sentence) == true, "\(problems)")
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
