import Primitives
import RetailModel
import Tables
import Testing

/// The history of a document is that of all its versions, in any order of arrival, and says when a status goes back.
@Suite struct StatusHistoryTests {
    private struct Outcome: Hashable {
        var history: [[Int64?]]
        var isFlagged: Bool
    }

    /// Messages with one version time each; `at` of a status is the number of its message.
    private func history(_ steps: [[(SaleStatus, Int64)]], copies: [Int] = []) throws -> Outcome {
        let messages = (Array(steps.indices) + copies).map { number in
            TieTests.Message(
                status: steps[number].last?.0 ?? .closed,
                version: Int64(number + 1),
                history: steps[number].map { StatusEntry(status: $0.0, at: $0.1) }
            )
        }
        var found: Set<Outcome> = []
        for order in TieTests.orders(Array(messages.indices)) {
            for size in [1, 2, messages.count] {
                let records = try order.enumerated().map { try TieTests.record(messages[$1], $0) }
                let store = try ProvedTables.fold(records, size: size)
                let rows = store.rows(of: RetailTables.statusHistory, prefix: []).map {
                    [$0[3].integer, $0[2].integer]
                }
                let document = try #require(store.rows(of: RetailTables.document, prefix: []).first)
                let flags = DocumentFlags(rawValue: document[36].integer ?? 0)
                let entries = rows.sorted { ($0[1] ?? 0, $0[0] ?? 0) < ($1[1] ?? 0, $1[0] ?? 0) }
                found.insert(Outcome(history: entries, isFlagged: flags.contains(.statusOrder)))
            }
        }
        #expect(found.count == 1, "\(found)")
        return try #require(found.first)
    }

    private func raw(_ status: SaleStatus) -> Int64 { status.rawValue }

    @Test func `open, cooking, cancelled, cooking in four messages are all there, and flagged`() throws {
        let found = try history([[(.open, 1)], [(.cooking, 2)], [(.cancelled, 3)], [(.cooking, 4)]])
        #expect(found.history == [[raw(.open), 1], [raw(.cooking), 2], [raw(.cancelled), 3], [raw(.cooking), 4]])
        #expect(found.isFlagged)
    }

    @Test func `statuses that go on are not flagged, and one that several versions tell is there once`() throws {
        let found = try history([[(.open, 1)], [(.open, 1), (.cooking, 2)], [(.closed, 3)]], copies: [1])
        #expect(found.history == [[raw(.open), 1], [raw(.cooking), 2], [raw(.closed), 3]])
        #expect(!found.isFlagged)
    }

    @Test func `a newer version without a history takes nothing away`() throws {
        let found = try history([[(.cooking, 1), (.closed, 2)], [], [(.open, 5)]])
        #expect(found.history == [[raw(.cooking), 1], [raw(.closed), 2], [raw(.open), 5]])
        #expect(found.isFlagged)
        #expect(try history([[(.open, 1)], []]) == Outcome(history: [[raw(.open), 1]], isFlagged: false))
    }
}
