import Contracts
import Formats
import Primitives
import Refine
import Telemetry

/// `till transform FILE…`: files of rows as line-delimited JSON, as the reference system's clients send it.
enum TransformCommand {
    private static let flushBytes = 1 << 18
    /// Rejected rows that are said on standard error; `--rejects` has all of them.
    private static let shownMax = 10

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(
            words,
            options: ["contract", "out", "rejects", "format", "separator", "encoding", "allow-rejects"],
            switches: ["quiet"]
        )
        guard !arguments.rest.isEmpty, !arguments.rest.contains("-") || arguments.rest.count == 1 else {
            throw UsageError(
                "cli.transform_usage",
                "Say till transform FILE…, or - instead of files for standard input."
            )
        }
        let allowed = try IngestCommand.allowedRejects(arguments)
        let contract = try contract(arguments["contract"])
        guard var transform = RowTransform(contract) else {
            throw UsageError(
                "cli.transform_lists",
                "Contract \(contract.name) has lists, which rows do not; name a contract of rows."
            )
        }
        let declared = (
            Formats.CSVDialect(separator: contract.csv.separator, quote: contract.csv.quote),
            TextEncoding(rawValue: contract.csv.encoding) ?? .utf8
        )
        let files = LoadedFiles(
            list: try arguments.rest.map { (path: $0, format: try IngestCommand.format(of: $0, arguments, declared)) },
            resynchronises: contract.csv.resynchronises
        )
        try refuseSameFiles(arguments.rest, arguments["out"], arguments["rejects"])
        let out = try OutputFile(arguments["out"] ?? "-")
        let rejects = try arguments["rejects"].map { try OutputFile($0) }
        var (read, written) = (0, 0)
        var lines: [UInt8] = []
        for file in files.list {
            var reader = try files.reader(file)
            _ = try reader.rows { bytes, row, format in
                read += 1
                var reasons: [Reason] = []
                if let cut = row.cut {
                    reasons = [.contentType(Reason.cutRowType(size: cut.size, digest: cut.digest))]
                } else {
                    switch try transform.line(bytes, row.range, format) {
                    case .success(let line):
                        written += 1
                        lines += line
                        lines.append(0x0A)
                    case .failure(let rejected): reasons = rejected.reasons
                    }
                }
                if !reasons.isEmpty {
                    let kept = row.cut.map(\.head) ?? Array(bytes[row.range])
                    try rejects?.write(reject(file.path, row, reasons, kept))
                    if read - written <= shownMax, !arguments.has("quiet") {
                        let first = reasons[0]
                        Logger.writeLine(
                            "\(file.path.quotedForMessage), line \(row.line): \(first.rule): \(first.message)",
                            to: 2
                        )
                    }
                }
                if lines.count >= flushBytes {
                    try out.write(lines)
                    lines.removeAll(keepingCapacity: true)
                }
                return true
            }
        }
        try out.write(lines)
        if !arguments.has("quiet") {
            Logger.writeLine("read \(read) = written \(written) + rejected \(read - written)", to: 2)
        }
        return read - written > allowed ? .failure : .success
    }

    /// An output that is an input, or the other output, would be emptied before it is read.
    private static func refuseSameFiles(_ inputs: [String], _ outputs: String?...) throws {
        var seen = inputs.filter { $0 != "-" }
        for output in outputs.compactMap(\.self) where output != "-" {
            guard !seen.contains(where: { $0 == output || OutputFile.isSame($0, output) }) else {
                throw UsageError(
                    "cli.transform_same_file",
                    "\(output.quotedForMessage) is an input or an output already; name another file, nothing was written."
                )
            }
            seen.append(output)
        }
    }

    /// A file, or the built-in one of the reference system's invoices.
    private static func contract(_ path: String?) throws -> Contract {
        guard let path else { return try BuiltInContracts.parse("invoices") }
        switch Contract.parse(try WholeFile.read(path, bytesMax: 1 << 20), mappers: Mappers.signatures) {
        case .success(let contract): return contract
        case .failure(let problems):
            let lines = problems.problems.map { "\(path):\($0.line):\($0.column): \($0.message)" }
            throw UsageError("contract.invalid", lines.joined(separator: "\n"))
        }
    }

    /// File, line, reasons and the row's bytes as text, as one JSON line.
    private static func reject(_ path: String, _ row: CSVRow, _ reasons: [Reason], _ bytes: [UInt8]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("file", path)
        json.field("line", row.line)
        json.key("reasons")
        json.raw(Refiner.json(reasons))
        json.field("row", String(decoding: bytes, as: UTF8.self))
        json.endObject()
        return json.bytes + [0x0A]
    }
}
