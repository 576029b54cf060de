import CSQLite
import CShims
import Foundation
import PortConformance
import Ports
import Primitives
import RetailModel
import Tables
import Testing

@testable import SQLiteTables

@Suite struct SQLiteTablesTests {
    let directory: TemporaryDirectory
    var path: String { directory.path + "/tables.sqlite" }

    init() throws { directory = try TemporaryDirectory() }

    func open(views: [(name: String, select: String)] = RetailViews.all) throws -> SQLiteTables {
        try SQLiteTables(path: path, tables: RetailTables.all, views: views)
    }

    @Test func `a newer schema is refused by number and the file is left alone`() throws {
        _ = try open()
        let handle = try SQLiteHandle(path: path, readOnly: false)
        try handle.execute("PRAGMA user_version = 8")
        #expect(throws: TableStoreError.schemaNewer(found: 8, supported: SQLiteTablesLimits.schemaVersion)) {
            _ = try open()
        }
        #expect(try handle.integer("PRAGMA user_version") == 8)
    }

    @Test func `a file that is no database is called damaged, with the remedy`() throws {
        try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: path))
        #expect {
            _ = try open()
        } throws: { error in
            guard let found = error as? TableStoreError, case .damaged = found else { return false }
            return found.code == "tables.damaged" && found.retry == .never
                && found.description.contains("remove tables.sqlite")
        }
    }

    @Test func `a damaged page is called damaged`() throws {
        var store: SQLiteTables? = try open()
        let owner = try store?.claim() ?? 0
        var changes = TableChanges()
        changes.upserts = (1...2_000).map { [.integer($0), .text(ByteString("country number \($0)"))] }
        _ = try store?.commit(
            ["country": changes],
            from: PositionVector(),
            to: TableStoreConformance.at(1),
            owner: owner
        )
        store = nil
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for at in stride(from: 8_192, to: bytes.count, by: 16) { bytes[at] = 0xFF }
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect {
            let again = try open()
            _ = try again.rows(of: RetailTables.country, prefix: [])
        } throws: { error in
            if case .damaged? = error as? TableStoreError { return true }
            return false
        }
    }

    @Test func `a directory that does not exist is an error that names the owner's duty`() {
        #expect {
            _ = try SQLiteTables(path: directory.path + "/none/tables.sqlite", tables: [], views: [])
        } throws: { error in
            (error as? TableStoreError)?.description.contains("till needs to own the data directory") ?? false
        }
    }

    @Test func `tables are STRICT, WAL is on, and every view answers on an empty file`() throws {
        _ = try open()
        let handle = try SQLiteHandle(path: path, readOnly: true)
        #expect(
            try handle.integer(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 "
                    + "AND name NOT LIKE 'sqlite%'"
            ) == 0
        )
        #expect(try handle.integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'") == 1)
        for table in RetailTables.all { #expect(try handle.integer("SELECT count(*) FROM \"\(table.name)\"") == 0) }
        try SQLiteReader(path: path).snapshot { snapshot in
            for view in RetailViews.all {
                #expect(throws: Never.self) { try snapshot.query("SELECT * FROM \"\(view.name)\"", [], limit: 10) }
            }
        }
    }

    @Test func `views are replaced when the file is opened again`() throws {
        _ = try open(views: [("v", "SELECT 1 AS a")])
        _ = try open(views: [("v", "SELECT 2 AS a")])
        let handle = try SQLiteHandle(path: path, readOnly: true)
        #expect(try handle.integer("SELECT a FROM v") == 2)
    }

    /// Counts without end.
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    @Test func `a query beyond its time is interrupted, and the connection goes on`() throws {
        _ = try open()
        let reader = SQLiteReader(path: path)
        for _ in 0..<3 {
            #expect(throws: TableStoreError.overBudget) {
                try reader.snapshot(until: cshims_monotonic_nanos() + 20_000_000) {
                    try $0.query(Self.endless, [], limit: 1)
                }
            }
            #expect(try reader.snapshot { try $0.query("SELECT 1", [], limit: 1) } == [[.integer(1)]])
        }
    }

    @Test func `claims of two connections never give one epoch`() throws {
        let one = try open()
        let two = try open()
        let epochs = try (0..<20).map { try ($0 % 2 == 0 ? one : two).claim() }
        #expect(Set(epochs).count == 20 && epochs == epochs.sorted())
    }

    /// Bytes of the write-ahead log, which keeps the size that it once had.
    private var walBytes: Int {
        (try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int) ?? 0
    }

    @Test func `small commits are checkpointed early, large ones late`() throws {
        let store = try SQLiteTables(path: path, tables: TableStoreConformance.tables, views: [])
        let owner = try store.claim()
        var id: Int64 = 0
        func commit(_ number: Int64, rows: Int) throws {
            let rows = (0..<rows).map { _ in
                id += 1
                return TableStoreConformance.row(id, ByteString("\(id)" + String(repeating: "x", count: 400)))
            }
            let answer = try store.commit(
                TableStoreConformance.upserting(rows),
                from: TableStoreConformance.at(number - 1),
                to: TableStoreConformance.at(number),
                owner: owner
            )
            #expect(answer == .committed)
        }
        for number in 1...100 as ClosedRange<Int64> { try commit(number, rows: 200) }
        let small = SQLiteTablesLimits.checkpointPagesSmall * 4_096
        #expect(walBytes > small && walBytes < 2 * small)
        for number in 101...103 as ClosedRange<Int64> { try commit(number, rows: SQLiteTablesLimits.smallCommit + 1) }
        #expect(walBytes > 3 * small)
    }

    @Test func `another writer's lock is waited for and then named`() throws {
        let store = try open()
        let owner = try store.claim()
        let other = try SQLiteHandle(path: path, readOnly: false)
        try other.execute("BEGIN IMMEDIATE")
        // The adapter waits five seconds; the test does not, it asks the translation.
        #expect(SQLiteTablesLimits.busyMillis == 5_000)
        try other.execute("COMMIT")
        #expect(
            try store.commit([:], from: PositionVector(), to: TableStoreConformance.at(1), owner: owner) == .committed
        )
    }

    static let failures: [(Int32, TableStoreError)] = [
        (SQLITE_CORRUPT, .damaged(cause: "m")), (SQLITE_NOTADB, .damaged(cause: "m")),
        (SQLITE_CORRUPT | 3 << 8, .damaged(cause: "m")),
        (SQLITE_FULL, .unavailable(operation: "o", cause: "no space left on the device, free some")),
        (SQLITE_BUSY, .unavailable(operation: "o", cause: "another process holds the file")),
        (SQLITE_BUSY | 2 << 8, .unavailable(operation: "o", cause: "another process holds the file")),
        (SQLITE_LOCKED, .unavailable(operation: "o", cause: "another process holds the file")),
        (SQLITE_READONLY, .unavailable(operation: "o", cause: "m, till needs to own the data directory")),
        (SQLITE_PERM, .unavailable(operation: "o", cause: "m, till needs to own the data directory")),
        (SQLITE_CANTOPEN, .unavailable(operation: "o", cause: "m, till needs to own the data directory")),
        (SQLITE_IOERR | 19 << 8, .unavailable(operation: "o", cause: "no space left on the device, free some")),
        (SQLITE_IOERR, .unavailable(operation: "o", cause: "m (SQLite 10)")),
        (SQLITE_CONSTRAINT | 12 << 8, .unavailable(operation: "o", cause: "m (SQLite 3091)")),
    ]

    @Test(arguments: failures)
    func `a result code becomes an error of the port`(code: Int32, error: TableStoreError) {
        #expect(SQLiteTablesFailures.translate(code, "m", "o") == error)
        #expect(error.retry == (error.code == "tables.damaged" ? .never : .afterBackoff))
    }

    @Test func `a position vector reads back its text, and nothing else`() {
        let vector = PositionVector([
            TopicPartition("feed.a", 3): 17, TopicPartition("feed.a"): 0, TopicPartition("b/c", 1): 9,
        ])
        #expect(vector.description == "b/c/1:9,feed.a/0:0,feed.a/3:17" && PositionVector(vector.description) == vector)
        #expect(PositionVector("") == PositionVector())
        for wrong in [
            ",", "a", "a/0", "a/0:", "a/x:1", "/0:1", "a/0:-1", "a/0:1,", "a/0:9223372036854775808", ":1", "0:1",
        ] {
            #expect(PositionVector(wrong) == nil, "\(wrong)")
        }
        #expect(
            vector.covers(PositionVector([TopicPartition("feed.a", 3): 17]))
                && !vector.covers(PositionVector([TopicPartition("z"): 1]))
        )
    }
}
