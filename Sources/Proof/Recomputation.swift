import Primitives
import RetailModel
import Tables

/// The second computation of every table: records in, in the order of processing; rows out, in the order of their keys.
///
/// 1. Every record becomes facts in sorters: rejected and redriven records by record, references by entity, events that
///    need a reference by record, all other events by document.
/// 2. The sorters are read group by group in that order, since each may hand events on to the next: a redriven record
///    that is accepted now, a parked one whose references are there.
/// 3. What the groups say of turnover windows is played back in the order of the log (``WindowsProof``).
///
/// It shares nothing with the live fold but the event types and the declarations of the tables. Single owner.
struct Recomputation {
    let scratch: Scratch?
    var tallies = Tallies()
    var entities: Entities
    var sums: SumTables
    var senders = SendersProof()
    var windows: WindowsProof
    var references = ReferenceIndex()
    var writer = RowWriter()
    /// Rows that are done.
    var rows: Sorter
    var quarantineFacts: Sorter, referenceFacts: Sorter, parkingFacts: Sorter, documentFacts: Sorter
    private(set) var records: Int64 = 0
    private(set) var topics: [ByteString] = []
    private var fact = FactWriter()

    init(_ scratch: Scratch?, bufferBytes: Int) {
        self.scratch = scratch
        let part = max(1, bufferBytes / 16)
        entities = Entities(scratch, bufferBytes: part)
        sums = SumTables(scratch, bufferBytes: part)
        windows = WindowsProof(scratch, bufferBytes: part)
        rows = Sorter(scratch, bufferBytes: part * 4)
        quarantineFacts = Sorter(scratch, bufferBytes: part)
        referenceFacts = Sorter(scratch, bufferBytes: part)
        parkingFacts = Sorter(scratch, bufferBytes: part)
        documentFacts = Sorter(scratch, bufferBytes: part * 6)
    }

    mutating func add(_ record: JudgedRecord) throws {
        records += 1
        let topic = topic(record.topic)
        let isTick = record.outcome == .tick
        let origin = Origin(
            sequence: records,
            arrival: records,
            offset: record.offset,
            receivedAt: record.receivedAt.micros,
            run: isTick ? 0 : tallies.run(record.feed, record.run),
            topic: topic,
            sender: record.sender,
            movesClocks: record.action == .receive
        )
        if isTick { return try windows.step(origin) }
        guard record.action == .receive else {
            try windows.step(origin)
            return try note(StoredRecord(record, origin))
        }
        tallies[origin.run].received += 1
        tallies[origin.run].exists = true
        try senders.add(record)
        switch record.outcome {
        case .accepted(let event):
            if !windows.sees(event, origin) { try windows.step(origin) }
            if record.requires.isEmpty { try apply(event, origin) } else { try park(StoredRecord(record, origin)) }
        case .quarantined:
            try windows.step(origin)
            try note(StoredRecord(record, origin))
        case .tick: return
        }
    }

    /// Runs the passes and returns all rows.
    mutating func finish() throws -> SortedRuns {
        try proveQuarantine()
        try proveReferences()
        try proveParking()
        try proveDocuments()
        try windows.write(topics, &writer, into: &rows)
        try senders.write(&writer, into: &rows)
        try entities.write(&writer, into: &rows)
        try sums.write(into: &rows)
        try tallies.write(&writer, into: &rows)
        return try rows.finish()
    }

    private mutating func topic(_ name: ByteString) -> Int {
        if let last = topics.last, last == name { return topics.count - 1 }
        if let known = topics.firstIndex(of: name) { return known }
        topics.append(name)
        return topics.count - 1
    }

    /// Hands on an event that needs no reference, or has those that it needs.
    mutating func apply(_ event: RetailEvent, _ origin: Origin) throws(ProofError) {
        fact.bytes.removeAll(keepingCapacity: true)
        if case .reference(let reference) = event {
            fact.bytes.append(UInt8(truncatingIfNeeded: reference.entity.rawValue))
            fact.bytes.appendOrdered(reference.source.bytes)
            fact.bytes.appendOrdered(reference.key.bytes)
            fact.bytes.appendOrdered(origin.sequence)
            let keyLength = fact.bytes.count
            fact.origin(origin)
            fact.event(event)
            return try referenceFacts.add(fact.bytes, keyLength: keyLength)
        }
        switch event {
        case .line(let line):
            fact.bytes.appendOrdered(line.source.bytes)
            fact.bytes.appendOrdered(line.document.bytes)
            fact.bytes.appendOrdered(line.identity.bytes)
        case .sale(let sale):
            fact.bytes.appendOrdered(sale.header.source.bytes)
            fact.bytes.appendOrdered(sale.header.document.bytes)
            fact.bytes.appendOrdered([])
        case .reference: return
        }
        fact.bytes.appendOrdered(origin.sequence)
        fact.bytes.appendOrdered(origin.arrival)
        let keyLength = fact.bytes.count
        fact.origin(origin)
        fact.event(event)
        try documentFacts.add(fact.bytes, keyLength: keyLength)
    }

    /// Hands on an accepted event of a record that was quarantined before.
    mutating func applyRedriven(_ stored: StoredRecord) throws(ProofError) {
        guard case .accepted(let event) = stored.outcome else { return }
        if case .sale(let sale) = event, !sale.header.requires.isEmpty {
            try park(stored)
        } else {
            try apply(event, stored.origin)
        }
    }

    private mutating func park(_ stored: StoredRecord) throws(ProofError) {
        try stored.write(tallies.feed(stored.origin.run), into: &parkingFacts)
    }

    private mutating func note(_ stored: StoredRecord) throws(ProofError) {
        try stored.write(tallies.feed(stored.origin.run), into: &quarantineFacts)
    }
}
