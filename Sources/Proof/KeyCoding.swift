import Primitives
import Tables

/// Encodings whose byte order is the order of the values, so that keys of several parts compare by memcmp.
///
/// A cell is a tag (0 null, 1 integer, 2 text, 3 blob, 4 wide) and its content: integers big-endian with the sign
/// flipped, bytes with 00 written 00 FF and ended by 00 01. No encoding is the beginning of another.
extension [UInt8] {
    mutating func appendOrdered(_ value: Int64) {
        appendBigEndian(UInt64(bitPattern: value) ^ 1 << 63)
    }

    mutating func appendOrdered(_ bytes: [UInt8]) {
        if bytes.contains(0) {
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
        append(1)
        appendOrdered(value)
    }

    mutating func appendCell(text: ByteString) {
        append(2)
        appendOrdered(text.bytes)
    }

    mutating func appendCell(blob: [UInt8]) {
        append(3)
        appendOrdered(blob)
    }

    mutating func appendCell(wide: Int128) {
        append(4)
        appendBigEndian(UInt128(bitPattern: wide) ^ 1 << 127)
    }

    mutating func appendCell(_ cell: Cell) {
        switch cell {
        case .null: append(0)
        case .integer(let value): appendCell(value)
        case .text(let text): appendCell(text: text)
        case .blob(let blob): appendCell(blob: blob.bytes)
        case .wide(let value): appendCell(wide: value)
        }
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
        switch bytes[position - 1] {
        case 0: return .null
        case 1: return .integer(integer())
        case 2: return .text(ordered())
        case 3: return .blob(ordered())
        case 4: return .wide(Int128(truncatingIfNeeded: unsigned(UInt128.self) ^ 1 << 127))
        case let tag: preconditionFailure("no cell begins with \(tag)")
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
