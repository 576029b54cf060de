/// The body of every answer that is not the data asked for: `{"error":{"code":…,"message":…}}`.
package struct ErrorBody {
    /// Stable, for programs.
    package var code: String
    /// The fact with its numbers, then the remedy.
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// - Parameter more: Writes further fields of the error object.
    package func json(_ more: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("error")
        json.beginObject()
        json.field("code", code)
        json.field("message", message)
        more(&json)
        json.endObject()
        json.endObject()
        return json.bytes
    }
}
