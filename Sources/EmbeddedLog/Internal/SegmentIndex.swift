import Primitives

/// Where groups of a closed segment lie by offset and by time; a cache that is rebuilt when it is absent or damaged.
///
/// File `BASE.index`: u32 magic "TLX1", u32 crc of the rest, i64 end offset, u64 segment size, u32 crc of the last
/// group header, i32 epoch, u32 entry count, then per entry i64 offset, u64 position, i64 committedAt. Big-endian.
struct SegmentIndex: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var offset: Int64
        var position: Int
        var committedAt: Int64
    }

    var entries: [Entry] = []
    var endOffset: Int64
    var size = 0
    var lastCRC: UInt32 = 0
    var epoch: Int32 = 0

    private static let magic: UInt32 = 0x544C_5831

    init(baseOffset: Int64) { endOffset = baseOffset }

    /// Takes note of a group at the end of the segment.
    mutating func add(_ header: CommitGroup.Header) {
        if entries.isEmpty || size - (entries.last?.position ?? 0) >= EmbeddedLogLimits.indexBytesInterval {
            entries.append(Entry(offset: header.baseOffset, position: size, committedAt: header.committedAt))
        }
        size += header.groupSize
        endOffset = header.endOffset
        lastCRC = header.crc
        epoch = header.epoch
    }

    /// The position of a group at or before the one that holds `offset`.
    func position(of offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : entries[low - 1].position
    }

    /// An offset before which nothing was committed at or after `time` (microseconds since 1970); nil when no entry is
    /// older. Should the clock have been set back, it is the first of several such places.
    func offset(before time: Int64) -> Int64? {
        let newer = entries.firstIndex { $0.committedAt >= time } ?? entries.count
        return newer == 0 ? nil : entries[newer - 1].offset
    }

    func encoded() -> [UInt8] {
        var body: [UInt8] = []
        body.appendBigEndian(endOffset)
        body.appendBigEndian(UInt64(size))
        body.appendBigEndian(lastCRC)
        body.appendBigEndian(epoch)
        body.appendBigEndian(UInt32(entries.count))
        for entry in entries {
            body.appendBigEndian(entry.offset)
            body.appendBigEndian(UInt64(entry.position))
            body.appendBigEndian(entry.committedAt)
        }
        var bytes: [UInt8] = []
        bytes.appendBigEndian(Self.magic)
        bytes.appendBigEndian(CRC32C.of(body))
        return bytes + body
    }

    /// Nil when the bytes are not an undamaged index.
    init?(_ bytes: [UInt8]) {
        var reader = WireReader(bytes)
        guard let magic: UInt32 = reader.integer(), magic == Self.magic, let crc: UInt32 = reader.integer(),
            CRC32C.of(bytes[8...]) == crc, let end: Int64 = reader.integer(), let size: UInt64 = reader.integer(),
            let size = Int(exactly: size), let last: UInt32 = reader.integer(), let epoch: Int32 = reader.integer(),
            let count: UInt32 = reader.integer(), reader.remaining == Int(count) * 24
        else { return nil }
        endOffset = end
        self.size = size
        lastCRC = last
        self.epoch = epoch
        for _ in 0..<count {
            guard let offset: Int64 = reader.integer(), let position: UInt64 = reader.integer(),
                let position = Int(exactly: position), let at: Int64 = reader.integer()
            else { return nil }
            entries.append(Entry(offset: offset, position: position, committedAt: at))
        }
    }
}
