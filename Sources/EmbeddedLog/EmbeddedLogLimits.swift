import RecordBatch

/// Every limit of the embedded log, with its arithmetic. Relations are asserted in EmbeddedLogLimitsTests.
package enum EmbeddedLogLimits {
    /// Bytes of the batches in one group: one maximal batch fits (20 MiB), and recovery scans at most this tail.
    package static let groupBytesMax = 24 << 20
    /// Bytes of batches after which a group is closed although more waits: 4 MiB take about 3 ms to write.
    package static let groupBytesTarget = 4 << 20
    /// Batches of one group: single events of 300 bytes fill 4 MiB with 14,000.
    package static let groupBatchesMax = 16_384
    /// A group header: 16,384 entries of at most 10 + 64 + 6 × 600 bytes would be 60 MiB; the target closes far
    /// earlier,
    /// so the header is bounded separately and a group is closed when its header would pass this.
    package static let groupHeaderBytesMax = 8 << 20
    /// Text fields of an envelope (feed, sender, run, subject, key) in bytes; a CSV header row may have 8 KiB.
    package static let envelopeFieldBytesMax = 512
    package static let envelopeHeaderRowBytesMax = 8 << 10
    /// One envelope: 57 + 8 + 5 × (2 + 512) + 3 + 8192.
    package static let envelopeBytesMax = 57 + 8 + 5 * (2 + envelopeFieldBytesMax) + 3 + envelopeHeaderRowBytesMax
    /// What a segment is written ahead by: as much as it holds, within these. A sync that does not change the size of
    /// the file is one write of the disk instead of two; 1 MiB of zeros takes 2 ms, once in a hundred groups of 10 KiB.
    package static let reserveBytesMin = 64 << 10
    package static let reserveBytesMax = 1 << 20
    /// How often a full log that nobody sends to looks whether there is room again, so that readiness becomes true.
    package static let spaceProbeMicros: Int64 = 1_000_000
    /// A partition that took nothing for so long is sealed: a sender in step at 1 ms never meets it, and a seal costs
    /// one sync of about 150 µs, at most 50 a second and 52 bytes each.
    package static let sealMicros: Int64 = 20_000
    /// Partitions of one data directory: each keeps one open file.
    package static let partitionsMax = 256
    /// An index entry every so many bytes: a look-up scans at most this far plus one group.
    package static let indexBytesInterval = 256 << 10
}
