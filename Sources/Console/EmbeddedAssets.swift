import CAssets

/// Files of the dashboard, embedded in the binary at build time.
enum EmbeddedAssets {
    struct File: Sendable {
        var contentType: String
        var bytes: [UInt8]
    }

    /// By path. The C strings and bytes are static storage of the binary.
    static let files: [String: File] = {
        var all: [String: File] = [:]
        var index: Int32 = 0
        while true {
            let file = unsafe cassets_at(index)
            guard let path = unsafe file.path, let type = unsafe file.content_type, let bytes = unsafe file.bytes else {
                break
            }
            unsafe all[String(cString: path)] = File(
                contentType: String(cString: type),
                bytes: Array(UnsafeBufferPointer(start: bytes, count: file.size))
            )
            index += 1
        }
        return all
    }()
}
