import CCrypto
import CShims

/// A 256-bit content hash (SHA-256). Order is that of the bytes.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    public static let zero = Digest(a: 0, b: 0, c: 0, d: 0)

    public let a: UInt64, b: UInt64, c: UInt64, d: UInt64

    @inlinable public init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
    }

    /// Nil unless there are exactly 32 bytes.
    @inlinable public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c: UInt64 = 0
        var d: UInt64 = 0
        for byte in bytes {
            a = a << 8 | b >> 56
            b = b << 8 | c >> 56
            c = c << 8 | d >> 56
            d = d << 8 | UInt64(byte)
        }
        self.init(a: a, b: b, c: c, d: d)
    }

    /// SHA-256 of the bytes.
    public static func sha256(of bytes: [UInt8]) -> Digest { unsafe bytes.withUnsafeBytes { unsafe sha256(of: $0) } }

    /// SHA-256 of the bytes of a slice, without copying them.
    public static func sha256(of bytes: ArraySlice<UInt8>) -> Digest {
        unsafe bytes.withUnsafeBytes { unsafe sha256(of: $0) }
    }

    private static func sha256(of raw: UnsafeRawBufferPointer) -> Digest {
        // Lifetime: the callee reads `raw` and writes 32 bytes into the tuple before it returns.
        var out: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &out) {
            unsafe ccrypto_sha256(raw.baseAddress, raw.count, $0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        return Digest(a: out.0.bigEndian, b: out.1.bigEndian, c: out.2.bigEndian, d: out.3.bigEndian)
    }

    public var bytes: [UInt8] {
        // Lifetime: the tuple outlives the closure, and the array copies its bytes.
        var words = (a.bigEndian, b.bigEndian, c.bigEndian, d.bigEndian)
        return unsafe withUnsafeBytes(of: &words) { unsafe Array($0) }
    }

    /// 64 lower-case hex digits.
    public var description: String { Hex.text(bytes) }

    /// Compares in time that does not depend on where the two differ: for secrets.
    public func equalsInConstantTime(_ other: Digest) -> Bool {
        (a ^ other.a) | (b ^ other.b) | (c ^ other.c) | (d ^ other.d) == 0
    }

    public static func < (x: Self, y: Self) -> Bool {
        if x.a != y.a { return x.a < y.a }
        if x.b != y.b { return x.b < y.b }
        if x.c != y.c { return x.c < y.c }
        return x.d < y.d
    }
}

/// SHA-256 of bytes that arrive in pieces. Thread: the owner's.
@safe public final class DigestStream {
    // Owned: made here, freed by finish or deinit, never shared.
    private var state: OpaquePointer?

    public init() { unsafe state = ccrypto_hash_make() }

    deinit { if unsafe state != nil { _ = finish() } }

    public func add(_ bytes: ArraySlice<UInt8>) {
        precondition(unsafe state != nil, "a finished digest takes no more bytes")
        unsafe bytes.withUnsafeBytes { unsafe ccrypto_hash_add(state, $0.baseAddress, $0.count) }
    }

    /// The hash of everything added; the object may not be used afterwards.
    public func finish() -> Digest {
        var out = [UInt8](repeating: 0, count: 32)
        unsafe out.withUnsafeMutableBufferPointer { unsafe ccrypto_hash_finish(state, $0.baseAddress) }
        unsafe state = nil
        return Digest(out) ?? .zero
    }
}

/// CRC-32C (Castagnoli), as in Kafka's record batches.
public enum CRC32C {
    public static func of(_ bytes: [UInt8]) -> UInt32 { of(bytes[...]) }

    public static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe cshims_crc32c(0, $0.baseAddress, $0.count) }
    }
}

public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil unless the text is an even number of hex digits.
    public static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var out: [UInt8] = []
        var high: UInt8?
        for byte in text {
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x41...0x46: value = byte - 0x41 + 10
            case 0x61...0x66: value = byte - 0x61 + 10
            default: return nil
            }
            if let h = high {
                out.append(h << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }
}
