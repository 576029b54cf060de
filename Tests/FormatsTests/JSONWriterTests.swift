import Formats
import Primitives
import Testing

@Suite struct JSONWriterTests {
    @Test func `commas, nesting and every kind of value`() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("s", "a\"\\/\n\r\t\u{8}\u{C}\u{1}\u{1F}\u{7F}é😀")
        writer.field("i", -7)
        writer.field("l", Int64.min)
        writer.field("t", true)
        writer.field("n", nil as String?)
        writer.field("o", "x" as String?)
        writer.field("b", ByteString([0x61, 0xFF, 0x62]))
        writer.key("a")
        writer.beginArray()
        writer.int(1)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.raw(Array("{\"r\":1.50}".utf8))
        writer.bool(false)
        writer.endArray()
        writer.key(ByteString("k\""))
        writer.string("")
        writer.endObject()
        let bytes = writer.finish()
        let expected =
            #"{"s":"a\"\\/\n\r\t\b\f\u0001\u001f"# + "\u{7F}é😀"
            + #"","i":-7,"l":-9223372036854775808,"t":true,"n":null,"o":"x","b":"a"# + "\u{FFFD}"
            + #"b","a":[1,null,{},[],{"r":1.50},false],"k\"":""}"#
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        var tape = JSONTape()
        #expect(throws: Never.self) { try tape.parse(bytes) }
    }

    @Test func `a value without a key is a bug and traps`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.int(1)
        }
    }

    @Test func `a bracket that does not match is a bug and traps`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.endArray()
        }
    }

    @Test func `an unfinished text is a bug and traps`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginArray()
            _ = writer.finish()
        }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `Base64 has the values of RFC 4648`(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
    }

    @Test(arguments: ["A", "AB", "ABC", "A===", "====", "Zg=a", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zg==="])
    func `Base64 that nobody encodes is refused`(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func `Base64 keeps any bytes`() {
        var random = SeededRandom(seed: 4)
        for size in 0..<200 {
            let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
    }

    @Test func `the differential line answers with the tree or the error`() {
        #expect(
            JSONDifferential.line(Base64.encode(Array(" [1.0, {\"a\" : \"\\u0041\"}]".utf8)))
                == "ok " + Base64.encode(Array("[1.0,{\"a\":\"A\"}]".utf8))
        )
        #expect(JSONDifferential.line(Base64.encode(Array("[1,]".utf8))) == "error json.trailing_comma 2")
        #expect(JSONDifferential.line("") == "error json.unexpected_end 0")
        #expect(JSONDifferential.line("*") == "error base64.invalid 0")
    }
}
