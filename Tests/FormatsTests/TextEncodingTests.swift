import Formats
import Primitives
import Testing

@Suite struct TextEncodingTests {
    private static func text(_ bytes: [UInt8], _ encoding: TextEncoding, chunk: Int) throws -> String? {
        var converter = UTF8Converter(encoding)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            out += try converter.convert(Array(bytes[start..<min(bytes.count, start + chunk)]))
        }
        try converter.finish()
        return String(validating: out, as: UTF8.self)
    }

    private static func utf16(_ text: String, isBig: Bool) -> [UInt8] {
        text.utf16.flatMap { isBig ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
    }

    @Test(arguments: [1, 2, 3, 1_000]) func `text is the same however it is cut`(chunk: Int) throws {
        let text = "Crème brûlée, 5 €; 𝄞 über Kaffee\n"
        #expect(try Self.text(Array(text.utf8), .utf8, chunk: chunk) == text)
        #expect(try Self.text(Self.utf16("\u{FEFF}" + text, isBig: true), .utf16, chunk: chunk) == text)
        #expect(try Self.text(Self.utf16("\u{FEFF}" + text, isBig: false), .utf16, chunk: chunk) == text)
        #expect(try Self.text(Self.utf16(text, isBig: false), .utf16, chunk: chunk) == text)
        let western: [UInt8] = [0x43, 0x72, 0xE8, 0x6D, 0x65, 0x20, 0x80, 0x93, 0x9F, 0x81, 0xFF]
        #expect(try Self.text(western, .windows1252, chunk: chunk) == "Crème €“Ÿ\u{81}ÿ")
        #expect(try Self.text(western, .latin1, chunk: chunk) == "Crème \u{80}\u{93}\u{9F}\u{81}ÿ")
    }

    @Test(
        arguments: [
            ([0xFF, 0xFE, 0x41, 0x00, 0x42], 4), ([0xFF, 0xFE, 0x41, 0x00, 0x00, 0xD8, 0x41, 0x00], 4),
            ([0xFF, 0xFE, 0x00, 0xDC], 2), ([0xFF, 0xFE, 0x00, 0xD8], 2),
        ] as [([UInt8], Int)]
    )
    func `half a character is an error with its byte`(bytes: [UInt8], offset: Int) {
        for chunk in [1, 100] {
            #expect { try Self.text(bytes, .utf16, chunk: chunk) } throws: {
                "\($0)" == "Byte \(offset) is half a character of utf-16; the file is damaged or of another encoding."
            }
        }
    }
}
