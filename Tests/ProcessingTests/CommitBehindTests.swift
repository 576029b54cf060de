import FaultKit
import PortConformance
import Ports
import Primitives
import Synchronization
import Tables
import Testing

@testable import Processing

/// A commit under way looks committed, and fails as one that is waited for.
@Suite struct CommitBehindTests {
    private typealias Rows = TableStoreConformance

    final class Subject: TableStoreSubject {
        private let storage = MemoryTables.Storage(TableStoreConformance.tables)
        func open(_ tables: [TableDeclaration]) -> any TableStore {
            CommitBehind(MemoryTables(storage), time: SystemTime())
        }
        func reader() -> (any TableReader)? { nil }
        func kill() {}
    }

    @Test(arguments: TableStoreConformance.all)
    func `keeps the contract of TableStore`(rule: TableStoreConformance) throws { try rule.check(Subject()) }

    /// A store with some rows, and changes to it: rows that are new, replaced, deleted, and moved to a key that another
    /// row of the same changes leaves; some new ones without an id.
    private struct Situation {
        let storage = MemoryTables.Storage(TableStoreConformance.tables)
        let changes: TableChanges
        /// No row waits for its id.
        private(set) var isNumbered = true

        init(_ random: inout SeededRandom) throws {
            var keys = (0..<18).map { (family: ByteString("f\($0 % 3)"), code: ByteString("c\($0 / 3)")) }
                .shuffled(using: &random)
            func row(_ id: Int64?, _ number: Int64) -> [Cell] {
                let key = keys.removeLast()
                return Rows.row(id, key.code, family: key.family, number: number)
            }
            let store = MemoryTables(storage)
            let before = (1...8).map { row(Int64($0), 0) }
            _ = try store.commit(Rows.upserting(before), from: Rows.at(0), to: Rows.at(1), owner: store.claim())
            var changes = TableChanges()
            for old in before {
                switch random.next() % 5 {
                case 0: changes.deletes.append(old[0].integer ?? 0)
                case 1: changes.upserts.append(Array(old.prefix(5)) + [.integer(1), old[6]])
                case 2:
                    // Its key is free before the new row is written.
                    changes.deletes.append(old[0].integer ?? 0)
                    changes.upserts.append([.integer(20 + (old[0].integer ?? 0))] + old.dropFirst())
                case 3: changes.upserts.append(row(old[0].integer, 2))
                default: break
                }
            }
            for id in 10..<12 as Range<Int64> { changes.upserts.append(row(id, 3)) }
            if random.next() % 3 == 0 {
                changes.upserts.append(row(nil, 4))
                isNumbered = false
            }
            self.changes = changes
        }

        /// The store after the first parts of the changes, as the writer does them.
        func store(after parts: Int) throws -> MemoryTables {
            let store = MemoryTables(storage)
            if parts > 0 { try store.write(TableChanges(deletes: changes.deletes), to: Rows.thing.name) }
            for row in changes.upserts.prefix(max(0, parts - 1)) {
                try store.write(TableChanges(upserts: [row]), to: Rows.thing.name)
            }
            return store
        }
    }

    private static func sorted(_ rows: [[Cell]]) -> [String] { rows.map { "\($0)" }.sorted() }

    @Test func `look-ups see changes as committed, at every stage of writing them`() throws {
        var unknown = 0
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let situation = try Situation(&random)
            let parts = situation.changes.upserts.count + 1
            let committed = try situation.store(after: parts)
            let keys = (0..<18).map { [Cell.text(ByteString("f\($0 % 3)")), .blob(ByteString("c\($0 / 3)"))] }
            for stage in 0...parts {
                let store = try situation.store(after: stage)
                var pending = PendingChanges([Rows.thing.name: situation.changes])
                let found = pending.rows(of: Rows.thing, keys: keys, stored: store.rows(of: Rows.thing, keys: keys))
                if let found {
                    #expect(found == committed.rows(of: Rows.thing, keys: keys), "seed \(seed), stage \(stage)")
                } else {
                    unknown += 1
                }
                #expect((found == nil) == !situation.isNumbered)
                for prefix in [[keys[0][0]], [keys[1][0]], keys[5]] {
                    let stored = store.rows(of: Rows.thing, prefix: prefix)
                    guard let found = pending.rows(of: Rows.thing, prefix: prefix, stored: stored) else { continue }
                    let expected = committed.rows(of: Rows.thing, prefix: prefix)
                    #expect(Self.sorted(found) == Self.sorted(expected), "seed \(seed), stage \(stage)")
                }
            }
        }
        #expect(unknown > 100)
    }

    @Test func `what it cannot tell it does not say`() throws {
        var pending = PendingChanges(Rows.adding([SumKey(1): [1, 1, 1]]))
        #expect(pending.rows(of: Rows.tally, keys: [[.integer(1), .integer(0)]], stored: [nil]) == nil)
        #expect(pending.touches(Rows.tally) && !pending.touches(Rows.thing))
        var rows = PendingChanges(Rows.upserting([Rows.row(1, "a")]))
        #expect(rows.rows(of: Rows.thing, prefix: [], stored: []) == nil)
    }

    /// Begins to commit one row, number `number`, behind.
    private static func begin(_ store: CommitBehind, _ number: Int64, owner: Int64) throws -> Bool {
        try store.commitBehind(
            Rows.upserting([Rows.row(number, ByteString("\(number)"))]),
            from: Rows.at(number - 1),
            to: Rows.at(number),
            owner: owner,
            isFollowed: true
        ) { _, _ in }
    }

    @Test(arguments: ["begin", "write", "commit"])
    func `a commit that fails behind is told to the next, and nothing comes after it`(operation: String) throws {
        let storage = MemoryTables.Storage(Rows.tables)
        let counted = FaultyTables.Plan(.before, at: -1)
        for run in 0..<2 {
            let at = run == 0 ? -1 : try #require(counted.names.firstIndex(of: operation))
            let plan = run == 0 ? counted : FaultyTables.Plan(.before, at: at)
            let disk = run == 0 ? MemoryTables.Storage(Rows.tables) : storage
            let store = CommitBehind(FaultyTables(MemoryTables(disk), plan), time: SystemTime())
            let owner = try store.claim()
            #expect(try Self.begin(store, 1, owner: owner))
            if run == 0 {
                #expect(try store.settle() == .committed)
            } else {
                #expect(throws: TableStoreError.self) { try Self.begin(store, 2, owner: owner) }
                #expect(MemoryTables(storage).positions() == PositionVector())
                #expect(MemoryTables(storage).rows(of: Rows.thing, prefix: []).isEmpty)
            }
        }
    }

    @Test func `a look-up that has to wait is told of the failure`() throws {
        let plan = FaultyTables.Plan(.before, at: 2)
        let store = CommitBehind(FaultyTables(MemoryTables(.init(Rows.tables)), plan), time: SystemTime())
        let owner = try store.claim()
        #expect(try Self.begin(store, 1, owner: owner))
        #expect(throws: TableStoreError.self) { try store.greatestID(of: Rows.thing) }
        #expect(throws: TableStoreError.self) { try store.settle() }
        #expect(plan.hasFired)
    }

    @Test func `an owner that was replaced begins nothing more`() throws {
        let storage = MemoryTables.Storage(Rows.tables)
        let store = CommitBehind(MemoryTables(storage), time: SystemTime())
        let owner = try store.claim()
        _ = MemoryTables(storage).claim()
        #expect(try Self.begin(store, 1, owner: owner))
        #expect(try !Self.begin(store, 2, owner: owner))
        #expect(try store.settle() == nil)
        #expect(MemoryTables(storage).positions() == PositionVector())
    }

    @Test func `commits follow each other, each read back before and after its end`() throws {
        let storage = MemoryTables.Storage(Rows.tables)
        let store = CommitBehind(MemoryTables(storage), time: SystemTime())
        let owner = try store.claim()
        let told = Mutex<[CommitAnswer]>([])
        for number in 1...200 as ClosedRange<Int64> {
            let rows = (0..<40).map { place in
                Rows.row(number * 100 + Int64(place), ByteString("\(number)-\(place)"), number: number)
            }
            #expect(
                try store.commitBehind(
                    Rows.upserting(rows, deleting: number > 1 ? [(number - 1) * 100] : []),
                    from: Rows.at(number - 1),
                    to: Rows.at(number),
                    owner: owner,
                    isFollowed: true
                ) { answer, _ in told.withLock { $0.append(answer) } }
            )
            let keys = rows.map { [$0[1], $0[2]] }
            #expect(try store.rows(of: Rows.thing, keys: keys) == rows)
            let first = [[Cell.text("f"), .blob(ByteString("\(number - 1)-0"))]]
            #expect(try store.rows(of: Rows.thing, keys: first) == [nil])
            #expect(try store.rows(of: Rows.thing, prefix: [.text("f")]).count == Int(number) * 39 + 1)
        }
        #expect(try store.settle() == .committed)
        #expect(told.withLock { $0 } == [CommitAnswer](repeating: .committed, count: 200))
        #expect(try store.positions() == Rows.at(200))
    }
}
