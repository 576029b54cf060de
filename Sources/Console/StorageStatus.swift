import Formats
package import Primitives
import Synchronization

/// How much space the data directory takes, how much is free, and how many days that lasts at the rate of late.
///
/// Measuring walks the directory: never on the network thread, which reads ``latest``. The live feed's thread keeps it
/// fresh. Thread: any.
package final class StorageStatus: Sendable {
    /// Bytes of all files of the data directory, and bytes that its file system has left for till.
    package struct Space: Sendable, Equatable {
        package var usedBytes: Int64
        package var freeBytes: Int64

        package init(usedBytes: Int64, freeBytes: Int64) {
            self.usedBytes = usedBytes
            self.freeBytes = freeBytes
        }
    }

    /// A measurement with what follows from it; nil where till has not run long enough to tell, or nothing grows.
    struct Reading: Sendable, Equatable {
        var space: Space
        var bytesPerDay: Int64?
        var daysLeft: Int64?
    }

    private struct Sample: Sendable {
        var nanos: Int64
        var space: Space
    }

    /// How old a measurement may be that a query shows.
    static let askedNanos: Int64 = 1_000_000_000
    /// How old one may become that nobody asks for.
    static let keptNanos: Int64 = 10_000_000_000
    /// The rate is not told before: less says nothing about a day.
    private static let spanNanosMin: Int64 = 600_000_000_000
    /// One sample an hour, for a day.
    private static let hourNanos: Int64 = 3_600_000_000_000
    private static let samplesMax = 24

    private let time: any TimeSource
    private let measure: @Sendable () -> Space?
    private let state = Mutex<(history: [Sample], last: Sample?)>(([], nil))
    /// Beside the state, which is locked while the directory is walked.
    private let shown = Mutex<Space?>(nil)

    /// - Parameter measure: Nil when the directory cannot be read now.
    package init(time: any TimeSource, measure: @escaping @Sendable () -> Space?) {
        self.time = time
        self.measure = measure
    }

    /// What was measured last; nil before the first measurement, or when the directory cannot be read.
    var latest: Space? { shown.withLock { $0 } }

    /// Measures when the last measurement is older than `ageMax` nanoseconds; nil when the directory cannot be read.
    func reading(ageMax: Int64) -> Reading? {
        let now = time.monotonicNanos()
        return state.withLock { state in
            if state.last.map({ now - $0.nanos >= ageMax }) ?? true {
                let space = measure()
                shown.withLock { $0 = space }
                state.last = space.map { Sample(nanos: now, space: $0) }
                if let last = state.last, state.history.last.map({ now - $0.nanos >= Self.hourNanos }) ?? true {
                    state.history.append(last)
                    if state.history.count > Self.samplesMax { state.history.removeFirst() }
                }
            }
            guard let last = state.last else { return nil }
            var reading = Reading(space: last.space)
            guard let first = state.history.first, last.nanos - first.nanos >= Self.spanNanosMin else { return reading }
            let grown = Int128(last.space.usedBytes - first.space.usedBytes)
            let perDay = Int64(grown * 24 * Int128(Self.hourNanos) / Int128(last.nanos - first.nanos))
            reading.bytesPerDay = max(0, perDay)
            if perDay > 0 { reading.daysLeft = last.space.freeBytes / perDay }
            return reading
        }
    }

    func write(_ json: inout JSONWriter) {
        json.key("storage")
        json.beginObject()
        let now = reading(ageMax: Self.askedNanos)
        for (name, value) in [
            ("used_bytes", now?.space.usedBytes), ("free_bytes", now?.space.freeBytes),
            ("bytes_per_day", now?.bytesPerDay), ("days_left", now?.daysLeft),
        ] {
            json.key(name)
            json.raw(Array((value.map { String($0) } ?? "null").utf8))
        }
        json.endObject()
    }
}
