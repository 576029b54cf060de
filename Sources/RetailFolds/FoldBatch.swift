import Ports
import Primitives
import RetailModel
import Tables

/// Identity of a rejected or parked record: the same bytes under one record_id are one entry, however often they come.
struct RecordKey: Hashable {
    var feed: ByteString
    var recordID: ByteString
    var hash: ByteString

    init(_ record: RefinedRecord) {
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

/// The next ids of rows that hang on a document. Given here, so that the next batch knows them before they are stored.
struct DetailIDs {
    var history: Int64 = 1, version: Int64 = 1

    static func take(_ next: inout Int64) -> Int64 {
        defer { next += 1 }
        return next
    }
}

/// The overlay of one batch.
struct FoldBatch {
    var documents: [NaturalKey: DocumentState] = [:]
    var newRows: [String: [[Cell]]] = [:]
    /// Rows of quarantine, as they are now.
    var quarantine: [RecordKey: [Cell]] = [:]
    var changedQuarantine: Set<RecordKey> = []
    /// Open entries and their bytes that came or went, by feed.
    var usage: [Int64: (entries: Int64, bytes: Int64)] = [:]
    /// Records that are parked, stored or new.
    var parked: Set<RecordKey> = []
    /// Needed reference records that are not there.
    var missing: Set<ReferenceKey> = []
    /// Versions of the reference records that the batch brings.
    var entities: [EntityKey: [ReferenceVersion]] = [:]
    /// What became of the reference record at an index.
    var referenceTallies: [Int: RetailFold.Tally] = [:]
    var changedMenus: Set<MenuKey> = []
    var rebase = MenuRebase()
    var counters = CounterSums()
    var tallies: [TallyKey: RetailFold.Tally] = [:]
    /// Not booked in `tallies` yet: the sum over the latest neighbours of one feed and run.
    var lastTally: (feed: ByteString, run: ByteString, sum: RetailFold.Tally)?

    // MARK: Look-ups

    /// Loads the asked lines of a stored document (nil: all) and, where their content will differ, their lost versions.
    mutating func loadLines(
        _ key: NaturalKey,
        identities: Set<ByteString>??,
        _ source: any TableStore
    ) throws(TableStoreError) {
        guard let state = documents[key], let stored = state.stored else { return }
        if case .some(.some(let wanted)) = identities {
            let keys = wanted.sorted().map { [Cell.integer(stored.id), .blob($0)] }
            for row in try source.rows(of: RetailTables.line, keys: keys) {
                if let row { state.lines.load(LineRow(row)) }
            }
        } else {
            try state.loadAllLines(source)
        }
        if stored.traits.contains(.history) {
            for row in try source.rows(of: RetailTables.statusHistory, prefix: [.integer(stored.id)]) {
                guard let status = SaleStatus(rawValue: row[3].integer ?? 0) else { continue }
                state.history.load(StatusEntry(status: status, at: row[2].integer ?? 0))
            }
        }
        if !state.lines.entries.isEmpty || stored.contentHash != nil {
            for row in try source.rows(of: RetailTables.version, prefix: [.integer(stored.id)]) {
                state.remember(
                    LostVersion(identity: row[2].bytes ?? "", hash: row[3].bytes ?? "", versionAt: row[4].integer ?? 0),
                    LostNote(
                        id: row[0].integer,
                        isConflict: row[5].integer == 1,
                        offset: row[6].integer ?? 0,
                        secondAt: row[7].integer ?? 0,
                        progress: row[8].integer ?? 0
                    )
                )
            }
        }
    }

    mutating func loadQuarantine(
        _ needed: Set<RecordKey>,
        _ source: any TableStore
    ) throws(TableStoreError) {
        let keys = Array(needed)
        for (key, row) in zip(keys, try source.rows(of: RetailTables.quarantine, keys: keys.map(\.cells))) {
            if let row { quarantine[key] = row }
        }
    }

    /// Which of the records that may have to wait do so already.
    mutating func loadParked(
        _ records: [RefinedRecord],
        _ source: any TableStore
    ) throws(TableStoreError) {
        if missing.isEmpty { return }
        let waiting = records.filter { $0.action != .release && $0.requires.contains { missing.contains($0) } }
        let keys = Array(Set(waiting.map { RecordKey($0) }))
        let rows = try source.rows(of: RetailTables.parked, keys: keys.map(\.cells))
        for (key, row) in zip(keys, rows) where row != nil {
            parked.insert(key)
        }
    }

    /// Whether a reference record has an effect: a redrive has one while its entry of quarantine is open.
    func admits(_ record: RefinedRecord) -> Bool {
        switch record.action {
        case .receive, .release: true
        case .discard: false
        case .redrive: quarantine[RecordKey(record)].map { $0[9] == .null } ?? false
        }
    }

    /// The menu entries that order counters of this batch ask for.
    func menusOfCountedDocuments() -> Set<MenuKey> {
        var keys: Set<MenuKey> = []
        for state in documents.values where state.mayBeCounted {
            var stores: [Int64] = []
            if CounterSums.customer(state.row) != nil { stores.append(state.row.storeID) }
            if let stored = state.stored, CounterSums.customer(stored) != nil { stores.append(stored.storeID) }
            for store in stores {
                for entry in state.lines.entries {
                    if let line = entry.current { keys.insert(MenuKey(storeID: store, productID: line.productID)) }
                    if let line = entry.before { keys.insert(MenuKey(storeID: store, productID: line.productID)) }
                }
            }
        }
        return keys
    }

    /// After applying: loads the untouched lines of documents that moved (country, status, store, earliest time).
    mutating func loadMovedDocuments(_ source: any TableStore) throws(TableStoreError) {
        for key in documents.filter({ $0.value.needsAllLines }).keys {
            try documents[key]?.loadAllLines(source)
        }
    }

    // MARK: Changes

    /// Rows and sums: for every document and line that changed, new − old.
    mutating func changes(_ menus: Menus, _ ids: inout DetailIDs) -> ChangeSet {
        var out: [String: TableChanges] = [:]
        var documentChanges = TableChanges()
        var lineChanges = TableChanges()
        var versionChanges = TableChanges()
        var historyChanges = TableChanges()
        var marts = Marts()
        var lines: [(id: Int64, cells: [Cell])] = []
        for state in documents.values.sorted(by: { $0.id < $1.id }) {
            state.settleFirst()
            // Once: each look at a part of an object copies it.
            let stored = state.stored
            let row = state.row
            if stored != row { documentChanges.upserts.append(row.cells) }
            marts.count(stored: stored, now: row)
            count(state, menus)
            let moved = stored.map { !$0.countsLines(like: row) } ?? false
            for entry in state.lines.entries {
                if entry.isTouched {
                    if let new = entry.current { lines.append((new.id, new.cells)) }
                    if let old = entry.before, entry.current == nil { lineChanges.deletes.append(old.id) }
                    if let old = entry.before, let stored, !Mutant.isPlanted(.droppedRetraction()) {
                        marts.add(old, of: stored, sign: -1)
                    }
                    if let new = entry.current { marts.add(new, of: row, sign: 1) }
                } else if moved, let stored, let line = entry.current {
                    marts.add(line, of: stored, sign: -1)
                    marts.add(line, of: row, sign: 1)
                }
            }
            for entry in state.history.new {
                historyChanges.upserts.append([
                    .integer(DetailIDs.take(&ids.history)), .integer(state.row.id), .integer(entry.at),
                    .integer(entry.status.rawValue),
                ])
            }
            for version in state.changedLost.sorted() {
                guard let note = state.lost[version] else { continue }
                versionChanges.upserts.append([
                    .integer(note.id ?? DetailIDs.take(&ids.version)), .integer(state.row.id), .blob(version.identity),
                    .blob(version.hash),
                    .integer(version.versionAt), .integer(note.isConflict ? 1 : 0), .integer(note.offset),
                    .integer(note.secondAt), .integer(note.progress),
                ])
            }
            versionChanges.deletes += state.returnedLost
        }
        lines.sort { $0.id < $1.id }
        lineChanges.upserts = lines.map(\.cells)
        out[RetailTables.document.name] = documentChanges
        out[RetailTables.line.name] = lineChanges
        out[RetailTables.version.name] = versionChanges
        out[RetailTables.statusHistory.name] = historyChanges
        out[RetailTables.quarantine.name, default: TableChanges()].upserts =
            changedQuarantine.compactMap { quarantine[$0] }.sorted { $0[0].integer ?? 0 < $1[0].integer ?? 0 }
        for (id, used) in usage where used != (0, 0) {
            out[RetailTables.quarantineUsage.name, default: TableChanges()].additions[SumKey(id)] = [
                Int128(used.entries), Int128(used.bytes),
            ]
        }
        counters.add(to: &out)
        for (name, rows) in newRows { out[name, default: TableChanges()].upserts += rows }
        marts.add(to: &out)
        return out.filter { !$0.value.isEmpty }
    }

    /// Order counters: what the document added before, and what it adds now.
    private mutating func count(_ state: DocumentState, _ menus: Menus) {
        guard state.mayBeCounted, state.stored != state.row || state.lines.entries.contains(where: \.isTouched) else {
            return
        }
        if let stored = state.stored, CounterSums.customer(stored) != nil,
            !(Mutant.isPlanted(.uncancelledCounter()) && state.row.status == .cancelled)
        {
            let old = state.lines.entries.compactMap { $0.isTouched ? $0.before : $0.current }
            counters.count(stored, old, menus, sign: -1)
        }
        if CounterSums.customer(state.row) != nil { counters.count(state.row, state.lines.current, menus, sign: 1) }
    }
}

extension DocumentState {
    fileprivate func loadAllLines(_ source: any TableStore) throws(TableStoreError) {
        guard let stored, !hasAllLines else { return }
        for row in try source.rows(of: RetailTables.line, prefix: [.integer(stored.id)]) {
            let line = LineRow(row)
            // What this batch already changed stands as it is in the overlay.
            if !lines.isTouched(line.identity) { lines.load(line) }
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
