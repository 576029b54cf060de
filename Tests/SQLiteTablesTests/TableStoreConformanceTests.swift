import FaultKit
import Foundation
import PortConformance
import Ports
import Tables
import Testing

@testable import SQLiteTables

/// A directory of its own for one test, removed at the end; in memory where the machine has such a place.
final class TemporaryDirectory: Sendable {
    let path: String
    init() throws {
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
        path = parent + "/till-tables-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Stores on one SQLite file. A kill copies the files as they are while the old connections stay open.
final class SQLiteSubject: TableStoreSubject {
    private let directory: TemporaryDirectory
    private var generation = 0
    private var abandoned: [any TableStore] = []

    init() throws { directory = try TemporaryDirectory() }

    var path: String { directory.path + "/\(generation).sqlite" }

    func open(_ tables: [TableDeclaration]) throws -> any TableStore {
        let store = try SQLiteTables(path: path, tables: tables, views: [])
        abandoned.append(store)
        return store
    }

    func reader() throws -> (any TableReader)? { SQLiteReader(path: path) }

    func kill() {
        let old = path
        generation += 1
        for suffix in ["", "-wal"] { try? FileManager.default.copyItem(atPath: old + suffix, toPath: path + suffix) }
    }
}

final class MemorySubject: TableStoreSubject {
    private let storage = MemoryTables.Storage(TableStoreConformance.tables)
    func open(_ tables: [TableDeclaration]) -> any TableStore { MemoryTables(storage) }
    func reader() -> (any TableReader)? { nil }
    func kill() {}
}

@Suite struct TableStoreConformanceTests {
    enum Adapter: String, CaseIterable { case sqlite, memory }

    @Test(arguments: TableStoreConformance.all, Adapter.allCases)
    func `keeps the contract of TableStore`(rule: TableStoreConformance, on adapter: Adapter) throws {
        try rule.check(adapter == .sqlite ? SQLiteSubject() : MemorySubject())
    }
}
