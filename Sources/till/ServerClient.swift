import Formats
import Network
import Ports
import Primitives

/// A running till, asked over HTTP by the commands that show or change what it holds.
final class ServerClient {
    static let defaultURL = "http://127.0.0.1:8080"
    /// The largest page that the API gives.
    private static let pageMax = 1_000
    /// The largest answer is an entry of quarantine of 16 MiB: as text of escapes (six bytes each) and in base64.
    fileprivate static let answerBytesMax = 128 << 20

    private let address: IngestCommand.Address
    private let authorization: [(name: String, value: String)]
    private var connection: HTTPClientConnection?

    /// Connects when the first question is asked.
    ///
    /// - Parameter arguments: With `--to`, else a till of this machine on the usual port.
    init(_ arguments: Arguments) throws {
        address = try IngestCommand.Address(arguments["to"] ?? Self.defaultURL, arguments)
        authorization = address.authorization.map { [("authorization", $0)] } ?? []
    }

    private func connected() throws -> HTTPClientConnection {
        if let connection { return connection }
        let made = try address.connect(bodyMax: Self.answerBytesMax)
        connection = made
        return made
    }

    func get(_ path: String, _ parameters: [(name: String, value: String?)] = []) throws -> JSONValue {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\(Self.encoded($0))" } }
        let target = query.isEmpty ? path : path + "?" + query.joined(separator: "&")
        return try answer(try connected().exchange(method: "GET", path: target, headers: authorization))
    }

    func post(_ path: String, _ body: [UInt8]) throws -> JSONValue {
        let headers = authorization + [("content-type", "application/json")]
        return try answer(try connected().exchange(method: "POST", path: path, headers: headers, body: body))
    }

    /// Items of a list over its pages, at most `limit`.
    func items(_ path: String, _ parameters: [(name: String, value: String?)], limit: Int) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor: String?
        repeat {
            let size = String(min(limit - items.count, Self.pageMax))
            let page = try get(path, parameters + [("limit", size), ("cursor", cursor)])
            items += page["items"].elements
            cursor = page["next"].isNull ? nil : page["next"].text
        } while cursor != nil && items.count < limit
        return items
    }

    private func answer(_ response: HTTPClientResponse) throws -> JSONValue {
        let value = JSONValue(response.body)
        guard 200...299 ~= response.status else {
            let message = value?["error"]["message"].text ?? ""
            throw ServerRefusal(
                code: value?["error"]["code"].text ?? "",
                description: message.isEmpty
                    ? "The server answered \(response.status): \(String(decoding: response.body.prefix(200), as: UTF8.self).quotedForMessage)"
                    : message,
                domain: [400, 404].contains(response.status) ? .user : .external
            )
        }
        guard let value else { throw HTTPClientError.badAnswer(what: "the body is not JSON") }
        return value
    }

    /// Percent-encoding of everything but letters, digits and `-._~`.
    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + Hex.text([byte]).uppercased()
            }
        }
        return out
    }
}

/// The server answered that it cannot: the data is not as asked, or it does not work now.
struct ServerRefusal: OperationalError {
    var code: String
    var description: String
    /// The user's when the server says that the question was wrong.
    var domain = ErrorDomain.external
    var retry: RetryHint { .never }
}

/// A value inside a JSON text; what is absent is null.
struct JSONValue {
    private final class Document {
        let bytes: [UInt8]
        let tape: JSONTape

        init?(_ bytes: [UInt8]) {
            var limits = JSONLimits()
            (limits.bytesMax, limits.stringBytesMax) = (ServerClient.answerBytesMax, ServerClient.answerBytesMax)
            // A page of 1,000 senders with 100 ranges each has 250,000.
            limits.nodesMax = 1_000_000
            var tape = JSONTape(limits: limits)
            guard (try? tape.parse(bytes)) != nil else { return nil }
            self.bytes = bytes
            self.tape = tape
        }
    }

    private let document: Document
    private let node: Int?

    /// Nil when the bytes are no JSON text.
    init?(_ bytes: [UInt8]) {
        guard let document = Document(bytes) else { return nil }
        self.document = document
        node = 0
    }

    private init(_ document: Document, _ node: Int?) {
        self.document = document
        self.node = node
    }

    private var kind: JSONTape.Kind { node.map { document.tape.kind($0) } ?? .null }
    var isNull: Bool { kind == .null }

    subscript(name: String) -> JSONValue {
        guard let node, kind == .object else { return JSONValue(document, nil) }
        return JSONValue(document, document.tape.member(node, named: Array(name.utf8), in: document.bytes))
    }

    var elements: [JSONValue] {
        guard let node, kind == .array else { return [] }
        var found: [JSONValue] = []
        document.tape.forEachElement(node) { found.append(JSONValue(document, $0)) }
        return found
    }

    /// The text of a string, the digits of a number; empty for null.
    var text: String {
        guard let node, kind != .null else { return "" }
        return document.tape.text(node, in: document.bytes).description
    }

    var integer: Int64 { Int64(text) ?? 0 }

    /// The JSON text of this value.
    var json: String {
        guard let node else { return "null" }
        var range = document.tape.raw(node)
        if kind == .string { range = range.lowerBound - 1..<range.upperBound + 1 }
        return String(decoding: document.bytes[range], as: UTF8.self)
    }
}
