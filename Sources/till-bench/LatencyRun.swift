import CShims

/// Open loop: events leave at a fixed rate whether or not answers come, in ticks of one millisecond.
///
/// Every latency counts from the tick an event was due, so waiting for a free connection is part of it. One event in
/// `sample` is followed to the tables: with the position of its 202 a free watcher asks `/v1/sales/total?after=…`, and
/// the answer's arrival is the end. A sample that finds no free watcher is counted as skipped.
struct LatencyRun {
    private static let watchers = 64
    private let target: (host: String, port: UInt16)
    private let connections: Int, rate: Int, seconds: Int, sample: Int, isAckOnly: Bool
    private var requests: Requests

    init(_ options: Options) throws {
        target = try options.target()
        connections = max(1, try options.integer("connections", 128))
        rate = max(1, try options.integer("rate", 1_000))
        seconds = max(1, try options.integer("seconds", 10))
        sample = max(1, try options.integer("sample", 20))
        isAckOnly = options["ack-only"] != nil
        requests = Requests(
            seed: UInt64(try options.integer("lines-seed", 1)),
            batch: 1,
            host: "\(target.host):\(target.port)",
            first: try options.integer("first", 0)
        )
    }

    mutating func run() throws -> Report {
        let poller = LoadPoller()
        for _ in 0..<connections + (isAckOnly ? 0 : Self.watchers) {
            poller.add(try LoadConnection(host: target.host, port: target.port))
        }
        var freeSenders = Array(0..<connections)
        var freeWatchers = isAckOnly ? [] : Array(connections..<connections + Self.watchers)
        var waiting: [Int64] = []
        var waitingAt = 0
        var acknowledged: [Int64] = []
        var stored: [Int64] = []
        var hundredths: Int64 = 0
        var sent = 0
        var skipped = 0
        var errors = 0
        var firstError = ""
        var late: Int64 = 0
        let total = rate * seconds
        let cpu = cshims_cpu_micros()
        let started = cshims_monotonic_nanos() + 1_000_000
        var due = 0
        var open = 0
        let giveUp = started + Int64(seconds + 60) * 1_000_000_000

        func fail(_ connection: LoadConnection, _ answer: LoadConnection.Answer) {
            errors += 1
            if firstError.isEmpty {
                firstError =
                    "\(answer.status): " + String(decoding: connection.input[answer.body].prefix(200), as: UTF8.self)
            }
        }
        while due < total || open > 0 || waitingAt < waiting.count {
            let now = cshims_monotonic_nanos()
            guard now < giveUp else { throw BenchFailure("\(open) answers did not come.") }
            let ticks = max(0, (now - started) / 1_000_000 + 1)
            let dueNow = min(total, Int(ticks) * rate / 1_000)
            while due < dueNow {
                let at = started + Int64(due * 1_000 / rate) * 1_000_000
                late = max(late, now - at)
                waiting.append(at)
                due += 1
            }
            while waitingAt < waiting.count, !freeSenders.isEmpty {
                // In turn: a connection that is never used is closed by the server after some seconds.
                let index = freeSenders.removeFirst()
                let request = requests.next()
                let connection = poller.connections[index]
                sent += 1
                connection.open.append(
                    .init(
                        nanos: waiting[waitingAt],
                        events: 1,
                        hundredths: request.hundredths,
                        isSampled: sent % sample == 0
                    )
                )
                waitingAt += 1
                try connection.send(requests.template(request))
                poller.settle(index)
                open += 1
            }
            if waitingAt == waiting.count { (waiting, waitingAt) = ([], 0) }
            for index in try poller.wait(millis: due < total ? 1 : 100) {
                let connection = poller.connections[index]
                guard try connection.receive() else {
                    throw BenchFailure("The server closed a connection; \(firstError)")
                }
                while let answer = try connection.answer() {
                    let now = cshims_monotonic_nanos()
                    let request = connection.open.removeFirst()
                    open -= 1
                    if index >= connections {
                        freeWatchers.append(index)
                        if answer.status == 200 { stored.append(now - request.nanos) } else { fail(connection, answer) }
                        continue
                    }
                    freeSenders.append(index)
                    guard answer.status == 202, connection.number("accepted", answer.body) == 1 else {
                        fail(connection, answer)
                        continue
                    }
                    acknowledged.append(now - request.nanos)
                    hundredths += request.hundredths
                    if !request.isSampled || isAckOnly { continue }
                    guard !freeWatchers.isEmpty else {
                        skipped += 1
                        continue
                    }
                    let watcher = freeWatchers.removeFirst()
                    let position = connection.text("position", answer.body)
                    let ask =
                        "GET /v1/sales/total?after=\(position)&wait_ms=30000 HTTP/1.1\r\nhost: \(target.host)\r\n\r\n"
                    poller.connections[watcher].open.append(request)
                    try poller.connections[watcher].send(Array(ask.utf8))
                    poller.settle(watcher)
                    open += 1
                }
            }
        }
        let elapsed = Double(cshims_monotonic_nanos() - started) / 1e9
        var report = Report()
        report.add("events", acknowledged.count)
        report.add("seconds", elapsed)
        report.add("events_per_second", Int(Double(acknowledged.count) / elapsed))
        report.add("ack", acknowledged)
        if !isAckOnly {
            report.add("table", stored)
            report.add("samples", stored.count)
            report.add("samples_skipped", skipped)
        }
        report.add("late_max_us", Int(late / 1_000))
        report.add("client_cpu_seconds", Double(cshims_cpu_micros() - cpu) / 1e6)
        report.add("errors", errors)
        report.add("next_event", requests.nextEvent)
        report.add("gross_hundredths", Int(hundredths))
        if errors > 0 { report.add("first_error", text: firstError) }
        report.isGood = errors == 0 && !acknowledged.isEmpty
        return report
    }
}
