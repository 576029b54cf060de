package import Primitives
import Synchronization

/// Severity: normal operation logs nothing at `notice`.
package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, notice, warning, error

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    package init?(_ text: String) {
        guard let level = Self.allCases.first(where: { "\($0)" == text }) else { return nil }
        self = level
    }
}

/// Writes one line per event to standard error: time, level, static event name, fields. Never log secrets.
package struct Logger: Sendable {
    package let level: LogLevel
    private let time: any TimeSource

    package init(level: LogLevel = .notice, time: any TimeSource = SystemTime()) {
        self.level = level
        self.time = time
    }

    /// - Parameter event: `module.noun_past_tense`, lower snake.
    package func log(_ level: LogLevel, _ event: StaticString, _ fields: [(String, String)] = []) {
        guard level >= self.level else { return }
        var line = "\(time.now()) \(level) \(event)"
        for (name, value) in fields { line += " \(name)=" + (value.contains(" ") ? value.quotedForMessage : value) }
        Self.writeLine(line, to: 2)
    }

    /// Writes text and a line end to a descriptor; `stdout` and `stderr` are errors in Swift 6 mode.
    package static func writeLine(_ text: String, to descriptor: Int32) {
        StandardStream.write(Array((text + "\n").utf8), to: descriptor)
    }
}
