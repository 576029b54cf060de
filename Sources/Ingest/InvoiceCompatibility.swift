import Contracts
import Formats
import Ports
import Primitives
import RetailModel

/// `POST /invoicedata` of the reference system: one invoice line, its own codes and bodies (spec invoices.md 3).
///
/// 201 with the canonical line once it is durable; 400 for a bad date with the item and the reason; 422 with all
/// reasons; 503 when it cannot be made durable.
extension CompatibilityPath {
    package static let invoices = CompatibilityPath(
        path: "/invoicedata",
        profile: "invoices-compat",
        health: nil,
        denied: nil,
        empty: {
            let sentence = "The body is empty; send one invoice line as application/json"
            return schemaError([
                Reason(rule: BuiltInRule.required.rawValue, field: "", value: "", message: sentence)
            ])
        },
        accepted: { event, contract in
            guard case .line(let line) = event else {
                preconditionFailure("feed \(contract.name) maps to invoice lines")
            }
            return canonical(line, contract)
        },
        rejected: { refusal($0, $1, &$2) },
        problem: { $0.response }
    )

    /// The nine fields as the reference system answers them; the date as `dd-MM-yyyy HH:mm:ss` by the invoice's zone.
    private static func canonical(_ line: LineEvent, _ contract: Contract) -> HTTPResponse {
        var json = JSONWriter()
        json.beginObject()
        optional("customerName", line.customerName, &json)
        json.field("InvoiceNo", line.document)
        json.field("StockCode", line.product)
        optional("Description", line.description, &json)
        json.key("Quantity")
        json.raw(Array(Decimal.text(Int128(line.quantity), scale: 3, keepZeros: false).utf8))
        let civil = (contract.zone ?? .utc).civil(at: line.occurredAt)
        json.field(
            "InvoiceDate",
            "\(padded(civil.day, 2))-\(padded(civil.month, 2))-\(padded(civil.year, 4)) \(civil.clockText)"
        )
        json.key("UnitPrice")
        json.raw(Array(Decimal.text(Int128(line.unitPrice), scale: MoneyScale.digits, keepZeros: false).utf8))
        json.key("CustomerID")
        if let customer = line.customer {
            if Int64(customer.description) != nil { json.raw(customer.bytes) } else { json.string(customer) }
        } else {
            json.null()
        }
        optional("Country", line.country, &json)
        json.endObject()
        return CompatibilityPath.json(201, json.bytes)
    }

    private static func optional(_ name: String, _ text: ByteString?, _ json: inout JSONWriter) {
        json.key(name)
        if let text { json.string(text) } else { json.null() }
    }

    /// 400 when only the date is wrong, else 422; the item is echoed when it is JSON.
    private static func refusal(_ reasons: [Reason], _ body: [UInt8], _ tape: inout JSONTape) -> HTTPResponse {
        let timeRules: Set<String> = ["bad_time", "nonexistent_time"]
        let isDate = reasons.allSatisfy {
            timeRules.contains($0.rule) || ($0.rule == "required" && $0.field == "InvoiceDate")
        }
        guard isDate else { return schemaError(reasons) }
        let isJSON = (try? tape.parse(body, in: 0..<body.count)) != nil
        var json = JSONWriter()
        json.beginObject()
        json.field("detail", reasons.map(\.message).joined(separator: " "))
        json.key("item")
        if isJSON { json.raw(body) } else { json.null() }
        json.endObject()
        return CompatibilityPath.json(400, json.bytes)
    }

    private static func schemaError(_ reasons: [Reason]) -> HTTPResponse {
        var json = JSONWriter()
        json.beginObject()
        json.key("detail")
        json.beginArray()
        for reason in reasons {
            json.beginObject()
            json.key("loc")
            json.beginArray()
            json.string("body")
            if !reason.field.isEmpty { json.string(reason.field) }
            json.endArray()
            json.field("msg", reason.message)
            json.field("type", reason.rule)
            json.field("input", reason.value)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return CompatibilityPath.json(422, json.bytes)
    }
}
