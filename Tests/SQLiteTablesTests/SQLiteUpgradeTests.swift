import Foundation
import PortConformance
import Ports
import Primitives
import RetailModel
import Tables
import Testing

@testable import SQLiteTables

/// Tables of an older schema are set aside whole; torn and copied files are complete states.
@Suite struct SQLiteUpgradeTests {
    let directory: TemporaryDirectory
    var path: String { directory.path + "/tables.sqlite" }
    var aside: String { directory.path + "/tables.v1.sqlite" }

    init() throws { directory = try TemporaryDirectory() }

    func open(_ path: String? = nil) throws -> SQLiteTables {
        try SQLiteTables(path: path ?? self.path, tables: RetailTables.all, views: RetailViews.all)
    }

    /// Commits one country a position, from position `from` to `to`.
    func fill(_ store: SQLiteTables, from: Int64 = 0, to: Int64) throws {
        let owner = try store.claim()
        for position in from..<to {
            var changes = TableChanges()
            changes.upserts = [[.integer(position + 1), .text(ByteString("country \(position)"))]]
            let answer = try store.commit(
                ["country": changes],
                from: TableStoreConformance.at(position),
                to: TableStoreConformance.at(position + 1),
                owner: owner
            )
            #expect(answer == .committed)
        }
    }

    func makeOld(to position: Int64) throws {
        try fill(open(), to: position)
        try SQLiteHandle(path: path, readOnly: false).execute("PRAGMA user_version = 1")
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()) ?? [] }

    @Test func `tables of an older schema are set aside whole and an empty file takes their place`() throws {
        try makeOld(to: 20)
        var store: SQLiteTables? = try open()
        #expect(try store?.positions() == PositionVector())
        #expect(try store?.rows(of: RetailTables.country, prefix: []).isEmpty == true)
        let old = try #require(SQLitePredecessor.all(of: path).first)
        #expect(old.path == aside && old.schema == 1)
        #expect(old.positions == TableStoreConformance.at(20))
        // Opened again before the new tables have passed: both stay.
        if let store { try fill(store, to: 5) }
        store = nil
        store = try open()
        #expect(try store?.positions() == TableStoreConformance.at(5))
        #expect(SQLitePredecessor.all(of: path).count == 1)
        try old.remove()
        #expect(SQLitePredecessor.all(of: path).isEmpty)
        store = nil
        #expect(names == ["tables.sqlite"])
    }

    @Test func `what only the write-ahead log held is set aside too`() throws {
        let store = try open()
        try fill(store, to: 3)
        let handle = try SQLiteHandle(path: path, readOnly: false)
        try handle.execute("PRAGMA user_version = 1")
        // As a killed process leaves them: the file and its write-ahead log.
        let killed = directory.path + "/killed/tables.sqlite"
        try FileManager.default.createDirectory(atPath: directory.path + "/killed", withIntermediateDirectories: true)
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: killed + suffix) }
        _ = try open(killed)
        #expect(SQLitePredecessor.all(of: killed).map(\.positions) == [TableStoreConformance.at(3)])
        withExtendedLifetime(store) {}
    }

    @Test func `a crash between renaming and beginning anew is gone on from`() throws {
        try makeOld(to: 4)
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        let store = try open()
        #expect(try store.positions() == PositionVector())
        #expect(SQLitePredecessor.all(of: path).map(\.positions) == [TableStoreConformance.at(4)])
    }

    @Test func `old tables that cannot be read are kept and say so`() throws {
        _ = try open()
        try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: aside))
        let old = SQLitePredecessor.all(of: path)
        #expect(old.count == 1 && old.first?.positions == nil)
        #expect(names.contains("tables.v1.sqlite"))
    }

    @Test func `a file of this schema is not touched`() throws {
        try fill(open(), to: 2)
        #expect(try open().positions() == TableStoreConformance.at(2))
        #expect(SQLitePredecessor.all(of: path).isEmpty)
    }

    @Test func `a write-ahead log torn anywhere gives an earlier state, rows and positions together`() throws {
        let store = try open()
        try fill(store, to: 30)
        let wal = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        let main = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(wal.count > 30 * 4_096)
        var seen: Set<Int64> = []
        for (number, cut) in stride(from: 0, through: wal.count, by: 6_007).enumerated() {
            let torn = directory.path + "/torn-\(number).sqlite"
            var bytes = wal
            if number % 2 == 0 {
                bytes.removeLast(wal.count - cut)
            } else {
                // Grown, but without its bytes.
                bytes.resetBytes(in: cut..<min(wal.count, cut + 3_000))
            }
            try main.write(to: URL(fileURLWithPath: torn))
            try bytes.write(to: URL(fileURLWithPath: torn + "-wal"))
            let again = try open(torn)
            let position = try again.positions().offsets.values.first ?? 0
            #expect(try again.rows(of: RetailTables.country, prefix: []).count == Int(position))
            try fill(again, from: position, to: position + 2)
            seen.insert(position)
        }
        #expect(seen.count > 10, "the cuts lie in different commits")
        withExtendedLifetime(store) {}
    }

    @Test func `a copy beside the writer is one state with its positions`() throws {
        let store = try open()
        try fill(store, to: 7)
        let copy = directory.path + "/it's a copy.sqlite"
        let contents = try SQLiteCopy.make(of: path, to: copy)
        #expect(
            contents
                == SQLiteCopy.Contents(schema: SQLiteTablesLimits.schemaVersion, positions: TableStoreConformance.at(7))
        )
        try fill(store, from: 7, to: 9)
        let again = try open(copy)
        #expect(try again.rows(of: RetailTables.country, prefix: []).count == 7)
        #expect(throws: TableStoreError.self) { _ = try SQLiteCopy.make(of: path, to: copy) }
    }
}
