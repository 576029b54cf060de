/// Text or a key as its exact bytes.
///
/// Equality, order and hash are those of the bytes: `String` compares by Unicode canonical equivalence, which would
/// merge two keys that a source wrote differently. Order is bytewise, which for UTF-8 is code point order.
///
/// Up to 15 bytes, which most keys have, stand in the value itself: making, copying, comparing and letting go of them
/// takes no memory and counts no reference, which threads that share a counter pay for most (decision 28).
public struct ByteString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The first eight bytes, the first one lowest; behind the last byte zeros.
    @usableFromInline var low: UInt64
    /// The next seven bytes in the same way, and on top how many there are, or ``longMark``.
    @usableFromInline var high: UInt64
    /// All bytes of what is longer than ``inlineMax``.
    @usableFromInline var long: [UInt8]?

    @usableFromInline static let inlineMax = 15
    @usableFromInline static let longMark: UInt64 = 0xFF

    /// Nothing.
    @inlinable public init() { (low, high, long) = (0, 0, nil) }

    @inlinable public init(_ bytes: [UInt8]) {
        // Lifetime: the pointer does not leave the closure.
        (low, high) = unsafe bytes.withUnsafeBytes { unsafe Self.words($0) }
        long = bytes.count > Self.inlineMax ? bytes : nil
    }

    @inlinable public init(_ slice: ArraySlice<UInt8>) { self.init(copying: slice.span) }

    /// A copy of bytes that belong to somebody else.
    @inlinable public init(copying bytes: Span<UInt8>) {
        // Lifetime: the pointers do not leave the closures.
        (low, high) = unsafe bytes.withUnsafeBytes { unsafe Self.words($0) }
        long = bytes.count > Self.inlineMax ? unsafe bytes.withUnsafeBytes { unsafe Array($0) } : nil
    }

    @inlinable public init(_ text: String) { self.init(Array(text.utf8)) }
    @inlinable public init(stringLiteral value: String) { self.init(value) }

    /// The two words of bytes; reads none beyond their end.
    @inlinable static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        func word(_ at: Int) -> UInt64 {
            UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }
        let count = bytes.count
        switch count {
        case 0: return (0, 0)
        case 1...3:
            // The first, the middle and the last one, some of them twice.
            let first = unsafe UInt64(bytes[0])
            let middle = unsafe UInt64(bytes[count / 2]) << UInt64(8 * (count / 2))
            let last = unsafe UInt64(bytes[count - 1]) << UInt64(8 * (count - 1))
            return (first | middle | last, UInt64(count) << 56)
        case 4...7:
            let first = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
            let last = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            return (UInt64(first) | UInt64(last) << UInt64(8 * (count - 4)), UInt64(count) << 56)
        case 8: return (word(0), 8 << 56)
        case 9...inlineMax: return (word(0), word(count - 8) >> UInt64(8 * (16 - count)) | UInt64(count) << 56)
        default: return (word(0), word(7) >> 8 | longMark << 56)
        }
    }

    @inlinable public var isEmpty: Bool { high == 0 }
    @inlinable public var count: Int { long?.count ?? Int(high >> 56) }
    /// The first byte; nil when there is none.
    @inlinable public var first: UInt8? { isEmpty ? nil : UInt8(truncatingIfNeeded: low) }

    @inlinable public subscript(index: Int) -> UInt8 {
        if let long { return long[index] }
        precondition(0..<count ~= index, "the index is within the bytes")
        return UInt8(truncatingIfNeeded: index < 8 ? low >> UInt64(8 * index) : high >> UInt64(8 * (index - 8)))
    }

    /// Some of the bytes.
    @inlinable public subscript(range: Range<Int>) -> Self { withSpan { Self(copying: $0.extracting(range)) } }

    /// The bytes as a list, which is made for each call when they are few: ``withSpan(_:)`` reads them where they are.
    @inlinable public var bytes: [UInt8] {
        // Lifetime: the pointer does not leave the closure.
        long ?? (isEmpty ? [] : unsafe withUnsafeBytes { unsafe Array($0) })
    }

    /// Reads the bytes where they are.
    @inlinable @inline(__always)
    public func withSpan<Result, Failure>(_ body: (Span<UInt8>) throws(Failure) -> Result) throws(Failure) -> Result {
        if let long { return try body(long.span) }
        // Lifetime: the words outlive the call of the closure, and a span does not leave it.
        let words: InlineArray<2, UInt64> = [low.littleEndian, high.littleEndian]
        return try body(unsafe Span(_bytes: words.span.bytes.extracting(first: count)))
    }

    /// As ``withSpan(_:)``, for callers of C.
    @inlinable @inline(__always)
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let long { return unsafe long.withUnsafeBytes(body) }
        let count = count
        // Lifetime: the words outlive the call of the closure, the pointer must not leave it.
        return unsafe Swift.withUnsafeBytes(of: (low.littleEndian, high.littleEndian)) {
            unsafe body(UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
    }

    /// The text; bytes that are not UTF-8 show as U+FFFD.
    public var description: String { unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }

    @inlinable public static func == (a: Self, b: Self) -> Bool {
        guard a.low == b.low, a.high == b.high else { return false }
        guard let mine = a.long, let theirs = b.long else { return true }
        return mine.count == theirs.count && mine[...].isEqual(to: theirs, at: 0)
    }

    @inlinable public func hash(into hasher: inout Hasher) {
        if let long {
            Self.hash(long.span, into: &hasher)
        } else {
            hasher.combine(low)
            hasher.combine(high)
        }
    }

    /// Hashes bytes as a value made of them.
    @inlinable static func hash(_ bytes: Span<UInt8>, into hasher: inout Hasher) {
        // Lifetime: the pointer does not leave the closure; hashing in one call is about ten times faster than
        // Array's element by element.
        unsafe bytes.withUnsafeBytes {
            if $0.count > inlineMax { return unsafe hasher.combine(bytes: $0) }
            let (low, high) = unsafe words($0)
            hasher.combine(low)
            hasher.combine(high)
        }
    }

    @inlinable public static func < (a: Self, b: Self) -> Bool {
        // With the first byte on top, words have the order of their bytes; the zeros behind a last byte come before
        // all else, and where they are bytes of the other, the count below them decides.
        if a.low != b.low { return a.low.byteSwapped < b.low.byteSwapped }
        if a.high != b.high { return a.high.byteSwapped < b.high.byteSwapped }
        guard let mine = a.long, let theirs = b.long else { return false }
        return mine.lexicographicallyPrecedes(theirs)
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
