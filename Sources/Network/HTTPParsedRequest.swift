/// The request methods that the product knows.
package enum HTTPVerb: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, options, patch
}

/// One complete request as the parser gives it.
package struct HTTPParsedRequest: Sendable {
    package var verb: HTTPVerb
    /// Percent-decoded, starts with `/`, without NUL.
    package var path: String
    /// Percent-decoded parameters in order.
    package var query: [(name: String, value: String)]
    /// Lower case names and trimmed values in order, Host and framing headers included.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// True when the client allows a further request on the connection.
    package var keepAlive: Bool
    /// True for HTTP/1.0: no chunked answer, and the connection closes.
    package var isHTTP10: Bool
}
