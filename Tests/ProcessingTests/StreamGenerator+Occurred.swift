import Primitives
import RetailFolds
import RetailModel

/// Notes which situations a history holds; the property test asserts that each occurred.
extension StreamGenerator {
    mutating func note(_ records: [RefinedRecord]) {
        var sales: [SaleEvent] = []
        var menus: [ReferenceEvent] = []
        var sequences: [ByteString: [Int64]] = [:]
        var resolved: [Identifier: Int] = [:]
        for record in records {
            if let sequence = record.senderSequence { sequences[record.sender, default: []].append(sequence) }
            if record.action == .discard { seen.insert(.discarded) }
            if record.action == .redrive {
                if case .quarantined = record.outcome {
                    seen.insert(.redrivenRejected)
                } else {
                    seen.insert(.redrivenAccepted)
                    resolved[record.recordID, default: 0] += 1
                }
            }
            switch record.outcome {
            case .accepted(.sale(let sale)): sales.append(sale)
            case .accepted(.reference(let event)): menus.append(event)
            default: break
            }
        }
        if resolved.values.contains(where: { $0 > 1 }) { seen.insert(.redrivenTwice) }
        for numbers in sequences.values {
            if Set(numbers).count < numbers.count { seen.insert(.sequenceRepeated) }
            let sorted = Set(numbers).sorted()
            if zip(sorted, sorted.dropFirst()).contains(where: { $1 > $0 + 1 }) { seen.insert(.sequenceGap) }
        }
        for (index, later) in sales.enumerated() {
            if Set(later.lines.map(\.product)).count < later.lines.count { seen.insert(.productTwice) }
            for earlier in sales[..<index] where earlier.header.document == later.header.document {
                note(earlier.header, later.header, earlier.contentHash != later.contentHash)
                noteTie(earlier, later, sales)
            }
        }
        for (index, later) in menus.enumerated() {
            for earlier in menus[..<index] where earlier.key == later.key && earlier.contentHash != later.contentHash {
                if earlier.name != later.name { seen.insert(.renamed) }
                guard later.entity == .store else { continue }
                seen.insert(earlier.validFrom == later.validFrom ? .menuConflict : .menuChange)
                if later.validFrom < earlier.validFrom { seen.insert(.referenceCorrectsThePast) }
            }
        }
        let sold = sales.flatMap(\.lines).filter { $0.description != nil }
        for item in menus.flatMap(\.items)
        where sold.contains(where: { $0.product == item.product && $0.description != item.name }) {
            seen.insert(.soldByAnotherName)
        }
        noteParking(records)
    }

    private mutating func note(_ a: DocumentHeader, _ b: DocumentHeader, _ differ: Bool) {
        guard differ else { return }
        if a.versionAt == b.versionAt { seen.insert(.tie) }
        if a.customer != b.customer { seen.insert(.moveOfCustomer) }
        if a.store != b.store { seen.insert(.moveOfStore) }
        if isWindowed, a.windowStart != b.windowStart { seen.insert(.moveOfWindow) }
        if a.status == .cancelled, b.status == .closed, a.versionAt > b.versionAt { seen.insert(.cancelBeforeClose) }
        if a.status == .closed, b.status == .cancelled, a.versionAt < b.versionAt { seen.insert(.closedThenCancelled) }
    }

    private mutating func noteTie(_ a: SaleEvent, _ b: SaleEvent, _ sales: [SaleEvent]) {
        guard a.header.versionAt == b.header.versionAt else { return }
        let (first, then) = (a.header.secondVersionAt, b.header.secondVersionAt)
        guard a.contentHash == b.contentHash else {
            if first != then { seen.insert(.tieBySecondTime) }
            if first == then, a.header.status.progress != b.header.status.progress { seen.insert(.tieByStatus) }
            return
        }
        if first == then { return }
        seen.insert(.laterCopy)
        let between = sales.contains { other in
            other.header.document == a.header.document && other.header.versionAt == a.header.versionAt
                && other.contentHash != a.contentHash && other.header.secondVersionAt > min(first, then)
                && other.header.secondVersionAt < max(first, then)
        }
        if between { seen.insert(.laterCopyWins) }
    }

    private mutating func noteParking(_ records: [RefinedRecord]) {
        var there: Set<ReferenceKey> = []
        for record in records {
            guard case .accepted(.reference(let event)) = record.outcome else { continue }
            there.insert(ReferenceKey(event.entity, source: event.source, key: event.key))
            for item in event.items {
                there.insert(ReferenceKey(.product, source: event.source, key: item.product, store: event.key))
            }
        }
        for record in records where !record.requires.isEmpty {
            seen.insert(record.requires.allSatisfy(there.contains) ? .parkedThenReleased : .neverReleased)
        }
    }

    /// What receipt times and the order of the records make of windows; both are those of the log.
    mutating func noteTimes(_ records: [RefinedRecord]) {
        for store in ["S1", "S2"] as [ByteString] where isWindowed { noteIdleness(records, store) }
        Self.noteLast(records) { header in
            header.windowStart.map { "\(header.store) \($0)" }
        } leaves: {
            seen.insert(.lastOfWindowLeaves)
        }
        Self.noteLast(records) { header in
            header.customer?.description
        } leaves: {
            seen.insert(.lastOfUserLeaves)
        }
    }

    private mutating func noteIdleness(_ records: [RefinedRecord], _ store: ByteString) {
        let span = Self.policy.length + Self.policy.lateness
        var lastReceived: Int64?
        var ahead: Int64?
        var isIdle = false
        for record in records where record.topic == "feed.shop" {
            let now = record.receivedAt.micros
            if let last = lastReceived, let start = ahead, now >= last + Self.policy.idle {
                isIdle = now < start + span
                seen.insert(isIdle ? .aheadStaysOpen : .aheadReached)
                if !isIdle { ahead = nil }
            }
            guard case .accepted(.sale(let sale)) = record.outcome, sale.header.store == store else { continue }
            let start = Self.policy.start(of: sale.header.occurredAt.micros)
            guard record.action == .receive else {
                if lastReceived == nil, sale.header.status == .closed { seen.insert(.redrivenOpensStore) }
                continue
            }
            lastReceived = now
            guard sale.header.status == .closed else { continue }
            if isIdle, start + span > now { seen.insert(.inTimeBehindAhead) }
            if sale.header.occurredAt.micros > now + Self.policy.skew { ahead = max(ahead ?? start, start) }
        }
    }

    /// A newer version takes the closed sale with the greatest time away from its window, or from its user.
    private static func noteLast(
        _ records: [RefinedRecord],
        group: (DocumentHeader) -> String?,
        leaves: () -> Void
    ) {
        var current: [ByteString: SaleEvent] = [:]
        for record in records where record.action == .receive {
            guard case .accepted(.sale(let sale)) = record.outcome else { continue }
            let old = current[sale.header.document]
            if let old, old.header.versionAt >= sale.header.versionAt { continue }
            current[sale.header.document] = sale
            guard let old = old?.header, old.status == .closed, let place = group(old) else { continue }
            let new = sale.header
            let stays = new.status == .closed && group(new) == place && new.occurredAt == old.occurredAt
            let others = current.values.filter {
                $0.header.document != old.document && $0.header.status == .closed && group($0.header) == place
            }
            // Another one was earlier: the last time goes back to it.
            if !stays, let last = others.map(\.header.occurredAt).max(), last < old.occurredAt { leaves() }
        }
    }
}
