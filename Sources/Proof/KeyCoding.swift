import Primitives
import Tables

/// First byte of a cell.
enum CellTag: UInt8 { case null = 0, integer, text, blob, wide }

/// Encodings whose byte order is the order of the values, so that keys of several parts compare by memcmp.
///
/// A cell is a tag (0 null, 1 integer, 2 text, 3 blob, 4 wide) and its content: integers big-endian with the sign
/// flipped, bytes with 00 written 00 FF and ended by 00 01. No encoding is the beginning of another.
extension [UInt8] {
    mutating func appendOrdered(_ value: Int64) {
        appendBigEndian(UInt64(bitPattern: value) ^ 1 << 63)
    }

    mutating func appendOrdered(_ bytes: [UInt8]) {
        if bytes.span.hasZero {
            for byte in bytes {
                append(byte)
                if byte == 0 { append(0xFF) }
            }
        } else {
            append(contentsOf: bytes)
        }
        append(0)
        append(1)
    }

    mutating func appendCell(_ value: Int64) {
        append(CellTag.integer.rawValue)
        appendOrdered(value)
    }

    mutating func appendCell(text: ByteString) {
        append(CellTag.text.rawValue)
        appendOrdered(text.bytes)
    }

    mutating func appendCell(wide: Int128) {
        append(CellTag.wide.rawValue)
        appendBigEndian(UInt128(bitPattern: wide) ^ 1 << 127)
    }
}

extension ByteBuilder {
    mutating func appendOrdered(_ value: Int64) {
        appendBigEndian(UInt64(bitPattern: value) ^ 1 << 63)
    }

    mutating func appendOrdered(_ text: ByteString) { text.withSpan { appendOrdered($0) } }

    mutating func appendCell(_ value: Int64) {
        append(CellTag.integer.rawValue, bigEndian: UInt64(bitPattern: value) ^ 1 << 63)
    }

    mutating func appendCell(text: ByteString) { text.withSpan { appendCell(.text, $0) } }

    mutating func appendCell(_ tag: CellTag, _ bytes: Span<UInt8>) {
        if appendWithoutZero(tag.rawValue, bytes, bigEndian: 1) { return }
        append(tag.rawValue)
        appendOrdered(bytes)
    }

    mutating func appendOrdered(_ bytes: Span<UInt8>) {
        if bytes.hasZero {
            for index in bytes.indices {
                append(bytes[index])
                if bytes[index] == 0 { append(0xFF) }
            }
        } else {
            append(bytes)
        }
        appendBigEndian(UInt16(1))
    }
}

extension Span<UInt8> {
    /// Whether one of the bytes is zero. Nearly none is, and then bytes are copied as a whole.
    fileprivate var hasZero: Bool {
        // Lifetime: the pointer does not leave the closure; no word is read beyond the end.
        unsafe withUnsafeBytes { raw in
            var at = 0
            while at + 8 <= raw.count {
                if UInt64.hasZeroByte(unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) { return true }
                at += 8
            }
            if raw.count > 8 {
                // The last eight again, some of them for the second time.
                return UInt64.hasZeroByte(unsafe raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self))
            }
            while at < raw.count {
                if unsafe raw[at] == 0 { return true }
                at += 1
            }
            return false
        }
    }
}

extension UInt64 {
    /// Whether one of the eight bytes is zero. Source: Warren, Hacker's Delight, 6-1.
    static func hasZeroByte(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }
}

/// Reads back what was encoded here.
struct KeyReader {
    private let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func integer() -> Int64 { Int64(bitPattern: unsigned(UInt64.self) ^ 1 << 63) }

    mutating func ordered() -> ByteString {
        var out: [UInt8] = []
        while bytes[position] != 0 || bytes[position + 1] != 1 {
            out.append(bytes[position])
            position += bytes[position] == 0 ? 2 : 1
        }
        position += 2
        return ByteString(out)
    }

    mutating func cell() -> Cell {
        position += 1
        switch CellTag(rawValue: bytes[position - 1]) {
        case .null: return .null
        case .integer: return .integer(integer())
        case .text: return .text(ordered())
        case .blob: return .blob(ordered())
        case .wide: return .wide(Int128(truncatingIfNeeded: unsigned(UInt128.self) ^ 1 << 127))
        case nil: preconditionFailure("no cell begins with \(bytes[position - 1])")
        }
    }

    private mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> T {
        var value: T = 0
        for _ in 0..<T.bitWidth / 8 {
            value = value << 8 | T(bytes[position])
            position += 1
        }
        return value
    }
}
