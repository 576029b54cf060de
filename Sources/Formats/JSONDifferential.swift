/// The parser seen from outside, for the comparison with another language's parser
/// (Tests/integration/test_json_differential.py through `till debug json`).
public enum JSONDifferential {
    /// Answers one line.
    ///
    /// - Parameter base64Line: The document in Base64, without the line's end. An empty line is an empty document.
    /// - Returns: `ok BASE64(canonical)`, `error CODE OFFSET`, or `error base64.invalid 0`.
    public static func line(_ base64Line: String) -> String {
        guard let document = Base64.decode(base64Line.utf8) else { return "error base64.invalid 0" }
        var tape = JSONTape()
        do throws(JSONError) {
            try tape.parse(document)
        } catch {
            return "error \(error.code) \(error.offset)"
        }
        return "ok " + Base64.encode(canonical(tape, document))
    }

    /// The tree in source order without white space, numbers as they were written, strings with the fewest escapes.
    public static func canonical(_ tape: JSONTape, _ bytes: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: bytes.count)
        write(0, of: tape, bytes, to: &writer)
        return writer.finish()
    }

    /// Recursion is bounded by the tape's depth limit.
    private static func write(_ node: Int, of tape: JSONTape, _ bytes: [UInt8], to writer: inout JSONWriter) {
        switch tape.kind(node) {
        case .null, .true, .false, .number: writer.raw(bytes[tape.raw(node)])
        case .string: writer.string(tape.text(node, in: bytes))
        case .array:
            writer.beginArray()
            tape.forEachElement(node) { write($0, of: tape, bytes, to: &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            tape.forEachMember(node) { key, value in
                writer.key(tape.text(key, in: bytes))
                write(value, of: tape, bytes, to: &writer)
            }
            writer.endObject()
        }
    }
}
