public import Primitives

/// Builds one batch, record by record. Single owner; `finish` ends it.
public struct RecordBatchBuilder: Sendable {
    public private(set) var count = 0
    @usableFromInline var bytes: [UInt8]
    private let baseTimestamp: Int64

    /// - Parameter baseTimestamp: Milliseconds since 1970, the time of all records.
    public init(baseTimestamp: Int64, reserving capacity: Int = 512) {
        self.baseTimestamp = baseTimestamp
        bytes = []
        bytes.reserveCapacity(capacity + RecordBatchLayout.headerSize)
        bytes.append(contentsOf: repeatElement(0, count: RecordBatchLayout.headerSize))
    }

    /// Bytes of the batch so far.
    public var size: Int { bytes.count }

    /// Appends a record without key.
    /// - Parameter id: An explicit record_id, stored as header `till-id`; nil when the envelope's base decides.
    public mutating func append(_ value: ArraySlice<UInt8>, id: Identifier? = nil) {
        precondition(
            count < RecordBatchLayout.recordsMax,
            "a batch holds at most \(RecordBatchLayout.recordsMax) records"
        )
        let name = RecordBatchLayout.identifierHeader
        let headerSize = id == nil ? 1 : 1 + varintSize(Int64(name.count)) + name.count + varintSize(16) + 16
        let bodySize =
            1 + varintSize(0) + varintSize(Int64(count)) + varintSize(-1) + varintSize(Int64(value.count))
            + value.count + headerSize
        bytes.appendVarint(Int64(bodySize))
        bytes.append(0)
        bytes.appendVarint(0)
        bytes.appendVarint(Int64(count))
        bytes.appendVarint(-1)
        bytes.appendVarint(Int64(value.count))
        bytes.append(contentsOf: value)
        if let id {
            bytes.appendVarint(1)
            bytes.appendVarint(Int64(name.count))
            bytes.append(contentsOf: name)
            bytes.appendVarint(16)
            bytes.appendBigEndian(id.high)
            bytes.appendBigEndian(id.low)
        } else {
            bytes.append(0)
        }
        count += 1
    }

    /// The finished batch with base offset 0 and leader epoch 0.
    public consuming func finish() -> [UInt8] {
        precondition(count > 0, "a batch holds at least one record")
        bytes.putBigEndian(Int32(bytes.count - RecordBatchLayout.batchLengthEnd), at: 8)
        bytes.putBigEndian(RecordBatchLayout.magic, at: 16)
        bytes.putBigEndian(Int32(count - 1), at: 23)
        bytes.putBigEndian(baseTimestamp, at: 27)
        bytes.putBigEndian(baseTimestamp, at: 35)
        bytes.putBigEndian(Int64(-1), at: 43)
        bytes.putBigEndian(Int16(-1), at: 51)
        bytes.putBigEndian(Int32(-1), at: 53)
        bytes.putBigEndian(Int32(count), at: 57)
        bytes.putBigEndian(CRC32C.of(bytes[RecordBatchLayout.crcStart...]), at: 17)
        return bytes
    }

    /// Sets what the log decides in a finished batch; neither field is covered by the batch's checksum.
    public static func place(_ batch: inout [UInt8], at start: Int = 0, baseOffset: Int64, epoch: Int32) {
        batch.putBigEndian(baseOffset, at: start)
        batch.putBigEndian(epoch, at: start + 12)
    }
}
