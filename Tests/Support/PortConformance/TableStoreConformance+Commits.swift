import Ports
import Primitives
import Tables
import Testing

/// S1 to S4 and S6: positions, owners, restarts, snapshots.
extension TableStoreConformance {
    package static let commits: [Self] = [
        Self(testDescription: "S1 rows, sums and positions change together") { subject in
            let owned = try OwnedStore(subject)
            #expect(owned.position == PositionVector())
            let changes = upserting([row(1, "a")]).merging(adding([SumKey(1): [5, 1, 0]])) { $1 }
            #expect(try owned.commit(changes) == .committed)
            #expect(try owned.store.positions() == at(1))
            #expect(try owned.store.rows(of: thing, keys: [key("a")]).map { $0 != nil } == [true])
            #expect(
                try owned.store.rows(of: tally, keys: [ints(1, 0)]) == [ints(1, 0) + [.wide(5), .integer(1), .wide(0)]]
            )
        },
        Self(testDescription: "S1 a commit that fails in its last row leaves nothing of its first") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            var bad = row(3, "c")
            bad[1] = .null
            let changes = upserting([row(2, "b"), bad], deleting: [1])
            #expect(throws: TableStoreError.self) {
                try owned.store.commit(changes, from: at(1), to: at(2), owner: owned.owner)
            }
            #expect(try owned.contents() == before)
            #expect(try owned.commit(upserting([row(2, "b")])) == .committed)
        },
        Self(testDescription: "S1 parts written before a commit are seen at once and become true with it") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            let other = try subject.open(tables)
            try owned.store.begin()
            try owned.store.write(TableChanges(upserts: [row(2, "b")], deletes: [1]), to: thing.name)
            try owned.store.write(TableChanges(additions: [SumKey(1): [5, 1, 0]]), to: tally.name)
            #expect(
                try owned.store.rows(of: thing, keys: [key("a"), key("b")]).map { $0 != nil } == [false, true]
            )
            #expect(try tableContents(other) == before)
            try owned.commit(upserting([row(3, "c")]))
            #expect(try owned.store.rows(of: thing, prefix: []).count == 2)
            #expect(try owned.store.rows(of: tally, prefix: []).count == 1)
            #expect(try owned.store.positions() == at(2))
        },
        Self(testDescription: "S1 a part that cannot be written ends what was begun") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            try owned.store.write(TableChanges(upserts: [row(2, "b")], deletes: [1]), to: thing.name)
            var bad = row(3, "c")
            bad[1] = .null
            #expect(throws: TableStoreError.self) {
                try owned.store.write(TableChanges(upserts: [bad]), to: thing.name)
            }
            #expect(try owned.contents() == before)
            #expect(try owned.commit(upserting([row(4, "d")])) == .committed)
            #expect(try owned.store.rows(of: thing, prefix: []).count == 2)
        },
        Self(testDescription: "S1 parts of an owner that was replaced are never true") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let second = try OwnedStore(subject)
            try owned.store.write(TableChanges(upserts: [row(2, "b")]), to: thing.name)
            #expect(try owned.store.commit([:], from: at(1), to: at(2), owner: owned.owner) == .fenced)
            #expect(try second.store.rows(of: thing, prefix: []).count == 1)
            #expect(try second.commit(upserting([row(3, "c")])) == .committed)
        },
        Self(testDescription: "S2 a commit from another position changes nothing and is an error") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            for (from, to) in [(at(0), at(2)), (at(2), at(3)), (at(1, 4), at(2, 5)), (at(0), at(1, 1))] {
                #expect {
                    try owned.store.commit(upserting([row(9, "z")]), from: from, to: to, owner: owned.owner)
                } throws: { error in
                    if case .positionMismatch? = error as? TableStoreError { return true }
                    return false
                }
                #expect(try owned.contents() == before)
            }
        },
        Self(testDescription: "S2 the same commit again is already mine and adds nothing") { subject in
            let owned = try OwnedStore(subject)
            let changes = adding([SumKey(1, 2): [7, 1, -7]])
            #expect(try owned.commit(changes) == .committed)
            let before = try owned.contents()
            #expect(try owned.store.commit(changes, from: at(0), to: at(1), owner: owned.owner) == .alreadyMine)
            #expect(try owned.contents() == before)
        },
        Self(testDescription: "S2 partitions move one by one and independently") { subject in
            let owned = try OwnedStore(subject)
            let store = owned.store
            #expect(try store.commit([:], from: at(0), to: at(1), owner: owned.owner) == .committed)
            #expect(try store.commit([:], from: at(1), to: at(1, 8), owner: owned.owner) == .committed)
            #expect(try store.commit([:], from: at(1, 8), to: at(2, 8), owner: owned.owner) == .committed)
            #expect(try store.positions() == at(2, 8))
        },
        Self(testDescription: "S3 the former owner is fenced after another claim, for good") { subject in
            let first = try OwnedStore(subject)
            try first.commit(upserting([row(1, "a")]))
            let second = try OwnedStore(subject)
            #expect(second.owner > first.owner)
            let before = try second.contents()
            for _ in 0..<2 {
                #expect(
                    try first.store.commit(upserting([row(2, "b")]), from: at(1), to: at(2), owner: first.owner)
                        == .fenced
                )
                #expect(try second.contents() == before)
            }
            #expect(try second.commit(upserting([row(2, "b")])) == .committed)
            #expect(try first.store.commit([:], from: at(2), to: at(3), owner: first.owner) == .fenced)
        },
        Self(testDescription: "S3 claims grow over restarts") { subject in
            var last: Int64 = 0
            for _ in 0..<4 {
                let owned = try OwnedStore(subject)
                #expect(owned.owner > last)
                last = owned.owner
                subject.kill()
            }
        },
        Self(testDescription: "S4 what was committed is there after closing and after a kill") { subject in
            var expected: [String] = []
            for round in 1...4 as ClosedRange<Int64> {
                let owned = try OwnedStore(subject)
                if round > 1 { #expect(try owned.contents() == expected) }
                let changes = upserting([row(round, ByteString("\(round)"), note: .text("n"), total: -1)])
                try owned.commit(changes.merging(adding([SumKey(1): [1 << 40, 1, -1]])) { $1 })
                expected = try owned.contents()
                #expect(try owned.store.positions() == at(round))
                if round % 2 == 0 { subject.kill() }
            }
            #expect(try OwnedStore(subject).contents() == expected)
        },
        Self(testDescription: "S6 a snapshot shows one state while commits go on") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(adding([SumKey(1): [1, 1, 0]]))
            guard let reader = try subject.reader() else { return }
            let count = "SELECT count, (SELECT count(*) FROM thing) FROM tally"
            try reader.snapshot { snapshot in
                var seen = [try snapshot.positions()]
                for round in 2...6 as ClosedRange<Int64> {
                    try owned.commit(
                        adding([SumKey(1): [1, 1, 0]]).merging(upserting([row(round, ByteString("\(round)"))])) { $1 }
                    )
                    let rows = try snapshot.query(count, [], limit: 10)
                    #expect(rows == [ints(1, 0)])
                    seen.append(try snapshot.positions())
                    let inner = try reader.snapshot { (try $0.query(count, [], limit: 1), try $0.positions()) }
                    #expect(inner.0 == [ints(round, round - 1)])
                    #expect(inner.1 == at(round))
                }
                #expect(seen == [PositionVector](repeating: at(1), count: 6))
            }
            let last = try reader.snapshot { try $0.query(count, [], limit: 10) }
            #expect(last == [ints(6, 5)])
        },
        Self(testDescription: "S6 queries take parameters, stop at their limit and survive a body that throws") {
            subject in
            let owned = try OwnedStore(subject)
            let rows = (1...9 as ClosedRange<Int64>).map { row($0, ByteString("\($0)"), number: $0) }
            try owned.commit(upserting(rows))
            guard let reader = try subject.reader() else { return }
            let sql = "SELECT id FROM thing WHERE number >= ?1 AND family = ?2 ORDER BY id"
            struct Stop: Error {}
            for _ in 0..<5 {
                #expect(throws: Stop.self) {
                    try reader.snapshot { snapshot in
                        _ = try snapshot.query(sql, [.integer(3), .text("f")], limit: 2)
                        throw Stop()
                    }
                }
            }
            func query(_ sql: String, _ parameters: [Cell], limit: Int) throws -> [[Cell]] {
                try reader.snapshot { try $0.query(sql, parameters, limit: limit) }
            }
            #expect(try query(sql, [.integer(3), .text("f")], limit: 2) == [ints(3), ints(4)])
            #expect(try query(sql, [.integer(8), .text("f")], limit: 99) == [ints(8), ints(9)])
            #expect(try query(sql, [.integer(8), .text("F")], limit: 99) == [])
            #expect(throws: TableStoreError.self) { try query("SELECT nothing", [], limit: 1) }
            #expect(throws: TableStoreError.self) { try query("DELETE FROM thing", [], limit: 1) }
        },
    ]
}

/// The natural key of a thing.
func key(_ code: ByteString, family: ByteString = "f") -> [Cell] { [.text(family), .blob(code)] }

func ints(_ values: Int64...) -> [Cell] { values.map { .integer($0) } }
