import FaultKit
import Ports
import Primitives
import Refine
import Telemetry
import Testing

@testable import Processing

/// Workers on one store, each made anew after a failure of the one before, as `Processor` does. One failure is planned.
struct WorkerLife {
    struct FailedTwice: Error {}

    let log: any EventLog
    let book: ContractBook
    let plan: FaultyTables.Plan
    let overlap: ProcessingWorker.Overlap
    let open: () throws -> any TableStore
    let board = PositionBoard()
    private(set) var failures = 0
    private let metrics = Metrics()
    private var worker: ProcessingWorker?

    init(
        _ log: any EventLog,
        _ book: ContractBook,
        _ plan: FaultyTables.Plan,
        overlap: ProcessingWorker.Overlap = .backlog,
        _ open: @escaping () throws -> any TableStore
    ) {
        self.log = log
        self.book = book
        self.plan = plan
        self.overlap = overlap
        self.open = open
    }

    /// Folds all that the log has.
    mutating func catchUp() throws {
        while true {
            do {
                let current =
                    try worker
                    ?? ProcessingWorker(
                        log: log,
                        store: FaultyTables(open(), plan),
                        book: book,
                        board: board,
                        metrics: metrics,
                        time: SystemTime(),
                        overlap: overlap
                    )
                worker = current
                if try current.step() == .idle { return }
            } catch is TableStoreError {
                worker = nil
                failures += 1
                if failures > 1 { throw FailedTwice() }
            }
        }
    }

    /// Checks that the last worker published the end of every partition.
    func expectAllFolded() {
        for partition in log.partitions() {
            #expect(board.positions.offsets[partition] == log.durableEnd(of: partition))
        }
    }
}
