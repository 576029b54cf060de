package import Ports
import Primitives
import Synchronization

/// One partition: segment files, of which the last takes new groups. One writer; readers may be on other threads and
/// see durable groups only.
///
/// The last segment is written ahead with zeros (its reserve), so that a sync has no change of the file's size to make
/// durable too. Zeros up to the end of the last file are no group and no damage; a clean stop and the next opening cut
/// them off. They end where the segment is full, so a segment that is followed by another has none.
package final class PartitionLog: Sendable {
    /// What recovery cut off, for the operator.
    package struct Cut: Sendable, Equatable, CustomStringConvertible {
        package var segment: String
        package var from: Int, to: Int
        package var reason: String
        /// At most so many records were in the bytes.
        package var recordsMax: Int

        package var description: String {
            let loss =
                recordsMax == 0
                ? "no record fits in them"
                : "it cannot be told whether up to \(recordsMax) records in them were acknowledged"
            return "\(segment): \(to - from) bytes (\(from) to \(to)) were cut off, \(loss): \(reason)"
        }
    }

    struct Segment: Sendable {
        var baseOffset: Int64
        var file: any SegmentFile
        var index: SegmentIndex
        var name: String { PartitionLog.name(baseOffset) }
    }

    private struct State: Sendable {
        /// All durable: sizes and end offsets of what readers may see.
        var segments: [Segment] = []
        /// Size of the last segment's file with its reserve; 0 without one.
        var reservedSize = 0
        /// The last group holds records that no seal follows.
        var isUnsealed = false
        var poison: String?
    }

    package let partition: TopicPartition
    package let epoch: Int32
    package let cut: Cut?
    private let directory: String
    private let disk: any LogDisk
    private let segmentBytes: Int
    private let reserveBytes: Int
    private let state: Mutex<State>

    static func name(_ baseOffset: Int64) -> String { padded(baseOffset, 20) + ".log" }

    /// Opens or creates the partition, cutting a torn last group.
    ///
    /// - Parameters:
    ///   - reserveBytes: The last segment is written ahead by at most so many zeros; 0 for none.
    ///   - storedBelow: The offset up to which some table has stored results: damage below it stops.
    /// - Throws: ``EventLogError/corrupt(partition:segment:byte:defect:)`` for damage that is not a torn last group.
    package init(
        _ partition: TopicPartition,
        directory: String,
        disk: any LogDisk,
        segmentBytes: Int,
        reserveBytes: Int = 0,
        storedBelow: Int64 = 0
    ) throws(EventLogError) {
        self.partition = partition
        self.directory = directory
        self.disk = disk
        self.segmentBytes = segmentBytes
        self.reserveBytes = reserveBytes
        let opened = try Self.recover(partition, directory, disk, storedBelow: storedBelow)
        cut = opened.cut
        epoch = opened.epoch
        state = Mutex(State(segments: opened.segments, isUnsealed: opened.isUnsealed))
    }

    private static func recover(
        _ partition: TopicPartition,
        _ directory: String,
        _ disk: any LogDisk,
        storedBelow: Int64
    ) throws(EventLogError) -> (segments: [Segment], cut: Cut?, epoch: Int32, isUnsealed: Bool) {
        let bases = try onDisk { () throws(DiskError) in
            try disk.makeDirectory(directory)
            // A file that an earlier process made may be listed without being durable: it would take acknowledged
            // records with it.
            try disk.syncDirectory(directory)
            return try disk.list(directory).compactMap(baseOffset(of:)).sorted()
        }
        var segments: [Segment] = []
        var cut: Cut?
        var isUnsealed = false
        for (number, base) in bases.enumerated() {
            if let expected = segments.last?.index.endOffset, expected != base {
                throw corrupt(partition, name(base), 0, "the file starts at offset \(base), expected \(expected)")
            }
            let file = try onDisk { () throws(DiskError) in
                try disk.open(directory + "/" + name(base), create: false, readOnly: false)
            }
            let isLast = number == bases.count - 1
            var segment = Segment(baseOffset: base, file: file, index: SegmentIndex(baseOffset: base))
            let cached = try onDisk { () throws(DiskError) in
                try isLast ? nil : index(directory, base, disk, size: file.size())
            }
            if let cached {
                segment.index = cached
            } else {
                let chain = segments.last?.index.lastCRC
                let scan = try onDisk { () throws(DiskError) in
                    try SegmentScan(file, baseOffset: base, previousCRC: chain, mayHaveReserve: isLast)
                }
                segment.index = scan.index
                // An empty last segment goes on where the one before ended.
                if scan.groups == 0 { segment.index.epoch = segments.last?.index.epoch ?? 0 }
                if isLast {
                    isUnsealed = scan.groups > 0 && !scan.isSealed
                    cut = try mend(partition, segment, scan, storedBelow: storedBelow)
                } else if let damage = scan.damage {
                    throw corrupt(partition, segment.name, damage.position, "\(damage.defect)")
                } else {
                    try onDisk { () throws(DiskError) in
                        do throws(DiskError) {
                            try disk.replace(directory + "/" + indexName(base), with: segment.index.encoded())
                        } catch {
                            // An index is a cache: a full disk must not keep till from starting.
                            guard error.isFull else { throw error }
                        }
                    }
                }
            }
            segments.append(segment)
        }
        let end = segments.last?.index.endOffset ?? 0
        if end < storedBelow {
            throw corrupt(
                partition,
                segments.last?.name ?? "the directory",
                segments.last?.index.size ?? 0,
                "the log ends at offset \(end) and tables have stored up to \(storedBelow)"
            )
        }
        return (segments, cut, (segments.last?.index.epoch ?? 0) + 1, isUnsealed)
    }

    /// Cuts a torn last group off the last segment, and makes sure that what was read is on the disk.
    private static func mend(
        _ partition: TopicPartition,
        _ segment: Segment,
        _ scan: SegmentScan,
        storedBelow: Int64
    ) throws(EventLogError) -> Cut? {
        var cut: Cut?
        if let damage = scan.damage {
            let isTorn = try onDisk { () throws(DiskError) in try SegmentScan.isTorn(damage, in: segment.file) }
            guard isTorn, scan.index.endOffset >= storedBelow else {
                throw corrupt(partition, segment.name, damage.position, "\(damage.defect)")
            }
            try onDisk { () throws(DiskError) in
                let size = try segment.file.size()
                cut = Cut(
                    segment: segment.name,
                    from: damage.position,
                    to: size,
                    reason: "\(damage.defect)",
                    recordsMax: CommitGroup.recordsMax(in: size - damage.position)
                )
                try segment.file.truncate(to: damage.position)
                try segment.file.sync()
            }
        } else if scan.reserve > 0 {
            try onDisk { () throws(DiskError) in
                try segment.file.truncate(to: scan.index.size)
                try segment.file.sync()
            }
        }
        // A failed sync can leave pages that read well but never reached the disk: the last group is written again, so
        // that what recovery believes is what survives.
        try onDisk { () throws(DiskError) in
            guard scan.groups > 0 else { return }
            let tail = try segment.file.read(at: scan.lastGroup, count: scan.index.size - scan.lastGroup)
            try segment.file.write(tail, at: scan.lastGroup)
            try segment.file.sync()
        }
        return cut
    }

    private static func corrupt(_ p: TopicPartition, _ segment: String, _ byte: Int, _ defect: String) -> EventLogError
    {
        .corrupt(partition: p.description, segment: segment, byte: Int64(byte), defect: defect)
    }

    static func baseOffset(of name: String) -> Int64? {
        name.hasSuffix(".log") && name.utf8.count == 24 ? Int64(name.dropLast(4)) : nil
    }

    static func indexName(_ base: Int64) -> String { padded(base, 20) + ".index" }

    static func index(
        _ directory: String,
        _ base: Int64,
        _ disk: any LogDisk,
        size expected: Int
    ) throws(DiskError) -> SegmentIndex? {
        guard try disk.list(directory).contains(indexName(base)) else { return nil }
        let file = try disk.open(directory + "/" + indexName(base), create: false, readOnly: true)
        let size = try file.size()
        guard size < 64 << 20 else { return nil }
        guard let index = SegmentIndex(try file.read(at: 0, count: size)), index.size == expected else { return nil }
        return index
    }

    // MARK: Writing (the owner's thread)

    package var durableEnd: Int64 { state.withLock { $0.segments.last?.index.endOffset ?? 0 } }

    /// The offset of the first record that is still kept.
    package var start: Int64 { state.withLock { $0.segments.first?.baseOffset ?? 0 } }

    /// Why nothing is accepted any more, or nil.
    package var poison: String? { state.withLock { $0.poison } }

    /// Writes the batches as one group and syncs it; blocks for the disk.
    ///
    /// - Returns: The offsets of each batch.
    /// - Throws: ``EventLogError/full(operation:cause:)`` when there was no room: nothing of the batches is stored and
    ///   the next call may succeed; ``EventLogError/poisoned(cause:)`` when another write or a sync failed now or before.
    package func append(_ batches: [LogBatch], committedAt: Int64) throws(EventLogError) -> [LogReceipt] {
        if let poison { throw .poisoned(cause: poison) }
        let segment = try openSegment()
        do throws(DiskError) {
            let (bytes, header) = CommitGroup.encode(
                batches,
                baseOffset: segment.index.endOffset,
                epoch: epoch,
                committedAt: committedAt,
                previousCRC: segment.index.lastCRC
            )
            try reserve(segment, behind: bytes.count)
            try write(bytes, to: segment)
            try segment.file.sync()
            var offset = header.baseOffset
            state.withLock {
                $0.segments[$0.segments.count - 1].index.add(header)
                $0.isUnsealed = true
            }
            return batches.map { batch in
                defer { offset += Int64(batch.recordCount) }
                return LogReceipt(partition: partition, offsets: offset..<offset + Int64(batch.recordCount))
            }
        } catch {
            throw failed(error)
        }
    }

    /// States durably that all before it is durable, unless that was stated. Without room it is left out.
    ///
    /// - Throws: ``EventLogError/poisoned(cause:)`` as ``append(_:committedAt:)`` does.
    package func seal(committedAt: Int64) throws(EventLogError) {
        let (last, isUnsealed) = state.withLock { ($0.poison == nil ? $0.segments.last : nil, $0.isUnsealed) }
        guard let segment = last, isUnsealed else { return }
        state.withLock { $0.isUnsealed = false }
        let (bytes, header) = CommitGroup.seal(
            baseOffset: segment.index.endOffset,
            epoch: epoch,
            committedAt: committedAt,
            previousCRC: segment.index.lastCRC
        )
        do throws(DiskError) {
            // Synced before the next group: one behind a torn seal would look like damage.
            try write(bytes, to: segment)
            try segment.file.sync()
            state.withLock { $0.segments[$0.segments.count - 1].index.add(header) }
        } catch {
            let failure = failed(error)
            if case .poisoned = failure { throw failure }
        }
    }

    /// The segment for the next group, at its place: nothing of a failure here touched a group, so only a sync that
    /// failed ends the log.
    private func openSegment() throws(EventLogError) -> Segment {
        do throws(DiskError) {
            let segment = try segmentForWriting()
            if try segment.file.isInPlace() { return segment }
            let moved = "\(directory)/\(segment.name) was moved, removed or replaced while this till wrote to it"
            state.withLock { $0.poison = moved }
            throw DiskError(operation: moved, errno: 2, isUncertain: true)
        } catch {
            guard error.isUncertain else { throw EmbeddedLogFailures.translate(error) }
            throw failed(error)
        }
    }

    /// What a failed write or sync means: without room the next call may succeed, anything else ends the log.
    private func failed(_ error: DiskError) -> EventLogError {
        if error.isFull { return EmbeddedLogFailures.translate(error) }
        let cause = state.withLock { state in
            state.poison = state.poison ?? error.description
            return state.poison ?? ""
        }
        return .poisoned(cause: cause)
    }

    /// Writes zeros behind the place of the next `count` bytes when these do not fit what was reserved. Synced with
    /// them.
    private func reserve(_ segment: Segment, behind count: Int) throws(DiskError) {
        let needed = segment.index.size + count
        guard reserveBytes > 0, needed > state.withLock({ $0.reservedSize }) else { return }
        let ahead = min(reserveBytes, max(EmbeddedLogLimits.reserveBytesMin, segment.index.size))
        // Nothing is stored in a segment that has reached its size.
        let target = min(needed + ahead, segmentBytes)
        state.withLock { $0.reservedSize = 0 }
        guard target > needed else { return }
        do throws(DiskError) {
            try segment.file.write([UInt8](repeating: 0, count: target - needed), at: needed)
            state.withLock { $0.reservedSize = target }
        } catch {
            // There may be room for the bytes alone.
            guard error.isFull else { throw error }
            try segment.file.truncate(to: segment.index.size)
        }
    }

    /// Cuts the reserve off, as a clean stop does; the writer has ended.
    package func trim() {
        let (last, reserved) = state.withLock { ($0.poison == nil ? $0.segments.last : nil, $0.reservedSize) }
        guard let last, reserved > last.index.size else { return }
        state.withLock { $0.reservedSize = 0 }
        // What is not cut here the next opening cuts: zeros are no damage.
        try? last.file.truncate(to: last.index.size)
    }

    /// Writes behind the durable end. What a full disk took of it is cut off again, durably, before the error goes on:
    /// so what is refused never comes back, and the next group begins where this one would have.
    private func write(_ bytes: [UInt8], to segment: Segment) throws(DiskError) {
        do throws(DiskError) {
            try segment.file.write(bytes, at: segment.index.size)
        } catch {
            guard error.isFull else { throw error }
            let refusal = error
            state.withLock { $0.reservedSize = 0 }
            do throws(DiskError) {
                try segment.file.truncate(to: segment.index.size)
                try segment.file.sync()
            } catch {
                throw DiskError(
                    operation:
                        "\(refusal.operation) (\(EmbeddedLogFailures.text(refusal.errno))), then \(error.operation)",
                    errno: error.errno,
                    isUncertain: true
                )
            }
            throw refusal
        }
    }

    /// The last segment, or a new one when there is none or it is full.
    private func segmentForWriting() throws(DiskError) -> Segment {
        let last = state.withLock { $0.segments.last }
        if let last, last.index.size < segmentBytes { return last }
        // A segment that has reached its size has no reserve left.
        if let last { try disk.replace(directory + "/" + Self.indexName(last.baseOffset), with: last.index.encoded()) }
        let base = last?.index.endOffset ?? 0
        let file = try disk.open(directory + "/" + Self.name(base), create: true, readOnly: false)
        try disk.syncDirectory(directory)
        var index = SegmentIndex(baseOffset: base)
        index.lastCRC = last?.index.lastCRC ?? 0
        let segment = Segment(baseOffset: base, file: file, index: index)
        state.withLock { $0.segments.append(segment) }
        return segment
    }

    // MARK: Reading (any thread)

    /// The segment that holds `offset` and a position at or before it; nil at the durable end.
    func locate(_ offset: Int64) throws(EventLogError) -> (segment: Segment, position: Int)? {
        let segments = state.withLock { $0.segments }
        let start = segments.first?.baseOffset ?? 0
        let end = segments.last?.index.endOffset ?? 0
        guard offset >= start, offset <= end else {
            throw .offsetOutOfRange(partition: partition.description, offset: offset, start: start, end: end)
        }
        guard let segment = segments.last(where: { $0.baseOffset <= offset && $0.index.endOffset > offset }) else {
            return nil
        }
        return (segment, segment.index.position(of: offset))
    }

    /// The durable size of a segment now.
    func durableSize(of baseOffset: Int64) -> Int {
        state.withLock { $0.segments.last { $0.baseOffset == baseOffset }?.index.size ?? 0 }
    }
}
