package import Executors
package import Ports
package import Primitives
import RecordBatch
package import Refine
import RetailFolds
import RetailModel
import Tables
package import Telemetry

/// Folds the log into the tables: read, refine, fold, commit rows and positions together. One plain thread.
package final class Processor: Sendable {
    private struct Wake: Sendable {
        var pending = true
        var stopping = false
        /// Somebody waits for the tables.
        var urgent = false
    }

    private let log: any EventLog
    private let makeStore: @Sendable () throws -> any TableStore
    private let book: ContractBook
    private let board: PositionBoard
    private let quota: QuarantineQuota
    private let fresh: FreshRecords
    private let lag: TablesLag
    private let metrics: Metrics
    private let logger: Logger
    private let time: any TimeSource
    private let wake = Guarded(Wake())

    /// - Parameter makeStore: Opens the store; called on the processing thread, again after a failure.
    package init(
        log: any EventLog,
        book: ContractBook,
        board: PositionBoard,
        quota: QuarantineQuota,
        fresh: FreshRecords,
        lag: TablesLag,
        metrics: Metrics,
        logger: Logger,
        time: any TimeSource,
        makeStore: @escaping @Sendable () throws -> any TableStore
    ) {
        self.log = log
        self.book = book
        self.board = board
        self.quota = quota
        self.fresh = fresh
        self.lag = lag
        self.metrics = metrics
        self.logger = logger
        self.time = time
        self.makeStore = makeStore
        log.onDurable { [wake] in
            let wasIdle = wake.withLock { state in
                defer { state.pending = true }
                return !state.pending
            }
            if wasIdle { wake.signal() }
        }
        board.onWait { [wake] in
            wake.withLock { $0.urgent = true }
            wake.signal()
        }
    }

    /// Starts the thread; ``stop()`` ends it after the current commit.
    package func start() throws(ThreadError) -> DedicatedThread {
        try DedicatedThread(name: "till-process", nice: 10) { [self] in run() }
    }

    package func stop() {
        wake.withLock { $0.stopping = true }
        wake.broadcast()
    }

    private var isStopping: Bool { wake.withLock { $0.stopping } }

    private static let firstPauseMicros: Int64 = 100_000

    /// Runs until stopped or fenced. Failures of the world are tried again with growing pauses.
    private func run() {
        var pauseMicros = Self.firstPauseMicros
        while !isStopping {
            do {
                let worker = try ProcessingWorker(
                    log: log,
                    store: makeStore(),
                    book: book,
                    board: board,
                    quota: quota,
                    fresh: fresh,
                    metrics: metrics,
                    time: time
                )
                if try follow(worker, &pauseMicros) == .fenced {
                    logger.log(
                        .error,
                        "process.owner_fenced",
                        [("remedy", "another till took over this data directory")]
                    )
                    board.setFailure("processing", "another till took over; this one stopped folding for good")
                    return
                }
            } catch {
                logger.log(.error, "process.batch_failed", [("cause", "\(error)")])
                board.setFailure("processing", "\(error)")
                _ = wake.wait(micros: pauseMicros) { $0.stopping ? true : nil }
                pauseMicros = min(pauseMicros * 2, 5_000_000)
                board.expire(nowNanos: time.monotonicNanos())
            }
        }
    }

    private enum End { case stopped, fenced }

    /// Logs that time has passed when windows wait for it and no record says so: publishing them is a function of the
    /// log, so that a replay publishes the same.
    private func tick(_ worker: ProcessingWorker) {
        let now = time.now()
        for (topic, until) in worker.waiting where now.micros >= until {
            let partition = TopicPartition(topic.description)
            guard let feed = partition.feed else { continue }
            var builder = RecordBatchBuilder(baseTimestamp: now.micros / 1_000, reserving: 64)
            builder.append([])
            var envelope = RecordEnvelope(
                feed: feed,
                contract: .zero,
                receivedAt: now,
                format: .json,
                recordIDBase: Identifier(Digest.zero)
            )
            envelope.action = .tick
            // Refused now, it is tried again in a moment; nobody waits for the answer.
            try? log.submit(
                LogBatch(
                    partition: partition,
                    envelope: envelope,
                    bytes: builder.finish(),
                    recordCount: 1
                )
            ) { _ in }
        }
    }

    /// Rests while records come in, until somebody waits for the tables.
    private func rest(_ worker: ProcessingWorker, _ spentNanos: Int64, _ waitedNanos: Int64) {
        // Forgotten first: who begins to wait after the look at the board sets it again.
        wake.withLock { $0.urgent = false }
        guard !worker.isCatchingUp, !board.hasWaiters, !lag.isBehind else { return }
        let micros = Rest.micros(spent: spentNanos / 1_000, waited: waitedNanos / 1_000, lag: worker.lag)
        _ = wake.wait(micros: micros) { $0.urgent || $0.stopping ? true : nil }
    }

    /// - Parameter pauseMicros: Set back once a step went well; only then the failure before is over.
    private func follow(_ worker: ProcessingWorker, _ pauseMicros: inout Int64) throws -> End {
        var hasSucceeded = false
        while !isStopping {
            wake.withLock { $0.pending = false }
            var worked = true
            while worked, !isStopping {
                let started = (at: time.monotonicNanos(), waited: DedicatedThread.waitedNanos)
                let step = try worker.step()
                lag.set(worker.lag)
                switch step {
                case .fenced: return .fenced
                case .committed:
                    rest(worker, time.monotonicNanos() - started.at, DedicatedThread.waitedNanos - started.waited)
                case .idle: worked = false
                }
                if !hasSucceeded {
                    hasSucceeded = true
                    pauseMicros = Self.firstPauseMicros
                    board.setFailure("processing", nil)
                }
                board.expire(nowNanos: time.monotonicNanos())
            }
            tick(worker)
            _ = wake.wait(micros: 100_000) { $0.pending || $0.stopping ? true : nil }
            board.expire(nowNanos: time.monotonicNanos())
        }
        return .stopped
    }
}
