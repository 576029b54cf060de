import Contracts
import EmbeddedLog
import Ports
import Primitives
import Refine
import Telemetry

/// The contracts that a log holds, by the role that they had.
struct StoredContracts {
    private struct Role: Hashable {
        var name: String
        var profile: String
    }

    private struct Key: Hashable {
        var digest: Digest
        var profile: String
    }

    private var last: [Role: Contract] = [:]
    private var known: Set<Key> = []

    mutating func add(_ contract: Contract, profile: String) {
        last[Role(name: contract.name, profile: profile)] = contract
        known.insert(Key(digest: contract.digest, profile: profile))
    }

    /// The contract that was stored last for this feed, or for this path of a reference system.
    func last(_ name: String, profile: String) -> Contract? { last[Role(name: name, profile: profile)] }

    func holds(_ contract: Contract, profile: String) -> Bool {
        known.contains(Key(digest: contract.digest, profile: profile))
    }
}

extension ContractStartup {
    /// Refuses a contract that rejects or reinterprets records without a higher version, and logs every other change
    /// (decision 0043).
    ///
    /// A built-in contract is never refused: nobody can change its version, and a data directory of an older till must
    /// open. Neither is a text that the log holds: going back to it is meant.
    static func admit(
        _ new: ConfiguredContracts.Sourced,
        profile: String,
        _ stored: StoredContracts,
        _ log: EmbeddedLog,
        _ logger: Logger
    ) throws {
        let contract = new.contract
        if !new.isBuiltIn { warn(new, logger) }
        guard let last = stored.last(contract.name, profile: profile), last.digest != contract.digest else { return }
        let changes = contract.changes(since: last)
        let isUntouchedBuiltIn = BuiltInContracts.isOne(last) && !isUsed(contract.name, log)
        if let needed = contract.versionNeeded(since: last, changes), !new.isBuiltIn, !isUntouchedBuiltIn,
            !stored.holds(contract, profile: profile)
        {
            throw UsageError("contract.version_needed", refusal(new, last, changes, needed))
        }
        let place = [
            ("feed", contract.name), ("contract", new.origin), ("version", "\(contract.version)"),
            ("last_version", "\(last.version)"),
        ]
        if changes.isEmpty { logger.log(.notice, "contract.replaced", place + [("what", "only its text")]) }
        for change in changes {
            // Under the same version, a change that matters is worth a look.
            let level: LogLevel = change.isCompatible || contract.version > last.version ? .notice : .warning
            logger.log(level, "contract.changed", place + [("what", change.description)])
        }
    }

    /// Whether records of the feed were ever stored: until then nobody has met its contract.
    private static func isUsed(_ feed: String, _ log: EmbeddedLog) -> Bool {
        log.durableEnd(of: TopicPartition(feed: feed)) > 0
    }

    private static func warn(_ new: ConfiguredContracts.Sourced, _ logger: Logger) {
        for warning in new.contract.warnings {
            let place = "\(new.origin):\(warning.line):\(warning.column)"
            logger.log(.warning, "contract.warning", [("place", place), ("what", warning.message)])
        }
    }

    private static func refusal(
        _ new: ConfiguredContracts.Sourced,
        _ last: Contract,
        _ changes: [ContractChange],
        _ needed: Int
    ) -> String {
        let contract = new.contract
        let breaking = changes.filter { !$0.isCompatible }
        let shown = breaking.prefix(ContractLimits.problemsMax).map { "\n  \($0.description)" }.joined()
        let more = breaking.count - min(breaking.count, ContractLimits.problemsMax)
        return
            "\(new.origin): contract \(contract.name) has version \(contract.version), and the last one in this data "
            + "directory has version \(last.version). These changes reject records that it accepted, or count them as "
            + "something else:\(shown)\(more > 0 ? "\n  and \(more) more" : "")\n"
            + "Write version: \(needed) to confirm them, or undo them."
    }
}
