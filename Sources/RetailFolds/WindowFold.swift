import Ports
import Primitives
import RetailModel
import Tables

/// What a document adds to a turnover window.
struct WindowShare: Equatable {
    var key: WindowKey
    var amount: Int128

    /// Nil when it adds nothing: no windows, not closed, or no gross line.
    init?(_ row: DocumentRow?) {
        guard let row, row.traits.contains(.windowed), let start = row.windowStart, row.status == .closed,
            row.grossLines > 0
        else { return nil }
        key = WindowKey(storeID: row.storeID, start: start, currency: row.currency)
        amount = row.gross
    }
}

/// Why a window was published.
enum PublishCause: Int64 {
    case watermark = 0, idle = 1, late = 2, correction = 3
}

/// Tumbling turnover windows: sums now, and what was said about them when.
///
/// What is published depends on the order of the log by nature, and on nothing else: watermarks are functions of event
/// times and receipt times in the log, never of a wall clock or of how the log was cut into batches (spec model 1.8).
struct WindowFold {
    /// Open windows, and those that the batch touches.
    private var rows: [WindowKey: WindowRow] = [:]
    /// Open windows of each store, in order and each once; what closes is always the first ones.
    private var open: [Int64: [WindowKey]] = [:]
    /// Row ids of `open_window` by window.
    private var openIDs: [WindowKey: Int64] = [:]
    private var watermarks: [Int64: WatermarkRow] = [:]
    private var clocks: [Int64: [ByteString: ClockRow]] = [:]
    /// By topic, the receipt time before which idleness closes nothing; and the least of them, which is all that most
    /// records are compared with.
    private var idleFrom: [ByteString: Int64] = [:]
    private var idleFromLeast: Int64 = .max
    private var nextWindow: Int64 = 1, nextOpen: Int64 = 1, nextWatermark: Int64 = 1, nextClock: Int64 = 1

    // What the batch changed.
    private var changedRows: Set<WindowKey> = []
    private var opened: Set<WindowKey> = []
    private var closedIDs: [Int64] = []
    private var changedWatermarks: Set<Int64> = []
    private var changedClocks: [Int64: Set<ByteString>] = [:]
    private var droppedClocks: [Int64] = []
    /// Ids from here on were given in this batch and are in no table.
    private var firstNewClock: Int64 = 1
    private var revisions: [[Cell]] = []
    private var lateSales: [[Cell]] = []

    /// Clocks that are kept of one store; beyond it the one that was silent longest goes, as if it had never sent: a
    /// sender that invents names costs 256 rows and no more.
    static var clocksMax: Int { 256 }

    /// By topic, the receipt time at which the first open window can be closed by idleness. It does not pass by itself:
    /// a record of the topic must say so.
    var waiting: [ByteString: Int64] {
        var waiting: [ByteString: Int64] = [:]
        for (store, keys) in open {
            guard let mark = watermarks[store], let first = keys.first else { continue }
            waiting[mark.topic] = min(waiting[mark.topic] ?? .max, mark.idleEnd(of: first))
        }
        return waiting
    }

    /// Reads clocks and open windows once. There are as many clocks as stores and senders, and as many open windows as
    /// event times lie ahead of receipt times; neither grows with the log.
    mutating func prime(_ source: any TableStore) throws(TableStoreError) {
        nextWindow = try source.greatestID(of: RetailTables.storeWindow) + 1
        nextOpen = try source.greatestID(of: RetailTables.openWindow) + 1
        nextWatermark = try source.greatestID(of: RetailTables.storeWatermark) + 1
        nextClock = try source.greatestID(of: RetailTables.storeClock) + 1
        firstNewClock = nextClock
        for cells in try source.rows(of: RetailTables.storeWatermark, prefix: []) {
            let row = WatermarkRow(cells)
            watermarks[row.storeID] = row
        }
        for cells in try source.rows(of: RetailTables.storeClock, prefix: []) {
            let row = ClockRow(cells)
            clocks[row.storeID, default: [:]][row.sender] = row
        }
        var keys: [WindowKey] = []
        for cells in try source.rows(of: RetailTables.openWindow, prefix: []) {
            let key = WindowKey(
                storeID: cells[1].integer ?? 0,
                start: cells[2].integer ?? 0,
                currency: cells[3].integer ?? 0
            )
            keys.append(key)
            openIDs[key] = cells[0].integer ?? 0
        }
        for key in keys.sorted() { open[key.storeID, default: []].append(key) }
        try load(Set(keys), source)
        for (topic, time) in waiting { noteIdle(topic, time) }
    }

    /// Loads the windows that a batch may touch.
    mutating func load(_ keys: Set<WindowKey>, _ source: any TableStore) throws(TableStoreError) {
        let missing = keys.filter { rows[$0] == nil }.sorted()
        for cells in try source.rows(of: RetailTables.storeWindow, keys: missing.map(\.cells)) {
            if let cells {
                let row = WindowRow(cells)
                rows[row.key] = row
            }
        }
    }

    private mutating func noteIdle(_ topic: ByteString, _ time: Int64) {
        idleFrom[topic] = min(idleFrom[topic] ?? .max, time)
        idleFromLeast = min(idleFromLeast, time)
    }

    // MARK: One record

    /// Publishes windows of stores that sent nothing for so long, as far as receipt time has come; called for every
    /// record of the log. What lies ahead of receipt time stays open: a clock that is ahead makes no other sale late.
    mutating func passReceiptTime(_ record: RefinedRecord) {
        let now = record.receivedAt.micros
        guard now >= idleFromLeast, let due = idleFrom[record.topic], now >= due else { return }
        var next = Int64.max
        for store in open.keys.sorted() {
            guard var mark = watermarks[store], mark.topic == record.topic else { continue }
            let reached =
                now < mark.receivedAt + mark.idle
                ? [] : (open[store] ?? []).prefix { $0.start + mark.length + mark.lateness <= now }
            for key in reached {
                publish(key, .idle, record)
                mark.watermark = max(mark.watermark, key.start + mark.length + mark.lateness)
            }
            if !reached.isEmpty {
                watermarks[store] = mark
                changedWatermarks.insert(store)
            }
            if let first = open[store]?.first { next = min(next, mark.idleEnd(of: first)) }
        }
        idleFrom[record.topic] = next == .max ? nil : next
        idleFromLeast = idleFrom.values.min() ?? .max
    }

    /// Applies what one record did to one document, then moves the clocks of its store.
    mutating func apply(
        _ header: DocumentHeader,
        _ record: RefinedRecord,
        documentID: Int64,
        storeID: Int64,
        before: WindowShare?,
        after: WindowShare?
    ) {
        guard let policy = header.window else {
            // A version without windows takes the place of one with them: only what is stored says how long they are.
            if before != nil || after != nil { change(before, after, nil, record, documentID, header) }
            return
        }
        if before != after { change(before, after, policy, record, documentID, header) }
        if record.action == .receive {
            moveClock(storeID, policy, header.occurredAt.micros, record)
        } else if watermarks[storeID] == nil {
            // A redriven sale says nothing about the clock, but its window is to be closed some day.
            var mark = WatermarkRow(id: nextWatermark, storeID: storeID)
            nextWatermark += 1
            mark.take(policy, record)
            watermarks[storeID] = mark
            changedWatermarks.insert(storeID)
            if let first = open[storeID]?.first { noteIdle(mark.topic, mark.idleEnd(of: first)) }
        }
    }

    private mutating func change(
        _ before: WindowShare?,
        _ after: WindowShare?,
        _ policy: WindowPolicy?,
        _ record: RefinedRecord,
        _ documentID: Int64,
        _ header: DocumentHeader
    ) {
        var isLate = false
        if let after, before?.key != after.key, isPassed(after.key, policy) {
            isLate = true
            if Mutant.isPlanted(.swallowedLate()) { return }
            lateSales.append([
                .null, .integer(documentID), .integer(after.key.start), .integer(record.offset),
                .integer(after.key.storeID), .integer(header.occurredAt.micros), .integer(record.receivedAt.micros),
            ])
        }
        if let before, let after, before.key == after.key {
            add(before.key, after.amount - before.amount, 0, policy, record, isLate: false)
            return
        }
        if let before { add(before.key, -before.amount, -1, policy, record, isLate: false) }
        if let after { add(after.key, after.amount, 1, policy, record, isLate: isLate) }
    }

    /// The watermark of the store has passed the end of the window and the allowed lateness.
    private func isPassed(_ key: WindowKey, _ policy: WindowPolicy?) -> Bool {
        guard let mark = watermarks[key.storeID] else { return false }
        let length = policy?.length ?? mark.length
        let lateness = policy?.lateness ?? mark.lateness
        return key.start + length + lateness <= mark.watermark
    }

    private mutating func add(
        _ key: WindowKey,
        _ amount: Int128,
        _ count: Int64,
        _ policy: WindowPolicy?,
        _ record: RefinedRecord,
        isLate: Bool
    ) {
        var row: WindowRow
        if let known = rows[key] {
            row = known
        } else {
            row = WindowRow(id: nextWindow, key: key, end: key.start + (policy?.length ?? 0))
            nextWindow += 1
        }
        let old = row
        row.total += amount
        row.count += count
        if row.revision > 0 || isPassed(key, policy) {
            row.revision += 1
            if isLate { row.lateCount += 1 }
            if !Mutant.isPlanted(.lostRevision()) { note(row, old: old, isLate ? .late : .correction, record) }
            close(key)
        } else if openIDs[key] == nil {
            openIDs[key] = nextOpen
            nextOpen += 1
            opened.insert(key)
            let place = place(of: key)
            open[key.storeID, default: []].insert(key, at: place)
            if let mark = watermarks[key.storeID] { noteIdle(mark.topic, mark.idleEnd(of: key)) }
        }
        rows[key] = row
        changedRows.insert(key)
    }

    /// Index of the first open window of the same store that is not before `key`.
    private func place(of key: WindowKey) -> Int {
        let keys = open[key.storeID] ?? []
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func note(_ row: WindowRow, old: WindowRow, _ cause: PublishCause, _ record: RefinedRecord) {
        let before: (total: Int128, count: Int64) =
            old.revision == 0 && cause.rawValue < 2 ? (0, 0) : (old.total, old.count)
        revisions.append([
            .null, .integer(row.key.storeID), .integer(row.key.start), .integer(row.key.currency),
            .integer(row.revision), .wide(before.total), .wide(row.total), .integer(before.count), .integer(row.count),
            .integer(cause.rawValue), .integer(record.receivedAt.micros), .integer(record.offset),
        ])
    }

    /// Publishes an open window.
    private mutating func publish(_ key: WindowKey, _ cause: PublishCause, _ record: RefinedRecord) {
        guard var row = rows[key] else { preconditionFailure("an open window has its row in memory") }
        let old = row
        row.revision = 1
        note(row, old: old, cause, record)
        rows[key] = row
        changedRows.insert(key)
        close(key)
    }

    private mutating func close(_ key: WindowKey) {
        guard let id = openIDs.removeValue(forKey: key) else { return }
        let place = place(of: key)
        open[key.storeID]?.remove(at: place)
        if open[key.storeID]?.isEmpty == true { open[key.storeID] = nil }
        if opened.remove(key) == nil { closedIDs.append(id) }
    }

    private mutating func moveClock(
        _ storeID: Int64,
        _ policy: WindowPolicy,
        _ eventTime: Int64,
        _ record: RefinedRecord
    ) {
        let now = record.receivedAt.micros
        var mark: WatermarkRow
        if let known = watermarks[storeID] {
            mark = known
        } else {
            mark = WatermarkRow(id: nextWatermark, storeID: storeID)
            nextWatermark += 1
        }
        let stored = mark
        mark.take(policy, record)
        touchClock(storeID, policy, eventTime, record)
        var candidate = Int64.max
        for clock in (clocks[storeID] ?? [:]).values where clock.receivedAt >= now - policy.idle {
            candidate = min(candidate, clock.eventMax)
        }
        let hasMoved = candidate != .max && candidate > mark.watermark
        if hasMoved { mark.watermark = candidate }
        if mark != stored {
            watermarks[storeID] = mark
            changedWatermarks.insert(storeID)
        }
        guard let waiting = open[storeID], let first = waiting.first else { return }
        noteIdle(mark.topic, mark.idleEnd(of: first))
        guard hasMoved else { return }
        let span = policy.length + policy.lateness
        for key in waiting.prefix(while: { $0.start + span <= mark.watermark }) { publish(key, .watermark, record) }
    }

    private mutating func touchClock(
        _ storeID: Int64,
        _ policy: WindowPolicy,
        _ eventTime: Int64,
        _ record: RefinedRecord
    ) {
        let now = record.receivedAt.micros
        let stored = clocks[storeID]?[record.sender]
        let isTrusted = eventTime <= now + policy.skew
        // A sender whose clock is ahead from its first sale on has none yet.
        guard stored != nil || isTrusted else { return }
        var clock: ClockRow
        if let stored {
            clock = stored
        } else {
            clock = ClockRow(
                id: nextClock,
                storeID: storeID,
                sender: record.sender,
                eventMax: eventTime,
                receivedAt: now
            )
            nextClock += 1
        }
        if isTrusted { clock.eventMax = max(clock.eventMax, eventTime) }
        clock.receivedAt = max(clock.receivedAt, now)
        guard stored != clock else { return }
        if stored == nil { dropClock(storeID) }
        clocks[storeID, default: [:]][record.sender] = clock
        changedClocks[storeID, default: []].insert(record.sender)
    }

    /// Makes room for one clock of a store.
    private mutating func dropClock(_ storeID: Int64) {
        guard let kept = clocks[storeID], kept.count >= Self.clocksMax,
            let silent = kept.values.min(by: { ($0.receivedAt, $0.sender) < ($1.receivedAt, $1.sender) })
        else { return }
        clocks[storeID]?[silent.sender] = nil
        if silent.id < firstNewClock { droppedClocks.append(silent.id) }
    }

    // MARK: Changes

    /// Hands over what the batch changed, and forgets windows that are closed.
    mutating func take(into changes: inout ChangeSet) {
        func put(_ table: TableDeclaration, _ upserts: [[Cell]], deletes: [Int64] = []) {
            if upserts.isEmpty, deletes.isEmpty { return }
            changes[table.name, default: TableChanges()].upserts += upserts
            changes[table.name, default: TableChanges()].deletes += deletes
        }
        put(RetailTables.storeWindow, changedRows.compactMap { rows[$0] }.sorted { $0.id < $1.id }.map(\.cells))
        put(
            RetailTables.openWindow,
            opened.sorted().map { [Cell.integer(openIDs[$0] ?? 0)] + $0.cells },
            deletes: closedIDs
        )
        put(RetailTables.storeWatermark, changedWatermarks.sorted().compactMap { watermarks[$0]?.cells })
        put(
            RetailTables.storeClock,
            changedClocks.flatMap { store, senders in senders.compactMap { clocks[store]?[$0] } }
                .sorted { $0.id < $1.id }.map(\.cells),
            deletes: droppedClocks
        )
        put(RetailTables.windowRevision, revisions)
        put(RetailTables.lateSale, lateSales)
        for key in Array(rows.keys) where openIDs[key] == nil { rows[key] = nil }
        changedRows.removeAll(keepingCapacity: true)
        opened.removeAll(keepingCapacity: true)
        closedIDs.removeAll()
        changedWatermarks.removeAll(keepingCapacity: true)
        changedClocks.removeAll(keepingCapacity: true)
        droppedClocks.removeAll()
        firstNewClock = nextClock
        revisions.removeAll()
        lateSales.removeAll()
    }
}
