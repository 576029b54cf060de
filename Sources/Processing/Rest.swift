/// How long the folding thread rests after a batch while records come in.
///
/// A commit of many records costs each of them less: the pages that they share are written once. And a processor that
/// others wait for belongs to those who receive records first, though never more than half of the time.
enum Rest {
    /// Rest for the sake of fewer commits, microseconds: three times the work before it, within these bounds.
    static let gathering: ClosedRange<Int64> = 25_000...100_000
    /// Records that may wait without anybody being behind.
    static let gatheringLagMax: Int64 = 4_096
    /// Longest rest for the sake of others, microseconds; as long as the work before it at most.
    static let yieldingMax: Int64 = 500_000

    /// - Parameters:
    ///   - spent: Microseconds that the batch took, waiting included.
    ///   - waited: Of these, microseconds in which the thread waited for a processor.
    ///   - lag: Durable records that are not folded yet.
    /// - Returns: Microseconds to rest.
    static func micros(spent: Int64, waited: Int64, lag: Int64) -> Int64 {
        if lag <= gatheringLagMax { return min(max(3 * spent, gathering.lowerBound), gathering.upperBound) }
        return waited * 8 > spent ? min(spent, yieldingMax) : 0
    }
}
