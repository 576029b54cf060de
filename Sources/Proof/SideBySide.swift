import Executors
import Synchronization

/// Work on several threads whose results are waited for.
enum SideBySide {
    /// Runs `work` on every value, the first on the calling thread, and returns the results in order.
    static func map<Value: Sendable, Result: Sendable>(
        _ values: [Value],
        _ work: @escaping @Sendable (Value) throws -> Result
    ) throws -> [Result] {
        let others = try values.dropFirst().map { value in try Pending { try work(value) } }
        let first = try values.prefix(1).map(work)
        return try first + others.map { try $0.result() }
    }
}

/// A result that a thread of its own computes. Letting go of the object waits for the thread.
final class Pending<Value: Sendable> {
    private final class Place: Sendable {
        let found = Mutex<Result<Value, any Error>?>(nil)
    }

    private let place = Place()
    private let thread: DedicatedThread

    init(_ work: @escaping @Sendable () throws -> Value) throws(ThreadError) {
        thread = try DedicatedThread(name: "till-prove") { [place] in
            let found = Result { try work() }
            place.found.withLock { $0 = found }
        }
    }

    deinit { thread.join() }

    func result() throws -> Value {
        thread.join()
        guard let found = place.found.withLock({ $0 }) else {
            preconditionFailure("a thread that ended leaves a result")
        }
        return try found.get()
    }
}
