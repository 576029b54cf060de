import Primitives
import RetailModel

/// Where an event came from, as far as tables show it.
struct Origin {
    /// When it takes effect, counted over all records in the order of processing: its own place, or for an event that
    /// was parked that of the record that released it.
    var sequence: Int64
    /// Its own place in the order of processing: the order of what takes effect at the same time.
    var arrival: Int64
    var offset: Int64
    var receivedAt: Int64
    /// Index of its feed and run in ``Tallies``.
    var run: Int
    /// Index of its topic.
    var topic: Int
    var sender: ByteString
    /// False for what was redriven: it says nothing about the clock of its store.
    var movesClocks: Bool
}

/// Compact encoding of what is spilled and read back by the same process.
///
/// A writer that is kept and begun anew for each fact allocates nothing.
struct FactWriter {
    private var out = ByteBuilder()

    var count: Int { out.count }
    var bytes: ArraySlice<UInt8> { out.bytes }

    mutating func begin() { out.removeAll() }
    mutating func byte(_ value: UInt8) { out.append(value) }
    mutating func raw(_ value: [UInt8]) { out.append(value) }
    mutating func raw(_ value: ArraySlice<UInt8>) { out.append(value.span) }

    /// Parts of a key.
    mutating func ordered(_ value: Int64) { out.appendOrdered(value) }
    mutating func ordered(_ value: ByteString) { out.appendOrdered(value) }

    mutating func int(_ value: Int64) { out.appendVarint(value) }
    mutating func int(_ value: Int) { out.appendVarint(Int64(value)) }

    mutating func text(_ value: ByteString) {
        out.appendVarint(Int64(value.count))
        out.append(value)
    }

    mutating func text(_ value: ByteString?) {
        if let value { text(value) } else { out.append(1) }
    }

    /// A text that is mostly the same as one that was written before.
    mutating func text(_ value: ByteString?, like other: ByteString) {
        if value == other { int(Self.same) } else { text(value) }
    }

    /// In the place of a length, where −1 stands for nil.
    static let same: Int64 = -2

    mutating func int(_ value: Int64?) {
        out.append(value == nil ? 0 : 1)
        if let value { int(value) }
    }

    /// Two parts of 62 bits: small values take two bytes.
    mutating func wide(_ value: Int128) {
        int(Int64(value >> 62))
        int(Int64(value & (1 << 62 - 1)))
    }

    mutating func digest(_ value: Digest) {
        out.appendBigEndian(UInt128(value.a) << 64 | UInt128(value.b))
        out.appendBigEndian(UInt128(value.c) << 64 | UInt128(value.d))
    }

    mutating func origin(_ origin: Origin) {
        int(origin.sequence)
        int(origin.arrival - origin.sequence)
        int(origin.offset)
        int(origin.receivedAt)
        int(origin.run)
        int(origin.topic)
        text(origin.sender)
        out.append(origin.movesClocks ? 1 : 0)
    }
}

/// Reads what ``FactWriter`` wrote; anything else is a bug or a broken disk, and traps.
struct FactReader {
    private var wire: WireReader

    init(_ record: SortedRecord) { wire = WireReader(record.bytes, at: record.keyLength) }
    init(_ bytes: [UInt8]) { wire = WireReader(bytes) }

    mutating func int() -> Int64 {
        guard let value = wire.varint() else { Self.broken() }
        return value
    }

    mutating func text() -> ByteString {
        guard let text = optionalText() else { Self.broken() }
        return text
    }

    /// A length of −1 stands for nil.
    mutating func optionalText() -> ByteString? {
        text(int())
    }

    private mutating func text(_ count: Int64) -> ByteString? {
        if count == -1 { return nil }
        guard let text = wire.text(Int(count)) else { Self.broken() }
        return text
    }

    mutating func optionalText(like other: ByteString) -> ByteString? {
        let count = int()
        if count == FactWriter.same { return other }
        return text(count)
    }

    mutating func byte() -> UInt8 {
        guard let byte = wire.integer(UInt8.self) else { Self.broken() }
        return byte
    }

    mutating func wide() -> Int128 { Int128(int()) << 62 + Int128(int()) }

    mutating func optionalInt() -> Int64? { byte() == 0 ? nil : int() }

    mutating func digest() -> Digest {
        guard let a = wire.integer(UInt64.self), let b = wire.integer(UInt64.self),
            let c = wire.integer(UInt64.self), let d = wire.integer(UInt64.self)
        else { Self.broken() }
        return Digest(a: a, b: b, c: c, d: d)
    }

    mutating func origin() -> Origin {
        let sequence = int()
        return Origin(
            sequence: sequence,
            arrival: sequence + int(),
            offset: int(),
            receivedAt: int(),
            run: Int(int()),
            topic: Int(int()),
            sender: text(),
            movesClocks: byte() == 1
        )
    }

    private static func broken() -> Never { preconditionFailure("a spilled fact reads back as it was written") }
}
