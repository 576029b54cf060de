import Formats
import Ports
import Primitives

/// How a file to ingest is written.
struct FileFormat {
    var isCSV: Bool
    var dialect: CSVDialect
    var encoding: TextEncoding

    /// By the name without `.gz`, or as the options say.
    ///
    /// - Parameter declared: How the contract of the feed says that its CSV is written.
    init(
        path: String,
        format: String?,
        separator: String?,
        encoding: String?,
        declared: (dialect: CSVDialect, encoding: TextEncoding)
    ) throws {
        guard let encoding = encoding.map({ TextEncoding(rawValue: $0.lowercased()) }) ?? declared.encoding else {
            let known = TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(
                "cli.encoding_unknown",
                "There is no encoding \((encoding ?? "").quotedForMessage); say one of \(known)."
            )
        }
        self.encoding = encoding

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
        let preset = name.hasSuffix(".tsv") ? 0x09 : declared.dialect.separator
        let text = separator == "tab" ? "\t" : separator
        guard text?.utf8.count ?? 1 == 1, let byte = text.map({ $0.utf8.first }) ?? preset,
            byte != declared.dialect.quote,
            byte != 0x0A, byte != 0x0D
        else {
            let quote = String(Character(Unicode.Scalar(declared.dialect.quote)))
            throw UsageError(
                "cli.separator_invalid",
                "--separator is \((text ?? "").quotedForMessage); give one character other than the feed's quote \(quote), or the word tab."
            )
        }
        dialect = CSVDialect(separator: byte, quote: declared.dialect.quote)
    }

    /// Two readings of one file are two runs.
    var description: String {
        (isCSV ? "csv \(dialect.separator) \(dialect.quote)" : "ndjson")
            + (encoding == .utf8 ? "" : " \(encoding.rawValue)")
    }
}

/// Reads the rows of one file as records, in chunks.
struct RowReader: ~Copyable {
    private var input: InputFile
    private var splitter: CSVRowSplitter
    private let format: FileFormat
    let path: String
    private let resynchronises: Bool
    private var converter: UTF8Converter
    private var header: ByteString?
    /// What the envelope says of these records.
    private(set) var payloadFormat = PayloadFormat.json
    private var isAtStart = true
    private var atEnd = false
    /// Bytes read so far, unpacked.
    private(set) var bytesRead = 0

    /// - Parameter resynchronises: Whether rows are looked for inside a row of several lines that is none.
    init(path: String, format: FileFormat, resynchronises: Bool) throws {
        input = try InputFile.open(path)
        self.format = format
        self.path = path
        self.resynchronises = resynchronises && format.isCSV
        converter = UTF8Converter(format.encoding)
        // A line of NDJSON has no quotes that span lines: a quote byte that never occurs in UTF-8 text.
        splitter = CSVRowSplitter(
            dialect: format.isCSV ? format.dialect : CSVDialect(separator: 0xFE, quote: 0xFF),
            loneCREndsRows: format.isCSV
        )
    }

    /// Calls `body` with each row, the bytes that it is a range of and how they are read, until it says false or the
    /// file ends; true when the file ended.
    mutating func rows(_ body: ([UInt8], CSVRow, PayloadFormat) throws -> Bool) throws -> Bool {
        while true {
            while let row = splitter.nextRow() {
                if row.range.isEmpty, row.cut == nil { continue }
                if format.isCSV, header == nil {
                    try readHeader(row)
                    continue
                }
                // Only at the start: further on it is a bad record, and no reason to stop.
                if isAtStart, !format.isCSV, row.cut == nil, splitter.bytes[row.range].first == UInt8(ascii: "[") {
                    throw UsageError(
                        "cli.array",
                        "\(path.quotedForMessage) holds a JSON array; till ingest takes one record a line: jq -c '.[]' FILE | till ingest FEED - --format ndjson."
                    )
                }
                isAtStart = false
                if try !body(splitter.bytes, row, payloadFormat) { return false }
            }
            if atEnd { return true }
            if let chunk = try input.read() {
                bytesRead += chunk.count
                splitter.feed(try converter.convert(chunk))
            } else {
                try converter.finish()
                splitter.finish()
                atEnd = true
            }
        }
    }

    private mutating func readHeader(_ row: CSVRow) throws {
        if let error = row.error, row.cut != nil {
            throw UsageError("cli.header_too_large", "\(path.quotedForMessage): \(error)")
        }
        let bytes = Array(splitter.bytes[row.range])
        header = ByteString(bytes)
        payloadFormat = .csv(header: ByteString(bytes), separator: format.dialect.separator)
        if bytes.contains(0x0D) {
            throw UsageError(
                "cli.header_cr",
                "The header of \(path.quotedForMessage) contains a CR, but other lines end with LF; write every line end of the file alike."
            )
        }
        if resynchronises, let count = CSVFields.count(of: bytes, dialect: format.dialect) {
            splitter.resynchronise(fields: count)
        }
    }
}
