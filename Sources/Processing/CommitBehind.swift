import Executors
import Ports
import Primitives
import Tables

/// A store that writes one batch on a thread of its own while the next is folded: writing is half of the work.
///
/// Look-ups see what is being written as if it were committed already (``PendingChanges``), and share the store with
/// the writer in turn. There is never more than one commit under way, the next begins when it has ended well, and
/// after one that failed nothing more is written: whoever folded on from it is thrown away with it.
///
/// Thread: the owner's; the other one ends with this object.
final class CommitBehind: TableStore {
    /// What is to be told of a commit that left: how it ended and how long it took.
    typealias Completion = @Sendable (_ answer: CommitAnswer, _ nanos: Int64) -> Void

    private struct Work: Sendable {
        var changes: ChangeSet
        var from: PositionVector
        var to: PositionVector
        var owner: Int64
        /// Another commit comes: its transaction is opened at once, for the look-ups before it.
        var isFollowed: Bool
        var completion: Completion
    }

    /// Rows that are written before a look-up gets its turn: some tens of microseconds.
    private static var rowsPerTurn: Int { 16 }

    private let store: TakenInTurn<any TableStore>
    private let time: any TimeSource
    private let writer: ThreadAhead<Work, Result<CommitAnswer, TableStoreError>>
    /// What is being written.
    private var pending: PendingChanges?
    /// How it ended, when a look-up had to wait for that.
    private var ended: Result<CommitAnswer, TableStoreError>?

    /// - Parameter store: Used through this object only from now on.
    init(_ store: any TableStore, time: any TimeSource) {
        let shared = TakenInTurn(store)
        self.store = shared
        self.time = time
        writer = ThreadAhead(name: "till-commit") { work in
            Result { () throws(TableStoreError) in try Self.commit(work, shared, time) }
        }
    }

    // MARK: Commits

    /// Begins to commit on the other thread and returns. The commit before is waited for.
    ///
    /// - Parameter isFollowed: Another commit comes soon.
    /// - Returns: False when the commit before found another owner; nothing is begun then.
    /// - Throws: ``TableStoreError`` of the commit before.
    func commitBehind(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64,
        isFollowed: Bool,
        _ completion: @escaping Completion
    ) throws(TableStoreError) -> Bool {
        if try settle() == .fenced { return false }
        let work = Work(
            changes: changes,
            from: from,
            to: to,
            owner: owner,
            isFollowed: isFollowed,
            completion: completion
        )
        guard writer.give(work) else {
            // Without a thread the work is done here; how it ended is said as if it had been done there.
            ended = Result { () throws(TableStoreError) in try Self.commit(work, store, time) }
            return true
        }
        pending = PendingChanges(changes)
        return true
    }

    /// Waits for the commit that is under way.
    ///
    /// - Returns: How it ended, once; nil when there is none.
    @discardableResult func settle() throws(TableStoreError) -> CommitAnswer? {
        waitForEnd()
        defer { ended = nil }
        return try ended?.get()
    }

    private func waitForEnd() {
        guard pending != nil else { return }
        ended = writer.take()
        pending = nil
    }

    func commit(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer {
        if try settle() == .fenced { return .fenced }
        return try store.use { (store) throws(TableStoreError) in
            try store.commit(changes, from: from, to: to, owner: owner)
        }
    }

    // MARK: The other thread

    private static func commit(
        _ work: Work,
        _ store: TakenInTurn<any TableStore>,
        _ time: any TimeSource
    ) throws(TableStoreError) -> CommitAnswer {
        let started = time.monotonicNanos()
        try store.use { (store) throws(TableStoreError) in try store.begin() }
        for (table, change) in work.changes.sorted(by: { $0.key < $1.key }) {
            if !change.deletes.isEmpty { try write(TableChanges(deletes: change.deletes), table, store) }
            try inTurns(change.upserts) { (rows) throws(TableStoreError) in
                try write(TableChanges(upserts: Array(rows)), table, store)
            }
            // In key order: neighbours share pages.
            try inTurns(change.additions.sorted { $0.key < $1.key }) { (sums) throws(TableStoreError) in
                let additions = Dictionary(uniqueKeysWithValues: sums.map { ($0, $1) })
                try write(TableChanges(additions: additions), table, store)
            }
        }
        let answer = try store.use { (store) throws(TableStoreError) in
            try store.commit([:], from: work.from, to: work.to, owner: work.owner)
        }
        work.completion(answer, time.monotonicNanos() - started)
        // Outside a transaction each look-up would take and give back a lock of the file.
        if work.isFollowed, answer != .fenced { try store.use { (store) throws(TableStoreError) in try store.begin() } }
        return answer
    }

    private static func inTurns<Element>(
        _ all: [Element],
        _ body: (ArraySlice<Element>) throws(TableStoreError) -> Void
    ) throws(TableStoreError) {
        for first in stride(from: 0, to: all.count, by: rowsPerTurn) {
            try body(all[first..<min(first + rowsPerTurn, all.count)])
        }
    }

    private static func write(
        _ change: TableChanges,
        _ table: String,
        _ store: TakenInTurn<any TableStore>
    ) throws(TableStoreError) {
        try store.use { (store) throws(TableStoreError) in try store.write(change, to: table) }
    }

    // MARK: Look-ups

    /// Nothing while a commit is under way: the transaction is the other thread's.
    func begin() throws(TableStoreError) {
        if pending == nil { try store.use { (store) throws(TableStoreError) in try store.begin() } }
    }

    func rows(of table: TableDeclaration, keys: [[Cell]]) throws(TableStoreError) -> [[Cell]?] {
        if keys.isEmpty { return [] }
        let stored = try store.use { (store) throws(TableStoreError) in try store.rows(of: table, keys: keys) }
        guard pending?.touches(table) == true else { return stored }
        if let rows = pending?.rows(of: table, keys: keys, stored: stored) { return rows }
        return try afterEnd { (store) throws(TableStoreError) in try store.rows(of: table, keys: keys) }
    }

    func rows(of table: TableDeclaration, prefix: [Cell]) throws(TableStoreError) -> [[Cell]] {
        let stored = try store.use { (store) throws(TableStoreError) in try store.rows(of: table, prefix: prefix) }
        guard pending?.touches(table) == true else { return stored }
        if let rows = pending?.rows(of: table, prefix: prefix, stored: stored) { return rows }
        return try afterEnd { (store) throws(TableStoreError) in try store.rows(of: table, prefix: prefix) }
    }

    func rows(of table: TableDeclaration, ids: [Int64]) throws(TableStoreError) -> [[Cell]?] {
        try untouched(table) { (store) throws(TableStoreError) in try store.rows(of: table, ids: ids) }
    }

    func rows(
        of table: TableDeclaration,
        index: String?,
        prefix: [Cell],
        range: Range<Int64>?,
        limit: Int
    ) throws(TableStoreError) -> [[Cell]] {
        try untouched(table) { (store) throws(TableStoreError) in
            try store.rows(of: table, index: index, prefix: prefix, range: range, limit: limit)
        }
    }

    func greatestID(of table: TableDeclaration) throws(TableStoreError) -> Int64 {
        try untouched(table) { (store) throws(TableStoreError) in try store.greatestID(of: table) }
    }

    func claim() throws(TableStoreError) -> Int64 {
        try afterEnd { (store) throws(TableStoreError) in try store.claim() }
    }

    func positions() throws(TableStoreError) -> PositionVector {
        try afterEnd { (store) throws(TableStoreError) in try store.positions() }
    }

    func write(_ change: TableChanges, to table: String) throws(TableStoreError) {
        try afterEnd { (store) throws(TableStoreError) in try store.write(change, to: table) }
    }

    /// Looks up what the commit that is under way does not change, else waits for its end.
    private func untouched<Value>(
        _ table: TableDeclaration,
        _ lookUp: (any TableStore) throws(TableStoreError) -> Value
    ) throws(TableStoreError) -> Value {
        if pending?.touches(table) != true {
            return try store.use { (store) throws(TableStoreError) in try lookUp(store) }
        }
        return try afterEnd(lookUp)
    }

    private func afterEnd<Value>(
        _ lookUp: (any TableStore) throws(TableStoreError) -> Value
    ) throws(TableStoreError) -> Value {
        if pending != nil {
            waitForEnd()
            if case .failure(let error) = ended { throw error }
        }
        return try store.use { (store) throws(TableStoreError) in try lookUp(store) }
    }
}
