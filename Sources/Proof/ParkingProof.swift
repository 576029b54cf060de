import Formats
import Primitives
import RetailModel
import Tables

/// Records that need a reference (S3), one group for each record.
extension Recomputation {
    private static let parked = TableShape.of(RetailTables.parked)
    private static let need = TableShape.of(RetailTables.parkedNeed)

    mutating func proveParking() throws {
        var groups = SortedGroups(try parkingFacts.finish())
        /// When the record of this group that waits is released; nil when none waits.
        var waitsUntil: Int64?
        try groups.forEach(suffix: StoredRecord.suffix) { record, isFirst in
            if isFirst { waitsUntil = nil }
            let stored = StoredRecord(record)
            guard case .accepted(.sale(let sale)) = stored.outcome else { return }
            if let until = waitsUntil, stored.origin.sequence < until {
                tallies[stored.origin.run].duplicates += 1
                return
            }
            var origin = stored.origin
            origin.sequence = references.complete(sale.header.requires, from: origin.sequence)
            if origin.sequence != stored.origin.sequence { waitsUntil = origin.sequence }
            if origin.sequence == .max {
                tallies[origin.run].parked += 1
                try write(stored, sale.header.requires)
            } else {
                try apply(.sale(sale), origin)
            }
        }
    }

    private mutating func write(_ stored: StoredRecord, _ requires: [ReferenceKey]) throws(ProofError) {
        let missing = Set(requires.map(\.text)).filter { !references.isPresentAtEnd($0) }.sorted()
        var json = JSONWriter()
        json.beginArray()
        for need in missing { json.string(need) }
        json.endArray()
        let feed = tallies.feed(stored.origin.run)
        writer.begin(Self.parked)
        stored.writeKey(feed, &writer)
        writer.blob(stored.bytes.bytes)
        writer.text(ByteString(json.bytes))
        writer.blob(stored.contract.bytes)
        writer.int(stored.origin.receivedAt)
        writer.text(stored.run)
        writer.text(stored.origin.sender)
        writer.text(stored.csvHeader)
        writer.int(stored.csvSeparator)
        writer.text(topics[stored.origin.topic])
        writer.int(stored.origin.offset)
        try writer.end(into: &rows)
        for need in missing {
            writer.begin(Self.need)
            writer.text(need)
            writer.int(stored.origin.offset)
            stored.writeKey(feed, &writer)
            try writer.end(into: &rows)
        }
    }
}
