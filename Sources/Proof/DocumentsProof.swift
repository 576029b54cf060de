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
            func begin(_ source: ByteString, _ document: ByteString) throws {
                if group.document == document, group.source == source { return }
                try close(&group)
                group = DocumentGroup(source: source, document: document)
                names = EntityNames()
            }
            switch reader.kind() {
            case .line:
                let line = reader.line()
                try begin(line.source, line.document)
                if isFirstOfLine { try closeLine(&group) }
                try names.add(line, origin, &entities)
                try add(line, origin, &group)
            case .sale:
                let sale = reader.sale()
                try begin(sale.header.source, sale.header.document)
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

    // MARK: Invoices: a document is what its lines say

    private mutating func add(_ line: LineEvent, _ origin: Origin, _ group: inout DocumentGroup) throws {
        group.customer.offer(line.customer, line.occurredAt.micros)
        group.country.offer(line.country, line.occurredAt.micros)
        group.types.insert(line.documentType)
        let order = VersionOrder(line.versionAt, 0, 0, line.contentHash)
        tallies.book(group.line.add(line, order, origin.offset, Spelling.least), origin.run)
    }

    /// All versions of one line are known.
    private mutating func closeLine(_ group: inout DocumentGroup) throws {
        if group.line.isEmpty { return }
        group.lastOffset = max(group.lastOffset, group.line.lastOffset)
        let lost = group.line.lost
        guard let winner = group.line.takeWinner() else { return }
        try writeLost(lost, identity: winner.event.identity, group)
        group.offsets.append(winner.offset)
        group.lines.append(winner.event)
    }

    // MARK: Sales: the winning event is the document

    private mutating func add(_ sale: SaleEvent, _ origin: Origin, _ group: inout DocumentGroup) throws {
        let before = group.sale.windowShare
        let window = sale.header.window
        let order = VersionOrder(
            sale.header.versionAt,
            sale.header.secondVersionAt,
            sale.header.status.progress,
            sale.contentHash
        )
        let standing = group.sale.add(sale, order, origin.offset, Spelling.least)
        tallies.book(standing, origin.run)
        let after = group.sale.windowShare
        guard window != nil || before != after else { return }
        // A copy with a later second time may win too; then what the document adds changes.
        var wins = before != after
        if case .distinct = standing { wins = group.sale.isWinner(sale.header.versionAt, sale.contentHash) }
        try windows.note(
            WindowSale(
                origin: origin,
                source: sale.header.source,
                document: sale.header.document,
                store: sale.header.store,
                occurredAt: sale.header.occurredAt.micros,
                policy: window,
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
            document.type =
                group.types.contains(.badDebt)
                ? .badDebt : group.types.contains(.cancellation) ? .cancellation : .sale
            try write(document)
        }
        let lost = group.sale.lost
        let history = group.sale.history
        if let winner = group.sale.takeWinner() {
            try writeLost(lost, identity: "", group)
            var document = DocumentProof(header: winner.event.header, lines: winner.event.lines, offset: winner.offset)
            let time = document.header.occurredAt.micros
            document.customerAt = document.header.customer == nil ? nil : time
            document.countryAt = document.header.country == nil ? nil : time
            document.header.statuses = history
            document.header.checkSteps()
            document.hash = winner.order.hash
            document.secondVersionAt = winner.order.second
            try write(document)
        }
    }

    private mutating func write(_ document: DocumentProof) throws {
        try document.write(&writer, into: &rows)
        try document.count(into: &sums)
        try document.countOrders(references, into: &sums)
    }

    private mutating func writeLost<Event>(
        _ versions: [Versions<Event>.Lost],
        identity: ByteString,
        _ group: DocumentGroup
    ) throws {
        for lost in versions {
            writer.begin(Self.version)
            writer.name(group.source, group.document)
            writer.blob(identity.bytes)
            writer.digest(lost.order.hash)
            writer.int(lost.order.time)
            writer.int(lost.isConflict ? 1 : 0)
            writer.int(lost.offset)
            writer.int(lost.order.second)
            writer.int(lost.order.progress)
            try writer.end(into: &rows)
        }
    }

    private static let version = TableShape.of(RetailTables.version)
}

/// The events of one document while they are read.
struct DocumentGroup {
    var source = ByteString(), document = ByteString()
    var customer = Latest(), country = Latest()
    /// Kinds that any line of any version says.
    var types: Set<DocumentType> = []
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

/// The place of a version among those of its key. The winner is the greatest (version time, second version time,
/// progress of status, content hash).
struct VersionOrder: Comparable {
    var time: Int64
    /// The greatest of its copies: the same content may be sent again, later.
    var second: Int64
    var progress: Int64
    var hash: Digest

    init(_ time: Int64, _ second: Int64, _ progress: Int64, _ hash: Digest) {
        self.time = time
        self.second = second
        self.progress = progress
        self.hash = hash
    }

    static func < (a: Self, b: Self) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.second != b.second { return a.second < b.second }
        return a.progress == b.progress ? a.hash < b.hash : a.progress < b.progress
    }
}

/// All distinct versions of one key.
struct Versions<Event> {
    struct Version {
        /// Of the copies with the greatest second time.
        var event: Event
        var order: VersionOrder
        /// Of its first copy.
        var offset: Int64
    }

    private var all: [Version] = []
    private var winnerIndex = 0

    var isEmpty: Bool { all.isEmpty }

    /// Takes the winner out and forgets the others. Looking at it would copy it, and count references to all its parts.
    mutating func takeWinner() -> Version? {
        if all.isEmpty { return nil }
        all.swapAt(winnerIndex, all.count - 1)
        let winner = all.removeLast()
        all.removeAll(keepingCapacity: true)
        winnerIndex = 0
        return winner
    }

    func isWinner(_ versionAt: Int64, _ hash: Digest) -> Bool {
        !all.isEmpty && all[winnerIndex].order.time == versionAt && all[winnerIndex].order.hash == hash
    }

    var lastOffset: Int64 { all.indices.reduce(0) { max($0, all[$1].offset) } }

    /// Calls come in the order of processing.
    mutating func add(
        _ event: consuming Event,
        _ order: VersionOrder,
        _ offset: Int64,
        _ merge: (Event, Event) -> Event
    ) -> Standing {
        var sharesTime = false
        for index in all.indices where all[index].order.time == order.time {
            if all[index].order.hash == order.hash {
                if all[index].order.second == order.second {
                    all[index].event = merge(all[index].event, event)
                } else if all[index].order.second < order.second {
                    all[index].event = event
                    all[index].order = order
                    if all[winnerIndex].order < order { winnerIndex = index }
                }
                return .duplicate
            }
            sharesTime = true
        }
        all.append(Version(event: event, order: order, offset: offset))
        let last = all.count - 1
        if all[winnerIndex].order < order { winnerIndex = last }
        return .distinct(isFirst: last == 0, sharesTime: sharesTime)
    }

    /// Versions that lost, and whether a greater one has the same time.
    var lost: [Lost] {
        if all.count < 2 { return [] }
        var out: [Lost] = []
        for index in all.indices where index != winnerIndex {
            let order = all[index].order
            let isConflict = all.indices.contains { all[$0].order.time == order.time && order < all[$0].order }
            out.append(Lost(order: order, offset: all[index].offset, isConflict: isConflict))
        }
        return out
    }

    struct Lost {
        var order: VersionOrder
        var offset: Int64
        var isConflict: Bool
    }
}

extension Versions<SaleEvent> {
    /// Of the winner.
    fileprivate var windowShare: WindowShare? { all.isEmpty ? nil : all[winnerIndex].event.windowShare }

    /// The statuses of all versions.
    fileprivate var history: [StatusEntry] {
        var out: [StatusEntry] = []
        for index in all.indices { out += all[index].event.header.statuses }
        return out
    }
}

extension DocumentHeader {
    /// Flags a history whose next status is ever no step forward; a status said twice of one time is one.
    fileprivate mutating func checkSteps() {
        flags.remove(.statusOrder)
        var last: StatusEntry?
        for entry in Set(statuses).sorted(by: {
            $0.at == $1.at ? $0.status.progress < $1.status.progress : $0.at < $1.at
        }) {
            if let last, last.status.progress >= entry.status.progress { flags.insert(.statusOrder) }
            last = entry
        }
    }

    /// Start of its window, computed apart from the live path: windows of one length tile time from 1970 on, in both
    /// directions, and hold their first instant.
    var provedWindowStart: Int64? {
        guard let length = window?.length else { return nil }
        let (number, rest) = occurredAt.micros.quotientAndRemainder(dividingBy: length)
        return (rest < 0 ? number - 1 : number) * length
    }
}

extension SaleEvent {
    /// What the document puts into a turnover window while this is its current version.
    fileprivate var windowShare: WindowShare? {
        guard let start = header.provedWindowStart, header.status == .closed else { return nil }
        // By index: a copy of a line would count references to all its parts.
        var gross: Int128 = 0
        var grossLines = 0
        for index in lines.indices where lines[index].kind == .gross {
            gross += Int128(lines[index].amount)
            grossLines += 1
        }
        if grossLines == 0 { return nil }
        return WindowShare(store: header.store, start: start, currency: Int64(header.currency.code), gross: gross)
    }
}
