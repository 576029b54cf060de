import Contracts
import Formats
import Ports
import Primitives
import Refine

/// Looks at the first rows of a file before anything is sent: a file of which nothing would be taken is a mistake.
enum FirstRows {
    private static let rowsMax = 1_000
    /// Fewer say nothing about the file: they go to quarantine, row by row.
    private static let rowsMin = 10

    static func check(_ files: LoadedFiles, _ contract: Contract) throws {
        let book = ContractBook()
        book.add(contract, isCurrent: true)
        var refiner = Refiner(book: book)
        for file in files.list { try check(file, files, contract, &refiner) }
    }

    private static func check(
        _ file: LoadedFiles.File,
        _ files: LoadedFiles,
        _ contract: Contract,
        _ refiner: inout Refiner
    ) throws {
        var reader = try files.reader(file)
        var count = 0
        var first: Reason?
        var isGood = false
        _ = try reader.rows { bytes, row, format in
            if row.cut != nil { return true }
            count += 1
            if file.format.encoding == .utf8, String(validating: bytes[row.range], as: UTF8.self) == nil {
                throw UsageError(
                    "cli.not_utf8",
                    "\(file.path.quotedForMessage), line \(row.line), is not UTF-8. Nothing was sent: say --encoding windows-1252 (or latin-1, utf-16), or send it as it is with --force."
                )
            }
            let envelope = RecordEnvelope(
                feed: contract.name,
                contract: contract.digest,
                receivedAt: Timestamp(micros: 0),
                format: format,
                recordIDBase: .zero
            )
            switch try refiner.refine(bytes, row.range, envelope, recordID: .zero, hashes: false) {
            case .accepted: isGood = true
            case .rejected(let reasons): if first == nil { first = reasons.first }
            }
            return count < rowsMax && !(isGood && file.format.encoding != .utf8)
        }
        guard !isGood, count >= rowsMin, let first else { return }
        throw UsageError(
            "cli.all_rejected",
            "\(file.path.quotedForMessage): all of its first \(count) rows would be rejected, the first by \(first.rule): \(first.message). Nothing was sent: correct the file, or send it to quarantine with --force."
        )
    }
}
