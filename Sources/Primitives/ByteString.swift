/// Text or a key as its exact bytes.
///
/// Equality, order and hash are those of the bytes: `String` compares by Unicode canonical equivalence, which would
/// merge two keys that a source wrote differently. Order is bytewise, which for UTF-8 is code point order.
public struct ByteString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var bytes: [UInt8]

    @inlinable public init(_ bytes: [UInt8] = []) { self.bytes = bytes }
    @inlinable public init(_ slice: ArraySlice<UInt8>) { bytes = Array(slice) }
    @inlinable public init(_ text: String) { bytes = Array(text.utf8) }
    @inlinable public init(stringLiteral value: String) { self.init(value) }

    @inlinable public var isEmpty: Bool { bytes.isEmpty }
    @inlinable public var count: Int { bytes.count }
    /// The text; bytes that are not UTF-8 show as U+FFFD.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    @inlinable public static func == (a: Self, b: Self) -> Bool { a.bytes == b.bytes }

    @inlinable public func hash(into hasher: inout Hasher) {
        // Lifetime: the pointer does not leave the closure; hashing in one call is about ten times faster than
        // Array's element by element.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    @inlinable public static func < (a: Self, b: Self) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}

extension String {
    /// The text quoted and cut at 80 characters, with control characters escaped: for messages that show outside data.
    public var quotedForMessage: String {
        var out = "\""
        for scalar in unicodeScalars.prefix(80) {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + (unicodeScalars.count > 80 ? "…\"" : "\"")
    }
}
