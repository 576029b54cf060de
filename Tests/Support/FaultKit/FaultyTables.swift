package import Ports
import Synchronization
package import Tables

/// A store whose n-th operation fails: before it took effect, or after (the outcome is then unknown to the caller).
package final class FaultyTables: TableStore {
    package enum Fault: String, CaseIterable, Sendable { case before, after }

    /// Counts operations over all stores of one run.
    package final class Plan: Sendable {
        private struct Done: Sendable {
            var names: [String] = []
            var commits = 0
            var hasFired = false
        }

        private let done = Mutex(Done())
        /// What was done, by name.
        package var names: [String] { done.withLock { $0.names } }
        package var commits: Int { done.withLock { $0.commits } }
        package var hasFired: Bool { done.withLock { $0.hasFired } }
        package var operations: Int { names.count }
        fileprivate let fault: Fault
        fileprivate let at: Int

        /// The operation of number `at` fails, from 0; none when it is negative.
        package init(_ fault: Fault, at: Int) {
            self.fault = fault
            self.at = at
        }

        fileprivate func run<Value>(
            _ name: String,
            _ body: () throws(TableStoreError) -> Value
        ) throws(TableStoreError) -> Value {
            let isDue = done.withLock { done in
                let isDue = done.names.count == at
                done.names.append(name)
                done.hasFired = done.hasFired || isDue
                return isDue
            }
            if isDue, fault == .before { throw .unavailable(operation: name, cause: "the test says so") }
            let value = try body()
            if name == "commit" { done.withLock { $0.commits += 1 } }
            if isDue { throw .unavailable(operation: name, cause: "the test says so, after the fact") }
            return value
        }
    }

    private let store: any TableStore
    private let plan: Plan

    package init(_ store: any TableStore, _ plan: Plan) {
        self.store = store
        self.plan = plan
    }

    package func claim() throws(TableStoreError) -> Int64 {
        try plan.run("claim") { () throws(TableStoreError) in try store.claim() }
    }

    package func positions() throws(TableStoreError) -> PositionVector {
        try plan.run("read positions") { () throws(TableStoreError) in try store.positions() }
    }

    package func rows(of table: TableDeclaration, keys: [[Cell]]) throws(TableStoreError) -> [[Cell]?] {
        try plan.run("look up") { () throws(TableStoreError) in try store.rows(of: table, keys: keys) }
    }

    package func rows(of table: TableDeclaration, prefix: [Cell]) throws(TableStoreError) -> [[Cell]] {
        try plan.run("list") { () throws(TableStoreError) in try store.rows(of: table, prefix: prefix) }
    }

    package func rows(of table: TableDeclaration, ids: [Int64]) throws(TableStoreError) -> [[Cell]?] {
        try plan.run("look up by id") { () throws(TableStoreError) in try store.rows(of: table, ids: ids) }
    }

    package func rows(
        of table: TableDeclaration,
        index: String?,
        prefix: [Cell],
        range: Range<Int64>?,
        limit: Int
    ) throws(TableStoreError) -> [[Cell]] {
        try plan.run("list a range") { () throws(TableStoreError) in
            try store.rows(of: table, index: index, prefix: prefix, range: range, limit: limit)
        }
    }

    package func greatestID(of table: TableDeclaration) throws(TableStoreError) -> Int64 {
        try plan.run("find the greatest id") { () throws(TableStoreError) in try store.greatestID(of: table) }
    }

    package func begin() throws(TableStoreError) {
        try plan.run("begin") { () throws(TableStoreError) in try store.begin() }
    }

    package func write(_ change: TableChanges, to table: String) throws(TableStoreError) {
        try plan.run("write") { () throws(TableStoreError) in try store.write(change, to: table) }
    }

    package func commit(
        _ changes: ChangeSet,
        from: PositionVector,
        to: PositionVector,
        owner: Int64
    ) throws(TableStoreError) -> CommitAnswer {
        try plan.run("commit") { () throws(TableStoreError) in
            try store.commit(changes, from: from, to: to, owner: owner)
        }
    }
}
