import Refine

/// What one commit takes at most, whatever waits: memory does not depend on how large the requests were or how many
/// feeds there are. Three portions are in memory at a time (refined ahead, folded, written).
package enum PortionLimits {
    /// Records of all partitions together: at 5,700 a second, the slowest rate that was measured under load, 0.7 s, so
    /// that no feed waits for another for more than 2 s. Folded, a record of its own document takes 8 KiB: 32 MiB.
    package static let records = 4_096
    /// Bytes of them once refined (`RefinedRecord.weight`): 4,096 events of 250 bytes. One record more at the most.
    package static let bytes = 8 << 20
    /// Records of one partition at least, while there is room: so many partitions take part in one commit that each
    /// commit still shares pages.
    static let shareRecordsMin = 128
    /// Bytes that are read from the log at a time; one group more at the most.
    static let readBytes = 1 << 20
    /// Bytes of batches that are read but not folded, of all partitions: one group of the greatest size (24 MiB). What
    /// is beyond them is read again when its turn comes.
    static let heldBytes = 24 << 20

    static var whole: SliceBudget { SliceBudget(records: records, bytes: bytes) }

    /// What each of so many waiting partitions gets in its turn.
    static func share(among partitions: Int) -> SliceBudget {
        let count = max(1, partitions)
        return SliceBudget(
            records: max(shareRecordsMin, records / count),
            bytes: max(bytes / (records / shareRecordsMin), bytes / count)
        )
    }
}
