import Contracts
import Formats
import Ports
import Primitives
import RecordBatch

/// The records of one request body: their bytes and how they are to be read.
struct RequestRecords {
    var format: PayloadFormat
    /// In the request's body.
    var ranges: [Range<Int>]
    /// The sender's own record batch, when the body is one; its records carry their ids.
    var batch: RecordBatchView?
    var ids: [Identifier?] = []

    init(_ request: HTTPRequest, contract: Contract, tape: inout JSONTape) throws(IngestProblem) {
        let type = Self.mediaType(request)
        let body = request.body
        guard !body.isEmpty else {
            throw IngestProblem(
                status: 400,
                code: "body_empty",
                message: "The body is empty; send one event, an array, NDJSON or CSV."
            )
        }
        if let coding = request.header("content-encoding"), coding.lowercased() != "identity" {
            throw IngestProblem(
                status: 415,
                code: "content_encoding_unknown",
                message: "Content-Encoding is \(coding.quotedForMessage); send the body as it is, without one."
            )
        }
        if let charset = Self.charset(request), !["utf-8", "utf8", "us-ascii"].contains(charset) {
            throw IngestProblem(
                status: 415,
                code: "charset_unknown",
                message:
                    "The charset is \(charset.quotedForMessage); send UTF-8. Files of other encodings are loaded with till ingest --encoding."
            )
        }
        switch type {
        case "application/json":
            (format, ranges) = (.json, try Self.json(body, &tape))
        case "application/x-ndjson", "application/ndjson", "application/jsonl":
            (format, ranges) = (.json, try Self.lines(body))
        case "text/csv":
            (format, ranges) = try Self.csv(body, contract)
        case "application/vnd.tillstream.records":
            format = try Self.declaredFormat(request)
            let view: RecordBatchView
            do throws(RecordBatchError) {
                view = try RecordBatchView(body, at: 0, end: body.count)
                var found: [RecordBatchView.Record] = []
                try view.forEach(in: body) { found.append($0) }
                ranges = found.map(\.value)
                ids = found.map(\.id)
            } catch {
                throw IngestProblem(status: 400, code: "batch_invalid", message: error.description)
            }
            guard view.range.count == body.count else {
                throw IngestProblem(
                    status: 400,
                    code: "batch_invalid",
                    message:
                        "The body has \(body.count - view.range.count) bytes after the batch; send one batch per request."
                )
            }
            batch = view
        default:
            throw IngestProblem(
                status: 415,
                code: "content_type_unknown",
                message:
                    "Content-Type \(type.quotedForMessage) is not known; send application/json, application/x-ndjson or text/csv."
            )
        }
    }

    static func mediaType(_ request: HTTPRequest) -> String {
        let text = request.header("content-type") ?? ""
        if text == "application/json" || text == "application/x-ndjson" { return text }
        let type = text.prefix { $0 != ";" }
        return type.filter { $0 != " " }.lowercased()
    }

    /// The charset that the Content-Type names.
    private static func charset(_ request: HTTPRequest) -> String? {
        for part in (request.header("content-type") ?? "").split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map {
                $0.filter { $0 != " " && $0 != "\"" }.lowercased()
            }
            if pair.count == 2, pair[0] == "charset" { return pair[1] }
        }
        return nil
    }

    /// One value, or the elements of an array; an array that cannot be taken apart is one record, so nothing is lost.
    private static func json(_ body: [UInt8], _ tape: inout JSONTape) throws(IngestProblem) -> [Range<Int>] {
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard first == UInt8(ascii: "[") else { return [0..<body.count] }
        do throws(JSONError) {
            return try JSONSplitter.splitTopLevel(
                body,
                in: 0..<body.count,
                valuesMax: IngestLimits.recordsMax,
                using: &tape
            )
        } catch {
            if error.problem == .tooManyValues { throw tooMany }
            return [0..<body.count]
        }
    }

    private static func lines(_ body: [UInt8]) throws(IngestProblem) -> [Range<Int>] {
        do throws(JSONError) {
            return try JSONSplitter.splitLines(body, in: 0..<body.count, valuesMax: IngestLimits.recordsMax)
        } catch {
            throw tooMany
        }
    }

    private static var tooMany: IngestProblem {
        IngestProblem(
            status: 413,
            code: "too_many_records",
            message: "The body has more than \(IngestLimits.recordsMax) records; send fewer per request."
        )
    }

    private static func csv(_ body: [UInt8], _ contract: Contract) throws(IngestProblem) -> (
        PayloadFormat, [Range<Int>]
    ) {
        var splitter = CSVRowSplitter(
            dialect: Formats.CSVDialect(separator: contract.csv.separator, quote: contract.csv.quote)
        )
        splitter.feed(body)
        splitter.finish()
        var header: [UInt8]?
        var ranges: [Range<Int>] = []
        // One chunk: the splitter's ranges are ranges of the body.
        while let row = splitter.nextRow() {
            if row.cut != nil, let error = row.error {
                throw IngestProblem(status: 400, code: "bad_csv", message: "\(error)")
            }
            if row.range.isEmpty { continue }
            if header == nil {
                let names = Array(body[row.range])
                header = names
                resynchronise(&splitter, header: names, contract)
            } else {
                ranges.append(row.range)
            }
            if ranges.count > IngestLimits.recordsMax { break }
        }
        if ranges.count > IngestLimits.recordsMax { throw tooMany }
        guard let header, header.count <= IngestLimits.csvHeaderBytesMax else {
            throw IngestProblem(
                status: 400,
                code: "csv_header_missing",
                message:
                    "The body has no usable header row; send the column names first, at most \(IngestLimits.csvHeaderBytesMax) bytes."
            )
        }
        guard !header.contains(0x0D) else {
            throw IngestProblem(
                status: 422,
                code: "csv_header_cr",
                message: "The header row contains a CR, but other lines end with LF; write every line end alike."
            )
        }
        return (.csv(header: ByteString(header), separator: contract.csv.separator), ranges)
    }

    private static func resynchronise(_ splitter: inout CSVRowSplitter, header: [UInt8], _ contract: Contract) {
        guard contract.csv.resynchronises else { return }
        if let count = CSVFields.count(of: header, dialect: splitter.dialect) { splitter.resynchronise(fields: count) }
    }

    /// `X-Till-Format: json`, `csv SEPARATOR-CODE BASE64-OF-HEADER-ROW`, or `cut SIZE SHA-256` for the first bytes of a
    /// row beyond the limit.
    private static func declaredFormat(_ request: HTTPRequest) throws(IngestProblem) -> PayloadFormat {
        let text = request.header("x-till-format") ?? "json"
        if text == "json" { return .json }
        let parts = text.split(separator: " ")
        if parts.count == 3, parts[0] == "cut", let size = Int(parts[1]), size >= 0,
            let digest = Hex.bytes(parts[2].utf8).flatMap({ Digest($0) })
        {
            return .unknown(mediaType: Reason.cutRowType(size: size, digest: digest))
        }
        guard parts.count == 3, parts[0] == "csv", let separator = UInt8(parts[1]),
            let header = Base64.decode(Array(parts[2].utf8)), header.count <= IngestLimits.csvHeaderBytesMax
        else {
            throw IngestProblem(
                status: 400,
                code: "format_invalid",
                message:
                    "X-Till-Format is \(text.quotedForMessage); send json, csv SEPARATOR-CODE BASE64-OF-HEADER-ROW, or cut SIZE SHA-256."
            )
        }
        return .csv(header: ByteString(header), separator: separator)
    }
}
