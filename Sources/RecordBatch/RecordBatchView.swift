public import Primitives

/// One checked batch inside a larger buffer.
public struct RecordBatchView: Sendable {
    /// One record; ranges are positions in the buffer.
    public struct Record: Sendable {
        public var offsetDelta: Int
        public var key: Range<Int>?
        public var value: Range<Int>
        /// Explicit record_id from header `till-id`.
        public var id: Identifier?
    }

    public let baseOffset: Int64
    public let leaderEpoch: Int32
    public let baseTimestamp: Int64
    public let recordCount: Int
    /// The whole batch in the buffer.
    public let range: Range<Int>

    /// Checks the batch that starts at `start`: complete, version 2, checksum, uncompressed, plausible count.
    public init(_ bytes: [UInt8], at start: Int, end: Int) throws(RecordBatchError) {
        var reader = WireReader(bytes, at: start, end: end)
        guard reader.remaining >= RecordBatchLayout.headerSize else {
            throw .torn(needed: RecordBatchLayout.headerSize, available: reader.remaining)
        }
        baseOffset = reader.integer() ?? 0
        let length = Int(reader.integer(Int32.self) ?? 0)
        leaderEpoch = reader.integer() ?? 0
        let magic = reader.integer(Int8.self) ?? 0
        guard magic == RecordBatchLayout.magic else { throw .magic(magic) }
        let size = length + RecordBatchLayout.batchLengthEnd
        guard size >= RecordBatchLayout.headerSize, size <= end - start else {
            throw .torn(needed: size, available: end - start)
        }
        guard size <= RecordBatchLayout.bytesMax else { throw .tooLarge(bytes: size) }
        range = start..<start + size
        let stored = reader.integer(UInt32.self) ?? 0
        let computed = CRC32C.of(bytes[start + RecordBatchLayout.crcStart..<range.upperBound])
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }
        let attributes = reader.integer(Int16.self) ?? 0
        guard attributes & 0b110111 == 0 else { throw .compressed(attributes: attributes) }
        let lastDelta = reader.integer(Int32.self) ?? 0
        baseTimestamp = reader.integer() ?? 0
        reader.position = start + 57
        let count = reader.integer(Int32.self) ?? 0
        guard count > 0, count <= RecordBatchLayout.recordsMax, lastDelta == count - 1 else {
            throw .count(stated: count, found: Int(lastDelta) + 1)
        }
        recordCount = Int(count)
    }

    /// Calls `body` for each record in order. Throws when a record is malformed; earlier ones were already delivered.
    @inlinable public func forEach(in bytes: [UInt8], _ body: (Record) -> Void) throws(RecordBatchError) {
        var reader = WireReader(bytes, at: range.lowerBound + RecordBatchLayout.headerSize, end: range.upperBound)
        for index in 0..<recordCount {
            guard let record = Self.record(&reader, bytes), record.offsetDelta == index else {
                throw .record(index: index)
            }
            body(record)
        }
        guard reader.remaining == 0 else { throw .count(stated: Int32(recordCount), found: recordCount + 1) }
    }

    @usableFromInline static func record(_ reader: inout WireReader, _ bytes: [UInt8]) -> Record? {
        guard let length = reader.varint(), length > 0, length <= Int64(reader.remaining) else { return nil }
        let end = reader.position + Int(length)
        guard reader.take(1) != nil, reader.varint() != nil, let delta = reader.varint(), delta >= 0,
            delta < RecordBatchLayout.recordsMax, let keyLength = reader.varint(), keyLength >= -1,
            keyLength <= Int64(reader.remaining)
        else { return nil }
        var key: Range<Int>?
        if keyLength >= 0 {
            key = reader.position..<reader.position + Int(keyLength)
            reader.position += Int(keyLength)
        }
        guard let valueLength = reader.varint(), valueLength >= -1, valueLength <= Int64(reader.remaining) else {
            return nil
        }
        let value = reader.position..<reader.position + max(0, Int(valueLength))
        reader.position = value.upperBound
        guard let headers = reader.varint(), headers >= 0, headers <= 100 else { return nil }
        var id: Identifier?
        for _ in 0..<headers {
            guard let nameLength = reader.varint(), nameLength >= 0, nameLength <= Int64(reader.remaining),
                let name = reader.take(Int(nameLength)), let size = reader.varint(), size >= -1,
                size <= Int64(reader.remaining), let content = reader.take(max(0, Int(size)))
            else { return nil }
            if size == 16, name.elementsEqual(RecordBatchLayout.identifierHeader) { id = Identifier(content) }
        }
        guard reader.position == end else { return nil }
        return Record(offsetDelta: Int(delta), key: key, value: value, id: id)
    }
}
