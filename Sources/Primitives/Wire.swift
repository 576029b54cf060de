/// Appends big-endian integers and Kafka varints to bytes.
extension [UInt8] {
    @inlinable public mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        // Lifetime: the pointer to the local value does not leave the closure. One append instead of one a byte.
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    @inlinable public mutating func putBigEndian<T: FixedWidthInteger>(_ value: T, at index: Int) {
        var shift = T.bitWidth
        var position = index
        while shift > 0 {
            shift -= 8
            self[position] = UInt8(truncatingIfNeeded: value >> T(shift))
            position += 1
        }
    }

    /// Zig-zag varint, as in Kafka records.
    @inlinable public mutating func appendVarint(_ value: Int64) {
        var v = UInt64(bitPattern: value << 1 ^ value >> 63)
        if v < 0x80 { return append(UInt8(truncatingIfNeeded: v)) }
        while v >= 0x80 {
            append(UInt8(truncatingIfNeeded: v) | 0x80)
            v >>= 7
        }
        append(UInt8(truncatingIfNeeded: v))
    }

    /// The number in decimal digits, with a minus sign below zero.
    public mutating func appendDecimal(_ value: some FixedWidthInteger & SignedInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = Int64(value).magnitude
        var digits = 1
        var limit: UInt64 = 10
        // At most 19 digits: ten to the nineteenth fits 64 bits and is above every magnitude.
        while rest >= limit {
            digits += 1
            limit *= 10
        }
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
        var at = count
        while rest > 0 {
            at -= 1
            self[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    @inlinable public mutating func append(_ value: ByteString) {
        // Lifetime: the pointer does not leave the closure.
        unsafe value.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// A 16-bit length and the bytes; longer input is a bug of the caller.
    @inlinable public mutating func appendShort(_ value: ByteString) {
        precondition(value.count <= 0xFFFF, "a short field holds at most 65535 bytes")
        appendBigEndian(UInt16(value.count))
        append(value)
    }
}

/// Bytes that a ``Int64`` takes as zig-zag varint, 1 to 10.
@inlinable public func varintSize(_ value: Int64) -> Int {
    var v = UInt64(bitPattern: value << 1 ^ value >> 63)
    var size = 1
    while v >= 0x80 {
        v >>= 7
        size += 1
    }
    return size
}

/// Bytes that are built up. Integers and texts are stored whole into room that is made ahead, which costs a third of
/// appending them to a list, and a builder that is used again allocates nothing.
public struct ByteBuilder: Sendable {
    /// What was built is at its beginning; it only grows.
    @usableFromInline var buffer: [UInt8] = []
    @usableFromInline var end = 0

    @inlinable public init() {}

    @inlinable public var count: Int { end }

    /// Everything since the last ``removeAll()``.
    @inlinable public var bytes: ArraySlice<UInt8> { buffer[..<end] }

    /// Keeps the memory.
    @inlinable public mutating func removeAll() { end = 0 }

    /// Makes room for so many bytes more.
    @inlinable @inline(__always) mutating func need(_ more: Int) {
        if end + more > buffer.count { grow(more) }
    }

    @usableFromInline mutating func grow(_ more: Int) {
        buffer += [UInt8](repeating: 0, count: max(1_024, more, buffer.count))
    }

    @inlinable public mutating func append(_ byte: UInt8) {
        need(1)
        buffer[end] = byte
        end += 1
    }

    @inlinable public mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        let size = T.bitWidth / 8
        need(size)
        // Lifetime: the pointer does not leave the closure; there is room for the value.
        unsafe buffer.withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: end, as: T.self)
        }
        end += size
    }

    /// A byte and a number behind it.
    @inlinable public mutating func append<T: FixedWidthInteger>(_ byte: UInt8, bigEndian value: T) {
        let size = 1 + T.bitWidth / 8
        need(size)
        // Lifetime: as above.
        unsafe buffer.withUnsafeMutableBytes {
            unsafe $0[end] = byte
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: end + 1, as: T.self)
        }
        end += size
    }

    /// Writes over what was appended as zero.
    @inlinable public mutating func putBigEndian<T: FixedWidthInteger>(_ value: T, at index: Int) {
        buffer.putBigEndian(value, at: index)
    }

    /// Zig-zag varint, as in Kafka records.
    @inlinable public mutating func appendVarint(_ value: Int64) {
        need(10)
        var v = UInt64(bitPattern: value << 1 ^ value >> 63)
        var at = end
        // Lifetime: the pointer does not leave the closure; there is room for ten bytes.
        unsafe buffer.withUnsafeMutableBytes {
            while v >= 0x80 {
                unsafe $0[at] = UInt8(truncatingIfNeeded: v) | 0x80
                at += 1
                v >>= 7
            }
            unsafe $0[at] = UInt8(truncatingIfNeeded: v)
        }
        end = at + 1
    }

    @inlinable public mutating func append(_ value: Span<UInt8>) {
        need(value.count)
        // Lifetime: the pointers do not leave the closures; there is room, and no list is its own source.
        unsafe value.withUnsafeBytes { from in
            unsafe buffer.withUnsafeMutableBytes { to in
                unsafe UnsafeMutableRawBufferPointer(rebasing: to[end...]).copyMemory(from: from)
            }
        }
        end += value.count
    }

    @inlinable public mutating func append(_ value: [UInt8]) { append(value.span) }

    @inlinable public mutating func append(_ value: ByteString) {
        if let long = value.long { return append(long.span) }
        need(16)
        // Lifetime: the pointer does not leave the closure; there is room for both words, whatever is behind the text.
        unsafe buffer.withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.low.littleEndian, toByteOffset: end, as: UInt64.self)
            unsafe $0.storeBytes(of: value.high.littleEndian, toByteOffset: end + 8, as: UInt64.self)
        }
        end += value.count
    }

    /// Bytes between a byte and a number, in one go; nothing when one of them is zero.
    ///
    /// - Returns: Whether they were appended.
    public mutating func appendWithoutZero(_ byte: UInt8, _ value: Span<UInt8>, bigEndian end: UInt16) -> Bool {
        let count = value.count
        need(count + 3)
        let start = self.end + 1
        // Lifetime: the pointers do not leave the closures; there is room, and no word is read beyond the end.
        let hasZero = unsafe value.withUnsafeBytes { from in
            unsafe buffer.withUnsafeMutableBytes { to in
                unsafe to[start - 1] = byte
                // A bit in each byte that is zero. Source: Warren, Hacker's Delight, 6-1.
                var zeros: UInt64 = 0
                func copyWord(_ at: Int) {
                    let word = unsafe from.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    zeros |= (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
                    unsafe to.storeBytes(of: word, toByteOffset: start + at, as: UInt64.self)
                }
                var at = 0
                while at + 8 <= count {
                    copyWord(at)
                    at += 8
                }
                if at < count, count > 8 {
                    // The last eight again, some of them for the second time.
                    copyWord(count - 8)
                } else {
                    while at < count {
                        let byte = unsafe from[at]
                        if byte == 0 { zeros = 1 }
                        unsafe to[start + at] = byte
                        at += 1
                    }
                }
                unsafe to.storeBytes(of: end.bigEndian, toByteOffset: start + count, as: UInt16.self)
                return zeros != 0
            }
        }
        if hasZero { return false }
        self.end = start + count + 2
        return true
    }

    /// Hashes the bytes as ``ByteString`` does.
    @inlinable public func hash(into hasher: inout Hasher) {
        ByteString.hash(buffer.span.extracting(0..<end), into: &hasher)
    }

    /// Takes back everything from a length on.
    @inlinable public mutating func cut(to length: Int) {
        precondition(length <= end, "what is cut was there")
        end = length
    }
}

/// Reads big-endian integers and varints; every read is checked and returns nil past the end.
public struct WireReader {
    public let bytes: [UInt8]
    public var position: Int
    public let end: Int

    @inlinable public init(_ bytes: [UInt8], at position: Int = 0, end: Int? = nil) {
        self.bytes = bytes
        self.position = position
        self.end = end ?? bytes.count
    }

    @inlinable public var remaining: Int { end - position }

    @inlinable public mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let size = T.bitWidth / 8
        guard remaining >= size, position >= 0, end <= bytes.count else { return nil }
        // Lifetime: the pointer does not leave the closure; the bytes read lie before `end`, which is in the array.
        let value = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: position, as: T.self)
        }
        advance(size)
        return T(bigEndian: value)
    }

    @inlinable public mutating func varint() -> Int64? {
        // Most are small.
        if position < end, bytes[position] < 0x80 {
            let byte = Int64(bytes[position])
            advance(1)
            return byte >> 1 ^ -(byte & 1)
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = position
        while at < end, shift < 70 {
            let byte = bytes[at]
            at += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                advance(at - position)
                return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
            }
            shift += 7
        }
        return nil
    }

    @inlinable public mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, remaining >= count else { return nil }
        let slice = bytes[position..<position + count]
        advance(count)
        return slice
    }

    /// The next bytes as a value of their own.
    @inlinable public mutating func text(_ count: Int) -> ByteString? {
        guard count >= 0, remaining >= count, position >= 0, end <= bytes.count else { return nil }
        // Without a slice no reference is counted.
        let text = ByteString(copying: bytes.span.extracting(position..<position + count))
        advance(count)
        return text
    }

    @inlinable public mutating func short() -> ArraySlice<UInt8>? {
        guard let count = integer(UInt16.self) else { return nil }
        return take(Int(count))
    }

    @usableFromInline mutating func advance(_ count: Int) { position += count }
}
