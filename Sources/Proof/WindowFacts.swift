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
    private var fact = FactWriter()
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
        begin(origin)
        let keyLength = fact.count
        fact.byte(0)
        fact.origin(origin)
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    private mutating func begin(_ origin: Origin) {
        fact.begin()
        fact.ordered(origin.sequence)
        fact.ordered(origin.arrival)
    }

    mutating func note(_ sale: WindowSale) throws(ProofError) {
        begin(sale.origin)
        let keyLength = fact.count
        fact.byte(1)
        fact.origin(sale.origin)
        fact.text(sale.source)
        fact.text(sale.document)
        fact.text(sale.store)
        fact.int(sale.occurredAt)
        fact.int(Int64(sale.wins ? 1 : 0))
        fact.int(sale.policy?.length)
        fact.int(sale.policy?.lateness)
        fact.int(sale.policy?.idle)
        fact.int(sale.policy?.skew)
        write(sale.old, of: sale.store)
        write(sale.new, of: sale.store)
        try facts.add(fact.bytes, keyLength: keyLength)
    }

    private mutating func write(_ share: WindowShare?, of store: ByteString) {
        // 0: none; 1: of the sale's store; 2: of another.
        guard let share else { return fact.byte(0) }
        let isSame = share.store == store
        fact.byte(isSame ? 1 : 2)
        if !isSame { fact.text(share.store) }
        fact.int(share.start)
        fact.int(share.currency)
        fact.wide(share.gross)
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
