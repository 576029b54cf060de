import Primitives
import RetailModel
import Tables

/// Applying one record to the overlay of a batch.
extension RetailFold {
    mutating func apply(_ record: JudgedRecord, _ batch: inout FoldBatch) {
        var tally = Tally()
        tally.received = 1
        switch record.outcome {
        case .quarantined(let reasons): quarantine(record, reasons, &batch, &tally)
        case .accepted(.line(let event)): line(event, record, &batch, &tally)
        case .accepted(.sale(let event)): sale(event, record, &batch, &tally)
        case .accepted(.reference), .tick: return
        }
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
        _ record: JudgedRecord,
        _ reasons: ByteString,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let key = QuarantineKey(record)
        guard batch.quarantined.insert(key).inserted else {
            tally.duplicates = 1
            return
        }
        tally.quarantined = 1
        batch.newRows[RetailTables.quarantine.name, default: []].append([
            .integer(nextQuarantine), .text(record.feed), .blob(key.recordID), .blob(key.hash), .blob(record.bytes),
            .text(reasons), .blob(ByteString(record.contract.bytes)), .integer(record.receivedAt.micros), .integer(1),
            .null, .text(record.topic), .integer(record.offset),
        ])
        nextQuarantine += 1
    }

    /// The document's state in the overlay, made when it is new.
    private mutating func withDocument(
        _ key: NaturalKey,
        storeID: Int64,
        currency: Currency,
        _ batch: inout FoldBatch,
        _ body: (inout DocumentState) -> Void
    ) {
        if let index = batch.documents.index(forKey: key) {
            body(&batch.documents.values[index])
            return
        }
        let row = DocumentRow(
            id: nextDocument,
            source: key.source,
            key: key.key,
            storeID: storeID,
            currency: Int64(currency.code)
        )
        nextDocument += 1
        var state = DocumentState(new: row)
        body(&state)
        batch.documents[key] = state
    }

    private mutating func line(
        _ event: LineEvent,
        _ record: JudgedRecord,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let time = event.occurredAt.micros
        let storeID = storeID(event.source, event.store, zone: event.timeZone, &batch)
        let customerID = event.customer.map {
            self.customerID(event.source, $0, name: event.customerName, country: event.country, at: time)
        }
        let productID = productID(
            event.source,
            event.product,
            description: event.description,
            isMerchandise: !event.flags.contains(.notMerchandise),
            at: time
        )
        let countryID = event.country.map { self.countryID($0, &batch) } ?? 0
        let lineID = nextLine
        var verdict = VersionVerdict.duplicate
        withDocument(NaturalKey(event.source, event.document), storeID: storeID, currency: event.currency, &batch) {
            state in
            state.row.type = event.documentType
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
        _ record: JudgedRecord,
        _ batch: inout FoldBatch,
        _ tally: inout Tally
    ) {
        let header = event.header
        let time = header.occurredAt.micros
        let storeID = storeID(header.source, header.store, zone: header.timeZone, &batch)
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
                isMerchandise: !line.flags.contains(.notMerchandise),
                at: time
            )
        }
        let firstLine = nextLine
        var verdict = VersionVerdict.duplicate
        withDocument(NaturalKey(header.source, header.document), storeID: storeID, currency: header.currency, &batch) {
            state in
            verdict = state.judgeVersion(
                hash: ByteString(event.contentHash.bytes),
                at: header.versionAt,
                identity: "",
                offset: record.offset
            )
            for (index, line) in event.lines.enumerated() {
                lines.append(
                    LineRow(
                        id: firstLine + Int64(index),
                        documentID: state.row.id,
                        productID: products[index],
                        event: line,
                        offset: record.offset
                    )
                )
            }
            guard verdict == .new || verdict.newWins else {
                for line in lines {
                    if let current = state.lines[line.identity] { state.settleSpelling(current, line) }
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
                offset: record.offset
            )
        }
        nextLine += Int64(lines.count)
        tally.add(verdict)
    }
}

extension RetailFold.Tally {
    /// Books one event: what it became, and what became of the event that it pushed aside.
    mutating func add(_ verdict: VersionVerdict) {
        switch verdict {
        case .duplicate:
            duplicates += 1
        case .new:
            distinct += 1
            current += 1
        case .wins(let conflict), .loses(let conflict):
            distinct += 1
            if conflict { conflicting += 1 } else { superseded += 1 }
        }
    }
}
