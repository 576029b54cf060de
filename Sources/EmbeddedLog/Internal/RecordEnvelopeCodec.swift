import Ports
import Primitives

/// The envelope's bytes inside a group header.
///
/// ```
///  0  flags u8 (1: sender sequence present, 2: CSV, 4 and 8: action, 16: unknown format, 32: sender epoch)
///  1  contract digest 32   33 receivedAt i64
/// 41  recordIDBase 16   57 [sender sequence i64]   then short fields (u16 length, bytes):
///     feed, sender, run, subject, key, and for CSV: u8 separator, header row; for an unknown format: media type;
///     and the sender's epoch, when there is one
/// ```
enum RecordEnvelopeCodec {
    /// The bytes that ``encode(_:into:)`` appends.
    static func size(_ envelope: RecordEnvelope) -> Int {
        var size =
            57 + (envelope.senderSequence == nil ? 0 : 8) + 10 + envelope.feed.utf8.count + envelope.sender.count
            + envelope.run.count + envelope.subject.count + envelope.key.count
        if !envelope.senderEpoch.isEmpty { size += 2 + envelope.senderEpoch.count }
        switch envelope.format {
        case .json: break
        case .csv(let header, _): size += 3 + header.count
        case .unknown(let type): size += 2 + type.count
        }
        return size
    }

    /// The first field that is longer than ``EmbeddedLogLimits`` allows, and its limit; nil when all fit.
    static func oversized(_ envelope: RecordEnvelope) -> (bytes: Int, limit: Int)? {
        let longest = max(
            envelope.feed.utf8.count,
            envelope.sender.count,
            envelope.senderEpoch.count,
            envelope.run.count,
            envelope.subject.count,
            envelope.key.count
        )
        if longest > EmbeddedLogLimits.envelopeFieldBytesMax {
            return (longest, EmbeddedLogLimits.envelopeFieldBytesMax)
        }
        if case .unknown(let type) = envelope.format, type.count > EmbeddedLogLimits.envelopeFieldBytesMax {
            return (type.count, EmbeddedLogLimits.envelopeFieldBytesMax)
        }
        if case .csv(let header, _) = envelope.format, header.count > EmbeddedLogLimits.envelopeHeaderRowBytesMax {
            return (header.count, EmbeddedLogLimits.envelopeHeaderRowBytesMax)
        }
        return nil
    }

    static func encode(_ envelope: RecordEnvelope, into bytes: inout [UInt8]) {
        var flags: UInt8 = envelope.senderSequence == nil ? 0 : 1
        if case .csv = envelope.format { flags |= 2 }
        if case .unknown = envelope.format { flags |= 16 }
        if !envelope.senderEpoch.isEmpty { flags |= 32 }
        flags |= envelope.action.rawValue << 2
        bytes.append(flags)
        bytes.appendBigEndian(envelope.contract.a)
        bytes.appendBigEndian(envelope.contract.b)
        bytes.appendBigEndian(envelope.contract.c)
        bytes.appendBigEndian(envelope.contract.d)
        bytes.appendBigEndian(envelope.receivedAt.micros)
        bytes.appendBigEndian(envelope.recordIDBase.high)
        bytes.appendBigEndian(envelope.recordIDBase.low)
        if let sequence = envelope.senderSequence { bytes.appendBigEndian(sequence) }
        bytes.appendBigEndian(UInt16(envelope.feed.utf8.count))
        bytes.append(contentsOf: envelope.feed.utf8)
        bytes.appendShort(envelope.sender)
        bytes.appendShort(envelope.run)
        bytes.appendShort(envelope.subject)
        bytes.appendShort(envelope.key)
        switch envelope.format {
        case .json: break
        case .csv(let header, let separator):
            bytes.append(separator)
            bytes.appendShort(header)
        case .unknown(let type): bytes.appendShort(type)
        }
        if !envelope.senderEpoch.isEmpty { bytes.appendShort(envelope.senderEpoch) }
    }

    /// Nil when the bytes are not exactly one envelope.
    static func decode(_ slice: ArraySlice<UInt8>, in bytes: [UInt8]) -> RecordEnvelope? {
        var reader = WireReader(bytes, at: slice.startIndex, end: slice.endIndex)
        guard let flags: UInt8 = reader.integer(), flags < 64, flags & 18 != 18, let digestBytes = reader.take(32),
            let digest = Digest(digestBytes), let received: Int64 = reader.integer(),
            let high: UInt64 = reader.integer(), let low: UInt64 = reader.integer()
        else { return nil }
        var sequence: Int64?
        if flags & 1 != 0 {
            guard let value: Int64 = reader.integer() else { return nil }
            sequence = value
        }
        guard let feed = reader.short(), let sender = reader.short(), let run = reader.short(),
            let subject = reader.short(), let key = reader.short()
        else { return nil }
        var format = PayloadFormat.json
        if flags & 2 != 0 {
            guard let separator: UInt8 = reader.integer(), let header = reader.short() else { return nil }
            format = .csv(header: ByteString(header), separator: separator)
        } else if flags & 16 != 0 {
            guard let type = reader.short() else { return nil }
            format = .unknown(mediaType: ByteString(type))
        }
        var epoch: ArraySlice<UInt8> = []
        if flags & 32 != 0 {
            guard let value = reader.short(), !value.isEmpty else { return nil }
            epoch = value
        }
        guard reader.remaining == 0 else { return nil }
        var envelope = RecordEnvelope(
            feed: String(decoding: feed, as: UTF8.self),
            contract: digest,
            receivedAt: Timestamp(micros: received),
            format: format,
            recordIDBase: Identifier(high: high, low: low)
        )
        envelope.action = EnvelopeAction(rawValue: flags >> 2 & 3) ?? .receive
        envelope.sender = ByteString(sender)
        envelope.senderSequence = sequence
        envelope.senderEpoch = ByteString(epoch)
        envelope.run = ByteString(run)
        envelope.subject = ByteString(subject)
        envelope.key = ByteString(key)
        return envelope
    }
}
