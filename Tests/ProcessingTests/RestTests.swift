import Executors
import Testing

@testable import Processing

/// How long the folding thread rests, in milliseconds: work, of it waited for a processor, records behind, rest.
@Suite struct RestTests {
    @Test(arguments: [
        (work: 2, waited: 0, lag: 0, rest: 25), (2, 2, 4_096, 25), (20, 0, 100, 60), (50, 0, 100, 100),
        (400, 300, 10, 100),
        // Behind: only where others wait for the processor, and as long as it worked.
        (200, 0, 4_097, 0), (200, 25, 1_000_000, 0), (200, 26, 1_000_000, 200), (200, 200, 5_000, 200),
        (2_000, 1_000, 5_000, 500), (0, 0, 5_000, 0),
    ])
    func `rests to gather, or for others`(one: (work: Int64, waited: Int64, lag: Int64, rest: Int64)) {
        #expect(Rest.micros(spent: one.work * 1_000, waited: one.waited * 1_000, lag: one.lag) == one.rest * 1_000)
    }

    @Test func `the kernel says how long a thread waited for a processor`() {
        let before = DedicatedThread.waitedNanos
        #expect(before >= 0 && DedicatedThread.waitedNanos >= before)
    }
}
