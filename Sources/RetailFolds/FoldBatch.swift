import Primitives
import RetailModel
import Tables

/// Identity of a rejected record: the same bytes under the same record_id are one entry, however often they come.
struct QuarantineKey: Hashable {
    var feed: ByteString
    var recordID: ByteString
    var hash: ByteString

    init(_ record: JudgedRecord) {
        feed = record.feed
        recordID = ByteString(record.recordID.bytes)
        hash = ByteString(Digest.sha256(of: record.bytes.bytes).bytes)
    }

    var cells: [Cell] { [.text(feed), .blob(recordID), .blob(hash)] }
}

/// Row of a control total: a feed's or a run's.
struct TallyKey: Hashable {
    var id: Int64
    var isFeed: Bool
}

/// The overlay of one batch.
struct FoldBatch {
    var documents: [NaturalKey: DocumentState] = [:]
    var newRows: [String: [[Cell]]] = [:]
    var quarantined: Set<QuarantineKey> = []
    var tallies: [TallyKey: RetailFold.Tally] = [:]
    /// Not booked in `tallies` yet: the sum over the latest neighbours of one feed and run.
    var lastTally: (feed: ByteString, run: ByteString, sum: RetailFold.Tally)?

    // MARK: Look-ups

    /// Loads the asked lines of a stored document (nil: all) and, where their content will differ, their lost versions.
    mutating func loadLines<Source: FoldSource>(
        _ key: NaturalKey,
        identities: Set<ByteString>??,
        _ source: Source
    ) throws(Source.Failure) {
        guard var state = documents[key], let stored = state.stored else { return }
        if case .some(.some(let wanted)) = identities {
            let keys = wanted.sorted().map { [Cell.integer(stored.id), .blob($0)] }
            for row in try source.rows(of: RetailTables.line, keys: keys) {
                if let row {
                    let line = LineRow(row)
                    state.lines[line.identity] = line
                }
            }
        } else {
            try state.loadAllLines(source)
        }
        if !state.lines.isEmpty || stored.contentHash != nil {
            for row in try source.rows(of: RetailTables.version, prefix: [.integer(stored.id)]) {
                state.remember(
                    LostVersion(identity: row[2].bytes ?? "", hash: row[3].bytes ?? "", versionAt: row[4].integer ?? 0),
                    LostNote(id: row[0].integer, isConflict: row[5].integer == 1, offset: row[6].integer ?? 0)
                )
            }
        }
        documents[key] = state
    }

    mutating func loadQuarantine<Source: FoldSource>(
        _ keys: [QuarantineKey],
        _ source: Source
    ) throws(Source.Failure) {
        for (key, row) in zip(keys, try source.rows(of: RetailTables.quarantine, keys: keys.map(\.cells)))
        where row != nil {
            quarantined.insert(key)
        }
    }

    /// After applying: loads the untouched lines of documents that moved (country, status, store, earliest time).
    mutating func loadMovedDocuments<Source: FoldSource>(_ source: Source) throws(Source.Failure) {
        for key in documents.filter({ $0.value.needsAllLines }).keys {
            guard var state = documents[key] else { continue }
            try state.loadAllLines(source)
            documents[key] = state
        }
    }

    // MARK: Changes

    /// Rows and sums: for every document and line that changed, new − old.
    mutating func changes() -> ChangeSet {
        var out: [String: TableChanges] = [:]
        var documentChanges = TableChanges()
        var lineChanges = TableChanges()
        var versionChanges = TableChanges()
        var marts = Marts()
        var lines: [(id: Int64, cells: [Cell])] = []
        let order = documents.values.indices.map { (id: documents.values[$0].row.id, index: $0) }.sorted {
            $0.id < $1.id
        }
        for (_, index) in order {
            documents.values[index].settleFirst()
            let state = documents.values[index]
            if state.stored != state.row { documentChanges.upserts.append(state.row.cells) }
            marts.count(stored: state.stored, now: state.row)
            let moved = state.stored.map { !$0.countsLines(like: state.row) } ?? false
            for (identity, old) in state.before {
                let new = state.lines[identity]
                if let new { lines.append((new.id, new.cells)) }
                if let old, new == nil { lineChanges.deletes.append(old.id) }
                if let old, let stored = state.stored { marts.add(old, of: stored, sign: -1) }
                if let new { marts.add(new, of: state.row, sign: 1) }
            }
            if moved, let stored = state.stored {
                for (identity, line) in state.lines where state.before.index(forKey: identity) == nil {
                    marts.add(line, of: stored, sign: -1)
                    marts.add(line, of: state.row, sign: 1)
                }
            }
            for version in state.changedLost {
                guard let note = state.lost[version] else { continue }
                versionChanges.upserts.append([
                    Cell(note.id), .integer(state.row.id), .blob(version.identity), .blob(version.hash),
                    .integer(version.versionAt), .integer(note.isConflict ? 1 : 0), .integer(note.offset),
                ])
            }
        }
        lines.sort { $0.id < $1.id }
        lineChanges.upserts = lines.map(\.cells)
        out[RetailTables.document.name] = documentChanges
        out[RetailTables.line.name] = lineChanges
        out[RetailTables.version.name] = versionChanges
        for (name, rows) in newRows { out[name, default: TableChanges()].upserts += rows }
        marts.add(to: &out)
        return out.filter { !$0.value.isEmpty }
    }
}

extension DocumentState {
    fileprivate mutating func loadAllLines<Source: FoldSource>(_ source: Source) throws(Source.Failure) {
        guard let stored, !hasAllLines else { return }
        for row in try source.rows(of: RetailTables.line, prefix: [.integer(stored.id)]) {
            let line = LineRow(row)
            // What this batch already changed stands as it is in the overlay.
            if before.index(forKey: line.identity) == nil { lines[line.identity] = line }
        }
        hasAllLines = true
    }
}

extension DocumentRow {
    /// Whether lines contribute under the same keys and with the same weight.
    func countsLines(like other: DocumentRow) -> Bool {
        countryID == other.countryID && status == other.status && storeID == other.storeID && type == other.type
    }
}
