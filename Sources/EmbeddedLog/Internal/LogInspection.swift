package import Ports
package import Primitives
import RecordBatch

/// Reads a data directory beside a running till: takes no lock, writes nothing, cuts nothing.
///
/// What a running till is writing at the moment shows as the tail of the last segment: a tail there is no damage.
/// Every call reads the segments from their start and checks every bit. Thread: any.
package enum LogInspection {
    /// One segment file as it was found.
    package struct SegmentReport: Sendable, Equatable {
        package var name: String
        package var baseOffset: Int64, endOffset: Int64
        /// Bytes of the file, the tail included; zeros written ahead of the last segment's end are not counted.
        package var bytes: Int
        package var groups = 0, batches = 0
        package var firstCommittedAt: Timestamp?, lastCommittedAt: Timestamp?
        /// Of the last group; 0 without groups.
        package var epoch: Int32 = 0
        /// Bytes after the last whole group: being written or torn in the last segment, damage in another.
        package var tailBytes = 0

        package var records: Int64 { endOffset - baseOffset }
    }

    package struct PartitionReport: Sendable, Equatable {
        package var partition: TopicPartition
        package var segments: [SegmentReport]

        package var baseOffset: Int64 { segments.first?.baseOffset ?? 0 }
        package var endOffset: Int64 { segments.last?.endOffset ?? 0 }
        package var bytes: Int { segments.reduce(0) { $0 + $1.bytes } }
        package var groups: Int { segments.reduce(0) { $0 + $1.groups } }
        package var batches: Int { segments.reduce(0) { $0 + $1.batches } }
        package var records: Int64 { segments.reduce(0) { $0 + $1.records } }
        package var epoch: Int32 { segments.last { $0.groups > 0 }?.epoch ?? 0 }
        package var firstCommittedAt: Timestamp? { segments.lazy.compactMap(\.firstCommittedAt).first }
        package var lastCommittedAt: Timestamp? { segments.lazy.reversed().compactMap(\.lastCommittedAt).first }
        package var tailBytes: Int { segments.last?.tailBytes ?? 0 }
    }

    /// Something that a sound log cannot contain.
    package struct Damage: Sendable, Equatable, CustomStringConvertible {
        package var partition: TopicPartition
        /// The file's name: a segment or its index.
        package var segment: String
        /// Where the group begins that is wrong.
        package var byte: Int
        package var defect: String

        package var description: String { "\(partition)/\(segment) at byte \(byte): \(defect)" }
    }

    /// The end of a last segment that is no whole group: being written now, or torn by a crash and cut at the next
    /// start.
    package struct Tail: Sendable, Equatable, CustomStringConvertible {
        package var partition: TopicPartition
        package var segment: String
        package var from: Int, to: Int
        package var defect: String

        package var description: String {
            "\(partition)/\(segment) bytes \(from) to \(to) are being written or torn: \(defect)"
        }
    }

    package struct Verdict: Sendable, Equatable {
        package var damages: [Damage] = []
        package var tails: [Tail] = []
        package var records: Int64 = 0, bytes = 0
    }

    /// One stored record.
    package struct Record: Sendable {
        package var offset: Int64
        package var envelope: RecordEnvelope
        package var value: ArraySlice<UInt8>
        package var id: Identifier
    }

    /// What every partition below `directory` holds, in order of topic and number.
    package static func stat(_ directory: String, _ disk: any LogDisk) throws(EventLogError) -> [PartitionReport] {
        var reports: [PartitionReport] = []
        for partition in try EmbeddedLog.found(in: directory, disk).sorted() {
            var report = PartitionReport(partition: partition, segments: [])
            try walk(partition, directory, disk) { segment in report.segments.append(segment.report) }
            reports.append(report)
        }
        return reports
    }

    /// Checks every bit of every segment, that segments follow each other, and that indices agree with their segments.
    ///
    /// Of one segment the first damage is reported; the next segments are checked nevertheless. A missing index is
    /// none:
    /// it is made again. A record that is malformed inside a sound batch was stored so, which is damage too.
    package static func verify(_ directory: String, _ disk: any LogDisk) throws(EventLogError) -> Verdict {
        var verdict = Verdict()
        for partition in try EmbeddedLog.found(in: directory, disk).sorted() {
            var expected: Int64?
            try walk(partition, directory, disk) { segment in
                func note(_ name: String, _ byte: Int, _ defect: String) {
                    verdict.damages.append(Damage(partition: partition, segment: name, byte: byte, defect: defect))
                }
                let report = segment.report
                if let expected, expected != report.baseOffset {
                    note(report.name, 0, "the file starts at offset \(report.baseOffset), expected \(expected)")
                }
                if let tail = segment.tail {
                    verdict.tails.append(
                        Tail(
                            partition: partition,
                            segment: report.name,
                            from: tail.position,
                            to: report.bytes,
                            defect: "\(tail.defect)"
                        )
                    )
                }
                for damage in segment.damages { note(report.name, damage.position, damage.text) }
                if let index = segment.indexDefect { note(PartitionLog.indexName(report.baseOffset), 0, index) }
                // Behind a damage the end is unknown.
                expected = segment.isWhole ? report.endOffset : nil
                verdict.records += report.records
                verdict.bytes += report.bytes
            }
        }
        return verdict
    }

    /// Hands out the records from offset `from` on, until `limit` were given or `each` returns false.
    ///
    /// - Parameter since: Only what was received then or later; the time indexes say where to begin.
    /// - Returns: How many records were given.
    /// - Throws: ``EventLogError/offsetOutOfRange(partition:offset:start:end:)`` for an offset or partition that is not
    ///   here, ``EventLogError/corrupt(partition:segment:byte:defect:)`` at the damage, after the records before it.
    @discardableResult package static func dump(
        _ partition: TopicPartition,
        _ directory: String,
        _ disk: any LogDisk,
        from: Int64,
        since: Timestamp? = nil,
        limit: Int,
        each: (Record) -> Bool
    ) throws(EventLogError) -> Int {
        let place = "\(directory)/\(partition)"
        var from = from
        if let since { from = max(from, try offset(before: since, in: place, disk)) }
        let bases = try onDisk { () throws(DiskError) in
            try disk.list(place).compactMap(PartitionLog.baseOffset(of:)).sorted()
        }
        let start = bases.first ?? 0
        var end = start
        var given = 0
        var goOn = limit > 0
        var previousCRC: UInt32? = start == 0 ? 0 : nil
        for (number, base) in bases.enumerated() where goOn {
            if number + 1 < bases.count, bases[number + 1] <= from {
                end = bases[number + 1]
                previousCRC = nil
                continue
            }
            var malformed: (position: Int, text: String)?
            let scan = try onDisk { () throws(DiskError) in
                let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
                return try SegmentScan(
                    file,
                    baseOffset: base,
                    previousCRC: previousCRC,
                    mayHaveReserve: number == bases.count - 1
                ) { batch, group in
                    guard goOn, malformed == nil, batch.baseOffset + Int64(batch.recordCount) > from else { return }
                    let problem = records(of: batch) { record in
                        guard goOn, record.offset >= from, since.map({ record.envelope.receivedAt >= $0 }) ?? true
                        else { return }
                        given += 1
                        goOn = each(record) && given < limit
                    }
                    if goOn, let problem { malformed = (group, problem) }
                }
            }
            guard goOn else { break }
            if let malformed { throw corrupt(partition, base, malformed.position, malformed.text) }
            if let damage = scan.damage, try !isTail(scan, damage, isLast: number == bases.count - 1, place, base, disk)
            {
                throw corrupt(partition, base, damage.position, "\(damage.defect)")
            }
            previousCRC = scan.index.lastCRC
            end = scan.index.endOffset
        }
        if goOn, given == 0, from < start || from > end {
            throw .offsetOutOfRange(partition: partition.description, offset: from, start: start, end: end)
        }
        return given
    }

    /// Nothing before this offset was committed at or after `time`, by the indexes of the closed segments; 0 when none
    /// says so.
    private static func offset(
        before time: Timestamp,
        in place: String,
        _ disk: any LogDisk
    ) throws(EventLogError) -> Int64 {
        try onDisk { () throws(DiskError) in
            var found: Int64 = 0
            for base in try disk.list(place).compactMap(PartitionLog.baseOffset(of:)).sorted() {
                let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
                guard let index = try PartitionLog.index(place, base, disk, size: file.size()),
                    let offset = index.offset(before: time.micros)
                else { break }
                found = offset
            }
            return found
        }
    }

    // MARK: One walk for all

    struct Walked {
        var report: SegmentReport
        var tail: SegmentScan.Damage?
        var damages: [(position: Int, text: String)] = []
        var indexDefect: String?
        /// No damage and no tail: the end is known.
        var isWhole = true
    }

    static func walk(
        _ partition: TopicPartition,
        _ directory: String,
        _ disk: any LogDisk,
        _ each: (Walked) -> Void
    ) throws(EventLogError) {
        let place = "\(directory)/\(partition)"
        let names = try onDisk { () throws(DiskError) in try disk.list(place) }
        let bases = names.compactMap(PartitionLog.baseOffset(of:)).sorted()
        var chain: UInt32? = bases.first == 0 ? 0 : nil
        for (number, base) in bases.enumerated() {
            let isLast = number == bases.count - 1
            var malformed: [(position: Int, text: String)] = []
            let (scan, bytes) = try onDisk { () throws(DiskError) in
                let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
                let scan = try SegmentScan(file, baseOffset: base, previousCRC: chain, mayHaveReserve: isLast) {
                    batch,
                    group in
                    if let text = records(of: batch, { _ in }) { malformed.append((group, text)) }
                }
                if scan.reserve > 0 { return (scan, scan.index.size) }
                // Measured after the walk, so that what was written meanwhile is tail and not damage.
                return (scan, max(try file.size(), scan.index.size))
            }
            var walked = Walked(
                report: SegmentReport(
                    name: PartitionLog.name(base),
                    baseOffset: base,
                    endOffset: scan.index.endOffset,
                    bytes: bytes
                )
            )
            walked.report.groups = scan.groups
            walked.report.batches = scan.batches
            walked.report.firstCommittedAt = scan.firstCommittedAt.map { Timestamp(micros: $0) }
            walked.report.lastCommittedAt = scan.lastCommittedAt.map { Timestamp(micros: $0) }
            walked.report.epoch = scan.index.epoch
            walked.report.tailBytes = bytes - scan.index.size
            walked.damages = malformed
            if let damage = scan.damage {
                walked.isWhole = false
                if try isTail(scan, damage, isLast: isLast, place, base, disk) {
                    walked.tail = damage
                } else {
                    walked.damages.append((damage.position, "\(damage.defect)"))
                }
            }
            // An index is written when the next segment begins, so a last segment has none.
            if walked.isWhole, !isLast, names.contains(PartitionLog.indexName(base)) {
                walked.indexDefect = try indexDefect(place + "/" + PartitionLog.indexName(base), scan.index, disk)
            }
            chain = walked.isWhole ? scan.index.lastCRC : nil
            each(walked)
        }
    }

    /// Whether a damage is what a write in progress or a crash leaves: no sound group follows in the last segment.
    private static func isTail(
        _ scan: SegmentScan,
        _ damage: SegmentScan.Damage,
        isLast: Bool,
        _ place: String,
        _ base: Int64,
        _ disk: any LogDisk
    ) throws(EventLogError) -> Bool {
        guard isLast else { return false }
        return try onDisk { () throws(DiskError) in
            // A till that writes beside us may have finished the group, and others, since it was read: then it is sound
            // now, and nothing was damaged.
            let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
            func isSound() throws(DiskError) -> Bool {
                guard
                    case .success((let bytes, let header)) = GroupWindow(file: file, end: try file.size())
                        .group(at: damage.position), header.baseOffset == scan.index.endOffset,
                    header.previousCRC == scan.index.lastCRC || scan.index.size == 0
                else { return false }
                return (try? CommitGroup.batches(bytes, at: 0, header)) != nil
            }
            if try isSound() { return true }
            if try SegmentScan.isTorn(damage, in: file) { return true }
            // A group was found behind it; by then this one may have been finished too.
            return try isSound()
        }
    }

    private static func indexDefect(
        _ path: String,
        _ expected: SegmentIndex,
        _ disk: any LogDisk
    ) throws(EventLogError) -> String? {
        let bytes = try onDisk { () throws(DiskError) in
            let file = try disk.open(path, create: false, readOnly: true)
            return try file.read(at: 0, count: file.size())
        }
        guard let found = SegmentIndex(bytes) else {
            return "the index does not match its checksum; delete it, the next start makes it again"
        }
        return found == expected
            ? nil : "the index describes another segment; delete it, the next start makes it again"
    }

    /// Gives the records of a batch; returns what is wrong with one.
    private static func records(of batch: LoggedBatch, _ each: (Record) -> Void) -> String? {
        do throws(RecordBatchError) {
            let view = try RecordBatchView(batch.buffer, at: batch.range.lowerBound, end: batch.range.upperBound)
            try view.forEach(in: batch.buffer) { record in
                each(
                    Record(
                        offset: batch.baseOffset + Int64(record.offsetDelta),
                        envelope: batch.envelope,
                        value: batch.buffer[record.value],
                        id: record.id ?? batch.envelope.recordIDBase.item(record.offsetDelta)
                    )
                )
            }
            return nil
        } catch {
            return "the batch at offset \(batch.baseOffset): \(error)"
        }
    }

    private static func corrupt(_ partition: TopicPartition, _ base: Int64, _ byte: Int, _ defect: String)
        -> EventLogError
    {
        .corrupt(
            partition: partition.description,
            segment: PartitionLog.name(base),
            byte: Int64(byte),
            defect: defect
        )
    }
}
