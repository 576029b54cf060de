import Primitives

/// Numbers keys in the order in which they come first. The keys stand side by side: looking one up allocates nothing
/// and counts no reference, which a dictionary of lists of bytes does.
struct KeyTable {
    private struct Entry {
        var start: Int, count: Int
        var hash: Int
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    /// Numbers by hash, with linear probing; −1 for a free place. At most half of them are taken.
    private var places = [Int32](repeating: -1, count: 64)

    var count: Int { entries.count }

    func key(_ number: Int) -> ArraySlice<UInt8> {
        bytes[entries[number].start..<entries[number].start + entries[number].count]
    }

    /// The number of a key; ``count`` of before when it is new.
    mutating func number(of key: ByteBuilder) -> Int {
        // The standard library's hash is seeded per process: nobody can send keys that collide on purpose.
        var hasher = Hasher()
        key.hash(into: &hasher)
        let hash = hasher.finalize()
        var place = hash & (places.count - 1)
        while places[place] >= 0 {
            let entry = entries[Int(places[place])]
            if entry.hash == hash, entry.count == key.count, key.bytes.isEqual(to: bytes, at: entry.start) {
                return Int(places[place])
            }
            place = (place + 1) & (places.count - 1)
        }
        places[place] = Int32(entries.count)
        entries.append(Entry(start: bytes.count, count: key.count, hash: hash))
        bytes += key.bytes
        if entries.count * 2 > places.count { grow() }
        return entries.count - 1
    }

    private mutating func grow() {
        places = [Int32](repeating: -1, count: places.count * 2)
        for (number, entry) in entries.enumerated() {
            var place = entry.hash & (places.count - 1)
            while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
            places[place] = Int32(number)
        }
    }

    /// Keeps the memory.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        for place in places.indices { places[place] = -1 }
    }
}
