import CCrypto

/// A 128-bit identifier: a uuid, or any other 16 bytes that name something.
public struct Identifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    public static let zero = Identifier(high: 0, low: 0)
    /// N of spec model 1.6: uuid5 of the DNS namespace and the name `tillstream`. Never changes.
    public static let tillstream = Identifier(high: 0x06c5_085f_5bcb_5198, low: 0xbf3d_52e2_8b58_1f7c)

    public let high: UInt64, low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil unless there are exactly 16 bytes.
    @inlinable public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        self.init(high: high, low: low)
    }

    /// The first 16 bytes of a hash.
    public init(_ digest: Digest) { self.init(high: digest.a, low: digest.b) }

    /// Reads the 8-4-4-4-12 form or 32 hex digits.
    public init?(text: String) {
        let hex = text.utf8.filter { $0 != 0x2D }
        guard hex.count == 32, let bytes = Hex.bytes(hex) else { return nil }
        self.init(bytes)
    }

    /// uuid5 (RFC 9562): SHA-1 of namespace and name.
    public static func uuid5(_ name: String, namespace: Identifier = .tillstream) -> Identifier {
        let input = namespace.bytes + Array(name.utf8)
        var out = [UInt8](repeating: 0, count: 20)
        unsafe out.withUnsafeMutableBufferPointer { target in
            unsafe input.withUnsafeBytes { unsafe ccrypto_sha1($0.baseAddress, $0.count, target.baseAddress) }
        }
        out[6] = out[6] & 0x0F | 0x50
        out[8] = out[8] & 0x3F | 0x80
        return Identifier(out.prefix(16)) ?? .zero
    }

    /// The surrogate of spec model 1.6: parts are joined with `:`, inside a part `%` and `:` are escaped.
    public static func surrogate(entity: String, source: String, key: [String]) -> Identifier {
        let parts = ([entity, source] + key).map { part in
            part.contains(where: { $0 == "%" || $0 == ":" })
                ? part.map { $0 == "%" ? "%25" : $0 == ":" ? "%3A" : String($0) }.joined() : part
        }
        return uuid5(parts.joined(separator: ":"))
    }

    /// A random uuid (version 4).
    public static func minted(by random: inout some RandomNumberGenerator) -> Identifier {
        Identifier(
            high: random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }

    /// The id of item `index` under this base: distinct for distinct indices, the base itself for 0.
    @inlinable public func item(_ index: Int) -> Identifier {
        index == 0 ? self : Identifier(high: high, low: low &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(16)
        out.appendBigEndian(high)
        out.appendBigEndian(low)
        return out
    }

    /// The 8-4-4-4-12 form, lower case.
    public var description: String {
        let hex = Array(Hex.text(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
    }

    @inlinable public static func < (a: Self, b: Self) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}
