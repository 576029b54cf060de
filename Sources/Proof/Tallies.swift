import Primitives
import RetailModel
import Tables

/// Control totals of one feed and run.
struct Tally: Sendable {
    var received: Int64 = 0, distinct: Int64 = 0, duplicates: Int64 = 0, quarantined: Int64 = 0, parked: Int64 = 0
    var current: Int64 = 0, superseded: Int64 = 0, conflicting: Int64 = 0
    /// Open quarantine entries and their bytes.
    var entries: Int64 = 0, bytes: Int64 = 0
    /// Whether anything made its row in `run`.
    var exists = false

    var values: [Int64] { [received, distinct, duplicates, quarantined, parked, current, superseded, conflicting] }

    static func += (a: inout Self, b: Self) {
        a.received += b.received
        a.distinct += b.distinct
        a.duplicates += b.duplicates
        a.quarantined += b.quarantined
        a.parked += b.parked
        a.current += b.current
        a.superseded += b.superseded
        a.conflicting += b.conflicting
        a.entries += b.entries
        a.bytes += b.bytes
        a.exists = a.exists || b.exists
    }
}

/// How one event stands to those before it under its key.
enum Standing {
    case duplicate
    /// A new version; `isFirst` of its key, `sharesTime` with an earlier one.
    case distinct(isFirst: Bool, sharesTime: Bool)
}

/// Totals of every feed and run.
struct Tallies: Sendable {
    private struct Key: Hashable { var feed: ByteString, run: ByteString }

    private var index: [Key: Int] = [:]
    private var keys: [Key] = []
    private var last: (key: Key, index: Int)?
    private(set) var all: [Tally] = []
    private let capacity: Int

    init(_ capacity: ProofCapacity) { self.capacity = capacity.runs }

    mutating func run(_ feed: ByteString, _ run: ByteString) throws(ProofError) -> Int {
        let key = Key(feed: feed, run: run)
        if let last, last.key == key { return last.index }
        let number = index[key] ?? all.count
        if number == all.count {
            if number == capacity { throw .tooLarge(what: "ingest runs", limit: capacity) }
            index[key] = number
            keys.append(key)
            all.append(Tally())
        }
        last = (key, number)
        return number
    }

    subscript(run: Int) -> Tally {
        get { all[run] }
        _modify { yield &all[run] }
    }

    /// The same feeds and runs with nothing counted.
    func emptied() -> Self {
        var empty = self
        empty.all = all.map { _ in Tally() }
        return empty
    }

    /// Adds what was counted under the same feeds and runs.
    mutating func add(_ other: Self) {
        for (index, tally) in other.all.enumerated() { all[index] += tally }
    }

    func feed(_ run: Int) -> ByteString { keys[run].feed }

    mutating func book(_ standing: Standing, _ run: Int) {
        switch standing {
        case .duplicate: all[run].duplicates += 1
        case .distinct(let isFirst, let sharesTime):
            all[run].distinct += 1
            if isFirst {
                all[run].current += 1
            } else if sharesTime {
                all[run].conflicting += 1
            } else {
                all[run].superseded += 1
            }
        }
    }

    func write(_ writer: inout RowWriter, into sorter: inout RowSink) throws(ProofError) {
        var feeds: [ByteString: Tally] = [:]
        for (key, tally) in zip(keys, all) where tally.exists {
            feeds[key.feed, default: Tally()] += tally
            if !key.run.isEmpty { try Self.write(key.feed, key.run, tally, Self.runTotal, &writer, &sorter) }
        }
        for (feed, tally) in feeds {
            try Self.write(feed, "", tally, Self.feedTotal, &writer, &sorter)
            guard tally.entries != 0 || tally.bytes != 0 else { continue }
            writer.begin(Self.usage)
            writer.name(feed, "")
            writer.int(tally.entries)
            writer.int(tally.bytes)
            try writer.end(into: &sorter)
        }
    }

    private static let runTotal = TableShape.of(RetailTables.runTotal)
    private static let feedTotal = TableShape.of(RetailTables.feedTotal)
    private static let usage = TableShape.of(RetailTables.quarantineUsage)
    private static let run = TableShape.of(RetailTables.run)

    private static func write(
        _ feed: ByteString,
        _ name: ByteString,
        _ tally: Tally,
        _ shape: TableShape,
        _ writer: inout RowWriter,
        _ sorter: inout RowSink
    ) throws(ProofError) {
        writer.begin(run)
        writer.name(feed, name)
        try writer.end(into: &sorter)
        if tally.values.allSatisfy({ $0 == 0 }) { return }
        writer.begin(shape)
        writer.name(feed, name)
        for value in tally.values { writer.int(value) }
        try writer.end(into: &sorter)
    }
}
