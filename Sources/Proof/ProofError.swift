package import Primitives

/// Why a proof could not be made; a difference is not an error.
package enum ProofError: OperationalError, Equatable {
    case scratch(operation: String, path: String, errno: Int32)
    case logEnds(partition: String, wanted: Int64, end: Int64)
    case logStarts(partition: String, start: Int64)
    case tooLarge(what: String, limit: Int)
    case damagedScratch(path: String)
    case releasing(references: Int)

    package var code: String {
        switch self {
        case .scratch: "proof.scratch_unavailable"
        case .logEnds: "proof.log_too_short"
        case .logStarts: "proof.log_too_late"
        case .tooLarge: "proof.too_large"
        case .damagedScratch: "proof.scratch_damaged"
        case .releasing: Self.releasingCode
        }
    }

    package var domain: ErrorDomain {
        switch self {
        case .scratch, .damagedScratch, .releasing: .external
        case .logEnds, .logStarts: .integrity
        case .tooLarge: .user
        }
    }

    package var retry: RetryHint { code == Self.releasingCode ? .afterBackoff : .never }

    package var description: String {
        switch self {
        case .scratch(let operation, let path, let errno):
            "The proof could not \(operation) \(path) (\(errorText(errno))); name another directory with --scratch."
        case .logEnds(let partition, let wanted, let end):
            "The tables contain \(partition) up to \(wanted) and the log ends at \(end); the tables and the log do not belong together."
        case .logStarts(let partition, let start):
            "The log of \(partition) starts at offset \(start), not at 0; what was dropped before cannot be proved."
        case .tooLarge(let what, let limit):
            "There are more than \(limit) \(what), which is the limit of a proof in memory."
        case .damagedScratch(let path):
            "A file that the proof wrote itself (\(path)) reads back differently; name another disk with --scratch."
        case .releasing(let references):
            "Nothing was proved: the tables are in the middle of a release, parked records whose reference arrived are still being counted (references: \(references)). Beside a running till, prove again; else start till once on this directory, which finishes the release, then prove."
        }
    }

    /// What the command line tells apart from other failures: nothing is known to be wrong.
    package static let releasingCode = "proof.tables_releasing"
}
