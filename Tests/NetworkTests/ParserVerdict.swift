import Testing

@testable import Network

/// Everything that a stream of bytes comes to: what any way of cutting it must give alike.
struct ParserVerdict: Equatable, CustomStringConvertible {
    var requests: [String] = []
    var refusal: HTTPRefusal?
    var steps = 0

    static func == (a: Self, b: Self) -> Bool { a.requests == b.requests && a.refusal == b.refusal }
    var description: String { "\(requests) \(refusal.map { "\($0)" } ?? "open")" }

    /// Feeds pieces that end at the given positions and at the end.
    init(_ bytes: [UInt8], cuts: [Int] = [], bodyMax: Int = 1_000) {
        var parser = HTTPRequestParser()
        var start = 0
        for end in cuts + [bytes.count] where end >= start {
            let piece = Array(bytes[start..<end])
            start = end
            var at = 0
            while at < piece.count, refusal == nil {
                steps += 1
                switch parser.step(piece.span, from: at, bodyLimit: { _, _ in bodyMax }) {
                case .more: at = piece.count
                case .continueExpected(let next): at = next
                case .request(let request, let next):
                    requests.append(Self.text(request))
                    at = next
                case .refused(let why): refusal = why
                }
            }
        }
    }

    init(_ text: String, cuts: [Int] = [], bodyMax: Int = 1_000) {
        self.init(Array(text.utf8), cuts: cuts, bodyMax: bodyMax)
    }

    private static func text(_ r: HTTPParsedRequest) -> String {
        "\(r.verb) \(r.path) \(r.query) \(r.headers) \(r.body) \(r.keepAlive) \(r.isHTTP10)"
    }
}
