package import Ports
package import Primitives
package import Refine
import RetailFolds
import RetailModel
import Tables
package import Telemetry

/// One owner's work on one store: the positions it continues from, the fold's memory, and a reader per partition.
/// Single owner; made anew after any failure, so nothing half-done is ever continued.
package final class ProcessingWorker {
    package enum Step: Sendable, Equatable { case idle, committed, fenced }

    /// When a batch is written while the next is folded.
    package enum Overlap: Sendable {
        /// While there is a backlog: else the other core belongs to those who receive.
        case backlog
        /// With every batch, in tests.
        case always
    }

    private let store: CommitBehind
    private let overlap: Overlap
    private let board: PositionBoard
    private let gauges: TableGauges
    private let metrics: Metrics
    private let time: any TimeSource
    private let owner: Int64
    private var positions: PositionVector
    private var fold = RetailFold()
    private var refiner: Refiner
    private let ahead: RefineAhead
    /// What is left of a portion whose references were folded first.
    private var pending: RefineAhead.Portion?
    private var isFenced = false
    /// The batch before belonged to a backlog: nothing came in meanwhile, and the next is refined already.
    package private(set) var isCatchingUp = false

    /// Claims the store and reads its positions.
    package init(
        log: any EventLog,
        store: any TableStore,
        book: ContractBook,
        board: PositionBoard,
        quota: QuarantineQuota = QuarantineQuota(bytesMax: .max),
        fresh: FreshRecords = FreshRecords(),
        metrics: Metrics,
        time: any TimeSource,
        overlap: Overlap = .backlog
    ) throws {
        self.store = CommitBehind(store, time: time)
        self.overlap = overlap
        self.board = board
        self.metrics = metrics
        self.time = time
        refiner = Refiner(book: book)
        ahead = RefineAhead(log, book, fresh) { board.waits }
        owner = try self.store.claim()
        positions = try self.store.positions()
        gauges = try TableGauges(self.store, metrics, quota)
        // An owner before may have stopped between a reference record and those that waited for it.
        while try releaseParked() {}
        board.publish(positions)
    }

    /// Folds and commits one batch of each partition that has more.
    package func step() throws -> Step {
        let portion = try pending ?? ahead.next(after: positions)
        pending = nil
        metrics.add(.process_fresh_records_total, Int64(portion.freshRecords))
        guard portion.to != positions else { return try store.settle() == .fenced ? .fenced : .idle }
        if let (references, rest) = split(portion) {
            // What waited for these references is counted before anything that came after it.
            pending = rest
            return try fold(references)
        }
        return try fold(portion)
    }

    private func fold(_ portion: RefineAhead.Portion) throws -> Step {
        isCatchingUp = portion.isFollowed
        var records = portion.records
        if Mutant.isPlanted(.lostRecord()) { records.removeLast(min(1, records.count)) }
        try store.begin()
        let changes = try fold.apply(records, from: store)
        var settled: Int64 = 0
        // In a span: a copy of a record would count references to all its parts.
        let span = records.span
        for index in span.indices where span[index].action == .receive { settled += span[index].quarantineBytes }
        let releases = changes.changes[RetailTables.parkedRelease.name] != nil
        if !releases, portion.isFollowed || overlap == .always {
            guard try commitBehind(changes, to: portion.to, settled: settled, portion.isFollowed) else {
                return .fenced
            }
            positions = portion.to
            return .committed
        }
        guard try commit(changes, to: portion.to, settled: settled) else { return .fenced }
        positions = portion.to
        // Readers see the positions only when nobody waits any more for what came with them.
        if releases { while try releaseParked() {} }
        if isFenced { return .fenced }
        board.publish(positions)
        return .committed
    }

    /// The records of partitions with reference records, and those of the others; nil when there are not both.
    private func split(
        _ portion: RefineAhead.Portion
    ) -> (references: RefineAhead.Portion, rest: RefineAhead.Portion)? {
        var topics: Set<ByteString> = []
        for record in portion.records {
            if case .accepted(.reference) = record.outcome { topics.insert(record.topic) }
        }
        guard !topics.isEmpty, portion.records.contains(where: { !topics.contains($0.topic) }) else { return nil }
        var references = RefineAhead.Portion(from: portion.from, to: portion.from)
        for (partition, offset) in portion.to.offsets where topics.contains(ByteString(partition.topic)) {
            references.to.offsets[partition] = offset
        }
        references.records = portion.records.filter { topics.contains($0.topic) }
        var rest = RefineAhead.Portion(from: references.to, to: portion.to)
        rest.records = portion.records.filter { !topics.contains($0.topic) }
        return (references, rest)
    }

    /// Durable records that are not folded yet.
    package var lag: Int64 { ahead.lag(after: positions) }

    /// Topics whose windows wait for receipt time to pass, and the time from which a record should say that it has.
    package var waiting: [ByteString: Int64] { fold.waiting }

    /// Counts parked records whose reference has arrived, some hundred at a time; false when there are none.
    private func releaseParked() throws -> Bool {
        guard !isFenced, let due = try fold.dueRelease(store) else { return false }
        var records: [RefinedRecord] = []
        for row in due.rows { records.append(try refineParked(row)) }
        try store.begin()
        isFenced = try !commit(fold.release(due, records, from: store), to: positions)
        return true
    }

    /// A parked record as it was received, refined again under its own contract.
    private func refineParked(_ row: [Cell]) throws -> RefinedRecord {
        let bytes = row[4].bytes?.bytes ?? []
        guard let id = Identifier(row[2].bytes?.bytes ?? []), let contract = Digest((row[6].bytes?.bytes ?? [])[...])
        else { throw TableStoreError.damaged(cause: "a row of parked has no record_id or contract") }
        let feed = row[1].bytes ?? ""
        let received = Timestamp(micros: row[7].integer ?? 0)
        var format = PayloadFormat.json
        if let header = row[10].bytes {
            format = .csv(header: header, separator: UInt8(truncatingIfNeeded: row[11].integer ?? 0))
        }
        var record = RefinedRecord(
            outcome: .tick,
            offset: row[13].integer ?? 0,
            topic: row[12].bytes ?? "",
            feed: feed,
            run: row[8].bytes ?? "",
            recordID: id,
            contract: contract,
            receivedAt: received,
            bytes: ""
        )
        record.action = .release
        record.sender = row[9].bytes ?? ""
        let envelope = RecordEnvelope(
            feed: feed.description,
            contract: contract,
            receivedAt: received,
            format: format,
            recordIDBase: id
        )
        try refiner.refine(bytes, 0..<bytes.count, envelope, &record)
        return record
    }

    /// Commits and counts; false when another owner has taken over.
    private func commit(
        _ folded: (changes: ChangeSet, tally: RetailFold.Tally),
        to: PositionVector,
        settled: Int64 = 0
    ) throws -> Bool {
        let started = time.monotonicNanos()
        let changes = Self.planted(folded.changes)
        if try store.commit(changes, from: positions, to: to, owner: owner) == .fenced { return false }
        Self.book(changes, folded.tally, time.monotonicNanos() - started, metrics, gauges)
        gauges.release(settled)
        return true
    }

    /// Begins to commit; false when the commit before found another owner. Readers see the positions when it has ended.
    private func commitBehind(
        _ folded: (changes: ChangeSet, tally: RetailFold.Tally),
        to: PositionVector,
        settled: Int64,
        _ isFollowed: Bool
    ) throws -> Bool {
        let changes = Self.planted(folded.changes)
        return try store.commitBehind(changes, from: positions, to: to, owner: owner, isFollowed: isFollowed) {
            [metrics, gauges, board] answer, nanos in
            if answer == .fenced { return }
            Self.book(changes, folded.tally, nanos, metrics, gauges)
            gauges.release(settled)
            board.publish(to)
        }
    }

    private static func planted(_ changes: ChangeSet) -> ChangeSet {
        guard Mutant.isPlanted(.doubledBatch()) else { return changes }
        return changes.mapValues { change in
            var change = change
            change.additions = change.additions.mapValues { sums in sums.map { 2 * $0 } }
            return change
        }
    }

    private static func book(
        _ changes: ChangeSet,
        _ tally: RetailFold.Tally,
        _ nanos: Int64,
        _ metrics: Metrics,
        _ gauges: TableGauges
    ) {
        gauges.follow(changes)
        metrics.add(.process_commit_micros_total, nanos / 1_000)
        metrics.add(.process_commits_total)
        metrics.add(.process_records_total, tally.received)
        metrics.add(.process_duplicates_total, tally.duplicates)
        metrics.add(.process_quarantined_total, max(0, tally.quarantined))
        metrics.add(.process_superseded_total, max(0, tally.superseded))
        metrics.add(.process_conflicting_total, max(0, tally.conflicting))
    }
}
