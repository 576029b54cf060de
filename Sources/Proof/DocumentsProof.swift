import Primitives
import RetailModel
import Tables

/// Documents, their lines and versions (S4 to S7), one group for each document. Documents know nothing of each other:
/// several of these may work side by side, each on its share of the documents.
struct DocumentsProof {
    /// What a share of the documents gives.
    struct Found: Sendable {
        var rows: RowSet
        var entities: SortedRuns, sums: SortedRuns, windows: SortedRuns
        var tallies: Tallies
    }

    private let references: ReferenceIndex
    private var tallies: Tallies
    private var entities: Entities
    private var sums: SumTables
    private var windows: WindowFacts
    private var rows: RowSink
    private var writer = RowWriter()

    /// - Parameter runs: Names the feeds and runs of the events.
    init(
        _ references: ReferenceIndex,
        runs: Tallies,
        _ scratch: Scratch?,
        bufferBytes: Int,
        keeping: TableSet
    ) {
        self.references = references
        tallies = runs.emptied()
        let part = bufferBytes / 8
        entities = Entities(scratch, bufferBytes: part)
        sums = SumTables(scratch, bufferBytes: part)
        windows = WindowFacts(scratch, bufferBytes: part)
        rows = RowSink(scratch, bufferBytes: part * 5, keeping: keeping)
    }

    mutating func prove(_ facts: SortedRuns) throws -> Found {
        var groups = SortedGroups(facts)
        var group = DocumentGroup()
        var names = EntityNames()
        try groups.forEach(suffix: 16) { record, isFirstOfLine in
            var reader = FactReader(record)
            let origin = reader.origin()
            let event = reader.event()
            let (source, document) = Self.name(event)
            if group.document != document || group.source != source {
                try close(&group)
                group = DocumentGroup(source: source, document: document)
                names = EntityNames()
            }
            switch event {
            case .line(let line):
                if isFirstOfLine { try closeLine(&group) }
                try names.add(line, origin, &entities)
                try add(line, origin, &group)
            case .sale(let sale):
                try names.add(sale, origin, &entities)
                try add(sale, origin, &group)
            case .reference: return
            }
        }
        try close(&group)
        return Found(
            rows: try rows.finish(),
            entities: try entities.finish(),
            sums: try sums.finish(),
            windows: try windows.finish(),
            tallies: tallies
        )
    }

    private static func name(_ event: RetailEvent) -> (source: ByteString, document: ByteString) {
        switch event {
        case .line(let line): (line.source, line.document)
        case .sale(let sale): (sale.header.source, sale.header.document)
        case .reference(let reference): (reference.source, reference.key)
        }
    }

    // MARK: Invoices: a document is what its lines say

    private mutating func add(_ line: LineEvent, _ origin: Origin, _ group: inout DocumentGroup) throws {
        group.customer.offer(line.customer, line.occurredAt.micros)
        group.country.offer(line.country, line.occurredAt.micros)
        tallies.book(group.line.add(line, line.versionAt, line.contentHash, origin.offset, Spelling.least), origin.run)
    }

    /// All versions of one line are known.
    private mutating func closeLine(_ group: inout DocumentGroup) throws {
        guard let winner = group.line.winner else { return }
        group.lastOffset = max(group.lastOffset, group.line.lastOffset)
        group.lines.append(winner.event)
        group.offsets.append(winner.offset)
        try writeLost(group.line, identity: winner.event.identity, group)
        group.line = Versions()
    }

    // MARK: Sales: the winning event is the document

    private mutating func add(_ sale: SaleEvent, _ origin: Origin, _ group: inout DocumentGroup) throws {
        let before = group.sale.winner.flatMap { $0.event.windowShare }
        let standing = group.sale.add(
            sale,
            sale.header.versionAt,
            sale.contentHash,
            origin.offset,
            Spelling.least
        )
        tallies.book(standing, origin.run)
        guard let winner = group.sale.winner else { return }
        let after = winner.event.windowShare
        guard sale.header.window != nil || before != after else { return }
        var wins = false
        if case .distinct = standing {
            wins = winner.versionAt == sale.header.versionAt && winner.hash == sale.contentHash
        }
        try windows.note(
            WindowSale(
                origin: origin,
                source: sale.header.source,
                document: sale.header.document,
                store: sale.header.store,
                occurredAt: sale.header.occurredAt.micros,
                policy: sale.header.window,
                wins: wins,
                old: before,
                new: after
            )
        )
    }

    // MARK: Rows

    private mutating func close(_ group: inout DocumentGroup) throws {
        try closeLine(&group)
        if let first = group.lines.min(by: { $0.occurredAt < $1.occurredAt }) {
            var header = DocumentHeader(
                source: group.source,
                document: group.document,
                store: first.store,
                timeZone: first.timeZone,
                occurredAt: first.occurredAt,
                day: first.day,
                currency: first.currency
            )
            header.customer = group.customer.value
            header.country = group.country.value
            var document = DocumentProof(
                header: header,
                lines: group.lines,
                offsets: group.offsets,
                offset: group.lastOffset
            )
            document.customerAt = group.customer.time
            document.countryAt = group.country.time
            document.type = first.documentType
            try write(document)
        }
        if let winner = group.sale.winner {
            try writeLost(group.sale, identity: "", group)
            let sale = winner.event
            var document = DocumentProof(
                header: sale.header,
                lines: sale.lines,
                offset: winner.offset
            )
            document.customerAt = sale.header.customer == nil ? nil : sale.header.occurredAt.micros
            document.countryAt = sale.header.country == nil ? nil : sale.header.occurredAt.micros
            document.hash = sale.contentHash
            try write(document)
        }
    }

    private mutating func write(_ document: DocumentProof) throws {
        try document.write(&writer, into: &rows)
        try document.count(into: &sums)
        try document.countOrders(references, into: &sums)
    }

    private mutating func writeLost<Event>(
        _ versions: Versions<Event>,
        identity: ByteString,
        _ group: DocumentGroup
    ) throws {
        for (lost, isConflict) in versions.lost {
            writer.begin(Self.version)
            writer.name(group.source, group.document)
            writer.blob(identity.bytes)
            writer.digest(lost.hash)
            writer.int(lost.versionAt)
            writer.int(isConflict ? 1 : 0)
            writer.int(lost.offset)
            try writer.end(into: &rows)
        }
    }

    private static let version = TableShape.of(RetailTables.version)
}

/// The events of one document while they are read.
struct DocumentGroup {
    var source = ByteString(), document = ByteString()
    var customer = Latest(), country = Latest()
    /// Versions of the line that is being read.
    var line = Versions<LineEvent>()
    /// Winning versions of the lines before it, in order of their identities.
    var lines: [LineEvent] = []
    var offsets: [Int64] = []
    var lastOffset: Int64 = 0
    var sale = Versions<SaleEvent>()
}

/// Of one content in several spellings (time as sent, flags) the least is kept, so arrival order never decides.
enum Spelling {
    static func least(_ a: LineEvent, _ b: LineEvent) -> LineEvent {
        (a.rawTime, a.flags.rawValue) <= (b.rawTime, b.flags.rawValue) ? a : b
    }

    static func least(_ a: SaleEvent, _ b: SaleEvent) -> SaleEvent {
        var merged = a
        for (index, line) in b.lines.enumerated() where index < merged.lines.count {
            merged.lines[index] = least(merged.lines[index], line)
        }
        return merged
    }
}

/// All distinct versions of one key; the winner is the greatest (version time, content hash).
struct Versions<Event> {
    struct Version {
        var event: Event
        var versionAt: Int64
        var hash: Digest
        /// Of its first copy.
        var offset: Int64
    }

    private var all: [Version] = []
    private var winnerIndex = 0

    var winner: Version? { all.isEmpty ? nil : all[winnerIndex] }
    var lastOffset: Int64 { all.reduce(0) { max($0, $1.offset) } }

    /// Calls come in the order of processing.
    mutating func add(
        _ event: Event,
        _ versionAt: Int64,
        _ hash: Digest,
        _ offset: Int64,
        _ merge: (Event, Event) -> Event
    ) -> Standing {
        var sharesTime = false
        for index in all.indices where all[index].versionAt == versionAt {
            if all[index].hash == hash {
                all[index].event = merge(all[index].event, event)
                return .duplicate
            }
            sharesTime = true
        }
        all.append(Version(event: event, versionAt: versionAt, hash: hash, offset: offset))
        let last = all.count - 1
        if (all[winnerIndex].versionAt, all[winnerIndex].hash) < (versionAt, hash) { winnerIndex = last }
        return .distinct(isFirst: last == 0, sharesTime: sharesTime)
    }

    /// Versions that lost, and whether a greater one has the same time.
    var lost: [(version: Version, isConflict: Bool)] {
        var out: [(version: Version, isConflict: Bool)] = []
        for (index, one) in all.enumerated() where index != winnerIndex {
            out.append((one, all.contains { $0.versionAt == one.versionAt && $0.hash > one.hash }))
        }
        return out
    }
}

extension SaleEvent {
    /// What the document puts into a turnover window while this is its current version.
    fileprivate var windowShare: WindowShare? {
        guard let start = header.windowStart, header.status == .closed,
            lines.indices.contains(where: { lines[$0].kind == .gross })
        else { return nil }
        // By index: a copy of a line would count references to all its parts.
        var gross: Int128 = 0
        for index in lines.indices where lines[index].kind == .gross { gross += Int128(lines[index].amount) }
        return WindowShare(store: header.store, start: start, currency: Int64(header.currency.code), gross: gross)
    }
}
