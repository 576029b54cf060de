import CShims
import Ports
import Primitives
import Simulation
import Telemetry

/// Sends the traffic of a plan at its rate and asks what became of it.
///
/// All requests name one ingest run of their own (`X-Till-Run`), so the stored totals are those of this simulation
/// whatever else the server receives, and any number of connections may carry it.
final class SimulationRun {
    private static let lanesMax = 4
    /// A batch that is not full is sent after so long.
    private static let lingerNanos: Int64 = 100_000_000
    /// Looks at the totals, each waiting up to 30 s for the tables.
    private static let looksMax = 20

    private struct Till {
        var body: [UInt8] = []
        var count = 0
        var since: Int64 = 0
        var sequence: Int64 = 0
        var requests = 0
    }

    private let plan: SimulationPlan
    private let address: IngestCommand.Address
    private let rate: Int
    private let batch: Int
    private let gaps: Share
    private let isQuiet: Bool
    /// Name of the ingest run.
    private let name: String
    private let link: SimulationLink
    private var lanes: [SimulationLane] = []
    private var tills: [Till]
    private var gapDraws: SeededRandom
    private var gapCount = 0
    private var lastSweep: Int64 = 0
    private var isStopped = false

    init(
        plan: SimulationPlan,
        address: IngestCommand.Address,
        rate: Int,
        batch: Int,
        gaps: Share,
        isQuiet: Bool
    ) {
        self.plan = plan
        self.address = address
        self.rate = rate
        self.batch = batch
        self.gaps = gaps
        self.isQuiet = isQuiet
        name = "simulate-\(plan.subject.rawValue)-\(plan.seed)-\(cshims_wall_micros())-\(cshims_pid())"
        link = SimulationLink(address)
        tills = Array(repeating: Till(), count: plan.senders.count + 1)
        gapDraws = SeededRandom(seed: plan.seed)
    }

    func run() throws -> SimulationReport {
        let began = cshims_monotonic_nanos()
        var reference: [SimulationReport.Reference] = []
        if plan.subject == .orders { reference = try sendReference() }
        var lanes: [SimulationLane] = []
        for number in 1...min(Self.lanesMax, plan.senders.count) { lanes.append(try SimulationLane(number, address)) }
        self.lanes = lanes
        var traffic = Traffic(plan)
        do {
            try send(&traffic)
        } catch {
            // The other connections end what they have begun.
            for lane in lanes { _ = try? lane.finish() }
            throw error
        }
        var outcome = SimulationOutcome()
        for lane in lanes { outcome.add(try lane.finish()) }
        var report = SimulationReport(plan: plan, tally: traffic.tally)
        report.run = name
        report.outcome = outcome
        report.sequenceGaps = gapCount
        report.sendSeconds = Double(cshims_monotonic_nanos() - began) / 1e9
        report.reference = reference
        report.stored = try totals(feed: plan.subject.rawValue, after: outcome.position.description)
        report.seconds = Double(cshims_monotonic_nanos() - began) / 1e9
        report.isStopped = isStopped
        Progress(isOn: !isQuiet, totalBytes: 0).end(Int64(traffic.tally.sent), report.seconds)
        return report
    }

    // MARK: Pacing

    private func send(_ traffic: inout Traffic) throws {
        let began = cshims_monotonic_nanos()
        var count = 0
        var progress = Progress(isOn: !isQuiet, totalBytes: 0)
        while !isStopped, let record = traffic.next() {
            if rate > 0 { try wait(until: began + Int64(record.event) * 1_000_000_000 / Int64(rate)) }
            if rate == 0, count % 1_024 == 0, cshims_wait_signal_for(0) != 0 { isStopped = true }
            // A record that was taken from the traffic is in its tally, so it is sent whatever ends the loop.
            try take(record)
            count += 1
            if count % 256 == 0 { progress.show(rows: Int64(count), bytes: 0) }
        }
        for sender in tills.indices.dropFirst() { try flush(sender) }
    }

    /// Waits for the time of the next record and sends what has waited long enough. A stop signal ends the sending.
    private func wait(until due: Int64) throws {
        while true {
            let now = cshims_monotonic_nanos()
            if now - lastSweep >= Self.lingerNanos / 4 { try sweep(now) }
            let left = due - now
            if left <= 0 { return }
            if left < 2_000_000 {
                cshims_sleep_micros((left + 999) / 1_000)
            } else if cshims_wait_signal_for(Int32(min(left, Self.lingerNanos / 4) / 1_000_000)) != 0 {
                isStopped = true
                return
            }
        }
    }

    private func sweep(_ now: Int64) throws {
        lastSweep = now
        for sender in tills.indices.dropFirst()
        where tills[sender].count > 0 && now - tills[sender].since >= Self.lingerNanos {
            try flush(sender)
        }
    }

    private func take(_ record: TrafficRecord) throws {
        let sender = record.sender
        if tills[sender].count == 0 { tills[sender].since = cshims_monotonic_nanos() }
        tills[sender].body += record.bytes
        tills[sender].body.append(0x0A)
        tills[sender].count += 1
        if tills[sender].count >= batch { try flush(sender) }
    }

    private func flush(_ sender: Int) throws {
        guard tills[sender].count > 0 else { return }
        tills[sender].requests += 1
        tills[sender].sequence += 1
        if gaps.hits(&gapDraws) {
            tills[sender].sequence += 1
            gapCount += 1
        }
        let till = tills[sender]
        tills[sender].body = []
        tills[sender].count = 0
        try lanes[sender % lanes.count].put(
            SimulationRequest(
                feed: plan.subject.rawValue,
                run: name,
                sender: "till-\(sender)",
                sequence: till.sequence,
                key: "\(name)-\(sender)-\(till.requests)",
                count: till.count,
                body: till.body
            )
        )
    }

    // MARK: Reference data

    /// Users and restaurants, before the first order that names them.
    private func sendReference() throws -> [SimulationReport.Reference] {
        let known = ReferenceGenerator(seed: plan.seed, start: plan.start)
        var sent: [SimulationReport.Reference] = []
        for (feed, lines) in [("users", known.users.map(\.bytes)), ("restaurants", known.restaurants.map(\.bytes))] {
            var outcome = SimulationOutcome()
            try outcome.send(
                SimulationRequest(
                    feed: feed,
                    run: name,
                    sender: "till-reference",
                    sequence: 1,
                    key: "\(name)-\(feed)",
                    count: lines.count,
                    body: lines.flatMap { $0 + [0x0A] }
                ),
                over: link
            )
            guard outcome.rejected == 0, outcome.accepted == Int64(lines.count) else {
                throw UsageError(
                    "cli.simulate_reference_refused",
                    "Of \(lines.count) \(feed) \(outcome.accepted) were accepted and \(outcome.rejected) rejected; look at /v1/quarantine and at the contract of feed \(feed)."
                )
            }
            let stored = try totals(feed: feed, after: outcome.position.description)
            sent.append(SimulationReport.Reference(feed: feed, sent: lines.count, outcome: outcome, stored: stored))
        }
        return sent
    }

    // MARK: Totals

    /// Totals of this run in a feed, once the tables contain everything up to the position.
    private func totals(feed: String, after position: String) throws -> SimulationReport.Stored {
        guard !position.isEmpty else { return SimulationReport.Stored() }
        for _ in 0..<Self.looksMax {
            let answer = try link.exchange(
                method: "GET",
                path: "/v1/runs/\(name)?feed=\(feed)&after=\(position)&wait_ms=30000"
            )
            switch answer.status {
            case 200:
                let totals = try JSONMembers(answer.body)
                return SimulationReport.Stored(
                    received: totals.number("read"),
                    distinct: totals.number("distinct"),
                    duplicates: totals.number("duplicates"),
                    quarantined: totals.number("quarantined"),
                    parked: totals.number("parked")
                )
            case 404: return SimulationReport.Stored()
            case 504: continue
            default: throw SimulationLink.refusal("the question for the totals of run \(name)", answer)
            }
        }
        throw UsageError(
            "cli.simulate_behind",
            "The tables do not contain \(position) after \(Self.looksMax * 30) s; see /v1/status, then ask /v1/runs/\(name)?feed=\(feed)."
        )
    }
}
