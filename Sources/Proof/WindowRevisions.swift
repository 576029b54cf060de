import Primitives
import RetailModel
import Tables

/// Why a window was published.
enum WindowCause: Int64 {
    case watermark = 0, idle = 1, late = 2, correction = 3
}

/// The contents and publications of windows, one group for each (store, start, currency), in the order of processing.
struct WindowRevisions {
    /// Bytes of a key behind what identifies the window.
    private static let suffix = 17

    private var facts: Sorter
    private var fact = FactWriter()

    init(_ scratch: Scratch?, bufferBytes: Int) { facts = Sorter(scratch, bufferBytes: bufferBytes) }

    private static let window = TableShape.of(RetailTables.storeWindow)
    private static let revision = TableShape.of(RetailTables.windowRevision)
    private static let open = TableShape.of(RetailTables.openWindow)

    /// The order of facts about one window within one record.
    enum Order: UInt8 {
        case sumBeforeIdle, idle, oldShare, newShare, sumBeforeWatermark, watermark
    }

    /// Key of a fact: the window, the place of the record, and the order within the record.
    private mutating func begin(
        _ store: NaturalName,
        _ start: Int64,
        _ currency: Int64,
        _ origin: Origin,
        _ order: Order
    ) {
        fact.begin()
        fact.ordered(store.source)
        fact.ordered(store.key)
        fact.ordered(start)
        fact.ordered(currency)
        fact.ordered(origin.sequence)
        fact.ordered(origin.arrival)
        fact.byte(order.rawValue)
    }

    /// - Parameter isClosed: The watermark had passed the window before this record.
    mutating func change(
        _ store: NaturalName,
        start: Int64,
        currency: Int64,
        end: Int64,
        gross: Int128,
        count: Int64,
        isClosed: Bool,
        isLate: Bool,
        _ order: Order,
        _ origin: Origin
    ) throws(ProofError) {
        begin(store, start, currency, origin, order)
        let keyLength = fact.count
        fact.byte(1)
        fact.int(origin.receivedAt)
        fact.int(origin.offset)
        fact.int(end)
        fact.wide(gross)
        fact.int(count)
        fact.int(isClosed ? 1 : 0)
        fact.int(isLate ? 1 : 0)
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    mutating func publish(
        _ store: NaturalName,
        start: Int64,
        currency: Int64,
        _ cause: WindowCause,
        _ origin: Origin
    ) throws(ProofError) {
        begin(store, start, currency, origin, cause == .idle ? .idle : .watermark)
        let keyLength = fact.count
        fact.byte(0)
        fact.int(origin.receivedAt)
        fact.int(origin.offset)
        fact.int(cause.rawValue)
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    private struct Window {
        var key: SortedRecord
        var end: Int64 = 0
        var total: Int128 = 0
        var count: Int64 = 0, revision: Int64 = 0, lateCount: Int64 = 0

        func writeKey(_ writer: inout RowWriter) {
            var reader = KeyReader(key.bytes)
            writer.name(reader.ordered(), reader.ordered())
            writer.int(reader.integer())
            writer.int(reader.integer())
        }
    }

    mutating func write(_ writer: inout RowWriter, into rows: inout RowSink) throws {
        var groups = SortedGroups(try facts.finish())
        var open: Window?
        try groups.forEach(suffix: Self.suffix) { record, isFirst in
            if isFirst {
                if let open { try Self.write(open, &writer, &rows) }
                open = Window(key: record)
            }
            guard var window = open else { return }
            try Self.add(record, to: &window, &writer, &rows)
            open = window
        }
        if let open { try Self.write(open, &writer, &rows) }
    }

    private static func add(
        _ record: SortedRecord,
        to window: inout Window,
        _ writer: inout RowWriter,
        _ rows: inout RowSink
    ) throws(ProofError) {
        var reader = FactReader(record)
        let isChange = reader.byte() == 1
        let place = (receivedAt: reader.int(), offset: reader.int())
        if !isChange {
            let cause = reader.int()
            guard window.revision == 0 else { return }
            return try publish(&window, old: (0, 0), cause, place, &writer, &rows)
        }
        let old = (window.total, window.count)
        let end = reader.int()
        if window.end == 0 { window.end = end }
        window.total += reader.wide()
        window.count += reader.int()
        let isClosed = reader.int() == 1
        let isLate = reader.int() == 1
        if isLate { window.lateCount += 1 }
        guard isClosed || window.revision > 0 else { return }
        let cause = isLate ? WindowCause.late : .correction
        try publish(&window, old: old, cause.rawValue, place, &writer, &rows)
    }

    private static func publish(
        _ window: inout Window,
        old: (total: Int128, count: Int64),
        _ cause: Int64,
        _ place: (receivedAt: Int64, offset: Int64),
        _ writer: inout RowWriter,
        _ rows: inout RowSink
    ) throws(ProofError) {
        window.revision += 1
        writer.begin(revision)
        window.writeKey(&writer)
        writer.int(window.revision)
        writer.wide(old.total)
        writer.wide(window.total)
        writer.int(old.count)
        writer.int(window.count)
        writer.int(cause)
        writer.int(place.receivedAt)
        writer.int(place.offset)
        try writer.end(into: &rows)
    }

    private static func write(
        _ window: Window,
        _ writer: inout RowWriter,
        _ rows: inout RowSink
    ) throws(ProofError) {
        writer.begin(Self.window)
        window.writeKey(&writer)
        writer.int(window.end)
        writer.wide(window.total)
        writer.int(window.count)
        writer.int(window.revision)
        writer.int(window.lateCount)
        try writer.end(into: &rows)
        guard window.revision == 0 else { return }
        writer.begin(open)
        window.writeKey(&writer)
        try writer.end(into: &rows)
    }
}
