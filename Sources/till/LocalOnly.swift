import Ports
import Primitives

/// Without identities everybody on this machine may do everything, and so might any page that a browser here shows:
/// it can send to loopback, and read from it where its name was made to point there. Such requests are refused.
enum LocalOnly {
    /// What is wrong with a request; nil when its Host is of this machine.
    static func refusal(_ request: HTTPRequest) -> (code: String, message: String)? {
        let remedy = "configure identities to open till to others"
        if let host = request.header("host"), !isLoopback(host[...]) {
            return (
                "host_not_local",
                "Host is \(host.quotedForMessage); without identities till answers to localhost and loopback addresses only: "
                    + "use one of them (a proxy: send Host: localhost), or \(remedy)."
            )
        }
        return nil
    }

    /// `HOST[:PORT]` that names this machine.
    private static func isLoopback(_ text: Substring) -> Bool {
        if text.hasPrefix("[") { return text.prefix { $0 != "]" } == "[::1" }
        let host = text.prefix { $0 != ":" }
        if host.hasPrefix("127."), host.utf8.allSatisfy({ $0 == 0x2E || 0x30...0x39 ~= $0 }) { return true }
        let name = host.lowercased()
        return name == "localhost" || name.hasSuffix(".localhost")
    }
}
