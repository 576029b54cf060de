import Formats
import HTTPServer
import Network
import Primitives

extension IngestCommand {
    /// A running till, how to be known to it and how to know it: `http[s]://[NAME:SECRET@]HOST[:PORT]`.
    struct Address: CustomStringConvertible {
        static let tokenVariable = "TILL_TOKEN"
        private static let tokenBytesMax = 4_096

        var host: String
        var port: Int
        var authorization: String?
        /// Nil without TLS.
        var tls: HTTPClientTLS?

        init(host: String, port: Int, authorization: String?) {
            self.host = host
            self.port = port
            self.authorization = authorization
        }

        /// - Parameter arguments: With `--token-file` and `--ca-file`; the variable is asked when nothing else says it.
        init(_ url: String, _ arguments: Arguments) throws {
            let isSecure = url.hasPrefix("https://")
            guard isSecure || url.hasPrefix("http://") else {
                throw UsageError(
                    "cli.url_invalid",
                    "--to is \(Self.redacted(url).quotedForMessage); give http://HOST:PORT or https://HOST:PORT."
                )
            }
            var rest = url.dropFirst(isSecure ? 8 : 7)
            if rest.hasSuffix("/") { rest = rest.dropLast() }
            if let at = rest.lastIndex(of: "@") {
                authorization = "Basic " + Base64.encode(Array(rest[..<at].utf8))
                rest = rest[rest.index(after: at)...]
            }
            let hasPort = rest.hasPrefix("[") ? rest.contains("]:") : rest.contains(":")
            let place = hasPort ? String(rest) : rest + (isSecure ? ":443" : ":80")
            (host, port) = try ListenAddress.parse(place)
            // A certificate is for the name as it was given, not for the address that stands for it.
            if place.hasPrefix("localhost:") { host = "localhost" }
            if isSecure {
                tls = HTTPClientTLS(authorities: arguments["ca-file"])
            } else if arguments["ca-file"] != nil {
                throw UsageError("cli.ca_file_unused", "--ca-file means nothing for http://; give https://HOST:PORT.")
            }
            if let path = arguments["token-file"] {
                authorization = try Self.authorization(of: WholeFile.read(path, bytesMax: Self.tokenBytesMax), path)
            } else if authorization == nil, let token = ProcessEdges.environment(Self.tokenVariable) {
                authorization = try Self.authorization(of: Array(token.utf8), Self.tokenVariable)
            }
        }

        /// Of `NAME:SECRET`, or of a bearer token.
        private static func authorization(of token: [UInt8], _ origin: String) throws -> String {
            let token = token.reversed().drop { $0 == 0x0A || $0 == 0x0D }.reversed()
            guard !token.isEmpty else {
                throw UsageError(
                    "cli.token_empty",
                    "\(origin) is empty; it takes NAME:SECRET of an identity, or a bearer token."
                )
            }
            if token.contains(0x3A) { return "Basic " + Base64.encode(Array(token)) }
            return "Bearer " + String(decoding: token, as: UTF8.self)
        }

        func connect(bodyMax: Int = 64 << 20) throws(HTTPClientError) -> HTTPClientConnection {
            try HTTPClientConnection(host: host, port: port, tls: tls, timeoutMs: 60_000, bodyMax: bodyMax)
        }

        /// Without the secret.
        var description: String {
            "\(tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }

        /// A text without what stands before an `@` in its words, with or without a scheme: the user info of addresses.
        static func redacted(_ text: String) -> String {
            var out = ""
            for word in text.split(separator: " ", omittingEmptySubsequences: false) {
                if !out.isEmpty || word.startIndex != text.startIndex { out += " " }
                guard let at = word.lastIndex(of: "@"), !word.contains("…@") else {
                    out += word
                    continue
                }
                let scheme = word.firstRange(of: "://").map { word[..<$0.upperBound] } ?? ""
                out += scheme.endIndex <= at ? scheme + "…" + word[at...] : word
            }
            return out
        }
    }
}
