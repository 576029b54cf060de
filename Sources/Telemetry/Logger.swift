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
        StandardStream.write(Array((safe(text) + "\n").utf8), to: descriptor)
    }

    /// The text without what steers a terminal: control characters but the line end, and marks that turn the direction
    /// of writing, stand as `\\u009b` does. JSON stays the same JSON: there they occur inside strings only.
    package static func safe(_ text: String) -> String {
        func steers(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x0A: false
            case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0x061C: true
            default: false
            }
        }
        guard text.unicodeScalars.contains(where: steers) else { return text }
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard steers(scalar) else {
                out.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16)
            out.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
        }
        return String(out)
    }
}
