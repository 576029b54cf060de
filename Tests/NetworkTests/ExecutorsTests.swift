import Executors
import Synchronization
import Testing

@Suite struct ExecutorsTests {
    @Test func `a pool runs every accepted closure once, also after shutdown began`() throws {
        let pool = try BlockingPool(name: "test", threads: 3, queueMax: 1_000)
        let runs = Guarded(0)
        var accepted = 0
        for _ in 0..<800 where pool.submit({ runs.withLock { $0 += 1 } }) { accepted += 1 }
        pool.shutdown()
        #expect(accepted == 800)
        #expect(runs.withLock { $0 } == 800)
        #expect(!pool.submit {})
    }

    @Test func `a full pool refuses`() throws {
        let gate = Guarded(false)
        let pool = try BlockingPool(name: "test", threads: 1, queueMax: 2)
        let begun = Guarded(false)
        #expect(
            pool.submit {
                begun.withLock { $0 = true }
                begun.broadcast()
                _ = gate.wait { $0 ? true : nil }
            }
        )
        _ = begun.wait { $0 ? true : nil }
        #expect(pool.submit {})
        #expect(pool.submit {})
        #expect(!pool.submit {})
        gate.withLock { $0 = true }
        gate.broadcast()
        pool.shutdown()
    }

    @Test func `a wait with a limit ends when nothing comes`() {
        let state = Guarded(0)
        #expect(state.wait(micros: 20_000) { $0 > 0 ? $0 : nil } == nil)
    }

    @Test func `a thread may be joined twice`() throws {
        let state = Guarded(0)
        let thread = try DedicatedThread(name: "a-name-longer-than-15-bytes") { state.withLock { $0 += 1 } }
        thread.join()
        thread.join()
        #expect(state.withLock { $0 } == 1)
    }

    @Test func `one job at a time runs ahead, and its answer is taken later`() {
        let ahead = ThreadAhead<Int, Int>(name: "till-test") { $0 * 2 }
        for job in 1...200 {
            #expect(ahead.give(job))
            #expect(ahead.take() == 2 * job)
        }
        #expect(ahead.give(7))
        ahead.close()
    }

    @Test func `a value that threads take in turn loses nothing`() throws {
        let shared = TakenInTurn([Int]())
        let threads = try (0..<4).map { number in
            try DedicatedThread(name: "till-turn-\(number)") {
                for _ in 0..<500 { shared.use { $0.append(number) } }
            }
        }
        for thread in threads { thread.join() }
        let seen = shared.use { $0 }
        #expect(seen.count == 2_000)
        for number in 0..<4 { #expect(seen.count { $0 == number } == 500) }
    }
}
