import Ports
import Primitives

/// Without identities everybody on this machine may do everything, and so might any page that a browser here shows:
/// it can send to loopback, and read from it where its name was made to point there. Such requests are refused.
enum LocalOnly {
    /// What is wrong with a request; nil when its Host is of this machine.
    static func refusal(_ request: HTTPRequest) -> (code: String, message: String)? {
        let remedy = "configure identities to open till to others"
        if let host = request.header("host"), !isLoopback(host[...].utf8) {
            return (
                "host_not_local",
                "Host is \(host.quotedForMessage); without identities till answers to localhost and loopback addresses only: "
                    + "use one of them (a proxy: send Host: localhost), or \(remedy)."
            )
        }
        return nil
    }

    /// `HOST[:PORT]` that names this machine. Compares bytes: this runs for every request.
    private static func isLoopback(_ text: Substring.UTF8View) -> Bool {
        guard text.first == 0x5B else {
            let host = text.prefix { $0 != 0x3A }
            return isPort(text[host.endIndex...]) && (isLoopbackNumber(host) || isLocalName(host))
        }
        let host = text.prefix(5)
        return host.elementsEqual("[::1]".utf8) && isPort(text[host.endIndex...])
    }

    /// Nothing, or a colon and at most five digits.
    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        guard let colon = text.first else { return true }
        let digits = text.dropFirst()
        return colon == 0x3A && digits.count <= 5 && digits.allSatisfy { 0x30...0x39 ~= $0 }
    }

    /// An address in 127.0.0.0/8: four numbers of at most 255.
    private static func isLoopbackNumber(_ host: Substring.UTF8View) -> Bool {
        guard host.starts(with: "127.".utf8) else { return false }
        var dots = 0
        var digits = 0
        var value = 0
        for byte in host {
            if byte == 0x2E {
                guard digits > 0 else { return false }
                (dots, digits, value) = (dots + 1, 0, 0)
            } else {
                guard 0x30...0x39 ~= byte, digits < 3 else { return false }
                (digits, value) = (digits + 1, value * 10 + Int(byte - 0x30))
                guard value <= 255 else { return false }
            }
        }
        return dots == 3 && digits > 0
    }

    /// `localhost` or a name below it, in any case of letters.
    private static func isLocalName(_ host: Substring.UTF8View) -> Bool {
        let name = "localhost".utf8
        let tail = host.suffix(name.count)
        guard tail.count == name.count, zip(tail, name).allSatisfy({ $0 | 0x20 == $1 }) else { return false }
        let rest = host[..<tail.startIndex]
        return rest.isEmpty
            || rest.last == 0x2E
                && rest.allSatisfy {
                    0x30...0x39 ~= $0 || 0x61...0x7A ~= $0 | 0x20 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                }
    }
}
