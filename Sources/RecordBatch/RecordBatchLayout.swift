/// Kafka RecordBatch, format version 2 ("magic 2"), byte-exact: what a Kafka client sends and fetches.
///
/// ```
///   0  baseOffset            i64   patched by the log; NOT covered by crc
///   8  batchLength           i32   bytes after this field; NOT covered
///  12  partitionLeaderEpoch  i32   patched by the log; NOT covered
///  16  magic                 i8    2; NOT covered
///  17  crc                   u32   CRC-32C of everything from 21 on
///  21  attributes            i16   bits 0-2 compression (0 here), 3 timestamp type, 4 transactional, 5 control
///  23  lastOffsetDelta       i32
///  27  baseTimestamp         i64   milliseconds
///  35  maxTimestamp          i64
///  43  producerId            i64   -1: none
///  51  producerEpoch         i16   -1
///  53  baseSequence          i32   -1
///  57  recordCount           i32
///  61  records: varint length, i8 attributes, varint timestampDelta, varint offsetDelta, varint keyLength (-1 null),
///      key, varint valueLength, value, varint headerCount, headers (varint keyLength, key, varint valueLength, value)
/// ```
/// All integers big-endian; varints zig-zag. Source: Apache Kafka documentation, "Message Format". What the crc does
/// not cover is covered by the header of the commit group that stores the batch (module EmbeddedLog).
public enum RecordBatchLayout {
    public static let headerSize = 61
    public static let crcStart = 21
    public static let batchLengthEnd = 12
    public static let magic: Int8 = 2
    /// Largest batch that is read or built, in bytes: one request body (16 MiB) and its framing fit.
    public static let bytesMax = 20 << 20
    /// Records of one batch; offset deltas are 31-bit, this keeps decoding memory small.
    public static let recordsMax = 200_000
    /// Header of a record that carries an explicit record_id (16 bytes), see spec model 1.7.
    public static let identifierHeader: [UInt8] = Array("till-id".utf8)
}

/// Why bytes are not a batch that this product stores.
public enum RecordBatchError: Error, Equatable, Sendable, CustomStringConvertible {
    case torn(needed: Int, available: Int)
    case magic(Int8)
    case checksum(stored: UInt32, computed: UInt32)
    case compressed(attributes: Int16)
    case count(stated: Int32, found: Int)
    case record(index: Int)
    case tooLarge(bytes: Int)

    public var description: String {
        switch self {
        case .torn(let needed, let available):
            "The batch needs \(needed) bytes and only \(available) are there."
        case .magic(let magic): "The batch has format version \(magic); version 2 is supported."
        case .checksum(let stored, let computed):
            "The batch states CRC-32C \(stored), its bytes have \(computed)."
        case .compressed(let attributes):
            "The batch has attributes \(attributes); send it uncompressed and outside transactions."
        case .count(let stated, let found): "The batch states \(stated) records and holds \(found)."
        case .record(let index): "Record \(index) of the batch is malformed."
        case .tooLarge(let bytes):
            "The batch has \(bytes) bytes; the limit is \(RecordBatchLayout.bytesMax), send smaller batches."
        }
    }
}
