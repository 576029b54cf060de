public import Primitives

/// Builds one compact JSON value as bytes; commas and escapes are its business.
///
/// Misuse traps: a value in an object without ``key(_:)``, a key elsewhere, a bracket that does not match, a second
/// root value, ``finish()`` inside a container. Keys are not checked for duplicates.
public struct JSONWriter: Sendable {
    private enum Container { case array, object }

    public private(set) var bytes: [UInt8] = []
    private var open: [Container] = []
    /// The next value or key in this place needs a comma before it.
    private var needsComma = false
    private var hasKey = false

    public init(reservingBytes count: Int = 256) { bytes.reserveCapacity(count) }

    /// The complete value.
    public consuming func finish() -> [UInt8] {
        precondition(open.isEmpty && !bytes.isEmpty, "a JSON text is one complete value")
        return bytes
    }

    /// Forgets everything and keeps the memory.
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        needsComma = false
        hasKey = false
    }

    public mutating func beginObject() { begin(.object, UInt8(ascii: "{")) }
    public mutating func endObject() { end(.object, UInt8(ascii: "}")) }
    public mutating func beginArray() { begin(.array, UInt8(ascii: "[")) }
    public mutating func endArray() { end(.array, UInt8(ascii: "]")) }

    public mutating func key(_ name: String) {
        beginKey()
        appendQuoted(name.utf8)
        bytes.append(UInt8(ascii: ":"))
    }

    public mutating func key(_ name: ByteString) {
        beginKey()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
    }

    public mutating func string(_ value: String) {
        beginValue()
        appendQuoted(value.utf8)
        needsComma = true
    }

    /// Bytes that are not UTF-8 become U+FFFD.
    public mutating func string(_ value: ByteString) {
        beginValue()
        appendQuoted(value)
        needsComma = true
    }

    public mutating func int(_ value: Int64) {
        beginValue()
        bytes.appendDecimal(value)
        needsComma = true
    }

    public mutating func int(_ value: Int) { int(Int64(value)) }
    public mutating func bool(_ value: Bool) { raw((value ? "true" : "false").utf8) }
    public mutating func null() { raw("null".utf8) }

    /// A value that is JSON already, taken as it is: a number's text, a stored object. Must not be empty.
    public mutating func raw(_ json: some Collection<UInt8>) {
        precondition(!json.isEmpty, "a raw value has at least one byte")
        beginValue()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    public mutating func field(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    public mutating func field(_ name: String, _ value: ByteString) {
        key(name)
        string(value)
    }

    /// Nil becomes null.
    public mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    public mutating func field(_ name: String, _ value: Int) {
        key(name)
        int(value)
    }

    public mutating func field(_ name: String, _ value: Int64) {
        key(name)
        int(value)
    }

    public mutating func field(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    private mutating func begin(_ container: Container, _ bracket: UInt8) {
        beginValue()
        bytes.append(bracket)
        open.append(container)
        needsComma = false
    }

    private mutating func end(_ container: Container, _ bracket: UInt8) {
        precondition(open.last == container && !hasKey, "a closing bracket matches its opening one")
        open.removeLast()
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func beginKey() {
        precondition(open.last == .object && !hasKey, "a key stands in an object, before its value")
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        hasKey = true
    }

    private mutating func beginValue() {
        if open.last == .object {
            precondition(hasKey, "a value in an object has a key")
            hasKey = false
        } else {
            precondition(!open.isEmpty || bytes.isEmpty, "a JSON text is one value")
            if needsComma { bytes.append(UInt8(ascii: ",")) }
        }
    }

    /// - Parameter isText: The bytes are known to be UTF-8.
    private mutating func appendQuoted(_ text: String.UTF8View) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        bytes.append(contentsOf: text)
        endQuoted(from: start, isText: true)
    }

    private mutating func appendQuoted(_ text: ByteString) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        bytes.append(text)
        endQuoted(from: start, isText: false)
    }

    /// Nearly every text is written as it is: it was copied first and is looked at there.
    private mutating func endQuoted(from start: Int, isText: Bool) {
        let isPlain = ByteScan.jsonStringEnd(bytes.span, start) == bytes.count
        if !isPlain || !isText && !ByteScan.isUTF8(bytes[start...]) {
            let copy = Array(bytes[start...])
            bytes.removeSubrange(start...)
            let valid = isText || ByteScan.isUTF8(copy[...])
            JSONEscape.appendEscaped(valid ? copy : Array(String(decoding: copy, as: UTF8.self).utf8), to: &bytes)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
