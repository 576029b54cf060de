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
    private let bufferBytes: Int
    private let keeping: TableSet
    var tallies: Tallies
    var entities: Entities
    var sums: SumTables
    var senders: SendersProof
    var windows: WindowFacts
    var references: ReferenceIndex
    var writer = RowWriter()
    /// Rows that are done.
    var rows: RowSink
    var quarantineFacts: Sorter, referenceFacts: Sorter, parkingFacts: Sorter
    /// Events by document; every document has its place in one of the shares.
    private var documentFacts: [Sorter]
    private(set) var records: Int64 = 0
    private(set) var topics: [ByteString] = []
    /// References that came by now, without a redrive.
    private var arrived: Set<ReferenceKey> = []
    private var fact = FactWriter()
    private let capacity: ProofCapacity

    /// - Parameter keeping: Tables whose rows are compared one by one.
    init(_ scratch: Scratch?, bufferBytes: Int, keeping: TableSet = .all, capacity: ProofCapacity = ProofCapacity()) {
        self.scratch = scratch
        self.capacity = capacity
        tallies = Tallies(capacity)
        senders = SendersProof(capacity)
        references = ReferenceIndex(capacity)
        self.keeping = keeping
        let part = max(1, bufferBytes / 16)
        entities = Entities(scratch, bufferBytes: part)
        sums = SumTables(scratch, bufferBytes: part)
        windows = WindowFacts(scratch, bufferBytes: part)
        self.bufferBytes = bufferBytes
        // Sixteen parts in all; rows that are not kept need none of them.
        let rowParts = keeping.isEmpty ? 0 : 4
        rows = RowSink(scratch, bufferBytes: part * rowParts, keeping: keeping)
        quarantineFacts = Sorter(scratch, bufferBytes: part)
        referenceFacts = Sorter(scratch, bufferBytes: part)
        parkingFacts = Sorter(scratch, bufferBytes: part)
        let shares = scratch == nil ? 1 : ProofLimits.documentShares
        documentFacts = (0..<shares).map { _ in Sorter(scratch, bufferBytes: part * (10 - rowParts) / shares) }
    }

    mutating func add(_ record: RefinedRecord) throws {
        records += 1
        let topic = topic(record.topic)
        let isTick = if case .tick = record.outcome { true } else { false }
        let origin = Origin(
            sequence: records,
            arrival: records,
            offset: record.offset,
            receivedAt: record.receivedAt.micros,
            run: isTick ? 0 : try tallies.run(record.feed, record.run),
            topic: topic,
            sender: record.sender,
            movesClocks: record.action == .receive
        )
        if isTick { return try windows.step(origin) }
        guard record.action == .receive else {
            try windows.step(origin)
            // It may open a window that is idle already: the next record closes it, however early.
            if case .accepted(let event) = record.outcome { _ = windows.sees(event, origin) }
            return try note(StoredRecord(record, origin))
        }
        tallies[origin.run].received += 1
        tallies[origin.run].exists = true
        try senders.add(record)
        switch record.outcome {
        case .accepted(let event):
            if !windows.sees(event, origin) { try windows.step(origin) }
            if case .reference(let reference) = event { try arrive(reference) }
            // What came behind all its references never waits.
            if hasArrived(record.requires) {
                try apply(event, origin)
            } else {
                try park(StoredRecord(record, origin))
            }
        case .quarantined:
            try windows.step(origin)
            try note(StoredRecord(record, origin))
        case .tick: return
        }
    }

    private func hasArrived(_ references: [ReferenceKey]) -> Bool {
        // By index: a copy of a key would count references to its parts.
        for index in references.indices where !arrived.contains(references[index]) { return false }
        return true
    }

    private mutating func arrive(_ event: ReferenceEvent) throws(ProofError) {
        arrived.insert(ReferenceKey(event.entity, source: event.source, key: event.key))
        for item in event.items {
            arrived.insert(ReferenceKey(.product, source: event.source, key: item.product, store: event.key))
        }
        if arrived.count > capacity.references {
            throw .tooLarge(what: "references and menu items", limit: capacity.references)
        }
    }

    /// Runs the passes and returns all rows.
    mutating func finish() throws -> RowSet {
        try proveQuarantine()
        try proveReferences()
        try proveParking()
        try proveDocuments()
        var windowsProof = WindowsProof(scratch, bufferBytes: max(1, bufferBytes / 16), capacity)
        try windowsProof.write(windows.finish(), topics, &writer, into: &rows)
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
        fact.begin()
        if case .reference(let reference) = event {
            fact.byte(UInt8(truncatingIfNeeded: reference.entity.rawValue))
            fact.ordered(reference.source)
            fact.ordered(reference.key)
            fact.ordered(origin.sequence)
            let keyLength = fact.count
            fact.origin(origin)
            fact.event(event)
            return try referenceFacts.add(fact.bytes, keyLength: keyLength)
        }
        let share: Int
        switch event {
        case .line(let line):
            share = self.share(line.document)
            fact.ordered(line.source)
            fact.ordered(line.document)
            fact.ordered(line.identity)
        case .sale(let sale):
            share = self.share(sale.header.document)
            fact.ordered(sale.header.source)
            fact.ordered(sale.header.document)
            fact.ordered(ByteString())
        case .reference: return
        }
        fact.ordered(origin.sequence)
        fact.ordered(origin.arrival)
        let keyLength = fact.count
        fact.origin(origin)
        fact.event(event)
        try documentFacts[share].add(fact.bytes, keyLength: keyLength)
    }

    private func share(_ document: ByteString) -> Int {
        if documentFacts.count == 1 { return 0 }
        var hash: UInt32 = 2_166_136_261
        document.withSpan { bytes in
            for index in bytes.indices { hash = (hash ^ UInt32(bytes[index])) &* 16_777_619 }
        }
        return Int(hash >> 16) % documentFacts.count
    }

    /// Proves the shares side by side.
    private mutating func proveDocuments() throws {
        let facts = try documentFacts.indices.map { try documentFacts[$0].finish() }
        let (scratch, references, runs, keeping) = (scratch, references, tallies, keeping)
        let part = bufferBytes / facts.count
        let found = try SideBySide.map(facts) { share in
            var documents = DocumentsProof(references, runs: runs, scratch, bufferBytes: part, keeping: keeping)
            return try documents.prove(share)
        }
        for one in found {
            tallies.add(one.tallies)
            try rows.absorb(one.rows)
            try entities.absorb(one.entities)
            try sums.absorb(one.sums)
            try windows.absorb(one.windows)
        }
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
