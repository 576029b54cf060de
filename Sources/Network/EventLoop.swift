import Executors
import Synchronization

/// One thread that waits for sockets and for commands of other threads.
///
/// All state of the network lives in the ``Reactor``, which is made on that thread and never leaves it: other threads
/// send closures through the mailbox. The loop is woken once for any number of commands that come before it looks.
/// The mailbox has no own bound: each command stands for something that is bounded (an accepted request, a stream).
/// Thread: any.
package final class EventLoop: Sendable {
    package typealias Command = @Sendable (Reactor) -> Void

    private struct Mailbox: Sendable {
        var commands: [Command] = []
        /// True while the loop waits or is about to: only then is a wake-up needed.
        var asleep = false
        var closed = false
    }

    // Guarded and not Mutex: the thread sanitizer knows the lock of libc, and nothing of the futex of Mutex.
    private let mailbox = Guarded(Mailbox())
    private let thread = Mutex<DedicatedThread?>(nil)
    let poller: Poller

    /// Starts the thread.
    ///
    /// - Throws: ``NetworkError/resourcesUnavailable(what:cause:)`` when the kernel has no thread or descriptor left.
    package init(name: String) throws(NetworkError) {
        poller = try Poller()
        do {
            let started = try DedicatedThread(name: name) { [self] in Reactor(self).run() }
            thread.withLock { $0 = started }
        } catch {
            throw .resourcesUnavailable(what: "thread", cause: error.errno)
        }
    }

    /// Runs a command on the loop's thread, after all commands posted before.
    ///
    /// - Returns: False when the loop has stopped; the command then never runs.
    @discardableResult package func post(_ command: @escaping Command) -> Bool {
        let (accepted, wake) = mailbox.withLock { box -> (Bool, Bool) in
            if box.closed { return (false, false) }
            box.commands.append(command)
            defer { box.asleep = false }
            return (true, box.asleep)
        }
        if wake { poller.wake() }
        return accepted
    }

    /// Runs a command on the loop's thread and blocks for its result. Never call it from that thread.
    ///
    /// - Returns: Nil when the loop has stopped.
    package func call<Result: Sendable>(_ body: @escaping @Sendable (Reactor) -> Result) -> Result? {
        call { (reactor, reply: Reply<Result>) in reply.send(body(reactor)) }
    }

    /// Carries the result of a ``call(_:)`` back; let go without a result it answers nil. Thread: any.
    package final class Reply<Result: Sendable>: Sendable {
        private let box: Guarded<Result??>

        fileprivate init(_ box: Guarded<Result??>) { self.box = box }
        deinit { set(nil) }

        package func send(_ result: Result) { set(result) }

        private func set(_ result: Result?) {
            box.withLock { if $0 == nil { $0 = .some(result) } }
            box.signal()
        }
    }

    /// Runs a command on the loop's thread and blocks until its reply comes. Never call it from that thread.
    ///
    /// - Returns: Nil when the loop has stopped or the reply was let go.
    package func call<Result: Sendable>(_ body: @escaping @Sendable (Reactor, Reply<Result>) -> Void) -> Result? {
        let box = Guarded<Result??>(nil)
        let posted = post { body($0, Reply(box)) }
        return posted ? box.wait { $0 } ?? nil : nil
    }

    /// Closes everything and blocks until the thread has ended. Never call it from that thread.
    package func stop() {
        post { $0.stop() }
        thread.withLock { $0 }?.join()
    }

    /// Closes everything soon, without waiting.
    package func stopSoon() { post { $0.stop() } }

    // MARK: The loop's side

    /// Says that the loop is going to wait; false when commands are there already.
    func fallAsleep() -> Bool {
        mailbox.withLock { box in
            box.asleep = box.commands.isEmpty
            return box.asleep
        }
    }

    /// Exchanges the commands that came for an empty array, whose storage the mailbox then uses.
    func takeCommands(_ commands: inout [Command]) {
        mailbox.withLock { box in
            box.asleep = false
            swap(&box.commands, &commands)
        }
    }

    func closeMailbox() { mailbox.withLock { $0.closed = true } }
}
