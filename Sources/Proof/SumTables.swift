import Primitives
import RetailModel
import Tables

/// Up to six summed columns.
struct SumValues {
    var a: Int128 = 0, b: Int128 = 0, c: Int128 = 0, d: Int128 = 0, e: Int128 = 0, f: Int128 = 0

    static func += (x: inout Self, y: Self) {
        x.a += y.a
        x.b += y.b
        x.c += y.c
        x.d += y.d
        x.e += y.e
        x.f += y.f
    }

    var array: [Int128] { [a, b, c, d, e, f] }
}

/// Sums by key over all tables of sums: a bounded number of keys in memory, the rest in sorted runs.
struct SumTables {
    private var known = KeyTable()
    /// Of the known keys.
    private var values: [SumValues] = []
    private var key = ByteBuilder()
    private var sorter: Sorter

    init(_ scratch: Scratch?, bufferBytes: Int) { sorter = Sorter(scratch, bufferBytes: bufferBytes) }

    /// - Parameter write: Writes the row's bytes up to the end of its key.
    mutating func add(_ more: SumValues, _ write: (inout ByteBuilder) -> Void) throws(ProofError) {
        key.removeAll()
        write(&key)
        let number = known.number(of: key)
        if number == values.count { values.append(SumValues()) }
        values[number] += more
        if known.count > ProofLimits.sumKeys { try spill() }
    }

    private mutating func spill() throws(ProofError) {
        var fact = FactWriter()
        for number in 0..<known.count {
            fact.begin()
            fact.raw(known.key(number))
            let keyLength = fact.count
            for value in values[number].array { fact.wide(value) }
            try sorter.add(fact.bytes, keyLength: keyLength)
        }
        known.removeAll()
        values.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(ProofError) -> SortedRuns {
        try spill()
        return try sorter.finish()
    }

    mutating func absorb(_ runs: SortedRuns) throws(ProofError) { try sorter.absorb(runs) }

    /// Writes the rows that are not all zeros; call once, at the end.
    mutating func write(into rows: inout RowSink) throws {
        var groups = SortedGroups(try finish())
        var key: [UInt8] = []
        var sum = SumValues()
        try groups.forEach(suffix: 0) { record, isFirst in
            var reader = FactReader(record)
            let values = SumValues(
                a: reader.wide(),
                b: reader.wide(),
                c: reader.wide(),
                d: reader.wide(),
                e: reader.wide(),
                f: reader.wide()
            )
            if isFirst {
                try Self.write(key, sum, &rows)
                key = Array(record.key)
                sum = values
            } else {
                sum += values
            }
        }
        try Self.write(key, sum, &rows)
    }

    private static func write(_ key: [UInt8], _ sum: SumValues, _ rows: inout RowSink) throws(ProofError) {
        let values = sum.array
        guard !key.isEmpty, values.contains(where: { $0 != 0 }) else { return }
        let shape = TableShape.all[Int(key[0])]
        var record = key
        for (cell, value) in zip(shape.cells[shape.keyCells...], values) {
            if cell.column.kind == .wide {
                record.appendCell(wide: value)
            } else {
                record.appendCell(Int64(truncatingIfNeeded: value))
            }
        }
        try rows.add(record[...], keyLength: key.count)
    }
}
