public import Primitives

/// How the bytes of a text file stand for characters.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    case windows1252 = "windows-1252"
    case latin1 = "latin-1"
    /// By its byte order mark, else little endian.
    case utf16 = "utf-16"
}

/// Makes UTF-8 of text that arrives in chunks. Single owner.
///
/// Bytes that windows-1252 leaves open (81, 8D, 8F, 90, 9D) are the controls of that number, as browsers read them.
/// Complexity: O(bytes); keeps at most three bytes between chunks.
public struct UTF8Converter {
    private let encoding: TextEncoding
    /// Of UTF-16: bytes that wait for the rest of their character.
    private var rest: [UInt8] = []
    private var isBigEndian = false
    private var isAtStart = true
    private var offset: Int64 = 0

    public init(_ encoding: TextEncoding) { self.encoding = encoding }

    /// The next chunk as UTF-8.
    ///
    /// - Throws: ``EncodingError`` for half a character of UTF-16.
    public mutating func convert(_ chunk: [UInt8]) throws(EncodingError) -> [UInt8] {
        switch encoding {
        case .utf8: return chunk
        case .latin1, .windows1252: return bytes(chunk)
        case .utf16: return try units(chunk)
        }
    }

    /// Says that the text has ended.
    public func finish() throws(EncodingError) {
        if !rest.isEmpty { throw EncodingError(encoding: encoding, offset: offset) }
    }

    private func bytes(_ chunk: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(chunk.count + chunk.count / 8)
        for byte in chunk {
            guard byte >= 0x80 else {
                out.append(byte)
                continue
            }
            let isOpen = encoding == .latin1 || byte >= 0xA0
            out += UTF8.encode(isOpen ? Unicode.Scalar(byte) : Self.windows[Int(byte) - 0x80]).map(Array.init) ?? []
        }
        return out
    }

    /// 80 to 9F. Source: the WHATWG encoding standard.
    private static let windows: [Unicode.Scalar] = [
        "\u{20AC}", "\u{81}", "\u{201A}", "\u{192}", "\u{201E}", "\u{2026}", "\u{2020}", "\u{2021}", "\u{2C6}",
        "\u{2030}", "\u{160}", "\u{2039}", "\u{152}", "\u{8D}", "\u{17D}", "\u{8F}", "\u{90}", "\u{2018}", "\u{2019}",
        "\u{201C}", "\u{201D}", "\u{2022}", "\u{2013}", "\u{2014}", "\u{2DC}", "\u{2122}", "\u{161}", "\u{203A}",
        "\u{153}", "\u{9D}", "\u{17E}", "\u{178}",
    ]

    private mutating func units(_ chunk: [UInt8]) throws(EncodingError) -> [UInt8] {
        var input = rest
        input += chunk
        var at = 0
        if isAtStart, input.count >= 2 {
            isAtStart = false
            isBigEndian = input[0] == 0xFE && input[1] == 0xFF
            if isBigEndian || (input[0] == 0xFF && input[1] == 0xFE) { at = 2 }
        }
        var out: [UInt8] = []
        out.reserveCapacity(input.count)
        while at + 1 < input.count {
            let first = unit(input, at)
            var scalar = UInt32(first)
            var size = 2
            if 0xD800...0xDBFF ~= first {
                guard at + 3 < input.count else { break }
                let second = unit(input, at + 2)
                guard 0xDC00...0xDFFF ~= second else {
                    throw EncodingError(encoding: encoding, offset: offset + Int64(at))
                }
                scalar = 0x10000 + (UInt32(first) & 0x3FF) << 10 + UInt32(second) & 0x3FF
                size = 4
            }
            guard let character = Unicode.Scalar(scalar), let encoded = UTF8.encode(character) else {
                throw EncodingError(encoding: encoding, offset: offset + Int64(at))
            }
            out += encoded
            at += size
        }
        rest = Array(input[at...])
        offset += Int64(at)
        return out
    }

    private func unit(_ bytes: [UInt8], _ at: Int) -> UInt16 {
        isBigEndian ? UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) : UInt16(bytes[at + 1]) << 8 | UInt16(bytes[at])
    }
}

/// Half a character.
public struct EncodingError: OperationalError, Hashable {
    let encoding: TextEncoding
    /// Of the unpacked text, from 0.
    let offset: Int64
    public var code: String { "input.encoding_invalid" }
    public var domain: ErrorDomain { .user }
    public var retry: RetryHint { .never }
    public var description: String {
        "Byte \(offset) is half a character of \(encoding.rawValue); the file is damaged or of another encoding."
    }
}
