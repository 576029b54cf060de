import Primitives
import RetailModel
import Tables

/// What decides between versions of one identity: the greatest is current (spec model 1.8).
struct VersionRank: Equatable, Comparable {
    var versionAt: Int64
    /// The greatest second version time of the copies.
    var secondAt: Int64
    var progress: Int64
    var hash: ByteString

    static func < (a: Self, b: Self) -> Bool {
        (a.versionAt, a.secondAt, a.progress, a.hash) < (b.versionAt, b.secondAt, b.progress, b.hash)
    }

    /// The second time is no part of a content.
    func isCopy(of other: Self) -> Bool { versionAt == other.versionAt && hash == other.hash }
}

/// How an event fared against what is known under its key.
enum VersionVerdict: Equatable {
    case new
    case duplicate
    /// A duplicate of the current version with a later second time: it says how the version is spelled.
    case refreshes
    /// A duplicate of a version that had lost, and wins by the later second time; `first` is where its first copy is.
    case returns(first: Int64)
    /// It takes the place of the current version, which becomes superseded or conflicting.
    case wins(conflict: Bool)
    case loses(conflict: Bool)

    /// Its content is that of the document now.
    var isPlaced: Bool {
        switch self {
        case .new, .refreshes, .returns, .wins: true
        case .duplicate, .loses: false
        }
    }
}

/// A version that is not current.
struct LostVersion: Hashable, Comparable {
    var identity: ByteString
    var hash: ByteString
    var versionAt: Int64

    init(identity: ByteString, hash: ByteString, versionAt: Int64) {
        self.identity = identity
        self.hash = hash
        self.versionAt = versionAt
    }

    init(_ rank: VersionRank, of identity: ByteString) {
        self.init(identity: identity, hash: rank.hash, versionAt: rank.versionAt)
    }

    static func < (a: Self, b: Self) -> Bool {
        (a.identity, a.versionAt, a.hash) < (b.identity, b.versionAt, b.hash)
    }
}

/// What is kept of a version that is not current.
struct LostNote {
    /// Nil until it is stored.
    var id: Int64?
    /// Another version with the same version time won; else it is superseded.
    var isConflict: Bool
    var offset: Int64
    var secondAt: Int64
    var progress: Int64
}

extension LostNote {
    fileprivate func rank(of version: LostVersion) -> VersionRank {
        VersionRank(versionAt: version.versionAt, secondAt: secondAt, progress: progress, hash: version.hash)
    }
}

/// Versions of one identity with one version time: all but the greatest of them are conflicting, in any arrival order.
struct VersionGroup: Hashable {
    var identity: ByteString
    var versionAt: Int64
}

/// One document in the overlay of a batch: its row and the lines that matter, before and after. A class, because it is
/// as large as a page of text and lives in one place for one batch. Single owner.
final class DocumentState {
    let id: Int64
    /// As stored before the batch; nil when new.
    let stored: DocumentRow?
    var row: DocumentRow
    /// Only those that were asked for unless `hasAllLines`.
    var lines = DocumentLines()
    var hasAllLines: Bool
    private(set) var lost: [LostVersion: LostNote] = [:]
    /// The greatest among the lost versions of a group.
    private var greatestLost: [VersionGroup: VersionRank] = [:]
    /// Row ids of the lost versions that are stored.
    private var storedLost: [LostVersion: Int64] = [:]
    /// Versions whose row this batch adds or changes.
    private(set) var changedLost: Set<LostVersion> = []
    var history = StatusHistory()
    /// A line that may have carried the earliest time went away or changed.
    var mayHaveLostFirst = false

    init(stored: DocumentRow) {
        id = stored.id
        self.stored = stored
        row = stored
        hasAllLines = false
    }

    init(new row: DocumentRow) {
        id = row.id
        stored = nil
        self.row = row
        hasAllLines = true
    }

    /// Takes over a version row as it is stored.
    func remember(_ version: LostVersion, _ note: LostNote) {
        storedLost[version] = note.id
        keep(version, note)
    }

    private func keep(_ version: LostVersion, _ note: LostNote) {
        lost[version] = note
        let group = VersionGroup(identity: version.identity, versionAt: version.versionAt)
        let rank = note.rank(of: version)
        greatestLost[group] = greatestLost[group].map { max($0, rank) } ?? rank
    }

    private func lose(_ rank: VersionRank, of identity: ByteString, isConflict: Bool, offset: Int64) {
        let version = LostVersion(rank, of: identity)
        // One that was current since the batch began keeps the row it has.
        let note = LostNote(
            id: storedLost[version],
            isConflict: isConflict,
            offset: offset,
            secondAt: rank.secondAt,
            progress: rank.progress
        )
        keep(version, note)
        changedLost.insert(version)
    }

    /// Rows of versions that are current again.
    var returnedLost: [Int64] { storedLost.filter { lost[$0.key] == nil }.values.sorted() }

    /// Whether it takes part in order counters, now or as stored. Asked first: what it says more is a copy of the row.
    var mayBeCounted: Bool { row.traits.contains(.counted) || stored?.traits.contains(.counted) ?? false }

    func competeForHeader(
        customerID: Int64?,
        customerKey: ByteString?,
        countryID: Int64,
        country: ByteString?,
        at time: Int64
    ) {
        if row.customer.offer(customerKey, at: time) { row.customerID = customerID }
        if row.country.offer(country, at: time) { row.countryID = countryID }
    }

    /// Ranks a version against the current one under `identity` (empty: the document) and notes the loser.
    func rank(
        _ mine: VersionRank,
        identity: ByteString,
        offset: Int64,
        current: (rank: VersionRank, offset: Int64)?
    ) -> VersionVerdict {
        guard let current else { return .new }
        if mine.isCopy(of: current.rank) { return mine.secondAt > current.rank.secondAt ? .refreshes : .duplicate }
        let known = LostVersion(mine, of: identity)
        if let note = lost[known] { return rankCopy(mine, known, note, current) }
        var conflict = mine.versionAt == current.rank.versionAt
        if conflict
            ? current.rank < mine : current.rank.versionAt < mine.versionAt || Mutant.isPlanted(.arrivalWins())
        {
            lose(current.rank, of: identity, isConflict: conflict, offset: current.offset)
            return .wins(conflict: conflict)
        }
        let rival = conflict ? nil : greatestLost[VersionGroup(identity: identity, versionAt: mine.versionAt)]
        let isPassed = rival.map { mine < $0 } ?? false
        let isSilenced = Mutant.isPlanted(.silencedConflict())
        lose(mine, of: identity, isConflict: (conflict || isPassed) && !isSilenced, offset: offset)
        if let rival {
            // One of the two is conflicting now: the event, or the version that stood for their common time until now.
            conflict = true
            if !isPassed { mark(LostVersion(rival, of: identity), isConflict: true) }
        }
        return .loses(conflict: conflict)
    }

    /// A copy of a version that lost: its later second time may lift it above the others of its version time.
    /// Nothing is counted, since of those that share a time all but one are conflicting, whichever that is.
    private func rankCopy(
        _ mine: VersionRank,
        _ version: LostVersion,
        _ note: LostNote,
        _ current: (rank: VersionRank, offset: Int64)
    ) -> VersionVerdict {
        guard mine.secondAt > note.secondAt else { return .duplicate }
        if mine.versionAt == current.rank.versionAt, current.rank < mine {
            lost[version] = nil
            changedLost.remove(version)
            let group = VersionGroup(identity: version.identity, versionAt: version.versionAt)
            greatestLost[group] = nil
            // It is greater than all that lost to it.
            lose(current.rank, of: version.identity, isConflict: true, offset: current.offset)
            return .returns(first: note.offset)
        }
        var raised = note
        raised.secondAt = mine.secondAt
        if mine.versionAt != current.rank.versionAt {
            let group = VersionGroup(identity: version.identity, versionAt: version.versionAt)
            let before = greatestLost[group]
            if let before, !before.isCopy(of: mine), before < mine {
                mark(LostVersion(before, of: version.identity), isConflict: true)
                raised.isConflict = false
            }
        }
        keep(version, raised)
        changedLost.insert(version)
        return .duplicate
    }

    private func mark(_ version: LostVersion, isConflict: Bool) {
        lost[version]?.isConflict = isConflict
        changedLost.insert(version)
    }

    func rankVersion(_ rank: VersionRank, identity: ByteString, offset: Int64) -> VersionVerdict {
        self.rank(rank, identity: identity, offset: offset, current: row.rank.map { ($0, row.offset) })
    }

    /// Puts a line under its identity, if it wins there.
    func put(_ line: LineRow) -> VersionVerdict {
        let old = lines[line.identity]
        let verdict = rank(
            line.rank,
            identity: line.identity,
            offset: line.offset,
            current: old.map { ($0.rank, $0.offset) }
        )
        switch verdict {
        case .duplicate:
            if let old { settleSpelling(old, line) }
            return verdict
        case .loses: return verdict
        // The last two are of documents only: lines have no second time.
        case .new, .wins, .refreshes, .returns: break
        }
        var placed = line
        if let old {
            placed.id = old.id
            remove(old)
        }
        add(placed)
        return verdict
    }

    /// Of one content in several spellings (time as sent, flags) the least is kept, so arrival order never decides.
    func settleSpelling(_ current: LineRow, _ duplicate: LineRow) {
        guard current.contentHash == duplicate.contentHash, current.versionAt == duplicate.versionAt,
            (duplicate.rawTime, duplicate.flags) < (current.rawTime, current.flags)
        else { return }
        var settled = current
        settled.rawTime = duplicate.rawTime
        settled.flags = duplicate.flags
        lines.set(settled, of: current.identity)
    }

    func add(_ line: LineRow) {
        lines.set(line, of: line.identity)
        row.add(line, sign: 1)
        if line.occurredAt < row.occurredAt ?? .max {
            row.occurredAt = line.occurredAt
            row.day = line.day
        }
    }

    func remove(_ line: LineRow) {
        lines.set(nil, of: line.identity)
        row.add(line, sign: -1)
        if line.occurredAt == row.occurredAt { mayHaveLostFirst = true }
    }

    /// A whole document takes the place of the one before; all old lines must be loaded.
    func replace(
        header: DocumentHeader,
        storeID: Int64,
        customerID: Int64?,
        countryID: Int64,
        lines new: [LineRow],
        hash: ByteString,
        offset: Int64
    ) {
        precondition(hasAllLines, "a whole document replaces all its lines, so they must be loaded")
        let old = lines.current.sorted { $0.id < $1.id }
        var ids = Dictionary(uniqueKeysWithValues: old.map { ($0.identity, $0.id) })
        for line in old { remove(line) }
        row.storeID = storeID
        row.customerID = customerID
        row.customer = Attribute(header.customer, at: header.occurredAt.micros)
        row.countryID = countryID
        row.country = Attribute(header.country, at: header.occurredAt.micros)
        row.status = header.status
        row.currency = Int64(header.currency.code)
        row.versionAt = header.versionAt
        row.secondVersionAt = header.secondVersionAt
        row.contentHash = hash
        row.take(header)
        row.offset = offset
        row.occurredAt = header.occurredAt.micros
        row.day = header.day
        mayHaveLostFirst = false
        for line in new {
            var placed = line
            // A line that an earlier version of this batch took away is still stored: it keeps its row.
            placed.id = ids.removeValue(forKey: line.identity) ?? lines.before(line.identity)?.id ?? line.id
            add(placed)
        }
    }

    /// True when lines that this batch did not touch count differently now, or the earliest time must be found anew.
    var needsAllLines: Bool {
        guard let stored, !hasAllLines else { return false }
        return mayHaveLostFirst || stored.countryID != row.countryID || stored.status != row.status
            || stored.storeID != row.storeID || stored.type != row.type
    }

    /// Finds the earliest line again when it may have gone; all lines must be loaded.
    func settleFirst() {
        guard mayHaveLostFirst, row.contentHash == nil else { return }
        let first = lines.current.min { $0.occurredAt < $1.occurredAt }
        row.occurredAt = first?.occurredAt
        row.day = first?.day
        mayHaveLostFirst = false
    }
}

extension DocumentRow {
    /// What a whole-document event says beside customer, lines and version.
    mutating func take(_ header: DocumentHeader) {
        reportedTotal = header.reportedTotal
        cashier = header.cashier
        paymentMethod = header.paymentMethod
        paid = header.paid
        bonusPayment = header.bonusPayment
        bonusGranted = header.bonusGranted
        loyaltyPoints = header.loyaltyPoints
        receiptID = header.receipt?.id
        receiptAt = header.receipt?.at
        receiptTotal = header.receipt?.total
        receiptMethod = header.receipt?.paymentMethod
        receiptDocument = header.receipt?.document
        flags = header.flags.rawValue
        traits = header.traits
        windowStart = header.windowStart
    }

    mutating func add(_ line: LineRow, sign: Int64) {
        let amount = Int128(line.amount) * Int128(sign)
        switch line.kind {
        case .gross:
            gross += amount
            grossLines += sign
            units += line.quantity * sign
        case .returned:
            returns += amount
            returnLines += sign
        case .adjustment:
            adjustments += amount
            adjustmentLines += sign
        }
    }
}
