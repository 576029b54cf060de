import FaultKit
import Ports
import Primitives
import Refine
import RetailModel
import Tables
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

    /// Checks that metrics, followed over all workers, say what the tables have.
    func expectGauges(_ store: any TableStore) throws {
        let names = try store.rows(of: RetailTables.run, prefix: []).map { ($0[0], $0[1].bytes?.description ?? "") }
        let feeds = Dictionary(uniqueKeysWithValues: names)
        func expect(_ gauge: MetricFamily, _ rows: [[Cell]], _ column: Int) {
            for row in rows {
                let found = metrics.labelled.value(gauge, [feeds[row[0]] ?? ""]) ?? 0
                #expect(found == row[column].integer, "\(gauge) of \(feeds[row[0]] ?? "")")
            }
        }
        let parked = RetailTables.feedTotal.index(of: "parked")
        expect(.parked_records, try store.rows(of: RetailTables.feedTotal, prefix: []), parked)
        let usage = try store.rows(of: RetailTables.quarantineUsage, prefix: [])
        expect(.quarantine_open_records, usage, 1)
        expect(.quarantine_open_bytes, usage, 2)
        #expect(try metrics.value(.windows_open) == Int64(store.rows(of: RetailTables.openWindow, prefix: []).count))
    }

    /// Checks that the last worker published the end of every partition.
    func expectAllFolded() {
        for partition in log.partitions() {
            #expect(board.positions.offsets[partition] == log.durableEnd(of: partition))
        }
    }
}
