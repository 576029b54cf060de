import Primitives
import Tables

/// A value with the event time that it is from: the later wins, of two at one time the one with the greater SHA-256, so
/// that arrival order never decides. An empty value never competes (spec model 1.8).
struct Attribute: Equatable {
    private(set) var value: ByteString?
    private(set) var at: Int64?

    init() {}

    /// Without a value there is no time either.
    init(_ value: ByteString?, at time: Int64) {
        self.value = value
        at = value == nil ? nil : time
    }

    /// As it is stored.
    init(_ value: Cell, at time: Cell) {
        self.value = value.bytes
        at = time.integer
    }

    /// Takes the value if it wins; true when it did.
    mutating func offer(_ new: ByteString?, at time: Int64) -> Bool {
        guard let new, !new.isEmpty, isBeaten(by: new, at: time) else { return false }
        value = new
        at = time
        return true
    }

    private func isBeaten(by new: ByteString, at time: Int64) -> Bool {
        guard let value, let at else { return true }
        if Mutant.isPlanted(.staleLookup()) { return true }
        if time != at { return time > at }
        if new == value { return false }
        return Digest.sha256(of: new.bytes) > Digest.sha256(of: value.bytes)
    }
}
