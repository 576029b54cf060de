/// Text or a key as its exact bytes.
///
/// Equality, order and hash are those of the bytes: `String` compares by Unicode canonical equivalence, which would
/// merge two keys that a source wrote differently. Order is bytewise, which for UTF-8 is code point order.
public struct ByteString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var bytes: [UInt8]

    @inlinable public init(_ bytes: [UInt8] = []) { self.bytes = bytes }
    @inlinable public init(_ slice: ArraySlice<UInt8>) {
        // Lifetime: the pointer does not leave the closure. A list made of a buffer is one allocation and one copy.
        bytes = unsafe slice.withUnsafeBufferPointer { unsafe Array($0) }
    }
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

extension ArraySlice<UInt8> {
    /// Whether a list has the same bytes from `start` on.
    public func isEqual(to other: [UInt8], at start: Int) -> Bool {
        precondition(start >= 0 && start + count <= other.count, "the other bytes are in their list")
        // Lifetime: the pointers do not leave the closures; no word is read beyond the end of either.
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                var at = 0
                while at + 8 <= mine.count {
                    let x = unsafe mine.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    if unsafe x != theirs.loadUnaligned(fromByteOffset: start + at, as: UInt64.self) { return false }
                    at += 8
                }
                if at == mine.count { return true }
                if mine.count > 8 {
                    // The last eight again, some of them for the second time.
                    at = mine.count - 8
                    let x = unsafe mine.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    return unsafe x == theirs.loadUnaligned(fromByteOffset: start + at, as: UInt64.self)
                }
                while at < mine.count {
                    if unsafe mine[at] != theirs[start + at] { return false }
                    at += 1
                }
                return true
            }
        }
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
