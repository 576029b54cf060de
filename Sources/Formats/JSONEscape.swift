/// Escapes inside JSON strings: checking, resolving, and where text stops being UTF-8.
@usableFromInline enum JSONEscape {
    /// Checks the escape whose backslash is at `from`; returns the offset behind it (behind both halves of a pair).
    static func checkEscape(_ bytes: Span<UInt8>, _ from: Int, _ end: Int, lenient: Bool) throws(JSONError) -> Int {
        guard from + 1 < end else { throw JSONError(.unexpectedEnd, at: end) }
        switch bytes[from + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return from + 2
        case UInt8(ascii: "u"):
            let unit = try hexUnit(bytes, from, end)
            guard unit >= 0xD800, unit <= 0xDFFF, !lenient else { return from + 6 }
            guard unit < 0xDC00, from + 7 < end, bytes[from + 6] == UInt8(ascii: "\\"),
                bytes[from + 7] == UInt8(ascii: "u")
            else { throw JSONError(.loneSurrogate, at: from) }
            let low = try hexUnit(bytes, from + 6, end)
            guard low >= 0xDC00, low <= 0xDFFF else { throw JSONError(.loneSurrogate, at: from) }
            return from + 12
        default:
            throw JSONError(.escapeInvalid, at: from)
        }
    }

    private static func hexUnit(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) throws(JSONError) -> UInt32 {
        guard from + 6 <= end else { throw JSONError(.unexpectedEnd, at: end) }
        var unit: UInt32 = 0
        for at in from + 2..<from + 6 {
            guard let digit = hexDigit(bytes[at]) else { throw JSONError(.escapeInvalid, at: from) }
            unit = unit << 4 | digit
        }
        return unit
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x37)
        case 0x61...0x66: UInt32(byte - 0x57)
        default: nil
        }
    }

    /// Appends the text of string content that a parse accepted.
    @usableFromInline static func appendUnescaped(_ bytes: [UInt8], in range: Range<Int>, to out: inout [UInt8]) {
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            guard byte == UInt8(ascii: "\\"), at + 1 < range.upperBound else {
                out.append(byte)
                at += 1
                continue
            }
            let letter = bytes[at + 1]
            at += 2
            switch letter {
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"):
                var value = unit(bytes, at, range.upperBound)
                at += 4
                if value >= 0xD800, value < 0xDC00 {
                    let low = unit(bytes, at + 2, range.upperBound)
                    value = 0x10000 + (value - 0xD800) << 10 + (low &- 0xDC00)
                    at += 6
                }
                appendScalar(value, to: &out)
            default: out.append(letter)
            }
        }
    }

    /// Four hex digits; bytes that no parse has accepted give some number, never a trap.
    private static func unit(_ bytes: [UInt8], _ from: Int, _ end: Int) -> UInt32 {
        guard from + 4 <= end else { return 0xFFFD }
        return (from..<from + 4).reduce(0) { $0 << 4 | (hexDigit(bytes[$1]) ?? 0) }
    }

    private static func appendScalar(_ value: UInt32, to out: inout [UInt8]) {
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// Where the first ill-formed sequence begins; `end` when there is none. For error messages.
    static func firstInvalidUTF8(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var parser = Unicode.UTF8.ForwardParser()
        var units = (start..<end).map { bytes[$0] }.makeIterator()
        var at = start
        while case .valid(let scalar) = parser.parseScalar(from: &units) { at += scalar.count }
        return at
    }
}
