package import Ports
import Primitives
package import RecordBatch
package import RetailModel

/// A logged batch that is refined slice by slice: one request may hold 200,000 records, and the fold takes only as many
/// at a time as its memory allows. Cuts are positions, so it does not matter where they are.
package struct BatchSlices: Sendable {
    let batch: LoggedBatch
    var cursor: RecordBatchCursor

    /// - Throws: `RecordBatchError` when the stored batch cannot be read.
    package init(_ batch: LoggedBatch) throws(RecordBatchError) {
        self.batch = batch
        cursor = RecordBatchCursor(
            try RecordBatchView(batch.buffer, at: batch.range.lowerBound, end: batch.range.upperBound)
        )
    }

    package var isAtEnd: Bool { cursor.isAtEnd }
    /// The offset of the record that comes next.
    package var nextOffset: Int64 { batch.baseOffset + Int64(cursor.index) }
    /// Bytes of the batch.
    package var bytes: Int { batch.range.count }
}

/// How many records, and how many bytes of them once refined, may still be taken.
package struct SliceBudget: Sendable, Equatable {
    package var records: Int
    package var bytes: Int

    package init(records: Int, bytes: Int) {
        self.records = records
        self.bytes = bytes
    }

    package static let unlimited = SliceBudget(records: .max, bytes: .max)

    package var isSpent: Bool { records <= 0 || bytes <= 0 }

    package mutating func spend(_ weight: Int) {
        records -= 1
        bytes -= weight
    }
}

extension RefinedRecord {
    /// Bytes that a refined record takes, about: its fields (1 KiB), its texts and lines (four times its original
    /// bytes: a line of 80 bytes becomes 300), and its reasons.
    package func weight(originalBytes: Int) -> Int {
        let base = Self.weight(records: 1, originalBytes: originalBytes)
        if case .quarantined(let reasons) = outcome { return base + reasons.count }
        return base
    }

    /// The same of several good records.
    package static func weight(records: Int, originalBytes: Int) -> Int { 1_024 * records + 4 * originalBytes }
}
