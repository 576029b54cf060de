package import Contracts
package import Executors
import Formats
package import Ports
package import Primitives
import RecordBatch
package import Refine
import RetailModel
import Synchronization
package import Telemetry

/// The receiving side of HTTP: bytes to durable records, answered with what was accepted and why the rest was not.
///
/// Called on the network thread, where small requests are refined at once (microseconds a record). Large ones, and the
/// batches of a run, which must stay in order, go to one thread of their own, so that nobody waits behind a long body.
/// The disk is waited for elsewhere.
package final class IngestService: Sendable {
    /// Work space that is reused; one request at a time.
    struct Workspace {
        var refiner: Refiner
        var tape: JSONTape
        var random: SeededRandom
        /// Next expected row of each running `till ingest`, so that a refused batch cannot be overtaken.
        private var runs: [ByteString: Int64] = [:]
        /// Those before: a run that goes on is taken from here, one that does not is forgotten with the others.
        private var olderRuns: [ByteString: Int64] = [:]

        init(refiner: Refiner, tape: JSONTape, random: SeededRandom) {
            (self.refiner, self.tape, self.random) = (refiner, tape, random)
        }

        func nextRow(of run: ByteString) -> Int64? { runs[run] ?? olderRuns[run] }

        mutating func setNextRow(of run: ByteString, _ row: Int64) {
            if runs.count >= IngestLimits.runsMax / 2, runs[run] == nil {
                olderRuns = runs
                runs = [:]
            }
            runs[run] = row
        }

        /// A batch of a run was refused: its first row is the next expected one again.
        mutating func resume(_ run: ByteString, at row: Int64) {
            if let next = nextRow(of: run) { setNextRow(of: run, min(next, row)) }
        }
    }

    /// The work space of one thread.
    final class Workbench: Sendable {
        let workspace: Mutex<Workspace>

        init(book: ContractBook, seed: UInt64) {
            workspace = Mutex(
                Workspace(refiner: Refiner(book: book), tape: JSONTape(), random: SeededRandom(seed: seed))
            )
        }
    }

    let log: any EventLog
    let book: ContractBook
    let quota: QuarantineQuota
    let fresh: FreshRecords
    let lag: TablesLag
    let seen = SeenKeys()
    let epochs = SenderEpochs()
    let metrics: Metrics
    let time: any TimeSource
    let smallBench: Workbench
    /// For the thread of large requests: the network thread never waits for it.
    private let largeBench: Workbench
    private let large: BlockingPool
    /// Where records are sent to.
    package let targets: IngestTargets

    /// - Parameter fresh: Where processing looks for what was refined here.
    /// - Parameter compatibility: The paths of reference systems that are on, each with the contract that refines its
    ///   bodies.
    package init(
        log: any EventLog,
        book: ContractBook,
        quota: QuarantineQuota,
        fresh: FreshRecords,
        lag: TablesLag,
        metrics: Metrics,
        time: any TimeSource,
        random: SeededRandom,
        compatibility: [(path: CompatibilityPath, contract: Contract)]
    ) throws(ThreadError) {
        self.log = log
        self.book = book
        self.quota = quota
        self.fresh = fresh
        self.lag = lag
        self.metrics = metrics
        self.time = time
        targets = IngestTargets(feeds: book.feeds, compatibility)
        var seeds = random
        seen.recall(log, epochs)
        smallBench = Workbench(book: book, seed: seeds.next())
        largeBench = Workbench(book: book, seed: seeds.next())
        large = try BlockingPool(name: "till-ingest", threads: 1, queueMax: IngestLimits.largeRequestsWaiting)
    }

    /// Lets the log begin with what was received on the network thread since the last call.
    package func flush() { log.flush() }

    /// Refines what waits, then ends the thread of large requests.
    package func shutdown() { large.shutdown() }

    /// - Parameter target: Of the request's path; not a health path.
    package func handle(_ request: HTTPRequest, for target: IngestTarget, _ exchange: any HTTPExchange) {
        if case .contract(let feed) = target { return describe(feed, request, exchange) }
        metrics.add(.ingest_requests_total)
        guard request.body.count > IngestLimits.smallBodyBytes || request.header("x-till-run") != nil else {
            return answer(request, target, exchange, on: smallBench)
        }
        let isTaken = large.submit { [self] in answer(request, target, exchange, on: largeBench) }
        if !isTaken {
            metrics.add(.ingest_saturated_total)
            let problem = IngestProblem(
                status: 429,
                code: "ingest_saturated",
                message:
                    "\(IngestLimits.largeRequestsWaiting) large requests wait already; send again after the time in Retry-After.",
                retryAfter: true
            )
            exchange.respond(target.response(problem))
        }
    }

    private func answer(
        _ request: HTTPRequest,
        _ target: IngestTarget,
        _ exchange: any HTTPExchange,
        on bench: Workbench
    ) {
        do throws(IngestProblem) {
            guard request.method == .post else {
                throw IngestProblem(status: 405, code: "method_not_allowed", message: "Events are sent with POST.")
            }
            // A page of another origin can send such a body without asking first.
            guard request.body.isEmpty || request.header("content-type") != nil else {
                throw IngestProblem(
                    status: 415,
                    code: "content_type_missing",
                    message:
                        "The body has no Content-Type; send application/json, application/x-ndjson or text/csv with it."
                )
            }
            if let problem = lagProblem() { throw problem }
            switch target {
            case .feed(let feed): try receive(request, feed, exchange, on: bench)
            case .compatibility(let path, let contract): try receive(request, exchange, path, contract, on: bench)
            case .contract, .health: preconditionFailure("answered before")
            }
        } catch {
            exchange.respond(target.response(error))
        }
    }

    private func receive(
        _ request: HTTPRequest,
        _ feed: String,
        _ exchange: any HTTPExchange,
        on bench: Workbench
    ) throws(IngestProblem) {
        let contract = try current(feed)
        // Refined and submitted under one lock: between the two, an earlier batch of the run may be refused by the log.
        let empty = try bench.workspace.withLock { workspace throws(IngestProblem) -> IngestAnswer? in
            let refined = try self.refine(request, feed, contract, &workspace)
            let answer = refined.answer
            guard let batch = refined.batch else { return answer }
            let run = refined.runRow.map { (name: batch.envelope.run, row: $0) }
            do throws(IngestProblem) {
                let isSmall = bench === smallBench
                try submit(
                    batch,
                    refined.records,
                    weight: refined.weight,
                    quarantine: refined.quarantine,
                    answer.tally,
                    moreFollows: isSmall
                ) { [self, exchange] result in
                    switch result {
                    case .success(let receipt):
                        let position = receipt.partition.position(receipt.offsets.upperBound)
                        exchange.respond(answer.response(position: position))
                    case .failure(let problem):
                        if let key = refined.newKey { seen.forget(key) }
                        if let run { resume(run.name, at: run.row) }
                        exchange.respond(problem.response)
                    }
                }
            } catch {
                if let key = refined.newKey { seen.forget(key) }
                if let run { workspace.resume(run.name, at: run.row) }
                throw error
            }
            return nil
        }
        guard let empty else { return }
        let partition = TopicPartition(feed: feed)
        exchange.respond(empty.response(position: partition.position(log.durableEnd(of: partition))))
    }

    func current(_ feed: String) throws(IngestProblem) -> Contract {
        if let contract = book.current(feed) { return contract }
        throw IngestProblem(
            status: 404,
            code: "feed_unknown",
            message: "There is no feed \(feed.quotedForMessage); known are \(book.feeds.joined(separator: ", "))."
        )
    }

    /// Submits and books the metrics; `answer` is called exactly once, unless this throws.
    ///
    /// - Parameters:
    ///   - records: Of the batch, to be kept for processing; empty when there is no room for them.
    ///   - weight: Of these records.
    ///   - quarantine: Bytes reserved in quarantine; given back when the log does not take the batch.
    func submit(
        _ batch: LogBatch,
        _ records: [RefinedRecord],
        weight: Int = 0,
        quarantine: Int64 = 0,
        _ tally: IngestTally,
        moreFollows: Bool,
        answer: @escaping @Sendable (Result<LogReceipt, IngestProblem>) -> Void
    ) throws(IngestProblem) {
        let size = Int64(batch.bytes.count)
        let feed = batch.envelope.feed
        let isPromised = !records.isEmpty && fresh.promise(records: records.count, bytes: weight)
        let records = isPromised ? records : []
        do throws(EventLogError) {
            try log.submit(batch, moreFollows: moreFollows) { [metrics, fresh, lag, quota] result in
                if isPromised { fresh.forget(promised: records.count, bytes: weight) }
                switch result {
                case .success(let receipt):
                    if isPromised { fresh.keep(records, of: receipt, bytes: weight) }
                    lag.add(receipt.offsets.count)
                    metrics.add(.log_batches_total)
                    metrics.add(.log_bytes_total, size)
                    tally.book(metrics, feed: feed)
                    answer(.success(receipt))
                case .failure(let error):
                    quota.release(quarantine)
                    answer(.failure(.of(error)))
                }
            }
        } catch {
            if isPromised { fresh.forget(promised: records.count, bytes: weight) }
            quota.release(quarantine)
            metrics.add(.ingest_saturated_total)
            throw .of(error)
        }
    }

    /// Takes note, on the log's thread, that a batch of a run was refused after it was taken.
    private func resume(_ run: ByteString, at row: Int64) {
        largeBench.workspace.withLock { $0.resume(run, at: row) }
    }

    struct Refined: Sendable {
        var batch: LogBatch?
        /// Of the batch, when processing is to get them as they are.
        var records: [RefinedRecord] = []
        /// Bytes that these records take.
        var weight = 0
        /// Bytes that its rejected records take in quarantine.
        var quarantine: Int64 = 0
        /// The first request of an Idempotency-Key; it may be sent with other content when the log does not take it.
        var newKey: Identifier?
        var answer: IngestAnswer
        /// Rows of the run before this batch, when it is part of one.
        var runRow: Int64?
    }
}
