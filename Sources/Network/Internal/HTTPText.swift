import CShims

/// Bytes of HTTP to text: classes of bytes, strings without needless allocation, percent-decoding.
///
/// `unsafe` here: pointers of a span or of a new string's storage, used inside the closure that lends them.
enum HTTPText {
    /// The lower case form of a byte of a token (RFC 9110 §5.6.2), or 0 for a byte that no token has.
    @inline(__always) static func lowerToken(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x5E, 0x60, 0x7C, 0x7E: byte
        case 0x41...0x5A: byte | 0x20
        default: 0
        }
    }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always) static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// The text of a range, or nil when it is not UTF-8. Up to 15 bytes take no memory.
    static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        if range.isEmpty { return "" }
        let part = bytes.extracting(range)
        // String(validating:as:) is not specialised and took a third of the parser's time.
        return unsafe part.withUnsafeBufferPointer {
            unsafe cshims_utf8_valid($0.baseAddress, $0.count) ? String(decoding: $0, as: UTF8.self) : nil
        }
    }

    /// The text of a range of token bytes in lower case; names above 15 bytes that are common take no memory.
    static func lowerName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        if range.count > 15, let known = commonName(bytes, range) { return known }
        return unsafe String(unsafeUninitializedCapacity: range.count) { out in
            for offset in 0..<range.count { unsafe out[offset] = lowerToken(bytes[range.lowerBound + offset]) }
            return range.count
        }
    }

    /// Appends a range of bytes.
    @inline(__always) static func append(_ bytes: Span<UInt8>, _ range: Range<Int>, to out: inout [UInt8]) {
        let part = bytes.extracting(range)
        unsafe part.withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
    }

    private static func commonName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        let candidates: [StaticString]
        switch range.count {
        case 16: candidates = ["content-encoding", "sec-ch-ua-mobile", "proxy-connection"]
        case 17: candidates = ["transfer-encoding", "if-modified-since", "x-forwarded-proto"]
        case 18: candidates = ["sec-ch-ua-platform"]
        case 19: candidates = ["content-disposition", "proxy-authorization", "if-unmodified-since"]
        case 25: candidates = ["upgrade-insecure-requests"]
        case 29: candidates = ["access-control-request-method"]
        case 30: candidates = ["access-control-request-headers"]
        default: return nil
        }
        for candidate in candidates where matches(bytes, range, candidate) { return "\(candidate)" }
        return nil
    }

    /// True when the range equals `text`, which is lower case ASCII, in any case of letters.
    static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            var byte = bytes[range.lowerBound + offset]
            if 0x41...0x5A ~= byte { byte |= 0x20 }
            // Lifetime: a static string's bytes live for ever; the offset is below its count.
            if unsafe byte != text.utf8Start[offset] { return false }
        }
        return true
    }

    /// Percent-decodes a range; nil for a bad escape, a NUL or bytes that are not UTF-8.
    ///
    /// - Parameter isPath: An escaped slash or percent sign stays, as `%2F` and `%25`: it is part of a segment.
    static func decoded(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        plusIsSpace: Bool,
        isPath: Bool = false
    ) -> String? {
        var first = range.lowerBound
        while first < range.upperBound, bytes[first] != 0x25, !(plusIsSpace && bytes[first] == 0x2B) { first += 1 }
        if first == range.upperBound { return string(bytes, range) }
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            if byte == 0x25 {
                guard at + 2 < range.upperBound, let high = hex(bytes[at + 1]), let low = hex(bytes[at + 2]),
                    high | low != 0
                else { return nil }
                let decoded = high << 4 | low
                if isPath, decoded == UInt8(ascii: "/") {
                    out += Array("%2F".utf8)
                } else if isPath, decoded == UInt8(ascii: "%") {
                    out += Array("%25".utf8)
                } else {
                    out.append(decoded)
                }
                at += 3
            } else {
                out.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
                at += 1
            }
        }
        return string(out.span, 0..<out.count)
    }
}
