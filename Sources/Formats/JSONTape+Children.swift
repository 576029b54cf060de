public import Primitives

extension JSONTape {
    /// The first element of an array or the first key of an object; nil when it is empty.
    @inlinable public func firstChild(_ container: Int) -> Int? {
        count(container) == 0 ? nil : container + 1
    }

    /// The node that follows `child` and all inside it, in the same container: an object's key is followed by its
    /// value. Nil after the last.
    @inlinable public func next(after child: Int, in container: Int) -> Int? {
        let next = Int(nodes[child].next)
        return next < Int(nodes[container].next) ? next : nil
    }

    /// Calls `body` for each element of an array, in source order.
    @inlinable public func forEachElement<E: Error>(_ array: Int, _ body: (Int) throws(E) -> Void) throws(E) {
        precondition(nodes[array].info & 7 == 5, "only an array has elements")
        let end = Int(nodes[array].next)
        var node = array + 1
        while node < end {
            try body(node)
            node = Int(nodes[node].next)
        }
    }

    /// Calls `body` with the key's and the value's node for each member of an object, in source order.
    @inlinable public func forEachMember<E: Error>(
        _ object: Int,
        _ body: (_ key: Int, _ value: Int) throws(E) -> Void
    ) throws(E) {
        precondition(nodes[object].info & 7 == 6, "only an object has members")
        let end = Int(nodes[object].next)
        var key = object + 1
        while key < end {
            try body(key, key + 1)
            key = Int(nodes[key + 1].next)
        }
    }

    /// The value of the member whose unescaped key is `name`, or nil.
    ///
    /// - Complexity: O(m) in members of the object; walk with ``forEachMember(_:_:)`` to find many.
    @inlinable public func member(_ object: Int, named name: [UInt8], in bytes: [UInt8]) -> Int? {
        precondition(nodes[object].info & 7 == 6, "only an object has members")
        let end = Int(nodes[object].next)
        let wanted = Self.signature(name.span, 0, name.count)
        var key = object + 1
        while key < end {
            let info = nodes[key].info
            if info >> 4 == wanted || info & 8 != 0, equals(key, name, in: bytes) { return key + 1 }
            key = Int(nodes[key + 1].next)
        }
        return nil
    }

    @inlinable public func member(_ object: Int, named name: ByteString, in bytes: [UInt8]) -> Int? {
        member(object, named: name.bytes, in: bytes)
    }

    /// 28 bits that differ for most different keys: length, first, middle and last byte.
    @usableFromInline @inline(__always)
    static func signature(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32 {
        let size = end - start
        guard size > 0 else { return 0 }
        let first = UInt32(bytes[start])
        let last = UInt32(bytes[end - 1])
        let middle = UInt32(bytes[start + size / 2])
        return (UInt32(truncatingIfNeeded: size & 0xFF) | first << 8 | last << 16 | (middle & 15) << 24)
    }
}
