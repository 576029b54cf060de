import Network

extension HTTPConnection {
    /// Sets the one deadline that counts in the present state.
    func updateDeadline() {
        let settings = shared.settings
        var nanos = Int64.max
        func limit(_ start: Int64, _ millis: Int) {
            if start != .max { nanos = min(nanos, start + Int64(millis) * 1_000_000) }
        }
        if case .waiting = turns.first?.state { limit(turnStarted, settings.answerMs) }
        if !isClosing, !connection.isReadingPaused {
            if bodyStarted != .max {
                limit(bodyStarted, settings.bodyMs)
            } else if headStarted != .max {
                limit(headStarted, settings.headMs)
            } else if turns.isEmpty {
                limit(lastActivity, settings.idleMs)
            }
        }
        connection.setDeadline(nanos: nanos)
    }

    func deadlinePassed(_ connection: Connection) {
        if case .waiting = turns.first?.state {
            let limit = turnStarted + Int64(shared.settings.answerMs) * 1_000_000
            if limit <= connection.nowNanos {
                turns[0].state = .ready(response(to: .answerTimedOut))
                turns[0].closes = true
                return advance()
            }
        }
        if bodyStarted != .max {
            let settings = shared.settings
            let isEarly = connection.nowNanos < bodyStarted + Int64(settings.bodyMs) * 1_000_000
            let enough = bodyReceived * 1_000 >= settings.bodyBytesPerSecondMin * settings.bodyMs
            guard isEarly || enough else { return fail(.bodyTimedOut) }
            if !isEarly {
                bodyStarted = connection.nowNanos
                bodyReceived = 0
            }
            return updateDeadline()
        }
        if !parser.isBetweenRequests { return fail(.headTimedOut) }
        if turns.isEmpty { connection.finish() } else { updateDeadline() }
    }
}
