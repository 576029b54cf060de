import CShims

/// Where the time comes from: a parameter everywhere, so that a test or a simulation can hold the clock.
public protocol TimeSource: Sendable {
    /// Wall clock, for receipt times.
    func now() -> Timestamp
    /// Monotonic nanoseconds, for durations and deadlines.
    func monotonicNanos() -> Int64
}

public struct SystemTime: TimeSource {
    public init() {}
    public func now() -> Timestamp { Timestamp(micros: cshims_wall_micros()) }
    public func monotonicNanos() -> Int64 { cshims_monotonic_nanos() }
}
