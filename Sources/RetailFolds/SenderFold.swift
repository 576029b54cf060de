import Ports
import Primitives
import RetailModel
import Tables

/// Who sends, how far, and which sequence numbers are missing. Sequences show gaps; they are no dedupe key.
struct SenderFold {
    /// Sender of a feed, in one epoch.
    private var senders = RowCache<SenderRow>()
    /// Maximal ranges of each sender, in order.
    private var ranges: [NaturalKey: [SequenceRange]] = [:]
    private var changed: Set<NaturalKey> = []
    private var changedRanges: [NaturalKey: Set<Int64>] = [:]
    private var deleted: [Int64] = []
    private var nextRange: Int64 = 1

    /// Ranges that are kept of one sender; beyond it the second is joined with the third, so that a sender that skips
    /// every other number costs 100 kB and no more. The first still says up to where nothing is missing, as
    /// long as it does not reach what the sender's row says: from and below which number gaps are not listed any more.
    static var rangesMax: Int { 1_000 }

    mutating func prime(_ source: any TableStore) throws(TableStoreError) {
        senders.nextID = try source.greatestID(of: RetailTables.sender) + 1
        nextRange = try source.greatestID(of: RetailTables.senderRange) + 1
    }

    mutating func load(_ keys: Set<NaturalKey>, _ source: any TableStore) throws(TableStoreError) {
        senders.trim()
        if ranges.count > RowCache<SenderRow>.rowsMax / 10 { ranges.removeAll() }
        let missing = keys.filter { senders[$0] == nil || ranges[$0] == nil }
            .sorted { ($0.source, $0.key) < ($1.source, $1.key) }
        for (key, cells) in zip(missing, try source.rows(of: RetailTables.sender, keys: missing.map(\.senderCells))) {
            ranges[key] = []
            guard let cells else { continue }
            senders.keep(key, SenderRow(cells))
            ranges[key] = try source.rows(of: RetailTables.senderRange, prefix: key.senderCells).map {
                SequenceRange(
                    id: $0[0].integer,
                    low: $0[4].integer ?? 0,
                    high: $0[5].integer ?? 0,
                    eventMax: $0[6].integer
                )
            }.sorted { $0.low < $1.low }
        }
    }

    mutating func apply(_ record: RefinedRecord) {
        guard record.action == .receive, !record.sender.isEmpty, record.outcome != .tick else { return }
        let key = NaturalKey(senderOf: record)
        let seen = record.receivedAt.micros
        let event = record.eventTime
        _ = senders.update(key) { id in
            SenderRow(id: id, feed: record.feed, name: record.sender, epoch: record.senderEpoch, seen: seen)
        } body: { row, _ in
            row.records += 1
            row.firstSeen = min(row.firstSeen, seen)
            row.lastSeen = max(row.lastSeen, seen)
            if let event {
                row.eventMax = max(row.eventMax ?? event, event)
                row.delayMin = min(row.delayMin ?? .max, seen - event)
            }
            return (true, row.id)
        }
        if let sequence = record.senderSequence { note(sequence, event, key) }
    }

    /// Puts a number into the ranges, joining those that it connects.
    private mutating func note(_ sequence: Int64, _ event: Int64?, _ key: NaturalKey) {
        var list = ranges[key] ?? []
        // The last range that begins at or before the number.
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].low <= sequence { low = middle + 1 } else { high = middle }
        }
        var place = low - 1
        if place >= 0, list[place].high >= sequence {
            guard let event, event > list[place].eventMax ?? .min else { return }
        } else if place >= 0, list[place].high + 1 == sequence || Mutant.isPlanted(.hiddenGap()) {
            list[place].high = sequence
        } else if place + 1 < list.count, list[place + 1].low - 1 == sequence {
            place += 1
            forget(list[place], key)
            list[place].low = sequence
        } else {
            place += 1
            list.insert(SequenceRange(id: nil, low: sequence, high: sequence, eventMax: nil), at: place)
        }
        if let event { list[place].eventMax = max(list[place].eventMax ?? event, event) }
        if place + 1 < list.count, list[place].high + 1 == list[place + 1].low { join(place, &list, key) }
        changedRanges[key, default: []].insert(list[place].low)
        if list.count > Self.rangesMax {
            let hidden = list[1].high + 1
            let listedFrom = list[2].low
            join(1, &list, key)
            changedRanges[key, default: []].insert(list[1].low)
            guard var row = senders[key] else { preconditionFailure("a sender has its row before its ranges") }
            row.gapsFrom = max(row.gapsFrom ?? .min, listedFrom)
            row.hiddenFrom = min(row.hiddenFrom ?? .max, hidden)
            senders.set(key, row)
        }
        ranges[key] = list
    }

    /// Joins a range with the next one.
    private mutating func join(_ place: Int, _ list: inout [SequenceRange], _ key: NaturalKey) {
        let next = list.remove(at: place + 1)
        forget(next, key)
        list[place].high = next.high
        if let event = next.eventMax { list[place].eventMax = max(list[place].eventMax ?? event, event) }
    }

    /// The stored row of a range goes: its key (low) changes or it is joined.
    private mutating func forget(_ range: SequenceRange, _ key: NaturalKey) {
        if let id = range.id { deleted.append(id) }
        changedRanges[key]?.remove(range.low)
    }

    mutating func take(into changes: inout ChangeSet) {
        let rows = senders.takeChanged().sorted { $0.id < $1.id }.map(\.cells)
        if !rows.isEmpty { changes[RetailTables.sender.name, default: TableChanges()].upserts += rows }
        var upserts: [[Cell]] = []
        for (key, lows) in changedRanges {
            guard var list = ranges[key] else { continue }
            for index in list.indices where lows.contains(list[index].low) {
                // A range whose row was deleted under its old low gets a new one.
                if list[index].id == nil || deleted.contains(list[index].id ?? 0) {
                    list[index].id = nextRange
                    nextRange += 1
                }
                let range = list[index]
                upserts.append(
                    [Cell(range.id)] + key.senderCells
                        + [.integer(range.low), .integer(range.high), Cell(range.eventMax)]
                )
            }
            ranges[key] = list
        }
        if !upserts.isEmpty || !deleted.isEmpty {
            changes[RetailTables.senderRange.name, default: TableChanges()].upserts += upserts
            changes[RetailTables.senderRange.name, default: TableChanges()].deletes += deleted
        }
        changedRanges.removeAll(keepingCapacity: true)
        deleted.removeAll(keepingCapacity: true)
    }
}

extension NaturalKey {
    /// Between a sender's name and its epoch; no header has it.
    private static let separator: UInt8 = 0x1F

    /// A sender of a feed in one epoch.
    init(senderOf record: RefinedRecord) {
        self.init(record.feed, record.sender)
        if record.senderEpoch.isEmpty { return }
        key = ByteString(record.sender.bytes + [Self.separator] + record.senderEpoch.bytes)
    }

    /// Feed, name and epoch.
    var senderCells: [Cell] {
        let parts = key.bytes.split(separator: Self.separator, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return [.text(source), .text(key), .text("")] }
        return [.text(source), .text(ByteString(parts[0])), .text(ByteString(parts[1]))]
    }
}

extension RefinedRecord {
    /// Event time in microseconds of an accepted line or sale.
    var eventTime: Int64? {
        switch outcome {
        case .accepted(.line(let line)): line.occurredAt.micros
        case .accepted(.sale(let sale)): sale.header.occurredAt.micros
        case .accepted(.reference), .quarantined, .tick: nil
        }
    }
}
