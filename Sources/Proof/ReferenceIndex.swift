import Primitives
import RetailModel

/// What references say to other passes: from when on each is there, and the categories of menus. In memory: reference
/// data is small (``ProofCapacity/references``).
struct ReferenceIndex: Sendable {
    private struct MenuKey: Hashable { var source: ByteString, store: ByteString, product: ByteString }

    /// Place in the order of processing from which on a reference is there.
    private var since: [ByteString: Int64] = [:]
    private var menus: [MenuKey: [(validFrom: Int64, category: ByteString)]] = [:]
    private var count = 0
    private let capacity: Int

    init(_ capacity: ProofCapacity) { self.capacity = capacity.references }

    private mutating func grow() throws(ProofError) {
        count += 1
        if count > capacity { throw .tooLarge(what: "references and menu items", limit: capacity) }
    }

    /// Calls must come in order of `sequence` for one key.
    mutating func appear(_ key: ReferenceKey, at sequence: Int64) throws(ProofError) {
        let text = key.text
        if since[text] != nil { return }
        try grow()
        since[text] = sequence
    }

    /// The first moment from `sequence` on at which all keys are there; `Int64.max` when it did not come.
    func complete(_ keys: [ReferenceKey], from sequence: Int64) -> Int64 {
        keys.reduce(sequence) { max($0, since[$1.text] ?? .max) }
    }

    func isPresentAtEnd(_ need: ByteString) -> Bool { since[need] != nil }

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
