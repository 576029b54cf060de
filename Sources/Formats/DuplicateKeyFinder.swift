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

    private var infos: [UInt32] = []
    private var keys: [UInt32] = []
    private var slots: [Slot] = []
    private var unescaped: [UInt8] = []

    /// The node of the first key that repeats an earlier one, or nil.
    @inline(__always)
    mutating func firstDuplicate(_ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Int? {
        nodes[object].info >> 4 <= UInt32(Self.pairwiseMax)
            ? pairwise(nodes, object, bytes) : hashed(nodes, object, bytes)
    }

    private mutating func pairwise(_ nodes: [JSONTape.Node], _ object: Int, _ bytes: [UInt8]) -> Int? {
        infos.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        let end = Int(nodes[object].next)
        var key = object + 1
        while key < end {
            let info = nodes[key].info
            for other in 0..<infos.count {
                // Different signatures decide only when both keys stand as they are.
                if infos[other] != info, (infos[other] | info) & 8 == 0 { continue }
                if equal(nodes[Int(keys[other])], nodes[key], bytes) { return key }
            }
            infos.append(info)
            keys.append(UInt32(truncatingIfNeeded: key))
            key = Int(nodes[key + 1].next)
        }
        return nil
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
