import Contracts
import Foundation
import Ports
import Primitives
import RetailModel

@testable import Refine

func packageText(_ path: String) throws -> [UInt8] {
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try Array(Data(contentsOf: URL(fileURLWithPath: root + "/" + path)))
}

/// A refiner for one contract.
struct Desk {
    static let header: ByteString = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"

    let contract: Contract
    var refiner: Refiner

    init(_ path: String) throws { try self.init(text: packageText(path)) }

    init(text: [UInt8]) throws {
        contract = try Contract.parse(text, mappers: Mappers.signatures).get()
        let book = ContractBook()
        book.add(contract, isCurrent: true)
        refiner = Refiner(book: book)
    }

    func envelope(_ format: PayloadFormat = .json) -> RecordEnvelope {
        RecordEnvelope(
            feed: contract.name,
            contract: contract.digest,
            receivedAt: Timestamp(micros: 0),
            format: format,
            recordIDBase: .zero
        )
    }

    mutating func refine(_ bytes: [UInt8], _ format: PayloadFormat = .json, id: Identifier = .zero) throws
        -> Refiner.Verdict
    {
        try refiner.refine(bytes, 0..<bytes.count, envelope(format), recordID: id)
    }

    mutating func refine(_ text: String, _ format: PayloadFormat = .json, id: Identifier = .zero) throws
        -> Refiner.Verdict
    {
        try refine(Array(text.utf8), format, id: id)
    }
}

extension Refiner.Verdict {
    var line: LineEvent? { if case .accepted(.line(let line)) = self { line } else { nil } }
    var reference: ReferenceEvent? { if case .accepted(.reference(let event)) = self { event } else { nil } }
    var sale: SaleEvent? { if case .accepted(.sale(let sale)) = self { sale } else { nil } }

    /// Field and message of every reason.
    var messages: [String] {
        if case .rejected(let reasons) = self { reasons.map { "\($0.field): \($0.message)" } } else { [] }
    }

    var reasons: [String] {
        if case .rejected(let reasons) = self { reasons.map { "\($0.field) \($0.rule)" } } else { [] }
    }
}

/// A JSON invoice line: the example of spec invoices.md section 3 with members replaced; nil leaves one out.
func invoiceLine(_ changes: [String: String?] = [:]) -> String {
    let members = [
        ("customerName", "\"Customer A\""), ("InvoiceNo", "\"536365\""), ("StockCode", "\"85123A\""),
        ("Description", "\"WHITE HANGING HEART\""), ("Quantity", "6"), ("InvoiceDate", "\"01/12/2010 08:26\""),
        ("UnitPrice", "2.55"), ("CustomerID", "17850"), ("Country", "\"United Kingdom\""),
    ]
    let extra = changes.keys.filter { name in !members.contains { $0.0 == name } }.sorted().map { ($0, "") }
    return "{"
        + (members + extra).compactMap { name, value -> String? in
            let given: String? = if let change = changes[name] { change } else { value }
            return given.map { "\"\(name)\":\($0)" }
        }.joined(separator: ",") + "}"
}

extension String {
    /// With the first occurrence of one text replaced; a text that does not occur is a mistake of the test.
    func changing(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { preconditionFailure("\(old) does not occur in \(self)") }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
