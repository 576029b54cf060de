/// A few named threads for blocking or long work, fed by a bounded queue.
///
/// Every closure that ``submit(_:)`` accepted runs exactly once, even if it still waits when ``shutdown()`` begins.
/// Thread: any.
package final class BlockingPool: Sendable {
    package typealias Work = @Sendable () -> Void

    /// A ring of fixed capacity: the oldest closure is at `head`.
    private struct Queue: Sendable {
        var ring: [Work?]
        var head = 0
        var count = 0
        var closed = false

        mutating func push(_ work: @escaping Work) -> Bool {
            guard !closed, count < ring.count else { return false }
            ring[(head + count) % ring.count] = work
            count += 1
            return true
        }

        /// The outer nil means nothing yet; `.some(nil)` means nothing will follow.
        mutating func pop() -> Work?? {
            guard count > 0 else { return closed ? .some(nil) : nil }
            let work = ring[head]
            ring[head] = nil
            head = (head + 1) % ring.count
            count -= 1
            return .some(work)
        }
    }

    private let queue: Guarded<Queue>
    private let threads: [DedicatedThread]

    /// Starts the threads.
    ///
    /// - Parameter name: Threads are called `name-0`, `name-1`, …
    /// - Parameter threads: 1 to 64.
    /// - Parameter queueMax: Closures that may wait, at least 1.
    /// - Throws: ``ThreadError`` when the kernel has no thread left; none is left running then.
    package init(name: String, threads: Int, queueMax: Int) throws(ThreadError) {
        precondition((1...64).contains(threads), "A blocking pool has 1 to 64 threads")
        precondition(queueMax >= 1, "A blocking pool has a queue of at least 1")
        let queue = Guarded(Queue(ring: Array(repeating: nil, count: queueMax)))
        var started: [DedicatedThread] = []
        do {
            for index in 0..<threads {
                started.append(try DedicatedThread(name: "\(name)-\(index)") { Self.work(on: queue) })
            }
        } catch {
            Self.close(queue, started)
            throw error
        }
        self.queue = queue
        self.threads = started
    }

    deinit {
        queue.withLock { $0.closed = true }
        queue.broadcast()
    }

    /// Submits work without blocking.
    ///
    /// - Returns: False when the queue is full or the pool is shut down; the closure then never runs.
    package func submit(_ work: @escaping Work) -> Bool {
        guard queue.withLock({ $0.push(work) }) else { return false }
        queue.signal()
        return true
    }

    /// Closures waiting now, for metrics.
    package var waiting: Int { queue.withLock { $0.count } }

    /// Rejects new work, runs what is waiting, and blocks until all threads have ended. Not for pool threads.
    package func shutdown() { Self.close(queue, threads) }

    private static func close(_ queue: Guarded<Queue>, _ threads: [DedicatedThread]) {
        queue.withLock { $0.closed = true }
        queue.broadcast()
        for thread in threads { thread.join() }
    }

    private static func work(on queue: Guarded<Queue>) {
        while let work = queue.wait(until: { $0.pop() }) ?? nil { work() }
    }
}
