import Formats
import Ports
import Primitives

/// An answer that is not the data asked for.
struct APIError: Error {
    var status: Int
    var code: String
    var message: String
    var candidates: [String] = []

    /// Candidates that one answer names; where there are more it says so.
    static let candidatesMax = 20

    /// Several things have the name that was asked for.
    ///
    /// - Parameter found: What they are, as the end of a sentence.
    static func ambiguous(_ found: String, _ candidates: [String]) -> APIError {
        let count = candidates.count > candidatesMax ? "More than \(candidatesMax)" : "\(candidates.count)"
        return APIError(
            status: 409,
            code: "ambiguous",
            message: "\(count) \(found); name one of the candidates.",
            candidates: Array(candidates.prefix(candidatesMax))
        )
    }

    static func notFound(_ what: String, _ key: String) -> APIError {
        APIError(
            status: 404,
            code: "not_found",
            message: "There is no \(what) \(key.quotedForMessage); look it up in its list."
        )
    }

    static func badParameter(_ name: String, _ value: String, _ wanted: String) -> APIError {
        APIError(
            status: 400,
            code: "parameter_invalid",
            message: "Parameter \(name) is \(value.quotedForMessage); give \(wanted)."
        )
    }

    var response: HTTPResponse {
        let body = ErrorBody(code: code, message: message).json { json in
            if candidates.isEmpty { return }
            json.key("candidates")
            json.beginArray()
            for candidate in candidates { json.string(candidate) }
            json.endArray()
        }
        return HTTPResponse(status: status, headers: [("content-type", "application/json")], body: body)
    }
}
