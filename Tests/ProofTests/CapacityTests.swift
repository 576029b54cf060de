import Primitives
import RetailModel
import Testing

@testable import Proof

/// What a proof holds in memory has limits, and an error that says which was met.
@Suite struct CapacityTests {
    /// Two of everything: two stores with a window and a clock each, two senders of two ranges, two runs, two users.
    private static func records(_ count: Int) -> Records {
        var records = Records()
        for number in 0..<count {
            let name = ByteString("n\(number)")
            let sale = Records.sale(name, store: name, window: Records.policy)
            for sequence in [1, 5] as [Int64] {
                records.add(.accepted(.sale(sale)), run: name, sender: name, sequence: sequence, at: 1_000_000)
            }
            let user = Records.customer(name, 0, name: "N")
            records.add(.accepted(.reference(user)), feed: "users", run: "one", at: 1_000_000)
        }
        return records
    }

    private static let exact: ProofCapacity = {
        var capacity = ProofCapacity()
        capacity.references = 2
        capacity.senders = 2
        capacity.senderRanges = 4
        // Two runs of sales, one of users.
        capacity.runs = 3
        // A store, its clock and its window, twice.
        capacity.windowPlaces = 6
        return capacity
    }()

    @Test func `what fits exactly is proved as without limits`() throws {
        let records = Self.records(2)
        #expect(try Proof.contents(of: records.all, capacity: Self.exact) == records.proved())
    }

    @Test(arguments: [
        (\ProofCapacity.references, 1, "references and menu items"), (\.senders, 1, "senders"),
        (\.senderRanges, 3, "ranges of sequence numbers"), (\.runs, 2, "ingest runs"),
        (\.windowPlaces, 5, "stores, their clocks and open windows"),
    ])
    func `one more is an error that names it`(
        limit: any WritableKeyPath<ProofCapacity, Int> & Sendable,
        value: Int,
        what: String
    ) throws {
        var capacity = Self.exact
        capacity[keyPath: limit] = value
        let error = #expect(throws: ProofError.self) {
            try Proof.contents(of: Self.records(2).all, capacity: capacity)
        }
        #expect(error == .tooLarge(what: what, limit: value))
        let message = "There are more than \(value) \(what), which is the limit of a proof in memory."
        #expect(error?.description == message)
    }

    /// Published windows, joined ranges and known names take no place.
    @Test func `places are given back`() throws {
        var records = Records()
        for number in 0..<40 {
            let sale = Records.sale(ByteString("d\(number)"), at: Double(number) * 30, window: Records.policy)
            let at = Int64(number) * 30_000_000
            records.add(.accepted(.sale(sale)), sender: "s", sequence: Int64(number), at: at)
        }
        var capacity = Self.exact
        capacity.senderRanges = 1
        #expect(try Proof.contents(of: records.all, capacity: capacity) == records.proved())
    }
}
