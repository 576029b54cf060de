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

/// A value with the event time that it is from: the later wins, of two at one time the one with the greater SHA-256, so
/// that arrival order never decides. An empty value never competes (spec model 1.8).
func wins(_ value: ByteString?, at time: Int64, over current: ByteString?, at currentTime: Int64?) -> Bool {
    guard let value, !value.isEmpty else { return false }
    guard let current, let currentTime else { return true }
    if Mutant.isPlanted(.staleLookup()) { return true }
    if time != currentTime { return time > currentTime }
    if value == current { return false }
    return Digest.sha256(of: value.bytes) > Digest.sha256(of: current.bytes)
}
