import Primitives
import RetailModel
import Tables

/// Rejected records (S1) and what became of them (S2), one group for each record.
extension Recomputation {
    private struct Row {
        var first: StoredRecord
        var reasons: ByteString
        var contract: Digest
        var attempts: Int64 = 1
        var resolvedAt: Int64?

        /// What the quota counts: computed apart from the fold, from the record that came first and the latest reasons.
        var bytes: Int64 {
            let header = first.csvHeader.map { Int64($0.count) } ?? 0
            return Int64(QuarantineSize.rowBytes) + Int64(first.bytes.count) + Int64(reasons.count) + header
        }
    }

    private static let shape = TableShape.of(RetailTables.quarantine)

    mutating func proveQuarantine() throws {
        var groups = SortedGroups(try quarantineFacts.finish())
        var row: Row?
        try groups.forEach(suffix: StoredRecord.suffix) { record, isFirst in
            if isFirst {
                if let row { try write(row) }
                row = nil
            }
            let stored = StoredRecord(record)
            switch stored.action {
            case .receive: reject(stored, &row)
            case .redrive: try redrive(stored, &row)
            case .discard: resolve(stored, &row)
            case .release: preconditionFailure("a release is never in a log")
            }
        }
        if let row { try write(row) }
    }

    private mutating func reject(_ stored: StoredRecord, _ row: inout Row?) {
        guard case .quarantined(let reasons) = stored.outcome else { return }
        guard row == nil else {
            tallies[stored.origin.run].duplicates += 1
            return
        }
        tallies[stored.origin.run].quarantined += 1
        tallies[stored.origin.run].entries += 1
        let new = Row(first: stored, reasons: reasons, contract: stored.contract)
        tallies[stored.origin.run].bytes += new.bytes
        row = new
    }

    /// Nothing changes unless the row is there and open.
    private mutating func redrive(_ stored: StoredRecord, _ row: inout Row?) throws {
        guard row != nil, row?.resolvedAt == nil else { return }
        row?.attempts += 1
        row?.contract = stored.contract
        switch stored.outcome {
        case .quarantined(let reasons):
            let before = row?.bytes ?? 0
            row?.reasons = reasons
            tallies[stored.origin.run].exists = true
            tallies[stored.origin.run].bytes += (row?.bytes ?? 0) - before
        case .accepted:
            resolve(stored, &row)
            tallies[stored.origin.run].quarantined -= 1
            try applyRedriven(stored)
        case .tick: return
        }
    }

    private mutating func resolve(_ stored: StoredRecord, _ row: inout Row?) {
        guard row != nil, row?.resolvedAt == nil else { return }
        row?.resolvedAt = stored.origin.receivedAt
        tallies[stored.origin.run].exists = true
        tallies[stored.origin.run].entries -= 1
        tallies[stored.origin.run].bytes -= row?.bytes ?? 0
    }

    private mutating func write(_ row: Row) throws(ProofError) {
        let first = row.first
        writer.begin(Self.shape)
        first.writeKey(tallies.feed(first.origin.run), &writer)
        writer.blob(first.bytes.bytes)
        writer.text(row.reasons)
        writer.blob(row.contract.bytes)
        writer.int(first.origin.receivedAt)
        writer.int(row.attempts)
        writer.int(row.resolvedAt)
        writer.text(topics[first.origin.topic])
        writer.int(first.origin.offset)
        writer.text(first.csvHeader)
        writer.int(first.csvSeparator)
        try writer.end(into: &rows)
    }
}
