/// A dedicated thread that runs one job at a time; the answer is taken later.
///
/// Thread: ``give(_:)``, ``take()`` and ``close()`` are the owner's; the work runs on the other one, which is started
/// with the first job.
package final class ThreadAhead<Job: Sendable, Answer: Sendable> {
    private enum Phase: Sendable {
        case idle
        case asked(Job)
        case done(Answer)
        case stopping
    }

    private let name: String
    private let work: @Sendable (Job) -> Answer
    private let phase = Guarded(Phase.idle)
    private var thread: DedicatedThread?

    /// - Parameter name: Of the thread, which runs ten steps nicer than others.
    package init(name: String, work: @escaping @Sendable (Job) -> Answer) {
        self.name = name
        self.work = work
    }

    deinit { close() }

    /// Begins a job; the answer of the previous one must have been taken.
    ///
    /// - Returns: False when the kernel cannot create a thread; nothing was begun.
    package func give(_ job: Job) -> Bool {
        if thread == nil {
            thread = try? DedicatedThread(name: name, nice: 10) { [phase, work] in Self.run(phase, work) }
        }
        guard thread != nil else { return false }
        phase.withLock { $0 = .asked(job) }
        phase.broadcast()
        return true
    }

    /// Waits for the answer of the current job.
    package func take() -> Answer {
        let answer = phase.wait { phase -> Answer? in
            guard case .done(let answer) = phase else { return nil }
            phase = .idle
            return answer
        }
        guard let answer else { preconditionFailure("a wait without a limit ends with a value") }
        return answer
    }

    /// Ends the thread after its current job; a job that has not begun is dropped.
    package func close() {
        phase.withLock { $0 = .stopping }
        phase.broadcast()
        thread?.join()
        thread = nil
    }

    private static func run(_ phase: Guarded<Phase>, _ work: (Job) -> Answer) {
        while true {
            let asked = phase.wait { phase -> Job?? in
                switch phase {
                case .asked(let job): .some(job)
                case .stopping: .some(nil)
                case .idle, .done: nil
                }
            }
            guard case .some(.some(let job)) = asked else { return }
            let answer = work(job)
            let goesOn = phase.withLock { phase in
                if case .stopping = phase { return false }
                phase = .done(answer)
                return true
            }
            phase.broadcast()
            if !goesOn { return }
        }
    }
}
