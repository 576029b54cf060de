import Formats

/// A short notation for the shape of an answer, and its JSON Schema.
///
/// `s` string, `i` integer, `n` number, `b` boolean, `m` money (decimal text), `t` time (ISO 8601, UTC), `[x]` array,
/// `{name:x,…}` object, `o` object of any members, `?x` x or null; `name~:x` may be absent. All other members are required, none may be added.
enum SchemaNotation {
    static func write(_ notation: String, to json: inout JSONWriter) {
        var rest = Array(notation.utf8)[...]
        value(&rest, &json)
        precondition(rest.isEmpty, "the schema notation \(notation) has text after its end")
    }

    private static func value(_ rest: inout ArraySlice<UInt8>, _ json: inout JSONWriter) {
        json.beginObject()
        let isNullable = rest.first == UInt8(ascii: "?")
        if isNullable { rest = rest.dropFirst() }
        let code = rest.popFirst() ?? 0
        let name = [
            UInt8(ascii: "i"): "integer", UInt8(ascii: "n"): "number", UInt8(ascii: "b"): "boolean",
            UInt8(ascii: "["): "array", UInt8(ascii: "{"): "object",
            UInt8(ascii: "o"): "object",
        ][code, default: "string"]
        if isNullable {
            json.key("type")
            json.beginArray()
            json.string(name)
            json.string("null")
            json.endArray()
        } else {
            json.field("type", name)
        }
        switch code {
        case UInt8(ascii: "m"): json.field("pattern", "^-?[0-9]+\\.[0-9]{2,5}$")
        case UInt8(ascii: "t"): json.field("format", "date-time")
        case UInt8(ascii: "["):
            json.key("items")
            value(&rest, &json)
            precondition(rest.popFirst() == UInt8(ascii: "]"), "an array of the schema notation is not closed")
        case UInt8(ascii: "{"): members(&rest, &json)
        case UInt8(ascii: "s"), UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "b"), UInt8(ascii: "o"): break
        default: preconditionFailure("the schema notation has an unknown letter \(code)")
        }
        json.endObject()
    }

    private static func members(_ rest: inout ArraySlice<UInt8>, _ json: inout JSONWriter) {
        var required: [String] = []
        json.key("properties")
        json.beginObject()
        while rest.first != UInt8(ascii: "}") {
            if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
            let colon = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            precondition(colon < rest.endIndex, "a member of the schema notation has no colon")
            var name = String(decoding: rest[..<colon], as: UTF8.self)
            if name.last == "~" { name.removeLast() } else { required.append(name) }
            rest = rest[(colon + 1)...]
            json.key(name)
            value(&rest, &json)
        }
        rest = rest.dropFirst()
        json.endObject()
        json.key("required")
        json.beginArray()
        for name in required { json.string(name) }
        json.endArray()
        json.field("additionalProperties", false)
    }
}
