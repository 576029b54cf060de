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
        var packed: UInt128 = 0
        var count = 0
        while v >= 0x80 {
            packed |= UInt128(v & 0x7F | 0x80) << UInt128(8 * count)
            count += 1
            v >>= 7
        }
        packed |= UInt128(v) << UInt128(8 * count)
        // Lifetime: the pointer to the local value does not leave the closure; at most 10 of 16 bytes are taken.
        unsafe Swift.withUnsafeBytes(of: packed.littleEndian) { unsafe append(contentsOf: $0.prefix(count + 1)) }
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

    /// A 16-bit length and the bytes; longer input is a bug of the caller.
    @inlinable public mutating func appendShort(_ value: [UInt8]) {
        precondition(value.count <= 0xFFFF, "a short field holds at most 65535 bytes")
        appendBigEndian(UInt16(value.count))
        append(contentsOf: value)
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

    @inlinable public mutating func short() -> ArraySlice<UInt8>? {
        guard let count = integer(UInt16.self) else { return nil }
        return take(Int(count))
    }

    @usableFromInline mutating func advance(_ count: Int) { position += count }
}
