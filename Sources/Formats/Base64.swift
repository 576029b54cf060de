/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        func digit(_ shift: UInt32) -> UInt8 { alphabet[Int(group >> shift & 63)] }
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                out.append(contentsOf: [digit(18), digit(12), digit(6), digit(0)])
                group = 0
                held = 0
            }
        }
        if held == 1 {
            group <<= 16
            out.append(contentsOf: [digit(18), digit(12), 0x3D, 0x3D])
        } else if held == 2 {
            group <<= 8
            out.append(contentsOf: [digit(18), digit(12), digit(6), 0x3D])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil when the text is not exactly what ``encode(_:)`` gives for some bytes.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var digits = 0
        var padding = 0
        for byte in text {
            if byte == 0x3D, digits % 4 >= 2 {
                padding += 1
                group <<= 6
            } else {
                guard padding == 0, let value = value(byte) else { return nil }
                group = group << 6 | value
            }
            digits += 1
            if digits % 4 == 0 {
                let three = [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
                if padding > 0, three[3 - padding] != 0 { return nil }
                out.append(contentsOf: three.prefix(3 - padding))
                group = 0
                if padding > 0 { return digits == text.count ? out : nil }
            }
        }
        return out
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte - 0x41)
        case 0x61...0x7A: UInt32(byte - 0x61) + 26
        case 0x30...0x39: UInt32(byte - 0x30) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
