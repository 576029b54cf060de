import Primitives
import Tables

/// How many rows, and the sum of their SHA-256 in four lanes modulo 2^64: equal for equal rows in any order.
///
/// The chance that different rows have equal sums is below 2^-200; no order, no sorting and 40 bytes a table is what it
/// buys. Source: multiset hash by addition (Clarke et al., "Incremental Multiset Hash Functions", 2003).
struct Fingerprint: Equatable, Sendable {
    private(set) var rows: Int64 = 0
    private var sum = SIMD4<UInt64>()

    mutating func add(_ row: ArraySlice<UInt8>) {
        let digest = Digest.sha256(of: row)
        rows += 1
        sum &+= SIMD4(digest.a, digest.b, digest.c, digest.d)
    }

    static func += (a: inout Self, b: Self) {
        a.rows += b.rows
        a.sum &+= b.sum
    }
}

/// A set of tables, by ``TableShape/number``.
package struct TableSet: Sendable, Equatable {
    private var bits: UInt64 = 0

    package static let none = TableSet()
    package static let all: TableSet = {
        precondition(TableShape.all.count <= 64, "a set of tables has 64 bits")
        var all = TableSet()
        for shape in TableShape.all { all.insert(shape.number) }
        return all
    }()

    var isEmpty: Bool { bits == 0 }
    func contains(_ number: UInt8) -> Bool { bits & (1 << number) != 0 }
    mutating func insert(_ number: UInt8) { bits |= 1 << number }
    mutating func formUnion(_ other: Self) { bits |= other.bits }
}

/// Takes the rows of all tables: those of the kept tables are sorted, of the others only the fingerprint stays.
struct RowSink {
    private let keeping: TableSet
    private var sorter: Sorter
    private var prints = [Fingerprint](repeating: Fingerprint(), count: TableShape.all.count)

    init(_ scratch: Scratch?, bufferBytes: Int, keeping: TableSet) {
        self.keeping = keeping
        sorter = Sorter(scratch, bufferBytes: bufferBytes)
    }

    /// - Parameter row: Begins with the number of its table.
    mutating func add(_ row: ArraySlice<UInt8>, keyLength: Int) throws(ProofError) {
        let table = row[row.startIndex]
        if keeping.contains(table) {
            try sorter.add(row, keyLength: keyLength)
        } else {
            prints[Int(table)].add(row)
        }
    }

    mutating func absorb(_ other: RowSet) throws(ProofError) {
        try sorter.absorb(other.kept)
        for index in prints.indices { prints[index] += other.prints[index] }
    }

    mutating func finish() throws(ProofError) -> RowSet { RowSet(kept: try sorter.finish(), prints: prints) }
}

/// The rows of all tables as one of the two computations has them.
package struct RowSet: Sendable {
    /// Rows of the kept tables, in order of table and key.
    package let kept: SortedRuns
    /// Of the other tables, by ``TableShape/number``.
    let prints: [Fingerprint]

    static let empty = RowSet(kept: .empty, prints: [])

    /// Rows that are not kept.
    var printed: Int { Int(prints.reduce(0) { $0 + $1.rows }) }

    /// Tables whose fingerprints differ: at least one row is another, missing or extra.
    func differing(from other: RowSet) -> TableSet {
        var found = TableSet.none
        for shape in TableShape.all where prints[Int(shape.number)] != other.prints[Int(shape.number)] {
            found.insert(shape.number)
        }
        return found
    }
}
