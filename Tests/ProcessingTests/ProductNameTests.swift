import Primitives
import RetailModel
import Tables
import Testing

/// What names a product: a menu, else a gross line with a price, else any other line, each the latest of its kind, in
/// any order of arrival. The proof has the same rows.
@Suite struct ProductNameTests {
    private func line(_ text: ByteString?, at second: Int64, price: Int64, quantity: Int64) throws -> Outcome {
        var line = LineEvent(
            source: "invoices",
            document: ByteString("\(second)"),
            identity: ByteString("\(second)"),
            store: "ONLINE",
            timeZone: "UTC",
            product: "22423",
            occurredAt: Timestamp(micros: second * 1_000_000),
            day: 0,
            hour: 0,
            quantity: quantity,
            unitPrice: price,
            amount: price * quantity / 1_000,
            currency: try #require(Currency("GBP")),
            rawTime: "t"
        )
        line.description = text
        line.customer = "17850"
        line.kind = .classify(documentType: .sale, quantity: quantity, unitPrice: price, isRefund: true)
        line.contentHash = .sha256(of: Array("\(second)".utf8))
        return .accepted(.line(line))
    }

    /// The product's name and its rank, the same for every order of the events.
    private func name(_ outcomes: [Outcome]) throws -> (name: ByteString?, rank: Int64?) {
        var found: Set<[Cell]> = []
        for order in permutations(Array(outcomes.indices)) {
            for size in [1, outcomes.count] {
                let records = order.enumerated().map { place, index in
                    RefinedRecord(
                        outcome: outcomes[index],
                        offset: Int64(place),
                        topic: "feed.invoices",
                        feed: "invoices",
                        run: "",
                        recordID: Identifier(high: 1, low: UInt64(index)),
                        contract: .zero,
                        receivedAt: Timestamp(micros: Int64(place)),
                        bytes: ByteString("\(index)")
                    )
                }
                let store = try ProvedTables.fold(records, size: size)
                let row = try #require(store.rows(of: RetailTables.product, prefix: []).first)
                found.insert([row[3], row[5]])
            }
        }
        #expect(found.count == 1)
        let one = try #require(found.first)
        return (one[0].bytes, one[1].integer)
    }

    private func permutations(_ items: [Int]) -> [[Int]] {
        if items.count < 2 { return [items] }
        return items.flatMap { first in permutations(items.filter { $0 != first }).map { [first] + $0 } }
    }

    @Test func `later stock notes name no product that was sold for money`() throws {
        let found = try name([
            line("REGENCY CAKESTAND", at: 1, price: 1_275_000, quantity: 2_000),
            line("CAKESTAND, OLD NAME", at: 0, price: 1_275_000, quantity: 1_000),
            line("damaged", at: 3, price: 0, quantity: 5_000), line("?", at: 4, price: 1_275_000, quantity: -1_000),
        ])
        #expect(found.name == "REGENCY CAKESTAND" && found.rank == 1)
    }

    @Test func `what was never sold for money is called what its lines say`() throws {
        let found = try name([
            line("check", at: 1, price: 0, quantity: 1_000), line("damaged", at: 2, price: 0, quantity: -1_000),
            line(nil, at: 3, price: 100_000, quantity: 1_000),
        ])
        #expect(found.name == "damaged" && found.rank == 0)
    }

    @Test func `a menu names it above all lines`() throws {
        var menu = ReferenceEvent(entity: .store, source: "invoices", key: "S", timeZone: "UTC", validFrom: 0)
        menu.items = [.init(product: "22423", name: "Cakestand", category: "c", price: 1)]
        let found = try name([
            line("REGENCY CAKESTAND", at: 1, price: 1_275_000, quantity: 2_000),
            line("damaged", at: 3, price: 0, quantity: 5_000), .accepted(.reference(menu)),
        ])
        #expect(found.name == "Cakestand" && found.rank == 2)
    }
}
