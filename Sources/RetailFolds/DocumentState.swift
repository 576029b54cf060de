import Primitives
import RetailModel
import Tables

/// How an event fared against what is known under its key.
enum VersionVerdict: Equatable {
    case new
    case duplicate
    /// It takes the place of the current version, which becomes superseded or conflicting.
    case wins(conflict: Bool)
    case loses(conflict: Bool)

    var newWins: Bool {
        if case .wins = self { true } else { false }
    }
}

/// A version that is not current.
struct LostVersion: Hashable, Comparable {
    var identity: ByteString
    var hash: ByteString
    var versionAt: Int64

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
    /// The greatest hash among the lost versions of a group.
    private var greatestLost: [VersionGroup: ByteString] = [:]
    /// Versions whose row this batch adds or changes.
    private(set) var changedLost: Set<LostVersion> = []
    /// Status history as stored, with row ids.
    var history: [StatusEntry: Int64] = [:]
    /// The history of a version that this batch brought; nil when none did.
    private var statuses: Set<StatusEntry>?
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
        lost[version] = note
        let group = VersionGroup(identity: version.identity, versionAt: version.versionAt)
        greatestLost[group] = greatestLost[group].map { max($0, version.hash) } ?? version.hash
    }

    private func lose(_ version: LostVersion, isConflict: Bool, offset: Int64) {
        remember(version, LostNote(id: nil, isConflict: isConflict, offset: offset))
        changedLost.insert(version)
    }

    /// Whether it takes part in order counters, now or as stored. Asked first: what it says more is a copy of the row.
    var mayBeCounted: Bool { row.traits.contains(.counted) || stored?.traits.contains(.counted) ?? false }

    var deletedHistory: [Int64] {
        statuses.map { kept in history.filter { !kept.contains($0.key) }.values.sorted() } ?? []
    }

    var newHistory: [StatusEntry] { statuses.map { $0.filter { history[$0] == nil } } ?? [] }

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
        hash: ByteString,
        at versionAt: Int64,
        identity: ByteString,
        offset: Int64,
        current: (hash: ByteString, versionAt: Int64, offset: Int64)?
    ) -> VersionVerdict {
        guard let current else { return .new }
        if current.hash == hash, current.versionAt == versionAt { return .duplicate }
        let mine = LostVersion(identity: identity, hash: hash, versionAt: versionAt)
        if lost[mine] != nil { return .duplicate }
        var conflict = versionAt == current.versionAt
        if conflict ? current.hash < hash : current.versionAt < versionAt || Mutant.isPlanted(.arrivalWins()) {
            let loser = LostVersion(identity: identity, hash: current.hash, versionAt: current.versionAt)
            lose(loser, isConflict: conflict, offset: current.offset)
            return .wins(conflict: conflict)
        }
        let group = VersionGroup(identity: identity, versionAt: versionAt)
        let rival = conflict ? nil : greatestLost[group]
        let isPassed = rival.map { hash < $0 } ?? false
        let isSilenced = Mutant.isPlanted(.silencedConflict())
        lose(mine, isConflict: (conflict || isPassed) && !isSilenced, offset: offset)
        if let rival {
            // One of the two is conflicting now: the event, or the version that stood for their common time until now.
            conflict = true
            let older = LostVersion(identity: identity, hash: rival, versionAt: versionAt)
            if !isPassed {
                lost[older]?.isConflict = true
                changedLost.insert(older)
            }
        }
        return .loses(conflict: conflict)
    }

    func rankVersion(
        hash: ByteString,
        at versionAt: Int64,
        identity: ByteString,
        offset: Int64
    ) -> VersionVerdict {
        rank(
            hash: hash,
            at: versionAt,
            identity: identity,
            offset: offset,
            current: row.contentHash.map { ($0, row.versionAt, row.offset) }
        )
    }

    func isCurrent(_ hash: Digest, _ versionAt: Int64) -> Bool {
        row.versionAt == versionAt && row.contentHash.map { $0 == ByteString(hash.bytes) } ?? false
    }

    /// Puts a line under its identity, if it wins there.
    func put(_ line: LineRow) -> VersionVerdict {
        let old = lines[line.identity]
        let verdict = rank(
            hash: line.contentHash,
            at: line.versionAt,
            identity: line.identity,
            offset: line.offset,
            current: old.map { ($0.contentHash, $0.versionAt, $0.offset) }
        )
        switch verdict {
        case .duplicate:
            if let old { settleSpelling(old, line) }
            return verdict
        case .loses: return verdict
        case .new, .wins: break
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
        row.contentHash = hash
        row.take(header)
        statuses = Set(header.statuses)
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
