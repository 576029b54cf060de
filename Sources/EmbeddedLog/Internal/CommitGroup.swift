package import Ports
import Primitives
package import RecordBatch

/// The on-disk unit of a segment: a header that protects what a batch's own checksum does not, then the batches.
///
/// ```
///   0  magic              u32  "TLG1"
///   4  headerSize         u32  52 and the entries
///   8  crc                u32  CRC-32C of the header from 12 to headerSize
///  12  version            u16  1; 2 for a seal
///  14  reserved           u16  0
///  16  baseOffset         i64  of the group's first record
///  24  epoch              i32  how often the partition was opened for writing
///  28  recordCount        u32
///  32  bodySize           u32  bytes of the batches after the header
///  36  batchCount         u32
///  40  committedAt        i64  microseconds since 1970
///  48  previousCRC        u32  crc of the group before, also across segments; 0 for the first
///  52  entries: per batch  u32 batchSize, u32 recordCount, u16 envelopeSize, envelope (RecordEnvelopeCodec)
///  …   batches: Kafka RecordBatch v2
/// ```
/// Big-endian. Every bit is protected: magic and sizes by being what the reader needs to find, the rest of the header
/// by its crc, of a batch the first 17 bytes by comparison with the header, the rest by the batch's crc. A group is
/// written with one pwrite and one fdatasync, so a crash can only leave the last group of a segment incomplete.
///
/// A **seal** is a header of version 2 without entries and batches. It is written after the group before it was synced,
/// and says so: damage before a seal is damage of acknowledged records, not a torn write.
package enum CommitGroup {
    package static let magic: UInt32 = 0x544C_4731
    package static let fixedSize = 52
    package static let version: UInt16 = 1
    package static let sealVersion: UInt16 = 2

    /// What is wrong with the bytes of a group; the sentence names it.
    package enum Defect: Error, Equatable, Sendable, CustomStringConvertible {
        case torn(needed: Int, available: Int)
        case magic(UInt32)
        case headerSize(Int)
        case headerChecksum
        case version(UInt16)
        case offset(stated: Int64, expected: Int64)
        case chain(stated: UInt32, expected: UInt32)
        case entries
        case batchPlacement(index: Int)
        case batch(index: Int, RecordBatchError)

        package var description: String {
            switch self {
            case .torn(let needed, let available): "the group needs \(needed) bytes and \(available) are there"
            case .magic(let value): "a group must begin with TLG1, found 0x\(String(value, radix: 16))"
            case .headerSize(let size): "a header of \(size) bytes is impossible"
            case .headerChecksum: "the group header does not match its checksum"
            case .version(let version):
                "a newer till wrote the group (format version \(version), this till reads 1 and 2); use that till"
            case .offset(let stated, let expected): "the group starts at offset \(stated), expected \(expected)"
            case .chain: "the group does not follow the group before it"
            case .entries: "the list of batches in the group header is inconsistent"
            case .batchPlacement(let index): "batch \(index) differs from its description in the group header"
            case .batch(let index, let error): "batch \(index): \(error)"
            }
        }
    }

    /// A checked header.
    package struct Header: Sendable, Equatable {
        package var size = 0, bodySize = 0
        package var crc: UInt32 = 0, previousCRC: UInt32 = 0
        package var baseOffset: Int64 = 0, committedAt: Int64 = 0
        package var epoch: Int32 = 0
        package var recordCount = 0, batchCount = 0

        package var groupSize: Int { size + bodySize }
        /// It holds no records and states that what precedes it was durable.
        package var isSeal: Bool { batchCount == 0 }
        package var endOffset: Int64 { baseOffset + Int64(recordCount) }
    }

    /// Encodes batches as one group; places their offsets and epoch.
    package static func encode(
        _ batches: [LogBatch],
        baseOffset: Int64,
        epoch: Int32,
        committedAt: Int64,
        previousCRC: UInt32
    ) -> (bytes: [UInt8], header: Header) {
        precondition(!batches.isEmpty, "a commit group holds at least one batch")
        for batch in batches {
            precondition(batch.isPlausible, "a logged batch states its own size and record count")
        }
        var header = Header()
        header.bodySize = batches.reduce(0) { $0 + $1.bytes.count }
        header.recordCount = batches.reduce(0) { $0 + $1.recordCount }
        header.batchCount = batches.count
        header.baseOffset = baseOffset
        header.epoch = epoch
        header.committedAt = committedAt
        header.previousCRC = previousCRC

        var bytes: [UInt8] = []
        bytes.reserveCapacity(header.bodySize + fixedSize + batches.count * 128)
        bytes.appendBigEndian(magic)
        bytes.append(contentsOf: repeatElement(0, count: 8))
        bytes.appendBigEndian(version)
        bytes.appendBigEndian(UInt16(0))
        bytes.appendBigEndian(baseOffset)
        bytes.appendBigEndian(epoch)
        bytes.appendBigEndian(UInt32(header.recordCount))
        bytes.appendBigEndian(UInt32(header.bodySize))
        bytes.appendBigEndian(UInt32(header.batchCount))
        bytes.appendBigEndian(committedAt)
        bytes.appendBigEndian(previousCRC)
        for batch in batches {
            bytes.appendBigEndian(UInt32(batch.bytes.count))
            bytes.appendBigEndian(UInt32(batch.recordCount))
            let at = bytes.count
            bytes.appendBigEndian(UInt16(0))
            RecordEnvelopeCodec.encode(batch.envelope, into: &bytes)
            bytes.putBigEndian(UInt16(bytes.count - at - 2), at: at)
        }
        header.size = bytes.count
        precondition(
            header.size <= EmbeddedLogLimits.groupHeaderBytesMax && header.bodySize <= EmbeddedLogLimits.groupBytesMax,
            "a commit group is within EmbeddedLogLimits, or it could not be read again"
        )
        bytes.putBigEndian(UInt32(header.size), at: 4)
        header.crc = CRC32C.of(bytes[12...])
        bytes.putBigEndian(header.crc, at: 8)
        var offset = baseOffset
        for batch in batches {
            let at = bytes.count
            bytes.append(contentsOf: batch.bytes)
            RecordBatchBuilder.place(&bytes, at: at, baseOffset: offset, epoch: epoch)
            offset += Int64(batch.recordCount)
        }
        return (bytes, header)
    }

    /// Records that so many bytes can hold: a record takes at least 7 bytes, behind the headers of a group and a batch.
    static func recordsMax(in bytes: Int) -> Int {
        max(0, bytes - fixedSize - 10 - RecordBatchLayout.headerSize) / 7
    }

    /// Encodes a seal of everything before `baseOffset`.
    package static func seal(
        baseOffset: Int64,
        epoch: Int32,
        committedAt: Int64,
        previousCRC: UInt32
    ) -> (bytes: [UInt8], header: Header) {
        var header = Header()
        header.size = fixedSize
        header.baseOffset = baseOffset
        header.epoch = epoch
        header.committedAt = committedAt
        header.previousCRC = previousCRC
        var bytes: [UInt8] = []
        bytes.appendBigEndian(magic)
        bytes.appendBigEndian(UInt32(fixedSize))
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(sealVersion)
        bytes.appendBigEndian(UInt16(0))
        bytes.appendBigEndian(baseOffset)
        bytes.appendBigEndian(epoch)
        bytes.append(contentsOf: repeatElement(0, count: 12))
        bytes.appendBigEndian(committedAt)
        bytes.appendBigEndian(previousCRC)
        header.crc = CRC32C.of(bytes[12...])
        bytes.putBigEndian(header.crc, at: 8)
        return (bytes, header)
    }

    /// Reads and checks the header at `start`; `.torn` says how many bytes are needed.
    package static func header(_ bytes: [UInt8], at start: Int) throws(Defect) -> Header {
        var reader = WireReader(bytes, at: start)
        guard reader.remaining >= fixedSize else { throw .torn(needed: fixedSize, available: reader.remaining) }
        let found: UInt32 = reader.integer() ?? 0
        guard found == magic else { throw .magic(found) }
        var header = Header()
        header.size = Int(reader.integer(UInt32.self) ?? 0)
        guard header.size >= fixedSize, header.size <= EmbeddedLogLimits.groupHeaderBytesMax else {
            throw .headerSize(header.size)
        }
        guard bytes.count - start >= header.size else {
            throw .torn(needed: header.size, available: bytes.count - start)
        }
        header.crc = reader.integer() ?? 0
        guard CRC32C.of(bytes[(start + 12)..<(start + header.size)]) == header.crc else { throw .headerChecksum }
        let version: UInt16 = reader.integer() ?? 0
        guard version == Self.version || version == sealVersion else { throw .version(version) }
        _ = reader.take(2)
        header.baseOffset = reader.integer() ?? 0
        header.epoch = reader.integer() ?? 0
        header.recordCount = Int(reader.integer(UInt32.self) ?? 0)
        header.bodySize = Int(reader.integer(UInt32.self) ?? 0)
        header.batchCount = Int(reader.integer(UInt32.self) ?? 0)
        header.committedAt = reader.integer() ?? 0
        header.previousCRC = reader.integer() ?? 0
        if version == sealVersion {
            guard header.size == fixedSize, header.bodySize == 0, header.recordCount == 0, header.batchCount == 0,
                header.baseOffset >= 0
            else { throw .entries }
            return header
        }
        guard header.bodySize <= EmbeddedLogLimits.groupBytesMax, header.recordCount > 0, header.batchCount > 0,
            header.batchCount <= EmbeddedLogLimits.groupBatchesMax, header.baseOffset >= 0,
            header.baseOffset <= Int64.max - Int64(header.recordCount)
        else { throw .entries }
        return header
    }

    /// The batches of a complete group at `start`, each checked against the header and its own checksum.
    package static func batches(
        _ bytes: [UInt8],
        at start: Int,
        _ header: Header
    ) throws(Defect) -> [LoggedBatch] {
        guard bytes.count - start >= header.groupSize else {
            throw .torn(needed: header.groupSize, available: bytes.count - start)
        }
        var entries = WireReader(bytes, at: start + fixedSize, end: start + header.size)
        var at = start + header.size
        var offset = header.baseOffset
        let end = start + header.groupSize
        var found: [LoggedBatch] = []
        found.reserveCapacity(header.batchCount)
        for index in 0..<header.batchCount {
            guard let size: UInt32 = entries.integer(), let count: UInt32 = entries.integer(),
                let envelopeBytes = entries.short(),
                let envelope = RecordEnvelopeCodec.decode(envelopeBytes, in: bytes),
                Int(size) <= end - at
            else { throw .entries }
            let view: RecordBatchView
            do throws(RecordBatchError) {
                view = try RecordBatchView(bytes, at: at, end: at + Int(size))
            } catch {
                throw .batch(index: index, error)
            }
            guard view.baseOffset == offset, view.leaderEpoch == header.epoch, view.recordCount == Int(count),
                view.range.count == Int(size)
            else { throw .batchPlacement(index: index) }
            found.append(
                LoggedBatch(
                    envelope: envelope,
                    baseOffset: offset,
                    recordCount: view.recordCount,
                    buffer: bytes,
                    range: view.range
                )
            )
            at += Int(size)
            offset += Int64(count)
        }
        guard entries.remaining == 0, at == end, offset == header.endOffset else { throw .entries }
        return found
    }
}

extension LogBatch {
    /// Whether the bytes are framed as one RecordBatch v2 of `recordCount` records; their checksum is not computed.
    var isPlausible: Bool {
        guard bytes.count >= RecordBatchLayout.headerSize, bytes.count <= RecordBatchLayout.bytesMax else {
            return false
        }
        var length = WireReader(bytes, at: 8)
        var count = WireReader(bytes, at: 57)
        return length.integer(Int32.self).map(Int.init) == bytes.count - RecordBatchLayout.batchLengthEnd
            && bytes[16] == UInt8(RecordBatchLayout.magic) && recordCount > 0
            && count.integer(Int32.self).map(Int.init) == recordCount
    }
}
