import Formats
import Primitives
import Testing

@testable import Simulation

@Suite struct TrafficTests {
    static let subjects = SimulationPlan.Subject.allCases

    @Test(arguments: subjects)
    func `the same plan gives the same bytes, another seed or start others`(subject: SimulationPlan.Subject) {
        func bytes(_ plan: SimulationPlan) -> [[UInt8]] {
            var traffic = Traffic(plan)
            return traffic.rest().map(\.bytes)
        }
        let plan = Sample.faulty(subject, count: 3_000)
        let once = bytes(plan)
        #expect(once == bytes(plan))
        #expect(once != bytes(Sample.faulty(subject, count: 3_000, seed: 8)))
        var later = plan
        later.start += 1_000_000
        #expect(once != bytes(later))
    }

    @Test(arguments: subjects)
    func `the tally is what was given out`(subject: SimulationPlan.Subject) {
        var traffic = Traffic(Sample.faulty(subject, count: 10_000))
        let records = traffic.rest()
        let tally = traffic.tally
        #expect(tally.sent == records.count)
        #expect(tally.sent == tally.distinct + tally.duplicates + tally.quarantined)
        let good = records.filter { record in
            if case .bad = record.role { return false }
            return true
        }
        #expect(Set(good.map(\.bytes)).count == tally.distinct)
        #expect(good.count == tally.distinct + tally.duplicates)
        #expect(tally.distinct - tally.versions + tally.quarantined == 10_000)
        for (count, share) in [(tally.quarantined, 300), (tally.disordered, 1_100), (tally.late, 220)] {
            #expect(share * 3 / 4...share * 3 / 2 ~= count, "\(count) is far from \(share)")
        }
        #expect(tally.duplicates > 400 && tally.corrected > 300)
        #expect(subject == .orders ? tally.versions > 1_750 : tally.versions == 0)
        #expect(subject == .pos ? tally.failed > 70 : tally.failed == 0)
        #expect(subject == .orders ? tally.doubleEncoded > 750 : tally.doubleEncoded == 0)
    }

    @Test(arguments: subjects)
    func `a repeated record comes after the first, a newer version after the older`(subject: SimulationPlan.Subject) {
        var traffic = Traffic(Sample.faulty(subject, count: 10_000))
        var seen: [[UInt8]: Int] = [:]
        for (position, record) in traffic.rest().enumerated() {
            if record.role == .duplicate {
                #expect(position - (seen[record.bytes] ?? .max / 2) > 0)
            } else {
                seen[record.bytes] = position
            }
        }
    }

    @Test func `no total is wrong unless the plan wants it`() throws {
        var traffic = Traffic(Sample.plan(.pos, count: 20_000) { $0.failures = Share(millionths: 1_000) })
        while let record = traffic.next() { #expect(try Self.isTotalExact(record)) }
        #expect(traffic.tally.corrected == 0 && traffic.tally.sent == 20_000)
        var wrong = Traffic(Sample.plan(.pos, count: 200) { $0.badTotals = .always })
        while let record = wrong.next() { #expect(try !Self.isTotalExact(record)) }
        #expect(wrong.tally.corrected == 200)
    }

    static func isTotalExact(_ record: TrafficRecord) throws -> Bool {
        let sale = try Reader(record.bytes)
        var sum = Decimal(0)
        for line in 0..<(try sale.count("items")) {
            sum = try #require(sum.adding(try sale.number("items", line, "total_price")))
        }
        return try sale.number("total_amount") == sum
    }

    @Test func `failed payments alternate between the two words`() throws {
        var traffic = Traffic(Sample.plan(.pos, count: 6) { $0.failures = .always })
        let records = traffic.rest()
        let words = try records.map { try Reader($0.bytes).text("payment_status") }
        #expect(words == ["failed", "failure", "failed", "failure", "failed", "failure"])
    }

    @Test func `nothing happens after it is sent, and only late sales are a minute old`() throws {
        let plan = Sample.plan(.pos, count: 5_000, rate: 50) {
            $0.late = Share(millionths: 50_000)
            $0.disorder = Share(millionths: 200_000)
        }
        var traffic = Traffic(plan)
        var last = 0
        while let record = traffic.next() {
            #expect(record.event >= last)
            last = record.event
            let sentAt = plan.clock(at: record.event)
            let time = try Reader(record.bytes).time("timestamp")
            #expect(time <= sentAt)
            if record.isLate { #expect(sentAt - time > 60_000_000) }
            if !record.isLate, !record.isDisordered { #expect(sentAt == time) }
        }
        #expect(traffic.tally.late > 150)
    }

    @Test func `clocks that are off are off by the skew`() throws {
        var plan = Sample.plan(.pos, count: 300)
        let right = try Self.times(plan)
        plan.senders = Senders(count: 4, skew: 30_000_000)
        let skewed = try Self.times(plan)
        let offsets = Set(zip(right, skewed).map { $1 - $0 })
        #expect(offsets == [0, 30_000_000, -30_000_000])
    }

    static func times(_ plan: SimulationPlan) throws -> [Int64] {
        var traffic = Traffic(plan)
        let records = traffic.rest()
        return try records.map { try Reader($0.bytes).time("timestamp") }
    }

    @Test(arguments: subjects)
    func `bad records take turns, and each kind differs from the good record and the others`(
        subject: SimulationPlan.Subject
    ) throws {
        let plan = Sample.plan(subject, count: 200) { $0.bad = .always }
        #expect(plan.flaws.count >= 12)
        #expect(Set(plan.flaws.map(\.name)).count == plan.flaws.count)
        var traffic = Traffic(plan)
        let names = traffic.rest().map { record in
            if case .bad(let flaw) = record.role { flaw.name } else { "" }
        }
        #expect(names == (0..<200).map { plan.flaws[$0 % plan.flaws.count].name })
        var single = Traffic(Sample.plan(subject, count: 1))
        let first = single.next()
        let good = try #require(first).bytes
        let kinds = plan.flaws.map { $0.apply(to: good) }
        #expect(Set(kinds).count == kinds.count && !kinds.contains(good))
        #expect(kinds.allSatisfy { !$0.contains(0x0A) && String(validating: $0, as: UTF8.self) != nil })
        // All but the cut ones and those whose number is no JSON stay JSON.
        let broken = zip(plan.flaws, kinds).filter { (try? Reader($1)) == nil }.map(\.0.name)
        #expect(broken == (subject == .pos ? ["cut_json", "total_not_a_number"] : ["cut_json", "number_not_ascii"]))
    }

    @Test func `a share is exact`() {
        #expect(Share(text: "0") == .never && Share(text: "1") == .always && Share(text: "1.0") == .always)
        #expect(Share(text: "0.000001")?.millionths == 1 && Share(text: "5e-2")?.millionths == 50_000)
        #expect(["", "-0.1", "1.1", "0.0000001", "half"].allSatisfy { Share(text: $0) == nil })
    }
}
