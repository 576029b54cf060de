import Primitives
import RetailModel
import Tables

/// Senders and the sequence numbers that arrived from each (S9). In memory: senders are few
/// (``ProofCapacity/senders``), and a sender has at most ``ProofLimits/rangesMax`` ranges.
struct SendersProof {
    private struct Key: Hashable { var feed: ByteString, name: ByteString, epoch: ByteString }

    private struct Range {
        var low: Int64, high: Int64
        var eventMax: Int64?
    }

    private struct Sender {
        var records: Int64 = 0
        var firstSeen = Int64.max, lastSeen = Int64.min
        var eventMax: Int64?, delayMin: Int64?
        /// In order, with gaps between them.
        var ranges: [Range] = []
        /// Gaps below were given up, save the first.
        var gapsFrom: Int64?
        /// The least number in a gap that was given up.
        var hiddenFrom: Int64?
    }

    private var senders: [Key: Sender] = [:]
    private var ranges = 0
    private let capacity: ProofCapacity

    init(_ capacity: ProofCapacity) { self.capacity = capacity }

    mutating func add(_ record: RefinedRecord) throws(ProofError) {
        guard !record.sender.isEmpty else { return }
        let received = record.receivedAt.micros
        let time: Int64? =
            switch record.outcome {
            case .accepted(.line(let line)): line.occurredAt.micros
            case .accepted(.sale(let sale)): sale.header.occurredAt.micros
            case .accepted(.reference), .quarantined, .tick: nil
            }
        let key = Key(feed: record.feed, name: record.sender, epoch: record.senderEpoch)
        ranges += Self.update(&senders[key, default: Sender()], received, time, record.senderSequence)
        if senders.count > capacity.senders { throw .tooLarge(what: "senders", limit: capacity.senders) }
        if ranges > capacity.senderRanges {
            throw .tooLarge(what: "ranges of sequence numbers", limit: capacity.senderRanges)
        }
    }

    /// Returns how many ranges there are more.
    private static func update(_ sender: inout Sender, _ received: Int64, _ time: Int64?, _ sequence: Int64?) -> Int {
        sender.records += 1
        sender.firstSeen = min(sender.firstSeen, received)
        sender.lastSeen = max(sender.lastSeen, received)
        if let time {
            sender.eventMax = max(sender.eventMax ?? time, time)
            sender.delayMin = min(sender.delayMin ?? .max, received - time)
        }
        guard let sequence else { return 0 }
        let before = sender.ranges.count
        insert(sequence, time, &sender.ranges)
        if sender.ranges.count > ProofLimits.rangesMax {
            sender.gapsFrom = later(sender.gapsFrom, sender.ranges[2].low)
            let given = sender.ranges[1].high + 1
            if given < sender.hiddenFrom ?? .max { sender.hiddenFrom = given }
            join(1, &sender.ranges)
        }
        return sender.ranges.count - before
    }

    private static func insert(_ sequence: Int64, _ time: Int64?, _ ranges: inout [Range]) {
        // The first range that ends at or behind the number; mostly the last one.
        var at = ranges.count
        while at > 0, ranges[at - 1].high >= sequence { at -= 1 }
        if at < ranges.count, ranges[at].low <= sequence {
            ranges[at].eventMax = later(ranges[at].eventMax, time)
            return
        }
        ranges.insert(Range(low: sequence, high: sequence, eventMax: time), at: at)
        if at + 1 < ranges.count, ranges[at + 1].low - 1 == sequence { join(at, &ranges) }
        if at > 0, ranges[at - 1].high + 1 == sequence { join(at - 1, &ranges) }
    }

    private static func join(_ at: Int, _ ranges: inout [Range]) {
        let next = ranges.remove(at: at + 1)
        ranges[at].high = next.high
        ranges[at].eventMax = later(ranges[at].eventMax, next.eventMax)
    }

    private static func later(_ a: Int64?, _ b: Int64?) -> Int64? {
        guard let a, let b else { return a ?? b }
        return max(a, b)
    }

    private static let sender = TableShape.of(RetailTables.sender)
    private static let range = TableShape.of(RetailTables.senderRange)

    func write(_ writer: inout RowWriter, into rows: inout RowSink) throws(ProofError) {
        for (key, sender) in senders {
            writer.begin(Self.sender)
            writer.name(key.feed, key.name)
            writer.text(key.epoch)
            writer.int(sender.records)
            writer.int(sender.firstSeen)
            writer.int(sender.lastSeen)
            writer.int(sender.eventMax)
            writer.int(sender.delayMin)
            writer.int(sender.gapsFrom)
            writer.int(sender.hiddenFrom)
            try writer.end(into: &rows)
            for range in sender.ranges {
                writer.begin(Self.range)
                writer.name(key.feed, key.name)
                writer.text(key.epoch)
                writer.int(range.low)
                writer.int(range.high)
                writer.int(range.eventMax)
                try writer.end(into: &rows)
            }
        }
    }
}
