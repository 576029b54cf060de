package import Ports
import Primitives

extension LogInspection {
    /// Offset after the last whole group of every partition below `directory`. Reads only the last segments.
    package static func ends(_ directory: String, _ disk: any LogDisk) throws(EventLogError) -> PositionVector {
        var ends = PositionVector()
        for partition in try EmbeddedLog.found(in: directory, disk) {
            let place = "\(directory)/\(partition)"
            ends.offsets[partition] = try onDisk { () throws(DiskError) in
                guard let base = try disk.list(place).compactMap(PartitionLog.baseOffset(of:)).max() else { return 0 }
                let file = try disk.open(place + "/" + PartitionLog.name(base), create: false, readOnly: true)
                let scan = try SegmentScan(
                    file,
                    baseOffset: base,
                    previousCRC: base == 0 ? 0 : nil,
                    mayHaveReserve: true
                ) { _, _ in }
                return scan.index.endOffset
            }
        }
        return ends
    }
}
