import Formats
import Ports
import Primitives

/// A request that cannot become a batch: nothing is stored.
struct IngestProblem: Error {
    var status: Int
    var code: String
    var message: String
    var retryAfter = false
    var expectedRow: Int64?

    var response: HTTPResponse {
        let body = ErrorBody(code: code, message: message).json { json in
            if let expectedRow { json.field("expected_row", expectedRow) }
        }
        var headers = [(name: "content-type", value: "application/json")]
        if status == 405 { headers.append(("allow", "POST")) }
        if retryAfter { headers.append(("retry-after", "1")) }
        return HTTPResponse(status: status, headers: headers, body: body)
    }

    /// What a failed submission means to the sender.
    static func of(_ error: EventLogError) -> IngestProblem {
        switch error {
        case .saturated: IngestProblem(status: 429, code: error.code, message: error.description, retryAfter: true)
        case .batchTooLarge: IngestProblem(status: 413, code: error.code, message: error.description)
        case .envelopeTooLarge: IngestProblem(status: 400, code: error.code, message: error.description)
        case .full, .poisoned, .corrupt, .unavailable, .offsetOutOfRange, .locked, .closed:
            IngestProblem(status: 503, code: error.code, message: error.description, retryAfter: true)
        }
    }
}
