import Synchronization

/// How many bytes the open entries of quarantine hold, and how many they may: bad input must not fill the disk that
/// good input needs. Written by processing, read where records are received; what is received between two commits is
/// not counted yet, so the limit can be passed by the bytes that wait for processing. Thread: any.
package final class QuarantineQuota: Sendable {
    package let bytesMax: Int64
    private let bytes = Atomic<Int64>(0)

    package init(bytesMax: Int64) { self.bytesMax = bytesMax }

    package var bytesUsed: Int64 { bytes.load(ordering: .relaxed) }
    package var isFull: Bool { bytesUsed >= bytesMax }

    package func set(_ used: Int64) { bytes.store(used, ordering: .relaxed) }
    package func add(_ change: Int64) { bytes.wrappingAdd(change, ordering: .relaxed) }
}
