import Ports
import Primitives

/// Walks the groups of one segment file from its start, checking every bit.
struct SegmentScan {
    /// Where and why a walk ended before the end of the file.
    struct Damage: Equatable, Sendable {
        var position: Int
        var defect: CommitGroup.Defect
    }

    private(set) var index: SegmentIndex
    private(set) var damage: Damage?
    /// Zeros up to the end of the file: written ahead, nothing was ever stored there.
    private(set) var reserve = 0
    /// Groups that hold records.
    private(set) var groups = 0
    /// The last good group is a seal.
    private(set) var isSealed = false
    private(set) var batches = 0
    /// Position of the last good group.
    private(set) var lastGroup = 0
    private(set) var firstCommittedAt: Int64?
    private(set) var lastCommittedAt: Int64?

    /// - Parameters:
    ///   - previousCRC: The crc of the group before this segment; nil when it is not known (then not compared).
    ///   - mayHaveReserve: It is the last segment: zeros up to its end are no damage.
    ///   - each: Called for every good batch and the position of its group, which is byte 0 of the batch's buffer.
    init(
        _ file: any SegmentFile,
        baseOffset: Int64,
        previousCRC: UInt32?,
        mayHaveReserve: Bool = true,
        each: (_ batch: LoggedBatch, _ group: Int) -> Void = { _, _ in }
    ) throws(DiskError) {
        index = SegmentIndex(baseOffset: baseOffset)
        index.lastCRC = previousCRC ?? 0
        let size = try file.size()
        let window = GroupWindow(file: file, end: size)
        var chain = previousCRC
        while index.size < size {
            let checked: Result<(CommitGroup.Header, [LoggedBatch]), CommitGroup.Defect>
            switch window.group(at: index.size) {
            case .failure(.disk(let error)): throw error
            case .failure(.defect(let defect)): checked = .failure(defect)
            case .success(let (bytes, header)):
                checked = Result { () throws(CommitGroup.Defect) in
                    guard header.baseOffset == index.endOffset else {
                        throw .offset(stated: header.baseOffset, expected: index.endOffset)
                    }
                    if let chain, header.previousCRC != chain {
                        throw .chain(stated: header.previousCRC, expected: chain)
                    }
                    return (header, try CommitGroup.batches(bytes, at: 0, header))
                }
            }
            switch checked {
            case .failure(let defect):
                if mayHaveReserve, try Self.isZero(file, index.size..<size) {
                    reserve = size - index.size
                } else {
                    damage = Damage(position: index.size, defect: defect)
                }
                return
            case .success(let (header, found)):
                batches += found.count
                for batch in found { each(batch, index.size) }
                lastGroup = index.size
                isSealed = header.isSeal
                index.add(header)
                chain = header.crc
                if header.isSeal { continue }
                if groups == 0 { firstCommittedAt = header.committedAt }
                lastCommittedAt = header.committedAt
                groups += 1
            }
        }
    }

    /// Whether a damage can be what a crash leaves of a group that was being written. A whole header of a newer format
    /// cannot.
    static func isTorn(_ damage: Damage, in file: any SegmentFile) throws(DiskError) -> Bool {
        if case .version = damage.defect { return false }
        return try soundGroup(after: damage.position, in: file) == nil
    }

    private static func isZero(_ file: any SegmentFile, _ range: Range<Int>) throws(DiskError) -> Bool {
        var at = range.lowerBound
        while at < range.upperBound {
            let bytes = try file.read(at: at, count: min(64 << 10, range.upperBound - at))
            // A file that another process cuts meanwhile ends earlier.
            if bytes.isEmpty { return true }
            for byte in bytes where byte != 0 { return false }
            at += bytes.count
        }
        return true
    }

    /// Whether a whole, sound group lies anywhere after `position`: then the damage is not a torn tail.
    static func soundGroup(after position: Int, in file: any SegmentFile) throws(DiskError) -> Int? {
        let size = try file.size()
        guard position >= 0, size > position + 1 else { return nil }
        let bytes = try file.read(
            at: position + 1,
            count: min(size - position - 1, 2 * EmbeddedLogLimits.groupBytesMax)
        )
        var at = 0
        let magic: [UInt8] = [0x54, 0x4C, 0x47, 0x31]
        while at + CommitGroup.fixedSize <= bytes.count {
            guard bytes[at] == magic[0], bytes[at + 1] == magic[1], bytes[at + 2] == magic[2], bytes[at + 3] == magic[3]
            else {
                at += 1
                continue
            }
            if (try? CommitGroup.header(bytes, at: at)) != nil { return position + 1 + at }
            at += 1
        }
        return nil
    }
}

/// Reads groups one after the other with few system calls.
struct GroupWindow {
    enum Failure: Error {
        case disk(DiskError)
        case defect(CommitGroup.Defect)
    }

    let file: any SegmentFile
    let end: Int

    /// The bytes of the whole group at `position` and its checked header.
    func group(at position: Int) -> Result<([UInt8], CommitGroup.Header), Failure> {
        do throws(DiskError) {
            var want = min(end - position, 64 << 10)
            while true {
                let bytes = try file.read(at: position, count: want)
                do throws(CommitGroup.Defect) {
                    let header = try CommitGroup.header(bytes, at: 0)
                    if bytes.count >= header.groupSize {
                        return .success(
                            (bytes.count == header.groupSize ? bytes : Array(bytes.prefix(header.groupSize)), header)
                        )
                    }
                    guard header.groupSize <= end - position, bytes.count == want else {
                        return .failure(.defect(.torn(needed: header.groupSize, available: bytes.count)))
                    }
                    want = header.groupSize
                } catch {
                    guard case .torn(let needed, _) = error, needed <= end - position, bytes.count == want else {
                        return .failure(.defect(error))
                    }
                    want = needed
                }
            }
        } catch {
            return .failure(.disk(error))
        }
    }
}
