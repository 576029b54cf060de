/// How the embedded log keeps its segments.
package struct EmbeddedLogSettings: Sendable, Equatable {
    /// A segment is closed when it has at least this many bytes (1 MiB to 1 GiB); recovery scans one segment.
    package var segmentBytes = 64 << 20
    /// Bytes of batches that may wait for the disk; beyond it senders get 429.
    package var waitingBytesMax = 64 << 20
    /// Zeros that the last segment of a partition is written ahead by, at most; see ``PartitionLog``. 0 writes none.
    package var reserveBytes = EmbeddedLogLimits.reserveBytesMax
    /// Added to each sync, in microseconds: to measure how till behaves on slower disks. 0 in production.
    package var addedSyncMicros: Int64 = 0

    package init() {}
}
