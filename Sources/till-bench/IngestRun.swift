import CShims

/// Closed loop: each connection keeps `pipeline` requests open; every answer is checked.
struct IngestRun {
    private let target: (host: String, port: UInt16)
    private let connections: Int, batch: Int, pipeline: Int, count: Int, seconds: Int
    private var requests: Requests

    init(_ options: Options) throws {
        target = try options.target()
        connections = max(1, try options.integer("connections", 64))
        batch = max(1, try options.integer("batch", 1))
        pipeline = max(1, try options.integer("pipeline", 1))
        count = try options.integer("count", 0)
        seconds = try options.integer("seconds", 10)
        requests = Requests(
            seed: UInt64(try options.integer("lines-seed", 1)),
            batch: batch,
            host: "\(target.host):\(target.port)",
            first: try options.integer("first", 0)
        )
    }

    mutating func run() throws -> Report {
        let poller = LoadPoller()
        for _ in 0..<connections { poller.add(try LoadConnection(host: target.host, port: target.port)) }
        var latencies: [Int64] = []
        latencies.reserveCapacity(1 << 20)
        var accepted = 0
        var hundredths: Int64 = 0
        var errors = 0
        var busy = 0
        var firstError = ""
        var outstanding = 0
        var toSend = count
        let cpu = cshims_cpu_micros()
        let started = cshims_monotonic_nanos()
        let deadline = started + Int64(seconds) * 1_000_000_000
        let giveUp = deadline + 60_000_000_000
        var finished = started

        func mayContinue(_ now: Int64) -> Bool { count > 0 ? toSend > 0 : now < deadline }
        func send(_ index: Int) throws {
            let connection = poller.connections[index]
            let now = cshims_monotonic_nanos()
            guard mayContinue(now) else { return }
            let request = requests.next()
            connection.open.append(.init(nanos: now, events: batch, hundredths: request.hundredths))
            try connection.send(requests.template(request))
            poller.settle(index)
            outstanding += 1
            toSend -= batch
        }
        for index in 0..<connections { for _ in 0..<pipeline { try send(index) } }
        while outstanding > 0 {
            for index in try poller.wait(millis: 1_000) {
                let connection = poller.connections[index]
                guard try connection.receive() else {
                    throw BenchFailure("The server closed a connection; \(firstError)")
                }
                var answered = 0
                while let answer = try connection.answer() {
                    let now = cshims_monotonic_nanos()
                    finished = now
                    let sent = connection.open.removeFirst()
                    outstanding -= 1
                    answered += 1
                    if answer.status == 202, connection.number("accepted", answer.body) == sent.events {
                        accepted += sent.events
                        hundredths += sent.hundredths
                        latencies.append(now - sent.nanos)
                    } else {
                        if answer.status == 429 { busy += 1 }
                        errors += 1
                        if firstError.isEmpty {
                            firstError =
                                "\(answer.status): "
                                + String(decoding: connection.input[answer.body].prefix(200), as: UTF8.self)
                        }
                    }
                }
                for _ in 0..<answered { try send(index) }
            }
            if count == 0, cshims_monotonic_nanos() > giveUp {
                throw BenchFailure("\(outstanding) answers did not come.")
            }
        }
        let elapsed = Double(finished - started) / 1e9
        var report = Report()
        report.add("events", accepted)
        report.add("seconds", elapsed)
        report.add("events_per_second", Int(Double(accepted) / elapsed))
        report.add("requests", latencies.count + errors)
        report.add("latency", latencies)
        report.add("client_cpu_seconds", Double(cshims_cpu_micros() - cpu) / 1e6)
        report.add("errors", errors)
        report.add("saturated", busy)
        report.add("next_event", requests.nextEvent)
        report.add("gross_hundredths", Int(hundredths))
        if errors > 0 { report.add("first_error", text: firstError) }
        report.isGood = errors == 0 && accepted > 0
        return report
    }
}
