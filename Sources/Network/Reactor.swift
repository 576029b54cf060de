import CShims
import Primitives

/// The state of an ``EventLoop``: connections, listeners, deadlines. Made, used and dropped on its thread.
///
/// A connection's token is its slot (24 bits) and the slot's generation (39 bits): a command that comes late for a
/// closed connection finds another generation and does nothing.
/// Thread: the loop's.
package final class Reactor {
    private struct Slot {
        var generation: UInt64 = 0
        var connection: Connection?
        var deadline = Int64.max
    }

    package let loop: EventLoop
    /// Monotonic time of this turn in nanoseconds.
    package private(set) var nowNanos = cshims_monotonic_nanos()
    package private(set) var connectionCount = 0

    let poller: Poller
    var listeners: [Listener] = []
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var dirty: [Connection] = []
    private var resuming: [Connection] = []
    private var timers: [(nanos: Int64, action: (Reactor) -> Void)] = []
    private var earliestDeadline = Int64.max
    private var lastScan = Int64.min / 2
    private var readBuffer = [UInt8](repeating: 0, count: NetworkLimits.readBytes)
    private var stopping = false
    /// Called once a turn, after what came in was offered to the protocols.
    package var turnEnded: () -> Void = {}

    init(_ loop: EventLoop) {
        self.loop = loop
        poller = loop.poller
    }

    // MARK: The loop

    func run() {
        var events = [cshims_event](repeating: cshims_event(), count: NetworkLimits.eventsPerTurn)
        var commands: [EventLoop.Command] = []
        while !stopping {
            let count = poller.wait(&events, millis: loop.fallAsleep() ? waitMillis : 0)
            nowNanos = cshims_monotonic_nanos()
            for index in 0..<count { handle(events[index]) }
            if count > 0 { turnEnded() }
            loop.takeCommands(&commands)
            for command in commands { command(self) }
            commands.removeAll(keepingCapacity: commands.capacity <= 4_096)
            if nowNanos >= nextScan { scanDeadlines() }
            finishTurn()
        }
        for slot in slots.indices { if let connection = slots[slot].connection { close(connection) } }
        for index in listeners.indices { stopListening(index) }
        loop.closeMailbox()
        loop.takeCommands(&commands)
        for command in commands { command(self) }
    }

    func stop() { stopping = true }

    private func handle(_ event: cshims_event) {
        if event.token == Poller.wakeToken { return poller.drainWakeUps() }
        if event.token & Listener.tokenBit != 0 { return acceptAll(Int(event.token & ~Listener.tokenBit)) }
        guard let connection = connection(event.token) else { return }
        if event.events & UInt32(CSHIMS_READ) != 0 { receive(connection) }
        if connection.isClosed { return }
        if event.events & UInt32(CSHIMS_CLOSED) != 0 { return close(connection) }
        if event.events & UInt32(CSHIMS_WRITE) != 0 { markDirty(connection) }
    }

    /// Offers kept input again and sends what the turn has written, until neither is left to do.
    private func finishTurn() {
        // Bounded: every round that resumes a connection takes input that was received before.
        while !resuming.isEmpty || !dirty.isEmpty {
            var batch: [Connection] = []
            swap(&batch, &resuming)
            for connection in batch {
                connection.isResuming = false
                offerHeld(connection)
            }
            if !batch.isEmpty { turnEnded() }
            batch = []
            swap(&batch, &dirty)
            for connection in batch {
                connection.isDirty = false
                flush(connection)
            }
        }
    }

    // MARK: Connections

    /// The connection of a token, or nil when it is gone.
    package func connection(_ token: UInt64) -> Connection? {
        let index = Int(token & 0xFF_FFFF)
        guard index < slots.count, slots[index].generation == token >> 24 else { return nil }
        return slots[index].connection
    }

    /// Every connection that is there now.
    package var connections: [Connection] { slots.compactMap { $0.connection } }

    var slotIndices: Range<Int> { slots.indices }
    func connection(inSlot index: Int) -> Connection? { slots[index].connection }

    /// Takes a slot for a socket; nil when all are taken or the kernel refuses.
    func add(_ socket: Socket, listener: Int, isOverflow: Bool, writeTimeoutMs: Int) -> Connection? {
        var index = slots.count
        if let free = freeSlots.popLast() {
            index = free
        } else {
            guard slots.count < NetworkLimits.slotsMax else { return nil }
            slots.append(Slot())
        }
        let token = slots[index].generation << 24 | UInt64(index)
        guard poller.set(socket, read: true, write: false, token: token, first: true) else {
            freeSlots.append(index)
            return nil
        }
        let connection = Connection(
            token: token,
            socket: socket,
            reactor: self,
            listener: listener,
            isOverflow: isOverflow,
            writeTimeoutMs: writeTimeoutMs
        )
        slots[index].connection = connection
        connectionCount += 1
        return connection
    }

    func close(_ connection: Connection) {
        guard !connection.isClosed else { return }
        connection.state = .closed
        let index = Int(connection.token & 0xFF_FFFF)
        poller.remove(connection.socket)
        connection.socket.close()
        slots[index].connection = nil
        slots[index].deadline = .max
        slots[index].generation = (slots[index].generation + 1) & 0x7F_FFFF_FFFF
        freeSlots.append(index)
        connectionCount -= 1
        connection.outbound = []
        connection.held = []
        connection.sent = 0
        released(connection)
        let handler = connection.handler
        connection.handler = nil
        handler?.closed(connection)
    }

    func markDirty(_ connection: Connection) {
        guard !connection.isDirty, !connection.isClosed else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    func markResuming(_ connection: Connection) {
        guard !connection.isResuming, !connection.isClosed else { return }
        connection.isResuming = true
        resuming.append(connection)
        markDirty(connection)
    }

    private func receive(_ connection: Connection) {
        if connection.peerIsFinished { return }
        if connection.isOpen, connection.readPaused || !connection.held.isEmpty { return }
        // Moved out of self for the time of the call, so that nothing the protocol does can touch it.
        var buffer: [UInt8] = []
        swap(&buffer, &readBuffer)
        defer { swap(&buffer, &readBuffer) }
        switch connection.socket.receive(&buffer) {
        case .wouldBlock: return
        case .broken: close(connection)
        case .count(0):
            connection.peerIsFinished = true
            switch connection.state {
            case .open where connection.held.isEmpty: connection.handler?.peerFinished(connection)
            case .lingering: close(connection)
            case .open, .finishing, .closed: break
            }
            markDirty(connection)
        case .count(let count):
            guard connection.isOpen else {
                connection.lingered += count
                guard connection.lingered > NetworkLimits.lingerBytes else { return }
                if case .lingering = connection.state { close(connection) } else { updateInterest(connection) }
                return
            }
            let taken = connection.handler?.receive(buffer.span.extracting(0..<count), on: connection) ?? count
            if taken < count, connection.isOpen { connection.held = Array(buffer[taken..<count]) }
        }
    }

    private func offerHeld(_ connection: Connection) {
        guard connection.isOpen, !connection.readPaused, !connection.held.isEmpty else { return }
        let held = connection.held
        connection.held = []
        let taken = connection.handler?.receive(held.span, on: connection) ?? held.count
        guard connection.isOpen else { return }
        if taken < held.count {
            connection.held = Array(held[taken...])
        } else if connection.peerIsFinished {
            connection.handler?.peerFinished(connection)
        }
    }

    /// Sends what waits and sets what epoll shall report.
    private func flush(_ connection: Connection) {
        var moved = false
        while connection.sent < connection.outbound.count, !connection.isClosed {
            let result = connection.socket.send(connection.outbound, from: connection.sent)
            guard case .count(let count) = result else {
                if case .broken = result { return close(connection) }
                break
            }
            connection.sent += count
            connection.windowSent += count
            moved = true
        }
        if connection.isClosed { return }
        let isEmpty = connection.sent == connection.outbound.count
        if isEmpty {
            let keep = connection.outbound.capacity <= NetworkLimits.outboundKeepBytes
            connection.outbound.removeAll(keepingCapacity: keep)
            connection.sent = 0
        } else if connection.sent >= NetworkLimits.readBytes, connection.sent * 2 >= connection.outbound.count {
            connection.outbound.removeSubrange(0..<connection.sent)
            connection.sent = 0
        }
        if isEmpty, case .finishing = connection.state { return linger(connection) }
        let writeDeadline =
            isEmpty
            ? Int64.max
            : connection.writeDeadline == .max || connection.windowSent >= connection.windowBytesMin
                ? nowNanos + Int64(connection.writeTimeoutMs) * 1_000_000 : connection.writeDeadline
        if writeDeadline != connection.writeDeadline {
            connection.windowSent = 0
            connection.writeDeadline = writeDeadline
            deadlineChanged(connection)
        }
        if moved, connection.isOpen { connection.handler?.outboundDrained(connection) }
        updateInterest(connection)
    }

    private func updateInterest(_ connection: Connection) {
        if connection.isClosed { return }
        let wanted = (
            read: !connection.peerIsFinished && !(connection.readPaused && connection.isOpen)
                && connection.lingered <= NetworkLimits.lingerBytes,
            write: connection.sent < connection.outbound.count
        )
        guard wanted != connection.registered else { return }
        connection.registered = wanted
        let done = poller.set(
            connection.socket,
            read: wanted.read,
            write: wanted.write,
            token: connection.token
        )
        if !done { close(connection) }
    }

    private func linger(_ connection: Connection) {
        if connection.peerIsFinished { return close(connection) }
        connection.state = .lingering
        connection.socket.shutdownWrite()
        connection.writeDeadline = nowNanos + Int64(NetworkLimits.lingerMs) * 1_000_000
        deadlineChanged(connection)
        updateInterest(connection)
    }

    // MARK: Time

    /// Runs an action once, 0 to ``NetworkLimits/tickMs`` after the delay. False when too many timers wait.
    @discardableResult package func schedule(afterMs: Int, _ action: @escaping (Reactor) -> Void) -> Bool {
        guard timers.count < NetworkLimits.timersMax else { return false }
        let nanos = nowNanos + Int64(afterMs) * 1_000_000
        timers.append((nanos, action))
        earliestDeadline = min(earliestDeadline, nanos)
        return true
    }

    func deadlineChanged(_ connection: Connection) {
        let isOpen = connection.isOpen
        let deadline = min(isOpen ? connection.protocolDeadline : .max, connection.writeDeadline)
        slots[Int(connection.token & 0xFF_FFFF)].deadline = deadline
        earliestDeadline = min(earliestDeadline, deadline)
    }

    private var nextScan: Int64 { max(earliestDeadline, lastScan + Int64(NetworkLimits.tickMs) * 1_000_000) }

    private var waitMillis: Int32 {
        if earliestDeadline == .max { return -1 }
        return Int32(clamping: max(0, (nextScan - cshims_monotonic_nanos() + 999_999) / 1_000_000))
    }

    private func scanDeadlines() {
        lastScan = nowNanos
        earliestDeadline = .max
        let due = timers.filter { $0.nanos <= nowNanos }
        timers.removeAll { $0.nanos <= nowNanos }
        for timer in due { timer.action(self) }
        for timer in timers { earliestDeadline = min(earliestDeadline, timer.nanos) }
        for index in slots.indices {
            guard slots[index].deadline <= nowNanos, let connection = slots[index].connection else {
                earliestDeadline = min(earliestDeadline, slots[index].deadline)
                continue
            }
            if connection.writeDeadline <= nowNanos {
                close(connection)
            } else {
                connection.protocolDeadline = .max
                deadlineChanged(connection)
                connection.handler?.deadlinePassed(connection)
                earliestDeadline = min(earliestDeadline, slots[index].deadline)
            }
        }
    }
}
