import Formats
import Ports
import Primitives

/// How a file to ingest is written.
struct FileFormat {
    var isCSV: Bool
    var dialect: CSVDialect

    /// By the name without `.gz`, or as the options say.
    ///
    /// - Parameter declared: How the contract of the feed says that its CSV is written.
    init(path: String, format: String?, separator: String?, declared: CSVDialect) throws {
        var name = path.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        switch format {
        case "csv": isCSV = true
        case "ndjson": isCSV = false
        case nil:
            if [".csv", ".tsv", ".txt"].contains(where: name.hasSuffix) {
                isCSV = true
            } else if [".ndjson", ".jsonl", ".json"].contains(where: name.hasSuffix) {
                isCSV = false
            } else {
                throw UsageError(
                    "cli.format_unknown",
                    "The format of \(path.quotedForMessage) is not clear from its name; say --format csv or --format ndjson."
                )
            }
        case .some(let other):
            throw UsageError("cli.format_unknown", "There is no format \(other.quotedForMessage); say csv or ndjson.")
        }
        let preset = name.hasSuffix(".tsv") ? 0x09 : declared.separator
        let text = separator == "tab" ? "\t" : separator
        guard text?.utf8.count ?? 1 == 1, let byte = text.map({ $0.utf8.first }) ?? preset, byte != declared.quote,
            byte != 0x0A, byte != 0x0D
        else {
            let quote = String(Character(Unicode.Scalar(declared.quote)))
            throw UsageError(
                "cli.separator_invalid",
                "--separator is \((text ?? "").quotedForMessage); give one character other than the feed's quote \(quote), or the word tab."
            )
        }
        dialect = CSVDialect(separator: byte, quote: declared.quote)
    }

    /// Two readings of one file are two runs.
    var description: String { isCSV ? "csv \(dialect.separator) \(dialect.quote)" : "ndjson" }
}

/// Counts how often a row was seen, over all files of one command: record_id is the row's content hash and k (spec
/// model 1.7). Open addressing over 64-bit hashes: 12 bytes a slot.
struct OccurrenceCounter {
    /// Distinct rows of one command at most: about 1.5 GB of memory at the limit.
    static let rowsMax = 60_000_000

    private var keys: [UInt64] = Array(repeating: 0, count: 1 << 12)
    private var counts: [UInt32] = Array(repeating: 0, count: 1 << 12)
    private var used = 0

    /// The record_id of this occurrence.
    mutating func identifier(of row: ArraySlice<UInt8>) throws -> Identifier {
        let id = Identifier(Digest.sha256(of: row))
        guard used < Self.rowsMax else {
            throw UsageError(
                "cli.rows_max",
                "One command takes \(Self.rowsMax) distinct rows; load the files in several commands."
            )
        }
        if used * 2 > keys.count { grow() }
        let slot = find(id.high | 1)
        defer { counts[slot] += 1 }
        if counts[slot] == 0 {
            keys[slot] = id.high | 1
            used += 1
        }
        return id.item(Int(counts[slot]))
    }

    private func find(_ key: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: key >> 1) & (keys.count - 1)
        while counts[slot] != 0, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        return slot
    }

    private mutating func grow() {
        let old = (keys, counts)
        keys = Array(repeating: 0, count: old.0.count * 2)
        counts = Array(repeating: 0, count: old.0.count * 2)
        for (key, count) in zip(old.0, old.1) where count != 0 {
            let slot = find(key)
            keys[slot] = key
            counts[slot] = count
        }
    }
}

/// Reads the rows of one file as records, in chunks.
struct RowReader: ~Copyable {
    private var input: InputFile
    private var splitter: CSVRowSplitter
    private let format: FileFormat
    private let path: String
    private var header: ByteString?
    private var isAtStart = true
    private var atEnd = false
    /// Bytes read so far, unpacked.
    private(set) var bytesRead = 0

    init(path: String, format: FileFormat) throws {
        input = try InputFile.open(path)
        self.format = format
        self.path = path
        // A line of NDJSON has no quotes that span lines: a quote byte that never occurs in UTF-8 text.
        splitter = CSVRowSplitter(
            dialect: format.isCSV ? format.dialect : CSVDialect(separator: 0xFE, quote: 0xFF),
            loneCREndsRows: format.isCSV
        )
    }

    /// What the envelope says of these records.
    var payloadFormat: PayloadFormat {
        guard format.isCSV else { return .json }
        return PayloadFormat.csv(header: header ?? "", separator: format.dialect.separator)
    }

    /// Calls `body` for each row until it says false or the file ends; true when the file ended.
    mutating func rows(_ body: (ArraySlice<UInt8>) throws -> Bool) throws -> Bool {
        while true {
            while let row = try splitter.nextRow() {
                if row.range.isEmpty { continue }
                if format.isCSV, header == nil {
                    header = ByteString(splitter.bytes[row.range])
                    if splitter.bytes[row.range].contains(0x0D) {
                        throw UsageError(
                            "cli.header_cr",
                            "The header of \(path.quotedForMessage) contains a CR, but other lines end with LF; write every line end of the file alike."
                        )
                    }
                    continue
                }
                // Only at the start: further on it is a bad record, and no reason to stop.
                if isAtStart, !format.isCSV, splitter.bytes[row.range].first == UInt8(ascii: "[") {
                    throw UsageError(
                        "cli.array",
                        "\(path.quotedForMessage) holds a JSON array; till ingest takes one record a line: jq -c '.[]' FILE | till ingest FEED - --format ndjson."
                    )
                }
                isAtStart = false
                if try !body(splitter.bytes[row.range]) { return false }
            }
            if atEnd { return true }
            if let chunk = try input.read() {
                bytesRead += chunk.count
                splitter.feed(chunk)
            } else {
                splitter.finish()
                atEnd = true
            }
        }
    }
}
