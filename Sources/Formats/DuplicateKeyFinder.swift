/// Finds a key that stands twice in one object, in expected linear time whatever the keys are.
///
/// Small objects compare the keys' signatures pairwise. Larger ones use a table keyed by the standard library's hash,
/// which is seeded per process, so nobody can send keys that collide on purpose. The lists are reused.
struct DuplicateKeyFinder: Sendable {
    private static let pairwiseMax = 16

    private struct Slot {
        var hash: UInt32
        /// The key's node; 0 (never a key) when the slot is free.
        var key: UInt32
    }

    private var slots: [Slot] = []
    private var unescaped: [UInt8] = []

    /// The node of the first key that repeats an earlier one, or nil.
    @inline(__always)
    mutating func firstDuplicate(_ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Int? {
        nodes[object].info >> 4 <= UInt32(Self.pairwiseMax)
            ? pairwise(nodes, object, bytes) : hashed(nodes, object, bytes)
    }

    private func pairwise(_ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Int? {
        let end = Int(nodes[object].next)
        var key = object + 1
        // A bit for each signature: of keys that stand as they are, only those of one bit can be equal.
        var seen: UInt64 = 0
        var hasEscapes: UInt32 = 0
        while key < end {
            let info = nodes[key].info
            hasEscapes |= info & 8
            let bit: UInt64 = 1 << UInt64((info &* 0x9E37_79B1) >> 26)
            if seen & bit != 0 || hasEscapes != 0, isKnown(key, nodes, object, bytes) { return key }
            seen |= bit
            key = Int(nodes[key + 1].next)
        }
        return nil
    }

    /// Whether a key repeats an earlier one of its object.
    private func isKnown(_ key: Int, _ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Bool {
        let info = nodes[key].info
        var other = object + 1
        while other < key {
            // Different signatures decide only when both keys stand as they are.
            let isLike = nodes[other].info == info || (nodes[other].info | info) & 8 != 0
            if isLike, equal(nodes[other], nodes[key], bytes) { return true }
            other = Int(nodes[other + 1].next)
        }
        return false
    }

    private mutating func hashed(_ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Int? {
        var size = 64
        while size < Int(nodes[object].info >> 4) * 2 { size *= 2 }
        slots.removeAll(keepingCapacity: true)
        slots.append(contentsOf: repeatElement(Slot(hash: 0, key: 0), count: size))
        let end = Int(nodes[object].next)
        var key = object + 1
        while key < end {
            let hash = hash(nodes[key], bytes)
            var slot = Int(hash) & (size - 1)
            while slots[slot].key != 0 {
                let other = slots[slot]
                if other.hash == hash, equal(nodes[Int(other.key)], nodes[key], bytes) { return key }
                slot = (slot + 1) & (size - 1)
            }
            slots[slot] = Slot(hash: hash, key: UInt32(truncatingIfNeeded: key))
            key = Int(nodes[key + 1].next)
        }
        return nil
    }

    private mutating func hash(_ key: JSONTape.Node, _ bytes: [UInt8]) -> UInt32 {
        var hasher = Hasher()
        let range = Int(key.start)..<Int(key.end)
        // Lifetime: the pointers do not leave the closures; the range was checked by the parse that made the node.
        if key.info & 8 == 0 {
            unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
        } else {
            unescaped.removeAll(keepingCapacity: true)
            JSONEscape.appendUnescaped(bytes, in: range, to: &unescaped)
            unsafe unescaped.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    private func equal(_ a: JSONTape.Node, _ b: JSONTape.Node, _ bytes: [UInt8]) -> Bool {
        let x = bytes[Int(a.start)..<Int(a.end)]
        let y = bytes[Int(b.start)..<Int(b.end)]
        if (a.info | b.info) & 8 == 0 { return x.elementsEqual(y) }
        var left: [UInt8] = []
        var right: [UInt8] = []
        JSONEscape.appendUnescaped(bytes, in: x.startIndex..<x.endIndex, to: &left)
        JSONEscape.appendUnescaped(bytes, in: y.startIndex..<y.endIndex, to: &right)
        return left == right
    }
}
