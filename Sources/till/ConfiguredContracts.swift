import Contracts
import Formats
import Ingest
import Primitives
import Refine
import Settings
import YAMLTree

/// The contracts that the settings ask for: of every feed, and of every path of a reference system that is on.
struct ConfiguredContracts {
    /// A contract and where its text is from, for messages.
    struct Sourced {
        var contract: Contract
        /// `pos.yaml`, or `the built-in pos-compat`.
        var origin: String
        /// Part of this till: nobody can raise its version.
        var isBuiltIn = false
    }

    var feeds: [Sourced]
    var compatible: [(path: CompatibilityPath, contract: Sourced)] = []

    /// The rules that records can break: those of the contracts, and those that every contract has.
    var rules: Set<String> {
        let all = feeds + compatible.map(\.contract)
        return Set(all.flatMap { $0.contract.rules.map(\.id) } + BuiltInRule.allCases.map(\.rawValue)).union(
            Refiner.rules
        )
    }
}

extension ContractStartup {
    private static let paths: [(setting: SettingName, path: CompatibilityPath)] = [
        (.compatibilityInvoices, .invoices), (.compatibilityPos, .pos),
    ]

    /// Reads every contract that the settings name; a file of `contracts` replaces a built-in feed of its name.
    ///
    /// - Throws: `UsageError` for a text that is wrong, when a feed would be counted under two policies, and when two
    ///   feeds would share documents and windows.
    static func configured(_ settings: TillSettings) throws -> ConfiguredContracts {
        var feeds = try BuiltInContracts.feeds.map(builtIn)
        for path in settings.contracts {
            let found = try parse(try WholeFile.read(path, bytesMax: bytesMax), path)
            feeds.removeAll { $0.contract.name == found.contract.name }
            feeds.append(found)
        }
        try checkOneFeedEach(feeds)
        var configured = ConfiguredContracts(feeds: feeds)
        for (setting, path) in paths {
            guard let contract = try compatible(setting, path, settings[setting]) else { continue }
            if let feed = feeds.first(where: { $0.contract.name == contract.contract.name }) {
                try checkOnePolicy(feed, contract, setting)
            }
            configured.compatible.append((path, contract))
        }
        try checkScopes(
            settings.identities,
            Set(configured.feeds.map(\.contract.name) + configured.compatible.map(\.contract.contract.name))
        )
        return configured
    }

    /// A scope for a feed that there is not would never be noticed.
    private static func checkScopes(_ identities: [Identity], _ feeds: Set<String>) throws {
        for identity in identities {
            for case .ingest(let feed) in identity.scopes where feed != "*" && !feeds.contains(feed) {
                throw UsageError(
                    "settings.scope_feed_unknown",
                    "\(identity.place): identity \(identity.name) has the scope ingest:\(feed), and there is no such feed; known are \(feeds.sorted().joined(separator: ", "))."
                )
            }
        }
    }

    private static let bytesMax = 1 << 20

    private static func builtIn(_ name: String) throws -> ConfiguredContracts.Sourced {
        .init(contract: try BuiltInContracts.parse(name), origin: "the built-in \(name)", isBuiltIn: true)
    }

    private static func parse(_ text: [UInt8], _ path: String) throws -> ConfiguredContracts.Sourced {
        switch Contract.parse(text, mappers: Mappers.signatures) {
        case .success(let contract): return .init(contract: contract, origin: path)
        case .failure(let problems):
            let lines = problems.problems.map { "\(path):\($0.line):\($0.column): \($0.message)" }
            throw UsageError("contract.invalid", lines.joined(separator: "\n"))
        }
    }

    /// The contract that validates a path's bodies; nil when the path is off.
    private static func compatible(
        _ setting: SettingName,
        _ path: CompatibilityPath,
        _ value: TillSettings.Value
    ) throws -> ConfiguredContracts.Sourced? {
        if value.text == "off" { return nil }
        let standard = try builtIn(path.profile)
        if value.text == "on" { return standard }
        let text: [UInt8]
        do {
            text = try WholeFile.read(value.text, bytesMax: bytesMax)
        } catch let error as InputError {
            throw UsageError(
                "settings.contract_unreadable",
                "\(value.origin): \(setting.rawValue) is \(value.text.quotedForMessage); give on, off or the path of a contract file. \(error)"
            )
        }
        let found = try parse(text, value.text)
        let wanted = standard.contract
        for (key, given, needs) in [
            (["contract"], found.contract.name, wanted.name),
            (["mapper", "name"], found.contract.mapper.name, wanted.mapper.name),
        ] where given != needs {
            let place = place(of: key, in: text)
            throw UsageError(
                "settings.contract_unfit",
                "\(value.text):\(place): \(key[0]) is \(given.quotedForMessage), and \(setting.rawValue) (\(value.origin)) validates bodies of feed \(wanted.name) with mapper \(wanted.mapper.name); write \(needs), or name another file."
            )
        }
        return found
    }

    /// Line and column of a value in a text that has been read as a contract.
    private static func place(of keys: [String], in text: [UInt8]) -> String {
        guard var node = try? YAMLTree.parse(text) else { preconditionFailure("a contract's text is a YAML tree") }
        for key in keys { node = node.entries?.first { $0.key.text == key }?.value ?? node }
        return "\(node.line):\(node.column)"
    }

    /// Refuses two feeds that sell in the name of one source: they would share its documents and the windows of its
    /// stores, but have no common order, so what counts would depend on how they are read (decision 45).
    private static func checkOneFeedEach(_ feeds: [ConfiguredContracts.Sourced]) throws {
        var first: [String: ConfiguredContracts.Sourced] = [:]
        for feed in feeds where feed.contract.makesDocuments {
            guard let other = first.updateValue(feed, forKey: feed.contract.source) else { continue }
            let (name, source) = (feed.contract.name, feed.contract.source)
            throw UsageError(
                "settings.source_shared",
                "Feeds \(other.contract.name) (\(other.origin)) and \(name) (\(feed.origin)) both have source \(source), so they would share its documents and windows, and totals would depend on the order of arrival; give \(name) a source of its own, or send its records to feed \(other.contract.name)."
            )
        }
    }

    /// Refuses two contracts of one feed by which the same sale would count differently.
    private static func checkOnePolicy(
        _ feed: ConfiguredContracts.Sourced,
        _ compatible: ConfiguredContracts.Sourced,
        _ setting: SettingName
    ) throws {
        let pairs = zip(policy(feed.contract), policy(compatible.contract)).filter { $0.value != $1.value }
        guard !pairs.isEmpty else { return }
        func list(_ values: [(name: String, value: String)]) -> String {
            values.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        }
        throw UsageError(
            "settings.contracts_differ",
            "Feed \(feed.contract.name) would be counted under two policies: \(feed.origin) has \(list(pairs.map(\.0))), and the contract of \(setting.rawValue), \(compatible.origin), has \(list(pairs.map(\.1))); make them equal in a contract file that \(setting.rawValue) names, or set \(setting.rawValue) to off."
        )
    }

    /// What decides how much, in what money, on which day and in which window a record counts.
    private static func policy(_ contract: Contract) -> [(name: String, value: String)] {
        func seconds(_ number: Int?) -> String { number.map(String.init) ?? "none" }
        let windows = contract.windows
        return [
            ("currency", contract.currency?.description ?? "none"), ("time_zone", contract.zone?.name ?? "none"),
            ("window_seconds", seconds(windows?.length)), ("window_lateness_seconds", seconds(windows?.lateness)),
            ("window_idle_seconds", seconds(windows?.idle)), ("window_skew_seconds", seconds(windows?.skew)),
            ("document_kinds", contract.documentKinds.description),
        ]
    }
}
