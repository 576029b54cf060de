package import Primitives
package import Tables

/// For every partition the offset after the last record that is contained; a missing partition is at 0.
package struct PositionVector: Sendable, Equatable, CustomStringConvertible {
    package var offsets: [TopicPartition: Int64]

    package init(_ offsets: [TopicPartition: Int64] = [:]) { self.offsets = offsets }

    /// True when everything up to `other` is contained.
    package func covers(_ other: PositionVector) -> Bool {
        other.offsets.allSatisfy { offsets[$0.key, default: 0] >= $0.value }
    }

    /// Takes the greater offset of each partition.
    package mutating func advance(to other: PositionVector) {
        offsets.merge(other.offsets) { max($0, $1) }
    }

    /// `topic/partition:offset,…` in order of the partitions.
    package var description: String {
        offsets.sorted { $0.key < $1.key }.map { $0.key.position($0.value).description }.joined(separator: ",")
    }

    /// Reads ``description``; nil when it is not of that form. At most 256 partitions.
    package init?(_ text: String) {
        offsets = [:]
        if text.isEmpty { return }
        let parts = text.split(separator: ",", maxSplits: 256, omittingEmptySubsequences: false)
        for part in parts {
            guard let colon = part.lastIndex(of: ":"), let offset = Int64(part[part.index(after: colon)...]),
                offset >= 0,
                let slash = part[..<colon].lastIndex(of: "/"),
                let partition = Int32(part[part.index(after: slash)..<colon]), slash > part.startIndex
            else { return nil }
            offsets[TopicPartition(String(part[..<slash]), partition)] = offset
        }
    }
}

/// How a commit ended when it did not fail.
package enum CommitAnswer: Sendable, Equatable {
    case committed
    /// The store already has exactly these positions under this owner: an unknown outcome was read back.
    case alreadyMine
    /// Another owner has taken over; this one must stop for good.
    case fenced
}

/// Rows and the positions that produced them, changed together or not at all.
///
/// - S1 A commit changes rows and positions in one transaction.
/// - S2 A commit whose `from` differs from the stored positions changes nothing (`alreadyMine` or an error).
/// - S3 A commit of an owner that is not the latest claimant changes nothing (`fenced`).
/// - S4 After a crash the rows are those of the positions that are read back.
/// - S5 Sums are exact to 96 bits; a sum that does not fit is an error and changes nothing.
/// - S6 A snapshot shows one state, with its positions, however many commits happen meanwhile.
///
/// Thread: one owner; snapshots have their own type.
package protocol TableStore: AnyObject {
    /// Becomes the owner: the epoch is higher than any before.
    func claim() throws(TableStoreError) -> Int64
    func positions() throws(TableStoreError) -> PositionVector
    /// Current rows by natural key, in the order of `keys`; nil where there is none.
    func rows(of table: TableDeclaration, keys: [[Cell]]) throws(TableStoreError) -> [[Cell]?]
    /// All rows whose natural key starts with `prefix`.
    func rows(of table: TableDeclaration, prefix: [Cell]) throws(TableStoreError) -> [[Cell]]
    /// Rows by id, in the order of `ids`; nil where there is none.
    func rows(of table: TableDeclaration, ids: [Int64]) throws(TableStoreError) -> [[Cell]?]
    /// The first rows in order of an index (nil: the natural key) and id: its first columns equal `prefix`, and the next,
    /// an integer, lies in `range` (nil: anywhere).
    func rows(
        of table: TableDeclaration,
        index: String?,
        prefix: [Cell],
        range: Range<Int64>?,
        limit: Int
    ) throws(TableStoreError) -> [[Cell]]
    /// The greatest id in use, 0 when the table is empty.
    func greatestID(of table: TableDeclaration) throws(TableStoreError) -> Int64
    /// Opens the transaction that the next commit ends: the look-ups in between see one state and cost no locks. A
    /// store that is let go without a commit changes nothing.
    func begin() throws(TableStoreError)
    /// Writes a part of what the next commit makes true, in the open transaction; without one, opens it. Look-ups of
    /// this store see it at once. When it fails, the transaction ends and nothing of it is kept.
    func write(_ change: TableChanges, to table: String) throws(TableStoreError)
    /// Writes the rest, and the positions, and ends the transaction.
    func commit(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer
}

/// One consistent state of the tables for reading. Single owner, on a thread that may block.
package protocol TableSnapshot: AnyObject {
    func positions() throws(TableStoreError) -> PositionVector
    /// The SELECT of every view that is stored, by its name.
    func views() throws(TableStoreError) -> [String: String]
    /// Rows of a query in portable SQL with parameters `?1`, `?2`, …; at most `limit` rows.
    func query(_ sql: String, _ parameters: [Cell], limit: Int) throws(TableStoreError) -> [[Cell]]
    /// Hands out the rows of a query one by one, so that any number of them takes the memory of one.
    ///
    /// - Throws: ``TableStoreError``, or what `body` throws, which ends the query.
    func forEach(_ sql: String, _ parameters: [Cell], _ body: ([Cell]) throws -> Void) throws
    /// Hands out the cells of all rows of a query without making values of them.
    ///
    /// - Throws: ``TableStoreError``, or what the visitor throws, which ends the query.
    func visit<Visitor: RowVisitor>(_ sql: String, _ visitor: inout Visitor) throws
}

/// Takes the cells of rows in the order of the columns.
package protocol RowVisitor {
    mutating func null()
    mutating func integer(_ value: Int64)
    mutating func text(_ bytes: Span<UInt8>)
    mutating func blob(_ bytes: Span<UInt8>)
    mutating func endRow() throws
}

/// Gives snapshots to many threads.
package protocol TableReader: AnyObject, Sendable {
    /// Runs `body` on one snapshot and ends it.
    ///
    /// - Parameter nanos: Monotonic time beyond which its queries are interrupted (``TableStoreError/overBudget``).
    func snapshot<Value>(until nanos: Int64, _ body: (any TableSnapshot) throws -> Value) throws -> Value
}

extension TableReader {
    /// However long it takes.
    package func snapshot<Value>(_ body: (any TableSnapshot) throws -> Value) throws -> Value {
        try snapshot(until: .max, body)
    }
}

/// Failures of ``TableStore``.
package enum TableStoreError: OperationalError, Equatable {
    case unavailable(operation: String, cause: String)
    case positionMismatch(stored: String, expected: String)
    case schemaNewer(found: Int, supported: Int)
    case damaged(cause: String)
    /// A query took longer than it was given.
    case overBudget

    package var code: String {
        switch self {
        case .unavailable: "tables.unavailable"
        case .positionMismatch: "tables.position_mismatch"
        case .schemaNewer: "tables.schema_newer"
        case .damaged: "tables.damaged"
        case .overBudget: "tables.over_budget"
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .unavailable, .overBudget: .external
        case .positionMismatch, .damaged: .integrity
        case .schemaNewer: .user
        }
    }

    package var retry: RetryHint {
        switch self {
        case .unavailable, .overBudget: .afterBackoff
        case .positionMismatch, .schemaNewer, .damaged: .never
        }
    }

    package var description: String {
        switch self {
        case .unavailable(let operation, let cause): "The tables could not \(operation): \(cause)."
        case .positionMismatch(let stored, let expected):
            "The tables are at position \(stored) and the commit continues \(expected); start till again."
        case .overBudget: "A query of the tables took longer than it may; ask for less at once."
        case .schemaNewer(let found, let supported):
            "The tables have schema \(found) and this till knows \(supported); use the till that wrote them, or a newer one."
        case .damaged(let cause):
            "The tables file is damaged: \(cause); remove tables.sqlite, till rebuilds it from the log."
        }
    }
}
