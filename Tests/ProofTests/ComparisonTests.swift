import Ports
import Primitives
import RetailModel
import Tables
import Testing

@testable import Proof

/// Differences are found and named in words that a person can follow.
@Suite struct ComparisonTests {
    private static func runs(
        _ rows: [(name: ByteString, at: Int64?)],
        keeping: TableSet = .all
    ) throws -> RowSet {
        var sink = RowSink(nil, bufferBytes: 0, keeping: keeping)
        var writer = RowWriter()
        for row in rows {
            writer.begin(TableShape.of(RetailTables.store))
            writer.name("pos", row.name)
            writer.text(row.at == nil ? nil : ByteString("name"))
            writer.int(row.at)
            writer.text("UTC")
            try writer.end(into: &sink)
        }
        return try sink.finish()
    }

    @Test func `missing, extra and different rows are told apart`() throws {
        let live = try Self.runs([("c", 3), ("a", 1), ("b", nil)])
        let proved = try Self.runs([("b", 2), ("c", 3), ("d", 4)])
        let comparison = try Comparison(live: live, proved: proved)
        #expect(comparison.rows == 3 && comparison.differenceCount == 3)
        #expect(
            comparison.differences.map(\.description) == [
                "store source=pos source_key=a: extra in the tables",
                "store source=pos source_key=b: differs: name live=null proved=name, name_at live=null proved=2",
                "store source=pos source_key=d: missing in the tables",
            ]
        )
    }

    @Test func `equal rows are no difference and at most a hundred are kept`() throws {
        let many = (0..<250).map { (name: ByteString(padded($0, 3)), at: Int64?.none) }
        #expect(try Comparison(live: Self.runs(many), proved: Self.runs(many.reversed())).differenceCount == 0)
        let comparison = try Comparison(live: Self.runs([]), proved: Self.runs(many))
        #expect(comparison.differenceCount == 250 && comparison.differences.count == 100)
    }

    @Test func `fingerprints are equal for the same rows in any order and for no others`() throws {
        let rows: [(name: ByteString, at: Int64?)] = [("a", 1), ("b", nil), ("c", 3), ("c", 3)]
        let print = try Self.runs(rows, keeping: .none)
        #expect(print.printed == 4 && print.kept.count == 0)
        #expect(try print.differing(from: Self.runs(rows.reversed(), keeping: .none)).isEmpty)
        let others: [[(name: ByteString, at: Int64?)]] = [
            [("a", 1), ("b", nil), ("c", 3)], [("a", 1), ("b", nil), ("c", 3), ("c", 4)],
            [("a", 1), ("a", 1), ("b", nil), ("c", 3)], [("a", 1), ("b", 0), ("c", 3), ("c", 3)], [],
        ]
        let number = TableShape.of(RetailTables.store).number
        for other in others {
            let differing = try print.differing(from: Self.runs(other, keeping: .none))
            #expect(differing.contains(number) && TableShape.all.count { differing.contains($0.number) } == 1)
        }
        var sum = RowSink(nil, bufferBytes: 0, keeping: .none)
        try sum.absorb(Self.runs(Array(rows[..<1]), keeping: .none))
        try sum.absorb(Self.runs(Array(rows[1...]), keeping: .none))
        #expect(try print.differing(from: sum.finish()).isEmpty)
    }

    @Test func `tables that were wrong only for a while are a difference`() throws {
        var comparison = try Comparison(live: Self.runs([]), proved: Self.runs([]))
        var suspects = TableSet.none
        suspects.insert(TableShape.of(RetailTables.store).number)
        comparison.addVanished(suspects, seenAt: PositionVector(), now: PositionVector())
        #expect(comparison.differenceCount == 1)
        #expect(comparison.differences.first?.description.hasPrefix("store all rows: rows differed at") == true)
        // A row that still differs says it better.
        comparison = try Comparison(live: Self.runs([]), proved: Self.runs([("a", 1)]))
        comparison.addVanished(suspects, seenAt: PositionVector(), now: PositionVector())
        #expect(comparison.differenceCount == 1 && comparison.differences.first?.kind == .missing)
    }

    @Test func `every table has one shape, and no surrogate in it`() {
        #expect(TableShape.all.map(\.table.name) == RetailTables.all.map(\.name))
        for shape in TableShape.all {
            #expect(!shape.cells.contains { $0.name == "id" })
            #expect(
                shape.cells.allSatisfy { $0.part != nil || !$0.name.hasSuffix("_id") || $0.column.kind != .integer }
            )
        }
    }

    @Test func `figures that do not agree are named with table and day`() {
        var figure = ControlTotals.Figure(
            currency: "EUR",
            figure: .gross,
            base: "lines",
            sums: [("line", 5), ("sales_day", 5)]
        )
        #expect(figure.isRight)
        figure.days = [("sales_day", 1, 3, 2)]
        #expect(!figure.isRight)
    }
}
