import Formats
package import Ports
import Primitives
package import RetailModel
package import Tables

/// Parked records whose references have arrived: read from the store, to be refined again and counted.
package struct DueRelease {
    /// A reference that arrived, and nobody waits for it any more.
    var finished: [Int64] = []
    /// References that led to each of the rows.
    var needs: [[ByteString]] = []
    /// Rows of `parked`, in order of the log; empty when nobody waits any more.
    package var rows: [[Cell]] = []
}

/// Records that wait for reference data (spec model 1.11). What is missing arrives in any order; a record counts when
/// nothing is missing any more.
extension RetailFold {
    /// Parked records that one release looks at: 8 MB of orders of 16 kB.
    static var releaseMax: Int { 500 }
    /// References that one release looks at, and rows of `parked_need` that it reads of all of them: 1 MB.
    static var releaseNeedsMax: Int { 256 }
    static var releaseRowsMax: Int { 8_000 }

    /// Parks the record when a reference is missing; false when it can be counted.
    mutating func parks(_ record: RefinedRecord, _ batch: inout FoldBatch, _ tally: inout Tally) -> Bool {
        let missing = record.requires.filter { batch.missing.contains($0) }
        if missing.isEmpty { return false }
        let key = RecordKey(record)
        guard batch.parked.insert(key).inserted else {
            tally.duplicates += 1
            return true
        }
        tally.parked += 1
        batch.newRows[RetailTables.parked.name, default: []].append(
            Self.parkedRow(id: nil, record, key, Self.missingText(missing))
        )
        for need in Set(missing.map(\.text)).sorted() {
            batch.newRows[RetailTables.parkedNeed.name, default: []].append(
                [.null, .text(need), .integer(record.offset)] + key.cells
            )
        }
        return true
    }

    private static func parkedRow(
        id: Int64?,
        _ record: RefinedRecord,
        _ key: RecordKey,
        _ missing: ByteString
    ) -> [Cell] {
        [Cell(id)] + key.cells + [
            .blob(record.bytes), .text(missing), .blob(ByteString(record.contract.bytes)),
            .integer(record.receivedAt.micros), .text(record.run), .text(record.sender), Cell(text: record.csvHeader),
            .integer(record.csvSeparator), .text(record.topic), .integer(record.offset),
        ]
    }

    private static func missingText(_ missing: [ReferenceKey]) -> ByteString {
        var json = JSONWriter()
        json.beginArray()
        for text in Set(missing.map(\.text)).sorted() { json.string(text) }
        json.endArray()
        return ByteString(json.bytes)
    }

    /// The next parked records whose references have arrived, in order of the log whichever of them each waited for;
    /// nil when there are none.
    package func dueRelease(_ source: any TableStore) throws(TableStoreError) -> DueRelease? {
        let releases = try source.rows(
            of: RetailTables.parkedRelease,
            index: nil,
            prefix: [],
            range: nil,
            limit: Self.releaseNeedsMax
        )
        if releases.isEmpty { return nil }
        var due = DueRelease()
        var waiting: [[Cell]: [ByteString]] = [:]
        // Of a reference that more wait for than were read, nothing is known behind the last of them.
        var horizon = Int64.max
        let limit = min(Self.releaseMax, max(16, Self.releaseRowsMax / releases.count))
        for release in releases {
            let need = release[1].bytes ?? ""
            let rows = try source.rows(
                of: RetailTables.parkedNeed,
                index: nil,
                prefix: [.text(need)],
                range: nil,
                limit: limit
            )
            if rows.isEmpty { due.finished.append(release[0].integer ?? 0) }
            if rows.count == limit { horizon = min(horizon, rows.last?[2].integer ?? horizon) }
            for row in rows { waiting[Array(row[2...5]), default: []].append(need) }
        }
        let found = waiting.filter { $0.key[0].integer ?? 0 <= horizon }
            .sorted {
                ($0.key[0].integer ?? 0, $0.key[2].bytes ?? "") < ($1.key[0].integer ?? 0, $1.key[2].bytes ?? "")
            }
            .prefix(Self.releaseMax)
        let stored = try source.rows(of: RetailTables.parked, keys: found.map { Array($0.key[1...3]) })
        for ((_, needs), row) in zip(found, stored) {
            guard let row else { continue }
            due.rows.append(row)
            due.needs.append(needs)
        }
        if due.rows.isEmpty { due.finished = releases.map { $0[0].integer ?? 0 } }
        return due
    }

    /// Counts parked records for which nothing is missing any more; the others go on waiting for the rest.
    ///
    /// - Parameter records: What ``DueRelease/rows`` are now, with action `release`.
    package mutating func release(
        _ due: DueRelease,
        _ records: [RefinedRecord],
        from source: any TableStore
    ) throws(TableStoreError) -> (changes: ChangeSet, tally: Tally) {
        try prime(source)
        var batch = FoldBatch()
        try gather(records, source, &batch)
        var deletedNeeds: [Int64] = []
        var parkedChanges = TableChanges()
        for ((row, needs), record) in zip(zip(due.rows, due.needs), records) {
            let missing = record.requires.filter { batch.missing.contains($0) }
            let key = RecordKey(record)
            let satisfied = Set(record.requires.filter { !batch.missing.contains($0) }.map(\.text) + needs)
            let keys = satisfied.sorted().map { [Cell.text($0), .integer(record.offset)] + key.cells }
            deletedNeeds += try source.rows(of: RetailTables.parkedNeed, keys: keys).compactMap { $0?[0].integer }
            guard missing.isEmpty else {
                parkedChanges.upserts.append(
                    Self.parkedRow(id: row[0].integer, record, key, Self.missingText(missing))
                )
                continue
            }
            if let id = row[0].integer, !Mutant.isPlanted(.forgottenParked()) { parkedChanges.deletes.append(id) }
            apply(record, nil, &batch)
        }
        var (changes, tally) = try finish(&batch, source)
        changes[RetailTables.parked.name, default: TableChanges()].deletes += parkedChanges.deletes
        changes[RetailTables.parked.name, default: TableChanges()].upserts += parkedChanges.upserts
        changes[RetailTables.parkedNeed.name, default: TableChanges()].deletes += deletedNeeds
        if !due.finished.isEmpty {
            changes[RetailTables.parkedRelease.name, default: TableChanges()].deletes += due.finished
        }
        return (changes, tally)
    }
}
