import Ports
import Primitives
import Tables
import Testing

/// Rows, look-ups and S5, exact sums.
extension TableStoreConformance {
    package static let contents: [Self] = [
        Self(testDescription: "a look-up gives rows in the order of the keys, nil where there is none") { subject in
            let owned = try OwnedStore(subject)
            let a = row(1, "a", number: 1)
            let b = row(2, "b", number: 2)
            try owned.commit(upserting([a, b]))
            let keys = [key("b"), key("?"), key("a"), key("b"), key("a", family: "g")]
            #expect(try owned.store.rows(of: thing, keys: keys) == [b, nil, a, b, nil])
            #expect(try owned.store.rows(of: thing, keys: []) == [])
        },
        Self(testDescription: "a prefix of the key gives all its rows; the empty prefix gives all") { subject in
            let owned = try OwnedStore(subject)
            let rows = [row(1, "a"), row(2, "b"), row(3, "a", family: "ff"), row(4, "a", family: "g")]
            try owned.commit(
                upserting(rows).merging(
                    adding([SumKey(1, 1): [1, 1, 1], SumKey(1, 2): [2, 2, 2], SumKey(2, 1): [3, 3, 3]])
                ) { $1 }
            )
            func ids(_ prefix: [Cell]) throws -> [Int64] {
                try owned.store.rows(of: thing, prefix: prefix).compactMap { $0[0].integer }.sorted()
            }
            #expect(try ids([.text("f")]) == [1, 2])
            #expect(try ids([.text("f"), .blob("b")]) == [2])
            #expect(try ids([]) == [1, 2, 3, 4])
            #expect(try ids([.text("")]) == [])
            #expect(try ids([.text("F")]) == [])
            #expect(try owned.store.rows(of: tally, prefix: ints(1)).count == 2)
        },
        Self(testDescription: "an upsert replaces the row of its id, natural key and all") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a", note: .text("old"), number: 1, total: 1), row(2, "b")]))
            let new = row(1, "c", note: .null, number: nil, total: -1)
            try owned.commit(upserting([new]))
            #expect(try owned.store.rows(of: thing, keys: [key("a"), key("c")]) == [nil, new])
            #expect(try owned.store.greatestID(of: thing) == 2)
        },
        Self(testDescription: "deletes come before upserts, so a key can be given on in one commit") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a"), row(2, "b")]))
            try owned.commit(upserting([row(3, "a")], deleting: [1, 77]))
            #expect(
                try owned.store.rows(of: thing, keys: [key("a"), key("b")]).map { $0?[0] } == [
                    .integer(3), .integer(2),
                ]
            )
        },
        Self(testDescription: "two rows of one natural key are refused and change nothing") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            #expect(throws: TableStoreError.self) { try owned.commit(upserting([row(2, "x"), row(3, "a")])) }
            #expect(try owned.contents() == before)
        },
        Self(testDescription: "a row without an id gets the next one") { subject in
            let owned = try OwnedStore(subject)
            #expect(try owned.store.greatestID(of: thing) == 0)
            try owned.commit(upserting([row(41, "a"), row(nil, "b"), row(nil, "c")]))
            let found = try owned.store.rows(of: thing, keys: [key("b"), key("c")]).map { $0?[0].integer }
            #expect(found == [42, 43])
            #expect(try owned.store.greatestID(of: thing) == 43)
        },
        Self(testDescription: "null, empty, NUL, control and invalid bytes come back as they were") { subject in
            let owned = try OwnedStore(subject)
            let odd: [ByteString] = [
                "", ByteString([0]), ByteString([0x61, 0, 0x62]), "é😀\u{301}", ByteString([0xFF, 0xFE, 0]),
            ]
            var rows: [[Cell]] = []
            for (index, bytes) in odd.enumerated() {
                rows.append(row(Int64(index + 1), bytes, note: .text(index == 4 ? "x" : bytes), bytes: .blob(bytes)))
            }
            rows.append(row(9, "null"))
            try owned.commit(upserting(rows))
            subject.kill()
            let store = try subject.open(tables)
            #expect(try store.rows(of: thing, keys: odd.map { key($0) } + [key("null")]) == rows)
        },
        Self(testDescription: "integers keep their full range") { subject in
            let owned = try OwnedStore(subject)
            let rows = [Int64.min, -1, 0, .max].enumerated().map {
                row(Int64($0 + 1), ByteString("\($0 as Int)"), number: $1)
            }
            try owned.commit(upserting(rows))
            #expect(
                try owned.store.rows(of: thing, prefix: [.text("f")]).sorted { "\($0)" < "\($1)" }
                    == rows.sorted { "\($0)" < "\($1)" }
            )
        },
        Self(testDescription: "a cell of another kind, or null where none may be, is refused and changes nothing") {
            subject in
            let owned = try OwnedStore(subject)
            try owned.commit(upserting([row(1, "a")]))
            let before = try owned.contents()
            let wrong: [(Int, Cell)] = [
                (5, .text("seven")), (3, .blob("x")), (2, .text("x")), (4, .text("x")), (1, .null), (2, .null),
            ]
            for (column, cell) in wrong {
                var bad = row(2, "b", number: 7)
                bad[column] = cell
                #expect(throws: TableStoreError.self, "column \(column)") {
                    try owned.store.commit(upserting([bad]), from: at(1), to: at(2), owner: owned.owner)
                }
                #expect(try owned.contents() == before)
            }
        },
    ]

    package static let sums: [Self] = [
        Self(testDescription: "S5 additions add up, and a key begins at nothing") { subject in
            let owned = try OwnedStore(subject)
            try owned.commit(adding([SumKey(1, 2): [3, 1, -4], SumKey(-1, .max): [0, -5, 1]]))
            try owned.commit(adding([SumKey(1, 2): [-5, -1, 4]]))
            #expect(try sum(owned, 1, 2) == [-2, 0, 0])
            #expect(try sum(owned, -1, .max) == [0, -5, 1])
            #expect(try owned.store.rows(of: tally, keys: [ints(2, 1)]) == [nil])
        },
        Self(testDescription: "S5 sums are exact across the border of their two parts, up and down") { subject in
            let owned = try OwnedStore(subject)
            let steps: [Int128] = [
                0xFFFF_FFFF, 1, -1, -0xFFFF_FFFF, -1, 1, 1 << 32, -(1 << 33), (1 << 62) + 0x8000_0000, 1 << 63, 1 << 63,
                0xFFFF_FFFF, 0xFFFF_FFFF, -(1 << 80), (1 << 80) - 1, 1 - (1 << 64), -(1 << 94), 1 << 94,
            ]
            var total: Int128 = 0
            for step in steps {
                try owned.commit(adding([SumKey(1): [step, 0, -step]]))
                total += step
                #expect(try sum(owned, 1, 0) == [total, 0, -total], "after \(step)")
            }
        },
        Self(testDescription: "S5 random sums are exact") { subject in
            let owned = try OwnedStore(subject)
            var random = SeededRandom(seed: 96)
            var model: [Int64: [Int128]] = [:]
            for _ in 0..<60 {
                var change: [SumKey: [Int128]] = [:]
                for _ in 0..<5 {
                    let key = Int64.random(in: 0..<4, using: &random)
                    let value =
                        (Int128(random.next()) << 20 | Int128(random.next() & 0xFFFFF)) >> Int128(random.next() % 84)
                    let values = [random.next() & 1 == 0 ? value : -value, Int128(key), -value]
                    change[SumKey(key), default: [0, 0, 0]] = zip(change[SumKey(key)] ?? [0, 0, 0], values).map {
                        $0 + $1
                    }
                }
                try owned.commit(adding(change))
                for (key, values) in change { model[key.a] = zip(model[key.a] ?? [0, 0, 0], values).map { $0 + $1 } }
            }
            for (key, values) in model { #expect(try sum(owned, key, 0) == values) }
        },
        Self(testDescription: "S5 a sum that does not fit is an error, changes nothing and spoils nothing") { subject in
            let owned = try OwnedStore(subject)
            let greatest = (Int128(1) << 95) - 1
            try owned.commit(
                upserting([row(1, "a", total: greatest), row(2, "b", total: -greatest - 1)]).merging(
                    adding([
                        SumKey(1): [greatest, Int128(Int64.max), -greatest - 1], SumKey(2): [0, Int128(Int64.min), 0],
                    ])
                ) { $1 }
            )
            #expect(
                try owned.store.rows(of: thing, keys: [key("a"), key("b")]).map { $0?[6].wide } == [
                    greatest, -greatest - 1,
                ]
            )
            let before = try owned.contents()
            let bad: [ChangeSet] = [
                adding([SumKey(0): [1, 1, 1], SumKey(1): [1, 0, 0]]),
                adding([SumKey(0): [1, 1, 1], SumKey(1): [0, 1, 0]]),
                adding([SumKey(0): [1, 1, 1], SumKey(1): [0, 0, -1]]), adding([SumKey(2): [0, -1, 0]]),
                adding([SumKey(3): [greatest + 1, 0, 0]]), adding([SumKey(3): [0, Int128(Int64.max) + 1, 0]]),
                adding([SumKey(3): [-greatest - 2, 0, 0]]), adding([SumKey(1): [1 << 94, 0, 0]]),
                adding([SumKey(3): [.max, 0, 0]]), upserting([row(3, "c", total: greatest + 1)]),
            ]
            for changes in bad {
                #expect(throws: TableStoreError.self, "\(changes)") {
                    try owned.store.commit(changes, from: at(1), to: at(2), owner: owned.owner)
                }
                #expect(try owned.contents() == before)
            }
            #expect(try owned.commit(adding([SumKey(1): [-1, -1, 1]])) == .committed)
            #expect(try sum(owned, 1, 0) == [greatest - 1, Int128(Int64.max) - 1, -greatest])
        },
    ]

    private static func sum(_ owned: OwnedStore, _ a: Int64, _ b: Int64) throws -> [Int128] {
        try owned.store.rows(of: tally, keys: [ints(a, b)]).first??.dropFirst(2).map(\.wide) ?? []
    }
}
