import Primitives

/// The lines of one document that matter to a batch, as they are now and as they were stored.
///
/// Most documents have a handful of lines, and looking through them costs less than hashing; beyond that an index is
/// made.
struct DocumentLines {
    struct Entry {
        let identity: ByteString
        /// Nil when it went away.
        var current: LineRow?
        /// The batch changed it; else `before` says nothing.
        var isTouched = false
        /// As stored before the batch; nil when the line is new.
        var before: LineRow?
    }

    /// In the order in which they were asked for or came.
    private(set) var entries: [Entry] = []
    private var places: [ByteString: Int] = [:]

    /// Lines up to which they are looked through.
    private static var listedMax: Int { 12 }

    /// The line as it is now.
    subscript(identity: ByteString) -> LineRow? { place(of: identity).flatMap { entries[$0].current } }

    var current: some Sequence<LineRow> { entries.lazy.compactMap(\.current) }

    func isTouched(_ identity: ByteString) -> Bool { place(of: identity).map { entries[$0].isTouched } ?? false }

    /// As stored before the batch, if the batch changed it since.
    func before(_ identity: ByteString) -> LineRow? { place(of: identity).flatMap { entries[$0].before } }

    /// Takes over a line as it is stored.
    mutating func load(_ line: LineRow) {
        if let place = place(of: line.identity) {
            entries[place].current = line
        } else {
            append(Entry(identity: line.identity, current: line))
        }
    }

    /// Puts a line under its identity, new or in the place of the one there; nil takes it away.
    mutating func set(_ line: LineRow?, of identity: ByteString) {
        guard let place = place(of: identity) else {
            return append(Entry(identity: identity, current: line, isTouched: true))
        }
        if !entries[place].isTouched {
            entries[place].isTouched = true
            entries[place].before = entries[place].current
        }
        entries[place].current = line
    }

    private func place(of identity: ByteString) -> Int? {
        if entries.count > Self.listedMax { return places[identity] }
        for place in entries.indices where entries[place].identity == identity { return place }
        return nil
    }

    private mutating func append(_ entry: Entry) {
        entries.append(entry)
        if entries.count == Self.listedMax + 1 {
            for (place, entry) in entries.enumerated() { places[entry.identity] = place }
        } else if entries.count > Self.listedMax {
            places[entry.identity] = entries.count - 1
        }
    }
}
