import Primitives

/// Reads the records of a checked batch one by one: a reader may stop after any of them and go on later.
public struct RecordBatchCursor: Sendable {
    private let view: RecordBatchView
    private var position: Int
    /// The record that comes next.
    public private(set) var index = 0

    public init(_ view: RecordBatchView) {
        self.view = view
        position = view.range.lowerBound + RecordBatchLayout.headerSize
    }

    public var isAtEnd: Bool { index == view.recordCount }

    /// The next record; nil after the last one.
    public mutating func next(in bytes: [UInt8]) throws(RecordBatchError) -> RecordBatchView.Record? {
        if isAtEnd { return nil }
        var reader = WireReader(bytes, at: position, end: view.range.upperBound)
        guard let record = RecordBatchView.record(&reader, bytes), record.offsetDelta == index else {
            throw .record(index: index)
        }
        position = reader.position
        index += 1
        if isAtEnd, reader.remaining > 0 {
            throw .count(stated: Int32(view.recordCount), found: view.recordCount + 1)
        }
        return record
    }
}
