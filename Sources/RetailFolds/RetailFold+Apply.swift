import Primitives
import RetailModel
import Tables

/// Applying one record to the overlay of a batch.
extension RetailFold {
    /// - Parameter reference: What became of it when it is a reference record.
    mutating func apply(_ record: RefinedRecord, _ reference: Tally?, _ batch: inout FoldBatch) {
        windows.passReceiptTime(record)
        if case .tick = record.outcome { return }
        senders.apply(record)
        var tally = Tally()
        switch record.action {
        case .receive: tally.received = 1
        case .release: tally.parked = -1
        case .redrive, .discard:
            if !resolve(record, &batch, &tally) { return add(tally, record, &batch) }
        }
        switch record.outcome {
        case .quarantined(let reasons): quarantine(record, reasons, &batch, &tally)
        case .accepted(.line(let event)): line(event, record, &batch, &tally)
        case .accepted(.sale(let event)):
            if !parks(record, &batch, &tally) { sale(event, record, &batch, &tally) }
        case .accepted(.reference): tally.add(reference ?? Tally())
        case .tick: break
        }
        add(tally, record, &batch)
    }

    private mutating func add(_ tally: Tally, _ record: RefinedRecord, _ batch: inout FoldBatch) {
        if batch.lastTally?.feed == record.feed, batch.lastTally?.run == record.run {
            batch.lastTally?.sum.add(tally)
        } else {
            book(&batch)
            // Ids in order of first appearance.
            _ = runID(record.feed, "", &batch)
            if !record.run.isEmpty { _ = runID(record.feed, record.run, &batch) }
            batch.lastTally = (record.feed, record.run, tally)
        }
    }

    /// Books what the latest neighbours of one run added up to.
    mutating func book(_ batch: inout FoldBatch) {
        guard let (feed, run, sum) = batch.lastTally else { return }
        batch.lastTally = nil
        batch.tallies[TallyKey(id: runID(feed, "", &batch), isFeed: true), default: Tally()].add(sum)
        if !run.isEmpty {
            batch.tallies[TallyKey(id: runID(feed, run, &batch), isFeed: false), default: Tally()].add(sum)
        }
    }

    private mutating func quarantine(
        _ record: RefinedRecord,
        _ reasons: ByteString,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let key = RecordKey(record)
        guard batch.quarantine[key] == nil else {
            tally.duplicates = 1
            return
        }
        tally.quarantined = 1
        use(record, entries: 1, bytes: record.quarantineBytes, &batch)
        batch.changedQuarantine.insert(key)
        batch.quarantine[key] = [
            .integer(nextQuarantine), .text(record.feed), .blob(key.recordID), .blob(key.hash), .blob(record.bytes),
            .text(reasons), .blob(ByteString(record.contract.bytes)), .integer(record.receivedAt.micros), .integer(1),
            .null, .text(record.topic), .integer(record.offset), Cell(text: record.csvHeader),
            .integer(record.csvSeparator),
        ]
        nextQuarantine += 1
    }

    private mutating func use(_ record: RefinedRecord, entries: Int64, bytes: Int64, _ batch: inout FoldBatch) {
        let feed = runID(record.feed, "", &batch)
        let used = batch.usage[feed] ?? (0, 0)
        batch.usage[feed] = (used.entries + entries, used.bytes + bytes)
    }

    private static func size(ofEntry row: [Cell]) -> Int64 {
        QuarantineSize.bytes(
            record: row[4].bytes?.count ?? 0,
            reasons: row[5].bytes?.count ?? 0,
            header: row[12].bytes?.count ?? 0
        )
    }

    /// An entry of quarantine that is refined again or given up; true when its record is to be counted now. An entry
    /// that is not there or is resolved stays as it is: a record counts once, however often it is redriven.
    private mutating func resolve(_ record: RefinedRecord, _ batch: inout FoldBatch, _ tally: inout Tally) -> Bool {
        let key = RecordKey(record)
        guard var row = batch.quarantine[key], row[9] == .null else {
            if Mutant.isPlanted(.repeatedRedrive()) { tally.received = 1 }
            return Mutant.isPlanted(.repeatedRedrive()) && record.action == .redrive
        }
        defer {
            batch.quarantine[key] = row
            batch.changedQuarantine.insert(key)
        }
        let before = Self.size(ofEntry: row)
        if record.action == .discard {
            row[9] = .integer(record.receivedAt.micros)
            use(record, entries: -1, bytes: -before, &batch)
            return false
        }
        row[6] = .blob(ByteString(record.contract.bytes))
        row[8] = .integer((row[8].integer ?? 0) + 1)
        if case .quarantined(let reasons) = record.outcome {
            row[5] = .text(reasons)
            use(record, entries: 0, bytes: Self.size(ofEntry: row) - before, &batch)
            return false
        }
        row[9] = .integer(record.receivedAt.micros)
        use(record, entries: -1, bytes: -before, &batch)
        tally.quarantined = -1
        return true
    }

    /// The document's state in the overlay, made when it is new.
    private mutating func withDocument(
        _ key: NaturalKey,
        storeID: Int64,
        currency: Currency,
        _ batch: inout FoldBatch,
        _ body: (DocumentState) -> Void
    ) {
        if let known = batch.documents[key] { return body(known) }
        let row = DocumentRow(
            id: nextDocument,
            source: key.source,
            key: key.key,
            storeID: storeID,
            currency: Int64(currency.code)
        )
        nextDocument += 1
        let state = DocumentState(new: row)
        body(state)
        batch.documents[key] = state
    }

    private mutating func line(
        _ event: LineEvent,
        _ record: RefinedRecord,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let time = event.occurredAt.micros
        let storeID = storeID(event.source, event.store, zone: event.timeZone)
        let customerID = event.customer.map {
            self.customerID(event.source, $0, name: event.customerName, country: event.country, at: time)
        }
        let productID = productID(
            event.source,
            event.product,
            description: event.description,
            rank: DescriptionRank(event),
            isMerchandise: !event.flags.contains(.notMerchandise),
            at: time
        )
        let countryID = event.country.map { self.countryID($0, &batch) } ?? 0
        let lineID = nextLine
        var verdict = VersionVerdict.duplicate
        withDocument(NaturalKey(event.source, event.document), storeID: storeID, currency: event.currency, &batch) {
            state in
            // The greatest of all lines, whenever they come: a contract can tell the kind by a field of each line.
            if event.documentType.rawValue > state.row.type.rawValue { state.row.type = event.documentType }
            state.competeForHeader(
                customerID: customerID,
                customerKey: event.customer,
                countryID: countryID,
                country: event.country,
                at: time
            )
            verdict = state.put(
                LineRow(id: lineID, documentID: state.row.id, productID: productID, event: event, offset: record.offset)
            )
            if verdict != .duplicate { state.row.offset = max(state.row.offset, record.offset) }
        }
        if verdict == .new { nextLine += 1 }
        tally.add(verdict)
    }

    private mutating func sale(
        _ event: SaleEvent,
        _ record: RefinedRecord,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let header = event.header
        let time = header.occurredAt.micros
        let storeID = storeID(header.source, header.store, zone: header.timeZone)
        let customerID = header.customer.map {
            self.customerID(header.source, $0, name: header.customerName, country: header.country, at: time)
        }
        let countryID = header.country.map { self.countryID($0, &batch) } ?? 0
        var lines: [LineRow] = []
        let products = event.lines.map { line in
            productID(
                line.source,
                line.product,
                description: line.description,
                rank: DescriptionRank(line),
                isMerchandise: !line.flags.contains(.notMerchandise),
                at: time
            )
        }
        let firstLine = nextLine
        var verdict = VersionVerdict.duplicate
        var documentID: Int64 = 0
        var before: WindowShare?
        var after: WindowShare?
        withDocument(NaturalKey(header.source, header.document), storeID: storeID, currency: header.currency, &batch) {
            state in
            documentID = state.row.id
            before = WindowShare(state.row)
            defer {
                if verdict.isPlaced || !Mutant.isPlanted(.lostHistory()) { state.noteStatuses(header.statuses) }
                after = WindowShare(state.row)
            }
            let rank = VersionRank(
                versionAt: header.versionAt,
                secondAt: header.secondVersionAt,
                progress: header.status.progress,
                hash: ByteString(event.contentHash.bytes)
            )
            verdict = state.rankVersion(rank, identity: "", offset: record.offset)
            // A version is where its first copy is.
            let offset: Int64
            switch verdict {
            case .returns(let first): offset = first
            case .refreshes: offset = state.row.offset
            case .new, .duplicate, .wins, .loses: offset = record.offset
            }
            for (index, line) in event.lines.enumerated() {
                lines.append(
                    LineRow(
                        id: firstLine + Int64(index),
                        documentID: state.row.id,
                        productID: products[index],
                        event: line,
                        offset: offset
                    )
                )
            }
            guard verdict.isPlaced else {
                // Only copies of what is current: what lost has no say in how its lines are spelled.
                if state.row.rank == rank {
                    for line in lines {
                        if let current = state.lines[line.identity] { state.settleSpelling(current, line) }
                    }
                }
                lines = []
                return
            }
            state.replace(
                header: header,
                storeID: storeID,
                customerID: customerID,
                countryID: countryID,
                lines: lines,
                hash: ByteString(event.contentHash.bytes),
                offset: offset
            )
        }
        nextLine += Int64(lines.count)
        windows.apply(header, record, documentID: documentID, storeID: storeID, before: before, after: after)
        tally.add(verdict)
    }
}

extension RetailFold.Tally {
    /// Books one event: what it became, and what became of the event that it pushed aside.
    mutating func add(_ verdict: VersionVerdict) {
        switch verdict {
        case .duplicate, .refreshes, .returns:
            duplicates += 1
            if Mutant.isPlanted(.countedDuplicate()) { distinct += 1 }
        case .new:
            distinct += 1
            current += 1
        case .wins(let conflict), .loses(let conflict):
            distinct += 1
            if conflict { conflicting += 1 } else { superseded += 1 }
        }
    }
}
