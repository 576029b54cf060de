import Primitives
import RetailModel

/// What one document puts into a turnover window.
struct WindowShare: Equatable {
    var store: ByteString
    var start: Int64
    var currency: Int64
    var gross: Int128
}

/// What one accepted sale does to turnover windows.
struct WindowSale {
    var origin: Origin
    var source: ByteString, document: ByteString, store: ByteString
    var occurredAt: Int64
    var policy: WindowPolicy?
    /// It became the current version of its document.
    var wins: Bool
    /// What its document put into a window before it, and since.
    var old: WindowShare?, new: WindowShare?
}

/// What the records say of turnover windows, by their place in the order of processing.
struct WindowFacts {
    private var facts: Sorter
    /// Topics with windows: the greatest receipt time that was noted since their last sale.
    private var seen: [Int: Int64] = [:]

    init(_ scratch: Scratch?, bufferBytes: Int) { facts = Sorter(scratch, bufferBytes: bufferBytes) }

    mutating func finish() throws(ProofError) -> SortedRuns { try facts.finish() }
    mutating func absorb(_ runs: SortedRuns) throws(ProofError) { try facts.absorb(runs) }

    /// Whether a record is noted with its sale (``note(_:)``); its topic has windows from now on.
    mutating func sees(_ event: RetailEvent, _ origin: Origin) -> Bool {
        guard case .sale(let sale) = event, sale.header.window != nil else { return false }
        seen[origin.topic] = .min
        return true
    }

    /// Notes a record that only says how late it is. What came earlier than a noted one closes nothing.
    mutating func step(_ origin: Origin) throws(ProofError) {
        guard let last = seen[origin.topic] else { return }
        if origin.movesClocks, origin.receivedAt <= last { return }
        seen[origin.topic] = origin.receivedAt
        var fact = begin(origin)
        let keyLength = fact.bytes.count
        fact.bytes.append(0)
        fact.origin(origin)
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    private func begin(_ origin: Origin) -> FactWriter {
        var fact = FactWriter()
        fact.bytes.appendOrdered(origin.sequence)
        fact.bytes.appendOrdered(origin.arrival)
        return fact
    }

    mutating func note(_ sale: WindowSale) throws(ProofError) {
        var fact = begin(sale.origin)
        let keyLength = fact.bytes.count
        fact.bytes.append(1)
        fact.origin(sale.origin)
        for text in [sale.source, sale.document, sale.store] { fact.text(text) }
        fact.int(sale.occurredAt)
        fact.int(sale.wins ? 1 : 0)
        for value in [sale.policy?.length, sale.policy?.lateness, sale.policy?.idle, sale.policy?.skew] {
            fact.int(value)
        }
        for share in [sale.old, sale.new] {
            // 0: none; 1: of the sale's store; 2: of another.
            fact.bytes.append(share.map { $0.store == sale.store ? 1 : 2 } ?? 0)
            guard let share else { continue }
            if share.store != sale.store { fact.text(share.store) }
            fact.int(share.start)
            fact.int(share.currency)
            fact.wide(share.gross)
        }
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    static func sale(_ reader: inout FactReader, _ origin: Origin) -> WindowSale {
        var sale = WindowSale(
            origin: origin,
            source: reader.text(),
            document: reader.text(),
            store: reader.text(),
            occurredAt: reader.int(),
            policy: nil,
            wins: reader.int() == 1
        )
        let policy = (reader.optionalInt(), reader.optionalInt(), reader.optionalInt(), reader.optionalInt())
        if case (let length?, let lateness?, let idle?, let skew?) = policy {
            sale.policy = WindowPolicy(length: length, lateness: lateness, idle: idle, skew: skew)
        }
        func share() -> WindowShare? {
            let kind = reader.byte()
            if kind == 0 { return nil }
            let store = kind == 1 ? sale.store : reader.text()
            return WindowShare(store: store, start: reader.int(), currency: reader.int(), gross: reader.wide())
        }
        sale.old = share()
        sale.new = share()
        return sale
    }
}
