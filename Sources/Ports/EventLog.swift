package import Primitives

/// A partition of a topic. Topics are `feed.NAME` for feeds and `till.contracts` for contract texts.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var topic: String
    package var partition: Int32

    package init(_ topic: String, _ partition: Int32 = 0) {
        self.topic = topic
        self.partition = partition
    }

    /// The partition that a feed is received in.
    package init(feed: String) { self.init(Self.feedPrefix + feed) }

    private static let feedPrefix = "feed."

    /// The feed that is received in it; nil for a control topic.
    package var feed: String? {
        topic.hasPrefix(Self.feedPrefix) ? String(topic.dropFirst(Self.feedPrefix.count)) : nil
    }

    package var description: String { "\(topic)/\(partition)" }

    /// `topic/partition:offset`, one element of a position vector.
    package func position(_ offset: Int64) -> ByteString {
        var text: [UInt8] = []
        text.reserveCapacity(topic.utf8.count + 24)
        text.append(contentsOf: topic.utf8)
        text.append(UInt8(ascii: "/"))
        text.appendDecimal(partition)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(offset)
        return ByteString(text)
    }

    package static func < (a: Self, b: Self) -> Bool {
        a.topic != b.topic ? a.topic < b.topic : a.partition < b.partition
    }
}

/// How the bytes of a batch's records are to be read.
package enum PayloadFormat: Hashable, Sendable {
    case json
    /// One CSV row a record, without line end; `header` is the file's first row, verbatim.
    case csv(header: ByteString, separator: UInt8)
    /// Sent as something that nobody reads: kept as it is, and rejected for its media type.
    case unknown(mediaType: ByteString)
}

/// What the records of a batch ask for.
package enum EnvelopeAction: UInt8, Sendable {
    /// To be counted, as received.
    case receive = 0
    /// A quarantined record again, to be refined under the contract of this envelope; record_id and bytes are kept.
    case redrive = 1
    /// A quarantined record that an operator gave up; record_id and bytes are kept.
    case discard = 2
    /// No data: receipt time has passed.
    case tick = 3
}

/// What is known of records before they are decoded: spec model 1.7, stored with the bytes, for bad input too.
package struct RecordEnvelope: Hashable, Sendable {
    package var feed: String
    package var action = EnvelopeAction.receive
    /// Digest of the contract text that refines these records for ever.
    package var contract: Digest
    /// When the bytes arrived here.
    package var receivedAt: Timestamp
    package var format: PayloadFormat
    /// Who sent it, and the sender's own sequence: not a dedupe key.
    package var sender = ByteString()
    package var senderSequence: Int64?
    /// Which count of the sender's sequence it is of; empty for the first, which has no name.
    package var senderEpoch: ByteString = ""
    /// record_id of record i is `recordIDBase.item(i)`, unless the record carries its own.
    package var recordIDBase: Identifier
    /// The ingest run, empty when there is none.
    package var run = ByteString()
    /// Reserved: whose personal data this is, and the key that encrypts it.
    package var subject = ByteString()
    package var key = ByteString()

    package init(feed: String, contract: Digest, receivedAt: Timestamp, format: PayloadFormat, recordIDBase: Identifier)
    {
        self.feed = feed
        self.contract = contract
        self.receivedAt = receivedAt
        self.format = format
        self.recordIDBase = recordIDBase
    }
}

/// A batch to append: finished RecordBatch v2 bytes and their envelope.
package struct LogBatch: Sendable {
    package var partition: TopicPartition
    package var envelope: RecordEnvelope
    package var bytes: [UInt8]
    package var recordCount: Int

    package init(partition: TopicPartition, envelope: RecordEnvelope, bytes: [UInt8], recordCount: Int) {
        self.partition = partition
        self.envelope = envelope
        self.bytes = bytes
        self.recordCount = recordCount
    }
}

/// Where a batch went. `offsets.upperBound` is the position after it.
package struct LogReceipt: Sendable, Equatable {
    package var partition: TopicPartition
    package var offsets: Range<Int64>

    package init(partition: TopicPartition, offsets: Range<Int64>) {
        self.partition = partition
        self.offsets = offsets
    }
}

/// A batch as it was stored; `range` is the RecordBatch inside `buffer`, which several batches share.
package struct LoggedBatch: Sendable {
    package var envelope: RecordEnvelope
    package var baseOffset: Int64
    package var recordCount: Int
    package var buffer: [UInt8]
    package var range: Range<Int>

    package init(envelope: RecordEnvelope, baseOffset: Int64, recordCount: Int, buffer: [UInt8], range: Range<Int>) {
        self.envelope = envelope
        self.baseOffset = baseOffset
        self.recordCount = recordCount
        self.buffer = buffer
        self.range = range
    }
}

/// Reads one partition forward. Single owner.
package protocol LogReader: AnyObject {
    /// Whole batches from the current offset on, at most about `bytesMax` bytes (at least one batch when there is one);
    /// empty at the durable end. A batch that began before the start offset is delivered whole: the caller skips.
    func next(bytesMax: Int) throws(EventLogError) -> [LoggedBatch]
}

/// The durable, ordered record of everything received.
///
/// - L1 A completion with success comes only after the bytes survive a power cut.
/// - L2 Offsets of a partition are consecutive from 0 over all batches, in the order of submission.
/// - L3 A batch is stored whole or not at all; several batches may share one sync.
/// - L4 Reading an offset twice gives the same bytes, before and after a restart.
/// - L5 A reader never sees a batch before it is durable.
/// - L6 A write for which there is no room is undone, durably, before anyone is told (`full`): nothing of it appears
///   later. Everything submitted until then is refused with it, so that nothing overtakes; the next submission is tried
///   anew. After any other failed write, a failed sync or a failed undoing nothing more is accepted until the log is
///   opened again (`poisoned`); a batch refused so may be there afterwards, whole, or not.
/// - L7 Memory is bounded: beyond the limit of waiting bytes `submit` throws `saturated`.
package protocol EventLog: AnyObject, Sendable {
    /// Hands a batch over; never blocks on the disk. `completion` is called exactly once, on the log's thread unless
    /// this call throws; it must be short.
    ///
    /// - Parameter moreFollows: The caller calls ``flush()`` before it waits for anything: the batch may wait for it, so
    ///   that what is submitted in one go shares a sync.
    func submit(
        _ batch: LogBatch,
        moreFollows: Bool,
        completion: @escaping @Sendable (Result<LogReceipt, EventLogError>) -> Void
    ) throws(EventLogError)
    /// Begins to write what was submitted with `moreFollows`; cheap when there is nothing.
    func flush()
    func reader(_ partition: TopicPartition, from offset: Int64) throws(EventLogError) -> any LogReader
    /// The offset after the last durable record; 0 for a partition that does not exist.
    func durableEnd(of partition: TopicPartition) -> Int64
    func partitions() -> [TopicPartition]
    /// Registers what is called on the log's thread after records became durable. Must be short.
    func onDurable(_ notify: @escaping @Sendable () -> Void)
    /// The error that stopped appending (`poisoned`) or that the latest try met (`full`); nil while the log accepts.
    func failure() -> EventLogError?
}

extension EventLog {
    package func submit(
        _ batch: LogBatch,
        completion: @escaping @Sendable (Result<LogReceipt, EventLogError>) -> Void
    ) throws(EventLogError) {
        try submit(batch, moreFollows: false, completion: completion)
    }
}

/// Failures of ``EventLog``.
package enum EventLogError: OperationalError, Equatable {
    case saturated(waitingBytes: Int, limit: Int)
    case full(operation: String, cause: String)
    case poisoned(cause: String)
    case corrupt(partition: String, segment: String, byte: Int64, defect: String)
    case unavailable(operation: String, cause: String)
    case batchTooLarge(bytes: Int, limit: Int)
    case envelopeTooLarge(bytes: Int, limit: Int)
    case offsetOutOfRange(partition: String, offset: Int64, start: Int64, end: Int64)
    case locked(path: String)
    case closed

    package var code: String {
        switch self {
        case .saturated: "log.saturated"
        case .full: "log.full"
        case .poisoned: "log.poisoned"
        case .corrupt: "log.corrupt"
        case .unavailable: "log.unavailable"
        case .batchTooLarge: "log.batch_too_large"
        case .envelopeTooLarge: "log.envelope_too_large"
        case .offsetOutOfRange: "log.offset_out_of_range"
        case .locked: "log.locked"
        case .closed: "log.closed"
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .saturated, .full, .poisoned, .unavailable, .closed: .external
        case .corrupt: .integrity
        case .batchTooLarge, .envelopeTooLarge, .offsetOutOfRange, .locked: .user
        }
    }

    package var retry: RetryHint {
        switch self {
        case .saturated, .full, .unavailable: .afterBackoff
        case .poisoned, .corrupt, .batchTooLarge, .envelopeTooLarge, .offsetOutOfRange, .locked, .closed: .never
        }
    }

    package var description: String {
        switch self {
        case .saturated(let bytes, let limit):
            "\(bytes) bytes wait for the disk and the limit is \(limit); send again after the time in Retry-After."
        case .full(let operation, let cause):
            "The log has no room: it could not \(operation): \(cause). Nothing of the request is stored; free space and send again, till goes on by itself."
        case .poisoned(let cause):
            "The log stopped accepting after \(cause); mend the disk and start till again."
        case .corrupt(let partition, let segment, let byte, let defect):
            "Partition \(partition) is damaged in \(segment) at byte \(byte): \(defect); restore the file from a backup, nothing after it is read."
        case .unavailable(let operation, let cause): "The log could not \(operation): \(cause); it is tried again."
        case .batchTooLarge(let bytes, let limit):
            "The batch has \(bytes) bytes and the limit is \(limit); send smaller batches."
        case .envelopeTooLarge(let bytes, let limit):
            "A field of the record envelope has \(bytes) bytes and the limit is \(limit); shorten it."
        case .offsetOutOfRange(let partition, let offset, let start, let end):
            "Offset \(offset) is outside \(partition), which holds \(start) to \(end)."
        case .locked(let path):
            "Another till writes to \(path); stop it first, or name another directory with --data."
        case .closed: "The log is closed."
        }
    }
}
