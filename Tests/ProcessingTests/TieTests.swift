import FaultKit
import Primitives
import RetailModel
import Tables
import Testing

/// Versions of one version time: the second version time decides, then the progress of the status, then the hash, in
/// any order of arrival. All but one stay conflicts, whichever wins. The proof has the same rows.
@Suite struct TieTests {
    struct Message {
        var document = "o"
        var status = SaleStatus.closed
        var second: Int64 = 0
        var version: Int64 = 1
        var amount: Int64 = 100_000
        /// Seconds; nil: no windows.
        var windowed: Int64?
        var history: [StatusEntry] = []
        var spelling = "t"
    }

    static func record(_ message: Message, _ index: Int) throws -> RefinedRecord {
        let eur = try #require(Currency("EUR"))
        let time = Timestamp(micros: (message.windowed ?? 0) * 1_000_000)
        let key = ByteString(message.document)
        var header = DocumentHeader(
            source: "pos",
            document: key,
            store: "S",
            timeZone: "UTC",
            occurredAt: time,
            day: 0,
            currency: eur
        )
        header.status = message.status
        header.versionAt = message.version
        header.secondVersionAt = message.second
        header.statuses = message.history
        header.customer = "u"
        header.isCounted = true
        if message.windowed != nil {
            header.window = WindowPolicy(length: 10_000_000, lateness: 0, idle: 30_000_000, skew: 60_000_000)
        }
        var line = LineEvent(
            source: "pos",
            document: key,
            identity: "1",
            store: "S",
            timeZone: "UTC",
            product: "p",
            occurredAt: time,
            day: 0,
            hour: 0,
            quantity: 1_000,
            unitPrice: message.amount,
            amount: message.amount,
            currency: eur,
            rawTime: ByteString(message.spelling)
        )
        var canonical = ByteBuilder()
        line.canonical(into: &canonical)
        line.versionAt = message.version
        line.contentHash = .sha256(of: canonical.bytes)
        canonical.appendBigEndian(message.status.rawValue)
        for entry in message.history {
            canonical.appendBigEndian(entry.status.rawValue)
            canonical.appendBigEndian(entry.at)
        }
        return RefinedRecord(
            outcome: .accepted(
                .sale(SaleEvent(header: header, lines: [line], contentHash: .sha256(of: canonical.bytes)))
            ),
            offset: Int64(index),
            topic: "feed.pos",
            feed: "pos",
            run: "",
            recordID: Identifier(high: 1, low: UInt64(index)),
            contract: .zero,
            receivedAt: Timestamp(micros: 1_000_000 * Int64(index)),
            bytes: ""
        )
    }

    static func orders(_ items: [Int]) -> [[Int]] {
        if items.count < 2 { return [items] }
        return items.flatMap { first in orders(items.filter { $0 != first }).map { [first] + $0 } }
    }

    /// What must not depend on the order of arrival.
    struct Outcome: Hashable {
        var statuses: [SaleStatus?] = [], seconds: [Int64?] = [], gross: [Int128] = [], spellings: [ByteString?] = []
        /// Second time and outcome of the versions that lost, by second time.
        var lost: [[Int64?]] = []
        var tally: [Int128] = []
        var windows: [Int128] = []
    }

    static func outcome(_ store: MemoryTables) throws -> Outcome {
        func rows(_ table: TableDeclaration) throws -> [[Cell]] { try store.rows(of: table, prefix: []) }
        func by(_ columns: Int...) -> ([Cell], [Cell]) -> Bool {
            { a, b in columns.map { a[$0].integer ?? 0 }.lexicographicallyPrecedes(columns.map { b[$0].integer ?? 0 }) }
        }
        var out = Outcome()
        for row in try rows(RetailTables.document) {
            out.statuses.append(row[11].integer.flatMap { SaleStatus(rawValue: $0) })
            out.seconds.append(row[40].integer)
            out.gross.append(row[15].wide)
        }
        out.spellings = try rows(RetailTables.line).map { $0[15].bytes }
        out.lost = try rows(RetailTables.version).sorted(by: by(4, 7, 8)).map {
            [$0[4].integer, $0[7].integer, $0[5].integer]
        }
        out.tally = try rows(RetailTables.feedTotal).flatMap { row in row.dropFirst(1).map(\.wide) }
        return out
    }

    /// Folds every order of the messages, in single records and at once; the tables are the same.
    static func settle(_ messages: [Message]) throws -> Outcome {
        var found: Set<Outcome> = []
        for order in orders(Array(messages.indices)) {
            for size in [1, 2, messages.count] {
                let records = try order.enumerated().map { try record(messages[$1], $0) }
                found.insert(try outcome(ProvedTables.fold(records, size: size)))
            }
        }
        #expect(found.count == 1, "\(found)")
        return try #require(found.first)
    }

    @Test(
        arguments: [
            (SaleStatus.closed, SaleStatus.cancelled, SaleStatus.cancelled), (.open, .closed, .closed),
            (.cooking, .open, .cooking), (.delivering, .cooking, .delivering), (.delivering, .closed, .closed),
            (.failed, .closed, .failed),
        ]
    )
    func `of twenty orders with one version time each has the status furthest on`(
        first: SaleStatus,
        then: SaleStatus,
        wins: SaleStatus
    ) throws {
        for isReversed in [false, true] {
            let messages = (0..<20).flatMap { number in
                let pair = [
                    Message(document: "o\(number)", status: first), Message(document: "o\(number)", status: then),
                ]
                return isReversed ? pair.reversed() : pair
            }
            let found = try Self.outcome(
                ProvedTables.fold(messages.enumerated().map { try Self.record($1, $0) }, size: 7)
            )
            #expect(found.statuses == Array(repeating: wins, count: 20))
            #expect(found.lost.count == 20 && found.lost.allSatisfy { $0[2] == 1 })
        }
    }

    @Test func `the second version time decides before the status`() throws {
        let found = try Self.settle([Message(status: .cancelled, second: 1), Message(status: .closed, second: 2)])
        #expect(found.statuses == [.closed] && found.seconds == [2] && found.lost == [[1, 1, 1]])
    }

    @Test func `a duplicate with a later second time makes its version win, and is counted as a duplicate`() throws {
        let found = try Self.settle([
            Message(status: .closed, second: 1, spelling: "a"), Message(status: .cancelled, second: 2),
            Message(status: .closed, second: 3, spelling: "b"), Message(status: .closed, second: 3, spelling: "c"),
        ])
        #expect(found.statuses == [.closed] && found.seconds == [3] && found.lost == [[1, 2, 1]])
        #expect(found.spellings == ["b"], "of the copies with the greatest second time, the least")
        // received, distinct, duplicates, quarantined, parked, current, superseded, conflicting
        #expect(found.tally == [4, 2, 2, 0, 0, 1, 0, 1])
    }

    @Test func `among versions that lost the greatest is superseded, the others conflict`() throws {
        let found = try Self.settle([
            Message(status: .closed, second: 1), Message(status: .cancelled, second: 2),
            Message(status: .closed, second: 3), Message(status: .open, version: 2),
        ])
        #expect(found.statuses == [.open] && found.lost == [[1, 2, 1], [1, 3, 0]])
        #expect(found.tally == [4, 3, 1, 0, 0, 1, 1, 1])
    }

    @Test func `a version that wins again brings its amount back to its window`() throws {
        let messages = [
            Message(second: 1, amount: 100_000, windowed: 5), Message(second: 2, amount: 250_000, windowed: 15),
            Message(second: 3, amount: 100_000, windowed: 5),
        ]
        #expect(try Self.settle(messages).gross == [100_000])
        for order in Self.orders([0, 1, 2]) {
            let records = try order.enumerated().map { try Self.record(messages[$1], $0) }
            let store = try ProvedTables.fold(records, size: 1)
            // Start and total of each window.
            let windows = store.rows(of: RetailTables.storeWindow, prefix: []).map {
                [$0[2].integer, Int64($0[5].wide)]
            }
            #expect(windows.filter { $0[1] != 0 } == [[0, 100_000]])
        }
    }
}
