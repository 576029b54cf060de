import Primitives

/// One record of a simulation and the register that sends it.
package struct TrafficRecord: Sendable {
    package enum Role: Sendable, Equatable {
        case first, version, duplicate
        case bad(Flaw)
    }

    package var bytes: [UInt8]
    package var sender: Int
    /// The event at whose time it is sent; grows from record to record and is never before its own.
    package var event = 0
    package var role: Role
    package var isCorrected = false
    package var isFailed = false
    package var isLate = false
    package var isDisordered = false
    package var isDoubleEncoded = false
}

/// The records of a plan in the order they are sent.
///
/// A record is only ever held back, never sent before its time: what is out of order arrives too late, not too early.
package struct Traffic: Sendable {
    private enum Source: Sendable {
        case sales(SaleGenerator)
        case orders(OrderGenerator)
    }

    package let plan: SimulationPlan
    /// Of the records given out so far.
    package private(set) var tally = SimulationTally()

    private let source: Source
    private var faults: SeededRandom
    private var index = 0
    private var ready: [TrafficRecord] = []
    private var taken = 0
    /// By the event after which they are due.
    private var held: [Int: [TrafficRecord]] = [:]
    private var badCount = 0
    private var failedCount = 0

    package init(_ plan: SimulationPlan) {
        self.plan = plan
        faults = EventSeeds(seed: plan.seed, purpose: "faults", start: plan.start).draws(at: 0)
        source =
            switch plan.subject {
            case .pos: .sales(SaleGenerator(seed: plan.seed, start: plan.start, senders: plan.senders))
            case .orders: .orders(OrderGenerator(seed: plan.seed, start: plan.start, senders: plan.senders))
            }
    }

    /// Nil after the last record.
    package mutating func next() -> TrafficRecord? {
        while taken == ready.count {
            ready.removeAll(keepingCapacity: true)
            taken = 0
            if index < plan.count {
                generate()
                if let due = held.removeValue(forKey: index) { ready += due }
                index += 1
            } else if let first = held.keys.min() {
                ready = held.removeValue(forKey: first) ?? []
            } else {
                return nil
            }
        }
        var record = ready[taken]
        taken += 1
        // After the last event what is still held back follows without waiting.
        record.event = index - 1
        book(record)
        return record
    }

    private mutating func book(_ record: TrafficRecord) {
        tally.sent += 1
        if record.isLate { tally.late += 1 }
        if record.isDisordered { tally.disordered += 1 }
        if record.isDoubleEncoded { tally.doubleEncoded += 1 }
        switch record.role {
        case .bad(let flaw): tally.bad[flaw.name, default: 0] += 1
        case .duplicate: tally.duplicates += 1
        case .first, .version:
            tally.distinct += 1
            if record.role == .version { tally.versions += 1 }
            if record.isCorrected { tally.corrected += 1 }
            if record.isFailed { tally.failed += 1 }
        }
    }

    /// Event ``index`` with its faults. Every share draws for every event, so one never moves the others.
    private mutating func generate() {
        var clock = plan.clock(at: index)
        let isLate = faults.hits(plan.late)
        let lateness = faults.within(SimulationPlan.lateSeconds)
        if isLate { clock -= Int64(lateness) * 1_000_000 }
        let isBad = faults.hits(plan.bad)
        let hasBadTotal = faults.hits(plan.badTotals) && !isBad
        let totalError = hasBadTotal ? faults.within(1...100) : 0
        let hasFailed = faults.hits(plan.failures) && !isBad
        let hasVersions = faults.hits(plan.versions) && !isBad
        let isDouble = faults.hits(plan.double) && !isBad

        var records: [TrafficRecord] = []
        switch source {
        case .sales(let generator):
            var sale = generator.sale(at: index, clock: clock)
            sale.reportedTotal += totalError
            if hasFailed {
                sale.paymentStatus = failedCount % 2 == 0 ? "failed" : "failure"
                failedCount += 1
            }
            records.append(TrafficRecord(bytes: sale.bytes, sender: sale.sender, role: .first))
        case .orders(let generator):
            for var order in generator.order(at: index, clock: clock, versioned: hasVersions) {
                order.reportedCost += totalError
                let bytes = isDouble ? order.bytes.doubleEncoded() : order.bytes
                records.append(
                    TrafficRecord(bytes: bytes, sender: order.sender, role: records.isEmpty ? .first : .version)
                )
            }
        }
        var due = index
        for var record in records {
            record.isLate = isLate
            record.isCorrected = hasBadTotal
            record.isFailed = hasFailed
            record.isDoubleEncoded = isDouble
            if isBad {
                let flaw = plan.flaws[badCount % plan.flaws.count]
                badCount += 1
                record.bytes = flaw.apply(to: record.bytes)
                record.role = .bad(flaw)
            }
            if record.role == .version { due += delay() }
            dispatch(record, at: due, isBad: isBad)
        }
    }

    private mutating func dispatch(_ record: TrafficRecord, at base: Int, isBad: Bool) {
        var record = record
        var due = base
        let isDisordered = faults.hits(plan.disorder)
        let isRepeated = faults.hits(plan.duplicates) && !isBad
        if isDisordered {
            record.isDisordered = true
            due += delay()
        }
        hold(record, until: due)
        if isRepeated {
            record.role = .duplicate
            record.isDisordered = false
            hold(record, until: due + delay())
        }
    }

    private mutating func hold(_ record: TrafficRecord, until due: Int) {
        if due == index { ready.append(record) } else { held[due, default: []].append(record) }
    }

    private mutating func delay() -> Int { faults.within(1...SimulationPlan.window) }
}
