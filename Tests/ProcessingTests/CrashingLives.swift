import FaultKit
import Ports
import Primitives
import RetailModel
import Tables
import Testing

@testable import Processing

/// Random crash points: workers that live until an operation on their tables fails, before or after it took effect, or
/// for as long as there is work. The tables are in memory and outlive them; some workers write behind.
struct CrashingLives {
    /// An operation that failed.
    struct Crash: Hashable {
        var fault: FaultyTables.Fault
        var operation: String
    }

    /// Of all histories of a suite, so that a test can say that they occurred.
    private(set) var crashes: Set<Crash> = []

    /// Operations of which one fails: about those of five small batches.
    private static let operationsMax: UInt64 = 60
    private static let crashesMax = 3

    /// Calls `live` with a store for every life, until it ends without a crash; it goes on from the store's positions.
    ///
    /// - Returns: A store with what they left.
    mutating func run(
        _ random: inout SeededRandom,
        _ live: (any TableStore, inout SeededRandom) throws -> Void
    ) throws -> any TableStore {
        let storage = MemoryTables.Storage(RetailTables.all)
        for number in 0...Self.crashesMax {
            let fault: FaultyTables.Fault = random.next() % 2 == 0 ? .before : .after
            let isLast = number == Self.crashesMax || random.next() % 4 == 0
            let at = isLast ? -1 : Int(random.next() % Self.operationsMax)
            let plan = FaultyTables.Plan(fault, at: at)
            do {
                let memory = FaultyTables(MemoryTables(storage), plan)
                let store: any TableStore = random.next() % 2 == 0 ? memory : CommitBehind(memory, time: SystemTime())
                try live(store, &random)
                try Committing.end(store)
                break
            } catch let error as TableStoreError {
                guard plan.hasFired else { throw error }
                crashes.insert(Crash(fault: fault, operation: plan.names[at]))
            }
        }
        return MemoryTables(storage)
    }

    /// Checks that every operation of a fold failed in both ways.
    func expectAll() {
        let operations = ["claim", "read positions", "find the greatest id", "look up", "list", "write", "commit"]
        let missing = FaultyTables.Fault.allCases.flatMap { fault in
            operations.filter { !crashes.contains(Crash(fault: fault, operation: $0)) }.map { "\(fault) \($0)" }
        }
        #expect(missing == [], "crashes that did not occur")
    }
}
