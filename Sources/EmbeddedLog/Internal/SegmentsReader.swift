package import Ports

extension LogInspection {
    /// Reads a partition from its start, also beside a running till: takes no lock, cuts nothing, checks every bit.
    ///
    /// - Parameter end: Offsets from here on are not asked for: what lies behind may be being written.
    /// - Throws: From `next`: ``EventLogError/corrupt(partition:segment:byte:defect:)`` at damage before `end`.
    package static func reader(
        _ partition: TopicPartition,
        _ directory: String,
        _ disk: any LogDisk,
        to end: Int64
    ) throws(EventLogError) -> any LogReader {
        let place = "\(directory)/\(partition)"
        let bases = try onDisk { () throws(DiskError) in
            try disk.list(place).compactMap(PartitionLog.baseOffset(of:)).sorted()
        }
        return SegmentsReader(partition: partition, place: place, bases: bases, disk: disk, end: end)
    }
}

/// Walks the groups of one partition's segment files. Single owner.
private final class SegmentsReader: LogReader {
    private let partition: TopicPartition
    private let place: String
    private let bases: [Int64]
    private let disk: any LogDisk
    private let end: Int64
    /// The segment that is read, its file and the place of its next group.
    private var segment = 0
    private var file: (any SegmentFile)?
    private var position = 0
    private var offset: Int64
    /// Of the group before; nil when it is not known.
    private var previousCRC: UInt32?

    init(partition: TopicPartition, place: String, bases: [Int64], disk: any LogDisk, end: Int64) {
        self.partition = partition
        self.place = place
        self.bases = bases
        self.disk = disk
        self.end = end
        offset = bases.first ?? 0
        previousCRC = offset == 0 ? 0 : nil
    }

    func next(bytesMax: Int) throws(EventLogError) -> [LoggedBatch] {
        var found: [LoggedBatch] = []
        var read = 0
        while read < max(1, bytesMax), offset < end, segment < bases.count {
            let base = bases[segment]
            guard base <= offset else { throw corrupt("the file starts at offset \(base), expected \(offset)") }
            let (file, size) = try onDisk { () throws(DiskError) in try current(base) }
            if position == size {
                (self.file, position, segment) = (nil, 0, segment + 1)
                continue
            }
            self.file = file
            switch GroupWindow(file: file, end: size).group(at: position) {
            case .failure(.disk(let error)): throw EmbeddedLogFailures.translate(error)
            case .failure(.defect(let defect)): throw corrupt("\(defect)")
            case .success(let (bytes, header)):
                found += try batches(bytes, header)
                // A seal holds nothing: an answer without batches would mean the end.
                if !header.isSeal { read += header.groupSize }
                position += header.groupSize
            }
        }
        return found
    }

    /// The file of the segment, and how large it is now.
    private func current(_ base: Int64) throws(DiskError) -> (file: any SegmentFile, size: Int) {
        if let file { return (file, try file.size()) }
        let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
        return (file, try file.size())
    }

    private func batches(_ bytes: [UInt8], _ header: CommitGroup.Header) throws(EventLogError) -> [LoggedBatch] {
        do throws(CommitGroup.Defect) {
            guard header.baseOffset == offset else { throw .offset(stated: header.baseOffset, expected: offset) }
            if let previousCRC, header.previousCRC != previousCRC {
                throw .chain(stated: header.previousCRC, expected: previousCRC)
            }
            let batches = try CommitGroup.batches(bytes, at: 0, header)
            previousCRC = header.crc
            offset = header.endOffset
            return batches
        } catch {
            throw corrupt("\(error)")
        }
    }

    private func corrupt(_ defect: String) -> EventLogError {
        .corrupt(
            partition: partition.description,
            segment: PartitionLog.name(bases[segment]),
            byte: Int64(position),
            defect: defect
        )
    }
}
