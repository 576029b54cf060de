package import Ports
package import Primitives
package import Tables
import Testing

/// An adapter of ``TableStore`` under test, with the hands on its storage that the cases need.
package protocol TableStoreSubject: AnyObject {
    /// Opens a store on the subject's storage; several may be open at a time.
    func open(_ tables: [TableDeclaration]) throws -> any TableStore
    /// The snapshots of the storage; nil when the adapter has none.
    func reader() throws -> (any TableReader)?
    /// The process is gone: nothing is closed, everything not yet stored is lost.
    func kill()
}

/// The guarantees of ``TableStore`` and ``TableReader`` as executable cases. Every adapter runs all of them.
package struct TableStoreConformance: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    package let check: @Sendable (any TableStoreSubject) throws -> Void

    package static let all = commits + contents + sums

    /// A state table with a cell of every kind.
    package static let thing = TableDeclaration(
        "thing",
        .state,
        key: ["family", "code"],
        indexes: [.init("thing_by_number", ["number"])],
        meaning: "Things.",
        columns: [
            Column("id", .integer, "surrogate"), Column("family", .text, "first part of the key"),
            Column("code", .blob, "second part of the key"), Column("note", .text, nullable: true, "any text"),
            Column("bytes", .blob, nullable: true, "any bytes"), Column("number", .integer, nullable: true, "a number"),
            Column("total", .wide, "a wide number"),
        ]
    )

    package static let tally = TableDeclaration(
        "tally",
        .sum,
        key: ["a", "b"],
        meaning: "Sums.",
        columns: [
            Column("a", .integer, "key"), Column("b", .integer, "key"), Column("money", .wide, "wide sum"),
            Column("count", .integer, "narrow sum"), Column("other", .wide, "wide sum"),
        ]
    )

    package static let tables = [thing, tally]
    package static let partition = TopicPartition("feed.test")
    package static let second = TopicPartition("feed.test", 1)

    package static func at(_ first: Int64, _ other: Int64? = nil) -> PositionVector {
        var offsets: [TopicPartition: Int64] = [:]
        if first > 0 { offsets[partition] = first }
        if let other { offsets[second] = other }
        return PositionVector(offsets)
    }

    package static func row(
        _ id: Int64?,
        _ code: ByteString,
        family: ByteString = "f",
        note: Cell = .null,
        bytes: Cell = .null,
        number: Int64? = nil,
        total: Int128 = 0
    ) -> [Cell] {
        [Cell(id), .text(family), .blob(code), note, bytes, Cell(number), .wide(total)]
    }

    package static func upserting(_ rows: [[Cell]], deleting ids: [Int64] = []) -> ChangeSet {
        var change = TableChanges()
        change.upserts = rows
        change.deletes = ids
        return [thing.name: change]
    }

    package static func adding(_ values: [SumKey: [Int128]]) -> ChangeSet {
        var change = TableChanges()
        change.additions = values
        return [tally.name: change]
    }
}

/// A store with its owner and position: what most cases go on with.
package final class OwnedStore {
    package let store: any TableStore
    package let owner: Int64
    package private(set) var position: PositionVector

    package init(_ subject: any TableStoreSubject) throws {
        store = try subject.open(TableStoreConformance.tables)
        owner = try store.claim()
        position = try store.positions()
    }

    /// Commits at the next offset.
    @discardableResult package func commit(_ changes: ChangeSet) throws -> CommitAnswer {
        let next = position.offsets[TableStoreConformance.partition, default: 0] + 1
        let to = TableStoreConformance.at(next)
        let answer = try store.commit(changes, from: position, to: to, owner: owner)
        position = to
        return answer
    }

    /// Everything that the store holds, in order of the keys' text.
    package func contents() throws -> [String] { try tableContents(store) }
}

/// Every row of the conformance tables and the positions, as sorted text.
package func tableContents(_ store: any TableStore) throws -> [String] {
    var all = ["positions \(try store.positions())"]
    for table in TableStoreConformance.tables {
        all += try store.rows(of: table, prefix: []).map { "\(table.name) \($0)" }.sorted()
    }
    return all
}
