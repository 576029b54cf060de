import Executors
import Ports
import Primitives
import Refine
import RetailModel
import Synchronization

/// Gives the records after a position, refined: as they were refined when they were received, where ``FreshRecords``
/// has them, else read from the log and refined here. While there is a backlog, it is one portion ahead of the fold on
/// a thread of its own, because refining is as much work as folding and needs nothing of the tables.
///
/// Thread: the owner's; the other one ends with this object.
final class RefineAhead {
    /// Records after `from`, to be committed as a whole.
    struct Portion: Sendable {
        var records: [RefinedRecord] = []
        var from: PositionVector
        var to: PositionVector
        /// The next one is here, or is being read and refined meanwhile.
        var isFollowed = false
        /// Records that came as they were refined when they were received.
        var freshRecords = 0
    }

    /// Reader and refiner, used by one thread at a time: by the other one while it is `asked`, else by the owner.
    private struct Desk {
        /// A partition that is read: what was read and does not belong to a portion yet.
        struct Line {
            var reader: any LogReader
            var held: ArraySlice<BatchSlices> = []
            var heldBytes: Int { held.reduce(0) { $0 + $1.bytes } }
        }

        var refiner: Refiner
        let fresh: FreshRecords
        var lines: [TopicPartition: Line] = [:]
        /// The partition that the portion before ended with.
        var last: TopicPartition?

        mutating func portion(of log: any EventLog, after positions: PositionVector) throws -> Portion {
            var portion = Portion(from: positions, to: positions)
            let waiting = log.partitions().filter {
                $0.feed != nil && log.durableEnd(of: $0) > positions.offsets[$0, default: 0]
            }.sorted()
            var left = PortionLimits.whole
            let share = PortionLimits.share(among: waiting.count)
            // In turn, so that a feed with much waiting never keeps the others waiting.
            let first = waiting.firstIndex { partition in last.map { partition > $0 } ?? true } ?? 0
            for partition in waiting[first...] + waiting[..<first] where !left.isSpent {
                let given = SliceBudget(records: min(left.records, share.records), bytes: min(left.bytes, share.bytes))
                var budget = given
                try take(partition, of: log, &budget, &portion)
                left.records -= given.records - budget.records
                left.bytes -= given.bytes - budget.bytes
                last = partition
            }
            return portion
        }

        private mutating func take(
            _ partition: TopicPartition,
            of log: any EventLog,
            _ budget: inout SliceBudget,
            _ portion: inout Portion
        ) throws {
            let from = portion.from.offsets[partition, default: 0]
            if let next = fresh.take(partition, from: from, budget: &budget, into: &portion.records) {
                // What was read goes on where it stopped, and that is behind now.
                lines[partition] = nil
                portion.to.offsets[partition] = next
                portion.freshRecords += Int(next - from)
                return
            }
            var line = try lines.removeValue(forKey: partition) ?? Line(reader: log.reader(partition, from: from))
            while !budget.isSpent {
                guard var slices = line.held.popFirst() else {
                    let batches = try line.reader.next(bytesMax: PortionLimits.readBytes)
                    if batches.isEmpty { break }
                    line.held = try batches.map { try BatchSlices($0) }[...]
                    continue
                }
                try refiner.refine(
                    &slices,
                    topic: partition.topic,
                    from: from,
                    budget: &budget,
                    into: &portion.records
                )
                if slices.nextOffset > from { portion.to.offsets[partition] = slices.nextOffset }
                guard slices.isAtEnd else {
                    line.held.insert(slices, at: line.held.startIndex)
                    break
                }
                // A fresh batch is taken whole or not at all: a cut inside it would leave it, and all after it, unused.
                if slices.nextOffset > from, fresh.has(partition, at: slices.nextOffset) { break }
            }
            // What is not held is read again.
            let heldElsewhere = lines.values.reduce(0) { $0 + $1.heldBytes }
            if line.heldBytes + heldElsewhere <= PortionLimits.heldBytes { lines[partition] = line }
        }
    }

    private final class Shared: Sendable {
        let desk: Mutex<Desk>
        init(_ book: ContractBook, _ fresh: FreshRecords) {
            desk = Mutex(Desk(refiner: Refiner(book: book), fresh: fresh))
        }

        func portion(of log: any EventLog, after positions: PositionVector) throws -> Portion {
            try desk.withLock { try $0.portion(of: log, after: positions) }
        }
    }

    private let log: any EventLog
    private let fresh: FreshRecords
    private let waits: () -> Int64
    private let desk: Shared
    private let other: ThreadAhead<PositionVector, Result<Portion, any Error>>
    /// Records of the log, as seen after the last portion.
    private var seenEnd: Int64 = -1
    private var seenWaits: Int64 = 0
    /// Portions for which a wait is remembered: who waits in turns waits again soon.
    private var wantedPortions = 0
    /// What was asked of the other thread.
    private var asked: PositionVector?

    /// - Parameter waits: How many have waited for the tables so far.
    init(
        _ log: any EventLog,
        _ book: ContractBook,
        _ fresh: FreshRecords,
        waits: @escaping () -> Int64
    ) {
        self.log = log
        self.fresh = fresh
        self.waits = waits
        let desk = Shared(book, fresh)
        self.desk = desk
        other = ThreadAhead(name: "till-refine") { positions in Result { try desk.portion(of: log, after: positions) } }
    }

    /// The next records after `positions`; none when the log has no more.
    func next(after positions: PositionVector) throws -> Portion {
        var portion: Portion
        if let asked {
            self.asked = nil
            precondition(asked == positions, "what is refined ahead continues what was committed")
            portion = try other.take().get()
        } else {
            portion = try desk.portion(of: log, after: positions)
        }
        let lag = lag(after: portion.to)
        fresh.note(lag: lag)
        if portion.to != positions, isBacklog(lag, after: portion.to) {
            // Fresh records are taken at the last moment: until then there will be more of them.
            portion.isFollowed = hasFresh(after: portion.to) || ask(portion.to)
        }
        return portion
    }

    /// There is more, and nothing was added since the last portion: a replay, or what a load left behind. While records
    /// come in, the other core belongs to those who receive them (measured: a quarter fewer single events otherwise),
    /// unless somebody has waited for the tables since.
    private func isBacklog(_ lag: Int64, after positions: PositionVector) -> Bool {
        let end = lag + positions.offsets.values.reduce(0, +)
        let waits = waits()
        wantedPortions = waits != seenWaits ? 4 : max(0, wantedPortions - 1)
        defer {
            seenEnd = end
            seenWaits = waits
        }
        return lag > 0 && (end == seenEnd || wantedPortions > 0)
    }

    private func hasFresh(after positions: PositionVector) -> Bool {
        log.partitions().contains { $0.feed != nil && fresh.has($0, at: positions.offsets[$0, default: 0]) }
    }

    /// Durable records after `positions`.
    func lag(after positions: PositionVector) -> Int64 {
        log.partitions().reduce(0) { sum, partition in
            guard partition.feed != nil else { return sum }
            return sum + log.durableEnd(of: partition) - positions.offsets[partition, default: 0]
        }
    }

    /// Without a thread the work is done by the owner, as if there were no more.
    private func ask(_ positions: PositionVector) -> Bool {
        guard other.give(positions) else { return false }
        asked = positions
        return true
    }
}
