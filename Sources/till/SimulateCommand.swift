import CShims
import Formats
import Network
import Primitives
import Settings
import Simulation
import Telemetry

/// `till simulate pos|orders`: reproducible traffic, sent by simulated tills or written as NDJSON, with an end report.
enum SimulateCommand {
    /// Events a second of the simulation's clock when they are sent as fast as possible.
    private static let unpacedClockRate = 1_000
    private static let options: Set<String> = [
        "rate", "count", "seed", "start", "duplicates", "disorder", "late", "failures", "bad", "bad-totals", "skew",
        "versions", "double", "to", "senders", "batch", "gaps", "out", "reference",
    ]
    /// Faults that only one of the subjects knows.
    private static let posOnly = ["failures"]
    private static let ordersOnly = ["versions", "double", "reference"]

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: options, switches: ["json", "quiet", "yes"])
        let subject = try subject(arguments)
        let now = cshims_wall_micros()
        let isLive = arguments["out"] == nil
        let rate = try integer(arguments, "rate", in: 0...1_000_000, default: 100)
        let plan = try plan(arguments, subject, rate: rate, now: now, isLive: isLive)
        if let path = arguments["out"] {
            guard arguments["to"] == nil else {
                throw UsageError("cli.simulate_target", "Name a target with --to or --out, not both.")
            }
            return try write(plan, to: path, reference: arguments["reference"], json: arguments.has("json"))
        }
        guard arguments["reference"] == nil else {
            throw UsageError(
                "cli.simulate_reference",
                "--reference writes reference data and needs --out FILE; without it they are sent before the orders."
            )
        }
        let end = plan.clock(at: max(0, plan.count - 1))
        guard rate > 0 ? plan.start <= now : end <= now else {
            throw UsageError(
                "cli.simulate_future",
                "The simulation would last from \(Timestamp(micros: plan.start)) to \(Timestamp(micros: end)), which is in the future; give an earlier --start, or leave it out."
            )
        }
        let url = arguments["to"] ?? ServerClient.defaultURL
        let address = try IngestCommand.Address(url, arguments)
        try checkTarget(address, isForced: arguments.has("yes"))
        var report = try SimulationRun(
            plan: plan,
            address: address,
            rate: rate,
            batch: try integer(arguments, "batch", in: 1...5_000, default: 100),
            gaps: try share(arguments, "gaps", default: .never),
            isQuiet: arguments.has("quiet") || arguments.has("json")
        ).run()
        report.rate = rate
        TillMain.print(arguments.has("json") ? String(decoding: report.json, as: UTF8.self) : report.text)
        return report.isClosed ? .success : .failure
    }

    /// Names the till that is sent to, and refuses one that holds what no simulation sent.
    private static func checkTarget(_ address: IngestCommand.Address, isForced: Bool) throws {
        let answer = try SimulationLink(address).exchange(method: "GET", path: "/v1/status")
        let place = address.description
        // An identity that may only send cannot look: then the caller has to say so.
        guard answer.status == 200 else {
            if isForced { return }
            throw UsageError(
                "cli.simulate_target_unknown",
                "\(place) answered \(answer.status) when asked what it holds; use an identity with the scope operate, or say --yes."
            )
        }
        guard let status = JSONValue(answer.body) else { throw HTTPClientError.badAnswer(what: "the body is not JSON") }
        Logger.writeLine("till simulate sends to \(place), data directory \(status["data_id"].text)", to: 2)
        let real = status["totals"]["received"].integer - status["totals"]["simulated"].integer
        guard real > 0, !isForced, status["demo"].text != "true" else { return }
        throw UsageError(
            "cli.simulate_real_data",
            "\(place) holds \(real) records that no simulation sent, and simulated sales would count with them; name another till with --to, or say --yes."
        )
    }

    private static func subject(_ arguments: Arguments) throws -> SimulationPlan.Subject {
        let known = SimulationPlan.Subject.allCases.map(\.rawValue)
        guard arguments.rest.count == 1, let subject = SimulationPlan.Subject(rawValue: arguments.rest[0]) else {
            throw UsageError(
                "cli.simulate_usage",
                "Say till simulate \(known.joined(separator: " or till simulate ")); given is \(arguments.rest.joined(separator: " ").quotedForMessage)."
            )
        }
        let other = subject == .pos ? ordersOnly : posOnly
        if let stray = other.first(where: { arguments[$0] != nil }) {
            throw UsageError("cli.simulate_option", "--\(stray) means nothing for \(subject.rawValue); leave it out.")
        }
        return subject
    }

    private static func plan(
        _ arguments: Arguments,
        _ subject: SimulationPlan.Subject,
        rate: Int,
        now: Int64,
        isLive: Bool
    ) throws -> SimulationPlan {
        let most = subject == .orders ? ObjectNumbers.count : 1_000_000_000
        let count = try integer(arguments, "count", in: 0...most, default: 1_000)
        let clockRate = rate == 0 ? unpacedClockRate : rate
        // Sent as fast as possible, the events have just happened; paced, they happen when they are sent.
        let span = Int64(count / clockRate + 1) * 1_000_000
        let start = try arguments["start"].map(instant) ?? (rate == 0 && isLive ? now - span : now)
        var random = SeededRandom.fromKernel()
        let seed = try integer(arguments, "seed", in: 0...Int.max, default: Int(random.next() >> 32))
        var plan = SimulationPlan(
            subject: subject,
            count: count,
            seed: UInt64(seed),
            start: start,
            clockRate: clockRate,
            senders: Senders(
                count: try integer(arguments, "senders", in: 1...100_000, default: 4),
                skew: Int64(try integer(arguments, "skew", in: 0...86_400, default: 0)) * 1_000_000
            )
        )
        plan.duplicates = try share(arguments, "duplicates", default: .never)
        plan.disorder = try share(arguments, "disorder", default: .never)
        plan.late = try share(arguments, "late", default: .never)
        plan.bad = try share(arguments, "bad", default: .never)
        plan.badTotals = try share(arguments, "bad-totals", default: .never)
        plan.failures = try share(arguments, "failures", default: subject == .pos ? Share(millionths: 1_000) : .never)
        plan.versions = try share(
            arguments,
            "versions",
            default: subject == .orders ? Share(millionths: 200_000) : .never
        )
        plan.double = try share(arguments, "double", default: .never)
        return plan
    }

    private static func integer(
        _ arguments: Arguments,
        _ name: String,
        in range: ClosedRange<Int>,
        default value: Int
    ) throws -> Int {
        guard let text = arguments[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "cli.simulate_number",
                "--\(name) is \(text.quotedForMessage); give a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }

    private static func share(_ arguments: Arguments, _ name: String, default value: Share) throws -> Share {
        guard let text = arguments[name] else { return value }
        guard let share = Share(text: text) else {
            throw UsageError(
                "cli.simulate_share",
                "--\(name) is \(text.quotedForMessage); give a share from 0 to 1 with at most six fraction digits, like 0.05."
            )
        }
        return share
    }

    private static func instant(_ text: String) throws -> Int64 {
        guard case .instant(let time) = TimeFormat("iso8601")?.read(Array(text.utf8)[...]) else {
            throw UsageError(
                "cli.simulate_start",
                "--start is \(text.quotedForMessage); give a time with its offset, like 2025-02-22T09:43:14Z."
            )
        }
        return time.micros
    }

    // MARK: Writing

    private static let bufferBytes = 256 << 10

    private static func write(_ plan: SimulationPlan, to path: String, reference: String?, json: Bool) throws
        -> ExitCode
    {
        let output = try OutputFile(path)
        if let reference {
            let known = ReferenceGenerator(seed: plan.seed, start: plan.start)
            let lines: [[UInt8]]
            switch reference {
            case "users": lines = known.users.map(\.bytes)
            case "restaurants": lines = known.restaurants.map(\.bytes)
            default:
                throw UsageError(
                    "cli.simulate_reference",
                    "--reference is \(reference.quotedForMessage); give users or restaurants."
                )
            }
            try output.write(lines.flatMap { $0 + [0x0A] })
            return .success
        }
        var traffic = Traffic(plan)
        var buffer: [UInt8] = []
        while let record = traffic.next() {
            buffer += record.bytes
            buffer.append(0x0A)
            guard buffer.count >= bufferBytes else { continue }
            try output.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        try output.write(buffer)
        let report = SimulationReport(plan: plan, tally: traffic.tally)
        let text = json ? String(decoding: report.json, as: UTF8.self) : report.text
        Logger.writeLine(text, to: path == "-" ? 2 : 1)
        return .success
    }
}
