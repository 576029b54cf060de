import Contracts
import Formats
import Ports
import Primitives
import Refine

extension IngestService {
    /// What a sender must know before it cuts a file into records.
    func describe(_ feed: String, _ request: HTTPRequest, _ exchange: any HTTPExchange) {
        do throws(IngestProblem) {
            guard request.method == .get || request.method == .head else {
                throw IngestProblem(
                    status: 405,
                    code: "method_not_allowed",
                    message: "A contract is read with GET; events are sent to /v1/feeds/\(feed)."
                )
            }
            let contract = try current(feed)
            var json = JSONWriter()
            json.beginObject()
            json.field("feed", feed)
            json.field("contract", contract.name)
            json.field("version", contract.version)
            json.field("digest", contract.digest.description)
            json.field("text", ByteString(contract.text))
            json.key("row_identity")
            json.beginArray()
            for part in book.rowIdentity(feed)?.parts ?? [] { json.string(part) }
            json.endArray()
            json.key("csv")
            json.beginObject()
            json.field("separator", String(Character(Unicode.Scalar(contract.csv.separator))))
            json.field("quote", String(Character(Unicode.Scalar(contract.csv.quote))))
            json.field("encoding", contract.csv.encoding)
            json.field("resynchronise", contract.csv.resynchronises)
            json.endObject()
            json.key("columns")
            json.beginArray()
            for (index, field) in contract.fields.fields.enumerated() where !contract.fields.isList(index) {
                json.beginObject()
                json.key("names")
                json.beginArray()
                for name in [field.path] + field.aliases { json.string(name) }
                json.endArray()
                json.field("required", field.isRequired && field.defaultValue.isNull)
                json.endObject()
            }
            json.endArray()
            json.endObject()
            exchange.respond(
                HTTPResponse(status: 200, headers: [("content-type", "application/json")], body: json.bytes)
            )
        } catch {
            exchange.respond(error.response)
        }
    }
}
