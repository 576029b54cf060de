/// Why a request is not accepted. After a refusal the connection is answered once and closed, because where the next
/// request begins is no longer certain.
package enum HTTPRefusal: String, Error, Sendable, Equatable, CaseIterable {
    case malformedRequestLine, badTarget, badEncoding, unknownMethod, unsupportedVersion, requestLineTooLong
    case malformedLine, malformedHeader, foldedHeader, headersTooLarge
    case missingHost, badHost, badContentLength, conflictingLength, unknownCoding, badChunk, bodyTooLarge
    case unknownExpectation

    package var status: Int {
        switch self {
        case .unknownMethod, .unknownCoding: 501
        case .unsupportedVersion: 505
        case .requestLineTooLong: 414
        case .headersTooLarge: 431
        case .bodyTooLarge: 413
        case .unknownExpectation: 417
        case .malformedRequestLine, .badTarget, .badEncoding, .malformedLine, .malformedHeader, .foldedHeader,
            .missingHost, .badHost, .badContentLength, .conflictingLength, .badChunk:
            400
        }
    }

    /// Stable code: label of the metric and of the answer.
    package var code: String {
        switch self {
        case .malformedRequestLine: "http.request_line_malformed"
        case .badTarget: "http.target_invalid"
        case .badEncoding: "http.target_encoding_invalid"
        case .unknownMethod: "http.method_unknown"
        case .unsupportedVersion: "http.version_unsupported"
        case .requestLineTooLong: "http.request_line_too_long"
        case .malformedLine: "http.line_malformed"
        case .malformedHeader: "http.header_malformed"
        case .foldedHeader: "http.header_folded"
        case .headersTooLarge: "http.headers_too_large"
        case .missingHost: "http.host_missing"
        case .badHost: "http.host_invalid"
        case .badContentLength: "http.content_length_invalid"
        case .conflictingLength: "http.length_conflicting"
        case .unknownCoding: "http.transfer_coding_unknown"
        case .badChunk: "http.chunk_malformed"
        case .bodyTooLarge: "http.body_too_large"
        case .unknownExpectation: "http.expectation_unknown"
        }
    }

    package var message: String {
        switch self {
        case .malformedRequestLine: "The request line is not METHOD target HTTP/1.1; send it as RFC 9112 says."
        case .badTarget: "The request target is neither a path nor http://host/path; percent-encode other characters."
        case .badEncoding: "The request target has a wrong percent-encoding, a NUL or bytes that are not UTF-8."
        case .unknownMethod: "The method is not known; use GET, HEAD, POST, PUT, DELETE, OPTIONS or PATCH."
        case .unsupportedVersion: "The protocol version is not HTTP/1.0 or HTTP/1.1; use one of them."
        case .requestLineTooLong:
            "The request line is longer than \(NetworkLimits.requestLineBytes) bytes; move parameters into the body."
        case .malformedLine: "A line does not end with CR LF; end every line of the head with both."
        case .malformedHeader: "A header line is not name: value of visible characters; correct it."
        case .foldedHeader: "A header continues on a second line, which HTTP no longer allows; send it on one line."
        case .headersTooLarge:
            "The headers exceed \(NetworkLimits.headerCount) lines or \(NetworkLimits.headerBytes) bytes; send fewer."
        case .missingHost: "The request has no Host header, which HTTP/1.1 requires; add it."
        case .badHost: "The Host header is repeated or not a host with an optional port; correct it."
        case .badContentLength: "Content-Length is repeated or not a plain number; send it once."
        case .conflictingLength: "Content-Length and Transfer-Encoding exclude each other; send one of them."
        case .unknownCoding: "The transfer coding is not chunked; send the body chunked or with Content-Length."
        case .badChunk: "The chunked body is not framed as RFC 9112 says; correct the chunk sizes."
        case .bodyTooLarge: "The body is larger than this address accepts; split it."
        case .unknownExpectation: "The expectation is not 100-continue; leave out the Expect header."
        }
    }
}
