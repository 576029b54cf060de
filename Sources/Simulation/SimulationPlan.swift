/// Everything that decides what a simulation sends: the same plan gives the same bytes.
package struct SimulationPlan: Sendable {
    package enum Subject: String, Sendable, CaseIterable { case pos, orders }

    /// Longest delay of a record that is out of order, repeated or a newer version, in events.
    package static let window = 1_000
    /// A late event is older than the clock by this many seconds.
    package static let lateSeconds = 61...300

    package var subject: Subject
    /// Sales or orders, good and bad; duplicates and newer versions are extra.
    package var count: Int
    package var seed: UInt64
    /// When the clock of the simulation starts, microseconds.
    package var start: Int64
    /// Events a second of the clock, 1 or more.
    package var clockRate: Int
    package var senders: Senders
    /// The same record again, later.
    package var duplicates = Share.never
    /// Held back by 1 to 1,000 events.
    package var disorder = Share.never
    package var late = Share.never
    /// Sales whose payment failed, alternately `failed` and `failure`.
    package var failures = Share.never
    package var bad = Share.never
    /// A total that is not the sum of the lines.
    package var badTotals = Share.never
    /// Orders that are sent in several versions.
    package var versions = Share.never
    /// Orders sent as a JSON string that holds JSON.
    package var double = Share.never

    package init(subject: Subject, count: Int, seed: UInt64, start: Int64, clockRate: Int, senders: Senders) {
        self.subject = subject
        self.count = count
        self.seed = seed
        self.start = start
        self.clockRate = clockRate
        self.senders = senders
    }

    package var flaws: [Flaw] { subject == .pos ? Flaw.ofSales : Flaw.ofOrders }

    /// When event `index` happens.
    package func clock(at index: Int) -> Int64 {
        start + Int64(index / clockRate) * 1_000_000 + Int64(index % clockRate * 1_000_000 / clockRate)
    }
}

/// What was sent, and what the tables must show for it.
package struct SimulationTally: Sendable, Equatable {
    package var sent = 0
    package var distinct = 0
    package var duplicates = 0
    /// By the name of the flaw.
    package var bad: [String: Int] = [:]
    /// Newer versions of orders that were sent before; part of ``distinct``.
    package var versions = 0
    package var corrected = 0
    package var failed = 0
    package var late = 0
    package var disordered = 0
    package var doubleEncoded = 0

    package init() {}

    package var quarantined: Int { bad.values.reduce(0, +) }
}
