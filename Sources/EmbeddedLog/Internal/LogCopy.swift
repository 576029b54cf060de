package import Ports

/// What of a log can be copied beside a running till: whole groups, checked bit by bit.
package enum LogCopy {
    /// One segment file and how much of it is whole groups.
    package struct Piece: Sendable, Equatable {
        /// Below the log's directory: `TOPIC/PARTITION/NAME`.
        package var path: String
        package var bytes: Int
    }

    /// One partition as it can be copied now.
    package struct Part: Sendable, Equatable {
        package var partition: TopicPartition
        package var start: Int64, end: Int64
        package var pieces: [Piece]
    }

    /// Looks at every partition below `directory`, in order of topic and number.
    ///
    /// What is found stays as it is: segments grow at the end only. Whole groups that are not synced yet are contained;
    /// they were never acknowledged, as any batch whose answer was lost.
    ///
    /// - Throws: ``EventLogError/corrupt(partition:segment:byte:defect:)`` at the first damage.
    package static func parts(_ directory: String, _ disk: any LogDisk) throws(EventLogError) -> [Part] {
        var parts: [Part] = []
        for partition in try EmbeddedLog.found(in: directory, disk).sorted() {
            var part: Part?
            var damage: EventLogError?
            try LogInspection.walk(partition, directory, disk) { segment in
                let report = segment.report
                func note(_ byte: Int, _ defect: String) {
                    if damage != nil { return }
                    damage = .corrupt(
                        partition: partition.description,
                        segment: report.name,
                        byte: Int64(byte),
                        defect: defect
                    )
                }
                if let found = segment.damages.first { note(found.position, found.text) }
                if let part, part.end != report.baseOffset {
                    note(0, "the file starts at offset \(report.baseOffset), expected \(part.end)")
                }
                var grown =
                    part ?? Part(partition: partition, start: report.baseOffset, end: report.baseOffset, pieces: [])
                grown.end = report.endOffset
                grown.pieces.append(
                    Piece(path: "\(partition)/\(report.name)", bytes: report.bytes - report.tailBytes)
                )
                part = grown
            }
            if let damage { throw damage }
            if let part { parts.append(part) }
        }
        return parts
    }
}
