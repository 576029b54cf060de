public import Primitives

/// One parsed JSON value as a flat list of nodes that point into the caller's bytes.
///
/// A node is an Int; the root is 0 and a container's children follow it in source order (object: key, value, key,
/// value, …). The tape keeps no bytes: pass the array of the last successful ``parse(_:in:)`` to the methods that take
/// `bytes`. Numbers are never converted. A tape is reusable and allocates only while its lists grow. After an error
/// the tape is empty; asking it for a node, or a container's question of a scalar, is a bug and traps.
/// Strictness is RFC 8259 plus: no duplicate keys (compared unescaped), no lone surrogates, UTF-8 only, no BOM, and
/// ``JSONLimits``.
public struct JSONTape: Sendable {
    public enum Kind: UInt8, Sendable {
        case null, `true`, `false`, number, string, array, object
    }

    /// `info`: bits 0–2 kind, bit 3 has escapes, bits 4–31 count of a container or signature of a key.
    /// While a container is open, `next` is its parent.
    @usableFromInline struct Node: Sendable {
        @usableFromInline var start: UInt32
        @usableFromInline var end: UInt32
        @usableFromInline var next: UInt32
        @usableFromInline var info: UInt32

        @usableFromInline init(start: UInt32, end: UInt32, next: UInt32, info: UInt32) {
            self.start = start
            self.end = end
            self.next = next
            self.info = info
        }
    }

    public let limits: JSONLimits
    @usableFromInline var nodes: [Node] = []
    var keys = DuplicateKeyFinder()

    public init(limits: JSONLimits = .standard) {
        precondition(limits.bytesMax >= 1 && limits.bytesMax <= 1 << 31, "bytesMax is 1 to 2^31")
        precondition(limits.nodesMax >= 1 && limits.nodesMax < 1 << 28, "nodesMax is 1 to 2^28 - 1")
        precondition(
            limits.depthMax >= 1 && limits.membersMax >= 1 && limits.stringBytesMax >= 1 && limits.numberBytesMax >= 1,
            "each limit is at least 1"
        )
        self.limits = limits
    }

    /// Parses exactly one value with optional white space around it, and forgets the one before.
    ///
    /// - Parameters:
    ///   - bytes: Any bytes.
    ///   - range: Which of the bytes hold the value; must lie inside `bytes`, and end below 4 GiB.
    /// - Throws: ``JSONError`` with the offset from the start of `range`; then the tape is empty.
    /// - Complexity: O(n) expected in bytes.
    public mutating func parse(_ bytes: [UInt8], in range: Range<Int>) throws(JSONError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies inside the bytes")
        precondition(range.upperBound <= Int(UInt32.max), "JSON is parsed below 4 GiB")
        nodes.removeAll(keepingCapacity: true)
        if range.count > limits.bytesMax {
            throw JSONError(.tooLarge, at: limits.bytesMax, limit: limits.bytesMax)
        }
        do throws(JSONError) {
            let end = try scanValue(bytes, from: range.lowerBound, end: range.upperBound, lenient: false)
            let rest = skipSpace(bytes.span, end, range.upperBound)
            if rest < range.upperBound { throw JSONError(.trailingBytes, at: rest) }
        } catch {
            nodes.removeAll(keepingCapacity: true)
            throw JSONError(error.problem, at: error.offset - range.lowerBound, limit: error.limit)
        }
    }

    /// Parses all of `bytes`; see ``parse(_:in:)``.
    @inlinable public mutating func parse(_ bytes: [UInt8]) throws(JSONError) {
        try parse(bytes, in: 0..<bytes.count)
    }

    /// Values and keys on the tape; 0 before the first and after a failed parse.
    @inlinable public var nodeCount: Int { nodes.count }

    @inlinable public func kind(_ node: Int) -> Kind {
        switch nodes[node].info & 7 {
        case 0: .null
        case 1: .true
        case 2: .false
        case 3: .number
        case 4: .string
        case 5: .array
        default: .object
        }
    }

    /// Where the text stands in the parsed bytes: a number's text; a string's content between the quotes, still
    /// escaped; a container with its brackets.
    @inlinable public func raw(_ node: Int) -> Range<Int> {
        let node = nodes[node]
        return Int(node.start)..<Int(node.end)
    }

    /// True when a string's raw bytes differ from its text.
    @inlinable public func hasEscapes(_ node: Int) -> Bool { nodes[node].info & 8 != 0 }

    /// The unescaped content of a string, or the raw text of another node.
    @inlinable public func text(_ node: Int, in bytes: [UInt8]) -> ByteString {
        let range = raw(node)
        guard hasEscapes(node) else { return ByteString(bytes[range]) }
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        JSONEscape.appendUnescaped(bytes, in: range, to: &out)
        return ByteString(out)
    }

    /// True when a string's unescaped content equals `wanted`; does not allocate when nothing is escaped.
    @inlinable public func equals(_ node: Int, _ wanted: [UInt8], in bytes: [UInt8]) -> Bool {
        if hasEscapes(node) { return text(node, in: bytes).bytes == wanted }
        let range = raw(node)
        guard range.count == wanted.count else { return false }
        var at = range.lowerBound
        for byte in wanted {
            if bytes[at] != byte { return false }
            at += 1
        }
        return true
    }

    /// Elements of an array, or members (pairs) of an object.
    @inlinable public func count(_ container: Int) -> Int {
        precondition(nodes[container].info & 7 >= 5, "only an array or an object has a count")
        return Int(nodes[container].info >> 4)
    }
}
