import Ports

/// Reads a partition forward with one or two system calls per group. Single owner.
final class PartitionReader: LogReader {
    private let log: PartitionLog
    private var offset: Int64
    /// Where the next group begins, once known.
    private var place: (segment: PartitionLog.Segment, position: Int)?

    init(log: PartitionLog, from offset: Int64) {
        self.log = log
        self.offset = offset
    }

    func next(bytesMax: Int) throws(EventLogError) -> [LoggedBatch] {
        // What a walk finds may be a seal alone; the records are then in the next segment.
        while offset < log.durableEnd {
            let found = try walk(bytesMax)
            if !found.isEmpty { return found }
            place = nil
        }
        return []
    }

    private func walk(_ bytesMax: Int) throws(EventLogError) -> [LoggedBatch] {
        if let known = place, known.position >= log.durableSize(of: known.segment.baseOffset) { place = nil }
        if place == nil { place = try log.locate(offset) }
        guard let (segment, start) = place else { return [] }
        var found: [LoggedBatch] = []
        var position = start
        var read = 0
        let end = log.durableSize(of: segment.baseOffset)
        while position < end, read < max(1, bytesMax) {
            let window = GroupWindow(file: segment.file, end: end)
            let bytes: [UInt8]
            let header: CommitGroup.Header
            switch window.group(at: position) {
            case .success(let group): (bytes, header) = group
            case .failure(.disk(let error)): throw EmbeddedLogFailures.translate(error)
            case .failure(.defect(let defect)): throw corrupt(segment, position, defect)
            }
            position += header.groupSize
            if header.endOffset <= offset { continue }
            let batches: [LoggedBatch]
            do throws(CommitGroup.Defect) {
                batches = try CommitGroup.batches(bytes, at: 0, header)
            } catch {
                throw corrupt(segment, position - header.groupSize, error)
            }
            for batch in batches where batch.baseOffset + Int64(batch.recordCount) > offset { found.append(batch) }
            read += header.groupSize
        }
        if let last = found.last { offset = last.baseOffset + Int64(last.recordCount) }
        place = (segment, position)
        return found
    }

    private func corrupt(_ segment: PartitionLog.Segment, _ position: Int, _ defect: CommitGroup.Defect)
        -> EventLogError
    {
        .corrupt(
            partition: log.partition.description,
            segment: segment.name,
            byte: Int64(position),
            defect: "\(defect)"
        )
    }
}
