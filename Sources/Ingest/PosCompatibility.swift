import Contracts
import Formats
import Ports
import RetailModel

/// `POST …/validate_transaction` of the reference system: one transaction, its own codes and bodies (spec pos.md 3, 4).
///
/// 200 with the normalised id once it is durable; 422 with one entry per violated rule; 401, 403, 503 with `detail`.
extension CompatibilityPath {
    private static let base = "/validation-service/api/v1"

    package static let pos = CompatibilityPath(
        path: base + "/pos/validate_transaction",
        profile: "pos-compat",
        health: (base + "/health", "{\"status\":\"ok\",\"message\":\"The application is healthy and running.\"}"),
        denied: { denial in
            switch denial {
            case .credentialsMissing: challenge("Not authenticated")
            case .credentialsWrong: challenge("Invalid credentials")
            case .scopeMissing(let sentence): detail(403, sentence)
            }
        },
        empty: { refusal([error("body", "Field required")]) },
        accepted: { event, contract in
            guard case .sale(let sale) = event else { preconditionFailure("feed \(contract.name) maps to sales") }
            return json(
                200,
                object { json in
                    json.field("status", "success")
                    json.field("transaction_id", sale.header.document)
                    json.field("message", "Transaction accepted")
                }
            )
        },
        rejected: { refusal(errors($0, $1, &$2)) },
        problem: { problem in
            var response = detail(problem.status, problem.message)
            response.headers += problem.response.headers.filter { $0.name != "content-type" }
            return response
        }
    )

    private static func object(_ fill: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(reservingBytes: 128)
        json.beginObject()
        fill(&json)
        json.endObject()
        return json.bytes
    }

    private static func detail(_ status: Int, _ sentence: String) -> HTTPResponse {
        json(status, object { $0.field("detail", sentence) })
    }

    private static func challenge(_ sentence: String) -> HTTPResponse {
        var response = detail(401, sentence)
        response.headers.append(("www-authenticate", "Basic realm=\"till\", charset=\"UTF-8\""))
        return response
    }

    private static func refusal(_ errors: [String]) -> HTTPResponse {
        json(
            422,
            object { json in
                json.field("status", "error")
                json.field("message", "Validation failed for the request body")
                json.key("errors")
                json.beginArray()
                for error in errors { json.string(error) }
                json.endArray()
            }
        )
    }

    private static func errors(_ reasons: [Reason], _ body: [UInt8], _ tape: inout JSONTape) -> [String] {
        if let type = reasons.first(where: { $0.rule == BuiltInRule.contentType.rawValue }) {
            return [error("body", type.message)]
        }
        do throws(JSONError) {
            try tape.parse(body)
        } catch {
            return [Self.error("\(error.offset)", "JSON decode error: \(error)")]
        }
        if tape.kind(0) == .null { return [error("body", "Field required")] }
        return reasons.map { reason in
            // What the contract's own rules say is a value error; types and missing fields are not.
            let isRule =
                BuiltInRule(rawValue: reason.rule) == nil && !["bad_json", "given_twice"].contains(reason.rule)
            let sentence = isRule ? "Value error, " + reason.message : reason.message
            return error(lastElement(reason.field), sentence)
        }
    }

    private static func error(_ field: String, _ sentence: String) -> String {
        "Field '\(field)' validation failed: \(sentence)"
    }

    /// `quantity` of `items[0].quantity`, `0` of `items[0]`; the body itself has no path.
    private static func lastElement(_ path: String) -> String {
        let last = path.split { ".[]".contains($0) }.last
        return last.map(String.init) ?? "body"
    }
}
