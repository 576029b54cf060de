package import Primitives

/// Behind a reference: a record is moved often and its event is some hundred bytes.
package indirect enum RetailEvent: Sendable, Equatable {
    case line(LineEvent)
    case sale(SaleEvent)
    case reference(ReferenceEvent)
}

/// What refining says of one record.
package enum Outcome: Sendable, Equatable {
    case accepted(RetailEvent)
    /// Every reason as a JSON array; the record goes to quarantine with its bytes.
    case quarantined(reasons: ByteString)
    /// No data: receipt time has passed. Idle stores have their windows published.
    case tick
}

/// What a record of the log asks for.
package enum RecordAction: Sendable, Hashable {
    /// A record as it was received.
    case receive
    /// A quarantined record refined again, under the contract of its envelope; it keeps its record_id and bytes.
    case redrive
    /// A quarantined record that an operator gave up; it keeps its record_id and bytes.
    case discard
    /// A parked record whose references have arrived; never in a log.
    case release
}

/// One record with its outcome and what the control totals, quarantine and watermarks need of its envelope.
package struct RefinedRecord: Sendable {
    package var outcome: Outcome
    package var action = RecordAction.receive
    package var offset: Int64
    package var topic: ByteString
    package var feed: ByteString
    package var run: ByteString
    package var sender = ByteString()
    package var senderSequence: Int64?
    package var senderEpoch: ByteString = ""
    package var recordID: Identifier
    package var contract: Digest
    package var receivedAt: Timestamp
    /// The original bytes; filled for records that are quarantined, redriven, discarded, or may be parked.
    package var bytes: ByteString
    /// CSV: the header row and the separator that the bytes are read with; nil for JSON.
    package var csvHeader: ByteString?
    package var csvSeparator: Int64 = 0

    package init(
        outcome: Outcome,
        offset: Int64,
        topic: ByteString,
        feed: ByteString,
        run: ByteString,
        recordID: Identifier,
        contract: Digest,
        receivedAt: Timestamp,
        bytes: ByteString
    ) {
        self.outcome = outcome
        self.offset = offset
        self.topic = topic
        self.feed = feed
        self.run = run
        self.recordID = recordID
        self.contract = contract
        self.receivedAt = receivedAt
        self.bytes = bytes
    }

    /// Bytes that the record takes in quarantine (``QuarantineSize``); 0 when it is not rejected.
    package var quarantineBytes: Int64 {
        guard case .quarantined(let reasons) = outcome else { return 0 }
        return QuarantineSize.bytes(record: bytes.count, reasons: reasons.count, header: csvHeader?.count ?? 0)
    }

    /// Reference records without which the event is parked.
    package var requires: [ReferenceKey] {
        if case .accepted(.sale(let sale)) = outcome { sale.header.requires } else { [] }
    }
}

/// What an entry of quarantine is counted with: what is stored, not what was sent. Two bytes of `{}` become 2 KB.
package enum QuarantineSize {
    /// Keys, digests, times, topic, the index of a row and the slack of its page. Measured: 20,000 entries of `{}` with
    /// 36.1 MB of bytes and reasons take 42.4 MB of pages, 315 bytes more each.
    package static let rowBytes = 320

    /// - Parameters: Bytes of the record as sent, of its reasons as JSON, and of the CSV header kept with it.
    package static func bytes(record: Int, reasons: Int, header: Int) -> Int64 {
        Int64(rowBytes + record + reasons + header)
    }
}
