import Primitives
import Tables

/// A key within a source system.
struct NaturalKey: Hashable {
    var source: ByteString
    var key: ByteString

    init(_ source: ByteString, _ key: ByteString) {
        self.source = source
        self.key = key
    }

    var cells: [Cell] { [.text(source), .text(key)] }
}
