extension JSONEscape {
    /// Appends text with the fewest escapes JSON allows: the quote, the backslash and bytes below 0x20.
    static func appendEscaped(_ text: [UInt8], to out: inout [UInt8]) {
        var from = 0
        while from < text.count {
            let stop = ByteScan.jsonStringEnd(text.span, from)
            out.append(contentsOf: text[from..<stop])
            guard stop < text.count else { return }
            appendEscape(text[stop], to: &out)
            from = stop + 1
        }
    }

    private static func appendEscape(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: out.append(UInt8(ascii: "b"))
        case 0x09: out.append(UInt8(ascii: "t"))
        case 0x0A: out.append(UInt8(ascii: "n"))
        case 0x0C: out.append(UInt8(ascii: "f"))
        case 0x0D: out.append(UInt8(ascii: "r"))
        case 0x00..<0x20:
            out.append(contentsOf: "u00".utf8)
            out.append(byte < 0x10 ? 0x30 : 0x31)
            let digit = byte & 15
            out.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        default: out.append(byte)
        }
    }
}
