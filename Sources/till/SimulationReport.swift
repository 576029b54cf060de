import Formats
import Ports
import Primitives
import Simulation

/// The end of a simulation: what was sent, what the server said, what the tables show, and whether it closes.
struct SimulationReport {
    struct Stored: Equatable {
        var received: Int64 = 0
        var distinct: Int64 = 0
        var duplicates: Int64 = 0
        var quarantined: Int64 = 0
        var parked: Int64 = 0
    }

    struct Reference {
        var feed: String
        var sent: Int
        var outcome: SimulationOutcome
        var stored: Stored

        var isClosed: Bool { SimulationReport.closes(Int64(sent), outcome, stored) }
    }

    let plan: SimulationPlan
    let tally: SimulationTally
    var rate = 0
    var run = ""
    /// Nil when the records were written, not sent.
    var outcome: SimulationOutcome?
    var stored = Stored()
    var reference: [Reference] = []
    var sequenceGaps = 0
    var sendSeconds = 0.0
    var seconds = 0.0
    /// A signal ended the sending; the totals are those of what was sent until then.
    var isStopped = false

    init(plan: SimulationPlan, tally: SimulationTally) {
        self.plan = plan
        self.tally = tally
        rate = plan.clockRate
    }

    /// sent = accepted + rejected = stored. A record whose answer was lost may be stored twice, as a duplicate.
    private static func closes(_ sent: Int64, _ outcome: SimulationOutcome, _ stored: Stored) -> Bool {
        sent == outcome.accepted + outcome.rejected && 0...outcome.repeated ~= stored.received - sent
            && stored.received == stored.distinct + stored.duplicates + stored.quarantined + stored.parked
    }

    /// Everything sent is accounted for, the bad records and only they were rejected, and nothing counted twice.
    var isClosed: Bool {
        guard let outcome else { return true }
        return Self.closes(Int64(tally.sent), outcome, stored) && outcome.rejected == Int64(tally.quarantined)
            && stored.quarantined <= Int64(tally.quarantined)
            && stored.distinct + stored.parked <= Int64(tally.distinct) && reference.allSatisfy(\.isClosed)
    }

    /// Records that the tables had before: the same seed and start were sent to this server earlier.
    var knownBefore: Int64 {
        Int64(tally.distinct + tally.quarantined) - stored.distinct - stored.parked - stored.quarantined
    }

    /// The tables show exactly what the plan says.
    var isAsExpected: Bool {
        isClosed && stored.distinct == Int64(tally.distinct) && stored.quarantined == Int64(tally.quarantined)
    }

    private var perSecond: Int64 { Int64(Double(tally.sent) / max(sendSeconds, 0.001)) }

    // MARK: Text

    var text: String {
        var lines = [
            "simulate \(plan.subject.rawValue): seed \(plan.seed), start \(Timestamp(micros: plan.start))\(isStopped ? ", stopped early" : "")",
            "  records    \(tally.sent) = distinct \(tally.distinct) + duplicates \(tally.duplicates) + bad \(tally.quarantined)",
            "  of these   corrected \(tally.corrected), failed \(tally.failed), versions \(tally.versions), late \(tally.late), disordered \(tally.disordered), double encoded \(tally.doubleEncoded)",
        ]
        if let outcome {
            for one in reference {
                lines.append(
                    "  \(one.feed): sent \(one.sent), accepted \(one.outcome.accepted), stored \(one.stored.received)"
                )
            }
            let tries = "retries \(outcome.retries), sequence gaps \(sequenceGaps)"
            lines += [
                "  answers    sent \(tally.sent), accepted \(outcome.accepted), rejected \(outcome.rejected); requests \(outcome.requests), \(tries)",
                "  stored     \(stored.received) = distinct \(stored.distinct) + duplicates \(stored.duplicates) + quarantined \(stored.quarantined) + parked \(stored.parked)",
                "  expected   distinct \(tally.distinct), duplicates \(tally.duplicates), quarantined \(tally.quarantined)",
                "  time       \(tenths(sendSeconds)) s sending, \(perSecond) records/s; in the tables after \(tenths(seconds)) s",
                verdict(outcome),
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// What keeps the report from closing, part by part.
    private func gaps(_ outcome: SimulationOutcome) -> [String] {
        let parts =
            [(plan.subject.rawValue, Int64(tally.sent), outcome, stored)]
            + reference.map { ($0.feed, Int64($0.sent), $0.outcome, $0.stored) }
        var found = parts.filter { !Self.closes($0.1, $0.2, $0.3) }.map { feed, sent, outcome, stored in
            "\(feed): sent \(sent), accepted + rejected \(outcome.accepted + outcome.rejected), stored \(stored.received)"
        }
        if outcome.rejected != Int64(tally.quarantined) {
            found.append("\(tally.quarantined) bad records, \(outcome.rejected) rejected")
        }
        if stored.quarantined > Int64(tally.quarantined) {
            found.append("\(tally.quarantined) bad records, \(stored.quarantined) in quarantine")
        }
        if stored.distinct + stored.parked > Int64(tally.distinct) {
            found.append("\(tally.distinct) distinct records, \(stored.distinct + stored.parked) counted")
        }
        return found
    }

    private func tenths(_ seconds: Double) -> String { String((seconds * 10).rounded() / 10) }

    private func verdict(_ outcome: SimulationOutcome) -> String {
        guard isClosed else {
            return
                "  does not close: \(gaps(outcome).joined(separator: "; ")); compare /v1/runs/\(run) and /v1/quarantine"
        }
        var text = "  closed: sent = accepted + rejected = stored"
        let twice = stored.received - Int64(tally.sent)
        if twice > 0 { text += "; \(twice) were received twice after lost answers, as duplicates" }
        if knownBefore > 0 {
            text += "; \(knownBefore) were there before: this seed and start were sent to this server earlier"
        }
        return text
    }

    // MARK: JSON

    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("feed", plan.subject.rawValue)
        json.field("seed", Int64(clamping: plan.seed))
        json.field("start", Timestamp(micros: plan.start).description)
        json.field("rate", rate)
        json.field("senders", plan.senders.count)
        json.field("stopped", isStopped)
        json.field("sent", tally.sent)
        json.key("sent_of_kind")
        json.beginObject()
        json.field("distinct", tally.distinct)
        json.field("duplicates", tally.duplicates)
        json.field("bad", tally.quarantined)
        json.field("versions", tally.versions)
        json.field("corrected", tally.corrected)
        json.field("failed", tally.failed)
        json.field("late", tally.late)
        json.field("disordered", tally.disordered)
        json.field("double_encoded", tally.doubleEncoded)
        json.endObject()
        json.key("bad")
        json.beginObject()
        for (name, count) in tally.bad.sorted(by: { $0.key < $1.key }) { json.field(name, count) }
        json.endObject()
        json.key("expected")
        json.beginObject()
        json.field("distinct", tally.distinct)
        json.field("duplicates", tally.duplicates)
        json.field("quarantined", tally.quarantined)
        json.endObject()
        if let outcome { write(outcome, &json) }
        json.endObject()
        return json.bytes
    }

    private func write(_ outcome: SimulationOutcome, _ json: inout JSONWriter) {
        json.field("run", run)
        json.field("accepted", outcome.accepted)
        json.field("rejected", outcome.rejected)
        json.field("requests", outcome.requests)
        json.field("retries", outcome.retries)
        json.field("repeated", outcome.repeated)
        json.field("sequence_gaps", sequenceGaps)
        json.field("position", outcome.position.description)
        json.key("stored")
        Self.write(stored, &json)
        json.key("reference")
        json.beginObject()
        for one in reference {
            json.key(one.feed)
            Self.write(one.stored, &json)
        }
        json.endObject()
        json.field("records_per_second", perSecond)
        json.key("seconds")
        json.raw(tenths(seconds).utf8)
        json.field("known_before", knownBefore)
        json.field("as_expected", isAsExpected)
        json.field("closed", isClosed)
    }

    private static func write(_ stored: Stored, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("received", stored.received)
        json.field("distinct", stored.distinct)
        json.field("duplicates", stored.duplicates)
        json.field("quarantined", stored.quarantined)
        json.field("parked", stored.parked)
        json.endObject()
    }
}
