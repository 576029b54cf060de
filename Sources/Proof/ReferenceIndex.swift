import Primitives
import RetailModel

/// What references say to other passes: from when on each is there, and the categories of menus. In memory: reference
/// data is small (``ProofLimits/referencesMax``).
struct ReferenceIndex: Sendable {
    private struct MenuKey: Hashable { var source: ByteString, store: ByteString, product: ByteString }

    /// Places in the order of processing: there from `from` on, gone at `until`.
    private struct Presence { var from: Int64, until = Int64.max }

    private var presences: [ByteString: [Presence]] = [:]
    private var menus: [MenuKey: [(validFrom: Int64, category: ByteString)]] = [:]
    private var count = 0

    private mutating func grow() throws(ProofError) {
        count += 1
        if count > ProofLimits.referencesMax {
            throw .tooLarge(what: "references and menu items", limit: ProofLimits.referencesMax)
        }
    }

    /// Calls must come in order of `sequence` for one key.
    mutating func appear(_ key: ReferenceKey, at sequence: Int64) throws(ProofError) {
        let text = key.text
        if presences[text]?.last?.until == .max { return }
        try grow()
        presences[text, default: []].append(Presence(from: sequence))
    }

    mutating func disappear(_ key: ReferenceKey, at sequence: Int64) {
        let text = key.text
        guard let last = presences[text]?.indices.last else { return }
        presences[text]?[last].until = sequence
    }

    /// The first moment from `sequence` on at which all keys are there; `Int64.max` when it did not come.
    func complete(_ keys: [ReferenceKey], from sequence: Int64) -> Int64 {
        var time = sequence
        var isSettled = false
        let all = keys.map { presences[$0.text] ?? [] }
        while !isSettled, time != .max {
            isSettled = true
            for presences in all where !presences.contains(where: { $0.from <= time && time < $0.until }) {
                time = presences.first { $0.from > time }?.from ?? .max
                isSettled = false
                break
            }
        }
        return time
    }

    func isPresentAtEnd(_ need: ByteString) -> Bool { presences[need]?.last?.until == .max }

    mutating func add(
        _ source: ByteString,
        store: ByteString,
        product: ByteString,
        validFrom: Int64,
        category: ByteString
    ) throws(ProofError) {
        try grow()
        menus[MenuKey(source: source, store: store, product: product), default: []].append((validFrom, category))
    }

    /// The category that a product has on the menu of a store: of the latest menu that was valid, else of the first.
    func category(_ source: ByteString, store: ByteString, product: ByteString, at time: Int64) -> ByteString? {
        let items = menus[MenuKey(source: source, store: store, product: product)] ?? []
        let valid = items.filter { $0.validFrom <= time }.max { $0.validFrom < $1.validFrom }
        return (valid ?? items.min { $0.validFrom < $1.validFrom })?.category
    }
}
