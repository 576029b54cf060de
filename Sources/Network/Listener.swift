/// A listening socket of a loop.
struct Listener {
    /// Marks the tokens of listeners; a connection's token has 63 bits at most.
    static let tokenBit: UInt64 = 1 << 63

    let socket: Socket
    let connectionsMax: Int
    let writeTimeoutMs: Int
    let accept: (Connection, _ isOverflow: Bool) -> any ByteProtocol
    var open = 0
    var overflow = 0
    var isPaused = false
    var isStopped = false
    /// Connections that were idle for longest when they were looked for, the longest last.
    var idle: [(token: UInt64, since: Int64)] = []
    var idleSearched = Int64.min / 2
    var foundIdle = false
}

extension Reactor {
    /// Listens on an address.
    ///
    /// - Parameter host: An IPv4 or IPv6 address.
    /// - Parameter port: 0 to 65,535; 0 takes a free port.
    /// - Parameter connectionsMax: Connections that are served at once. Above it, the longest idle one is closed for a
    ///   new one; when none is idle a few more are accepted with `isOverflow` true, only to be told so and finished;
    ///   the rest waits in the kernel.
    /// - Parameter accept: Makes the protocol of a new connection.
    /// - Returns: The listener's number for ``stopListening(_:)`` and the bound port.
    package func listen(
        host: String,
        port: Int,
        connectionsMax: Int,
        writeTimeoutMs: Int,
        accept: @escaping (Connection, _ isOverflow: Bool) -> any ByteProtocol
    ) throws(NetworkError) -> (listener: Int, port: Int) {
        let (socket, bound) = try Socket.listen(host: host, port: port)
        let index = listeners.count
        let token = Listener.tokenBit | UInt64(index)
        guard index < 64, poller.set(socket, read: true, write: false, token: token, first: true) else {
            socket.close()
            throw .resourcesUnavailable(what: "further listener", cause: 24)
        }
        listeners.append(
            Listener(socket: socket, connectionsMax: connectionsMax, writeTimeoutMs: writeTimeoutMs, accept: accept)
        )
        return (index, bound)
    }

    /// Closes a listening socket; its connections stay.
    package func stopListening(_ index: Int) {
        guard !listeners[index].isStopped else { return }
        listeners[index].isStopped = true
        poller.remove(listeners[index].socket)
        listeners[index].socket.close()
    }

    /// Connections of a listener that are served now.
    package func openCount(_ index: Int) -> Int { listeners[index].open }

    func acceptAll(_ index: Int) {
        for _ in 0..<NetworkLimits.acceptsPerTurn {
            guard index < listeners.count, !listeners[index].isStopped else { return }
            let isFull = listeners[index].open >= listeners[index].connectionsMax
            let isOverflow = isFull && (!listeners[index].socket.hasWaiting || !closeLongestIdle(index))
            if isOverflow, listeners[index].overflow >= NetworkLimits.overflowConnectionsMax {
                return pause(index)
            }
            switch listeners[index].socket.accept() {
            case .success(nil): return
            case .success(let socket?): begin(socket, index, isOverflow)
            case .failure(.gone): continue
            case .failure(.noResources):
                // A descriptor of an idle connection is worth more to the one that waits.
                if closeLongestIdle(index) { continue }
                pause(index)
                schedule(afterMs: NetworkLimits.acceptPauseMs) { $0.resume(index) }
                return
            }
        }
    }

    /// Closes the connection of a listener that has been idle for longest; false when all are in use.
    ///
    /// Looking at all connections costs O(n); it is done for ``NetworkLimits/idleFound`` at once, and when none was idle
    /// not again within a tick.
    private func closeLongestIdle(_ index: Int) -> Bool {
        while true {
            while let (token, since) = listeners[index].idle.popLast() {
                guard let connection = connection(token), isIdle(connection, since) else { continue }
                connection.abort()
                return true
            }
            let tick = Int64(NetworkLimits.tickMs) * 1_000_000
            guard nowNanos - listeners[index].idleSearched >= tick || listeners[index].foundIdle else { return false }
            findIdle(index)
            listeners[index].foundIdle = !listeners[index].idle.isEmpty
            listeners[index].idleSearched = nowNanos
            if !listeners[index].foundIdle { return false }
        }
    }

    /// Whether nothing has come since then.
    private func isIdle(_ connection: Connection, _ since: Int64) -> Bool {
        !connection.isClosed && connection.handler?.idleSinceNanos == since
    }

    /// Notes the connections that have been idle for longest, the longest last.
    private func findIdle(_ index: Int) {
        var found: [(token: UInt64, since: Int64)] = []
        for slot in slotIndices {
            guard let connection = connection(inSlot: slot), connection.listener == index, !connection.isOverflow,
                let since = connection.handler?.idleSinceNanos, isIdle(connection, since)
            else { continue }
            found.append((connection.token, since))
        }
        found.sort { $0.since < $1.since }
        listeners[index].idle = found.prefix(NetworkLimits.idleFound).reversed()
    }

    private func begin(_ socket: Socket, _ index: Int, _ isOverflow: Bool) {
        guard
            let connection = add(
                socket,
                listener: index,
                isOverflow: isOverflow,
                writeTimeoutMs: listeners[index].writeTimeoutMs
            )
        else { return socket.close() }
        if isOverflow { listeners[index].overflow += 1 } else { listeners[index].open += 1 }
        let handler = listeners[index].accept(connection, isOverflow)
        if connection.isClosed { handler.closed(connection) } else { connection.handler = handler }
    }

    /// A connection of a listener is gone.
    func released(_ connection: Connection) {
        let index = connection.listener
        if connection.isOverflow { listeners[index].overflow -= 1 } else { listeners[index].open -= 1 }
        if listeners[index].isPaused { resume(index) }
    }

    private func pause(_ index: Int) { setInterest(index, paused: true) }

    private func resume(_ index: Int) {
        if listeners[index].isPaused { setInterest(index, paused: false) }
    }

    private func setInterest(_ index: Int, paused: Bool) {
        guard !listeners[index].isStopped else { return }
        listeners[index].isPaused = paused
        _ = poller.set(
            listeners[index].socket,
            read: !paused,
            write: false,
            token: Listener.tokenBit | UInt64(index)
        )
    }
}
