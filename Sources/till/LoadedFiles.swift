import Formats
import Primitives
import Telemetry

/// The files of one load, in order.
struct LoadedFiles {
    typealias File = (path: String, format: FileFormat)

    let list: [File]
    let resynchronises: Bool

    func reader(_ file: File) throws -> RowReader {
        try RowReader(path: file.path, format: file.format, resynchronises: resynchronises)
    }

    /// Hash of the unpacked bytes of all files and of how they are read, in order, and how many bytes there are.
    func fingerprint(isOneExport: Bool) throws -> (digest: Digest, bytes: Int) {
        let digest = DigestStream()
        if isOneExport { digest.add(Array("parts".utf8)[...]) }
        var count = 0
        for file in list {
            var input = try InputFile.open(file.path)
            digest.add(Array(file.format.description.utf8)[...])
            var size = 0
            while let chunk = try input.read() {
                digest.add(chunk[...])
                size += chunk.count
            }
            var end: [UInt8] = []
            end.appendBigEndian(Int64(size))
            digest.add(end[...])
            count += size
        }
        return (digest.finish(), count)
    }

    func countRows() throws -> Int64 {
        var count: Int64 = 0
        for file in list {
            var reader = try reader(file)
            _ = try reader.rows { _, _, _ in
                count += 1
                return true
            }
        }
        return count
    }
}

/// Says on standard error where rows begin or end in a way that a person should look at.
struct RowNotes {
    private static let shownMax = 10

    let isOn: Bool
    private var shown = 0
    private var unshown = 0

    init(isOn: Bool) { self.isOn = isOn }

    mutating func note(_ row: CSVRow, in path: String) {
        guard let sentence = Self.sentence(row) else { return }
        guard shown < Self.shownMax else { return unshown += 1 }
        shown += 1
        let place = row.lines > 1 ? "lines \(row.line) to \(row.line + row.lines - 1)" : "line \(row.line)"
        write("\(path.quotedForMessage), \(place): \(sentence)")
    }

    private static func sentence(_ row: CSVRow) -> String? {
        if let cut = row.cut {
            return
                "a row of \(cut.size) bytes, more than a row may have; its first bytes are in quarantine. Look for a quote without its partner."
        }
        if row.error != nil {
            return
                "a quote has no partner; these lines are one entry in quarantine, and the rows behind them were read."
        }
        guard row.rowLikeLines > 0 else { return nil }
        return
            "one row, and \(row.rowLikeLines) of its lines would be rows by themselves. When that is wrong, a quote is missing: correct the file and load it again."
    }

    func end() {
        if unshown > 0 { write("\(unshown) more rows of this kind") }
    }

    private func write(_ text: String) {
        if isOn { Logger.writeLine(text, to: 2) }
    }
}

extension RowNames {
    /// What became of rows that are there more than once; nil when none is.
    ///
    /// - Parameter duplicates: Of the run.
    func summary(duplicates: Int64) -> String? {
        guard repeats > 0 || duplicates > 0 else { return nil }
        let earlier = max(0, duplicates - repeatsOfOthers)
        return
            "repeated rows: \(repeats) of the same \(isOneExport ? "export" : "file") (counted), \(repeatsOfOthers) of another file of this command (not counted), \(earlier) of an earlier load (not counted)"
    }
}
