import Primitives
import YAMLTree

extension Contract {
    /// Reads a contract's text.
    ///
    /// - Parameter text: YAML, up to 1 MiB.
    /// - Parameter mappers: The mappers there are, by name.
    /// - Returns: the contract, or all mistakes at once, sorted by place.
    package static func parse(
        _ text: [UInt8],
        mappers: [String: MapperSignature]
    ) -> Result<Contract, ContractProblems> {
        let root: YAMLNode
        do {
            root = try YAMLTree.parse(text)
        } catch {
            let problem = ContractProblem(line: error.line, column: error.column, message: error.sentence)
            return .failure(ContractProblems([problem]))
        }
        var reader = ContractReader(mappers: mappers)
        if let contract = reader.contract(root, text: text), reader.problems.isEmpty { return .success(contract) }
        return .failure(ContractProblems(Array(Set(reader.problems).sorted().prefix(ContractLimits.problemsMax))))
    }
}

/// Encodings of CSV files that a contract can name; module Formats reads them.
private enum FileEncoding: String, CaseIterable {
    case utf8 = "utf-8"
    case windows1252 = "windows-1252"
    case latin1 = "latin-1"
    case utf16 = "utf-16"
}

/// Collects a contract from its tree, and every mistake on the way.
struct ContractReader {
    let mappers: [String: MapperSignature]
    var problems: [ContractProblem] = []
    var warnings: [ContractProblem] = []
    /// What anything in the contract reads.
    var usedSettings: Set<String> = []
    var usedFields: Set<FieldReference> = []
    var settings: [String: SettingValue] = [:]
    /// Where each setting's value stands, for mistakes that show later.
    var settingNodes: [String: YAMLNode] = [:]
    var settingKeys: [String: YAMLNode] = [:]
    var fields = FieldTable([])
    var zone: ZoneRules?
    var currency: Currency?

    init(mappers: [String: MapperSignature]) { self.mappers = mappers }

    private static let keys = [
        "contract", "version", "source", "partition_key", "version_time", "second_version_time", "document_kinds",
        "row_identity",
        "unknown_fields", "settings", "csv", "json", "fields", "mapper", "rules", "reference",
    ]

    mutating func contract(_ root: YAMLNode, text: [UInt8]) -> Contract? {
        guard
            let top = section(
                root,
                "the contract",
                Self.keys,
                required: [
                    "contract", "version", "source", "partition_key", "fields", "mapper",
                ]
            )
        else { return nil }
        let name = top["contract"].flatMap { feedName($0, "contract") }
        let source = top["source"].flatMap { feedName($0, "source") }
        let version = top["version"].flatMap { whole($0, "version", 1...1_000_000) }
        if let node = top["settings"] { readSettings(node) }
        let csv = top["csv"].map { dialect($0) } ?? CSVDialect()
        let json = top["json"].map { jsonDialect($0) } ?? JSONDialect()
        if let node = top["fields"] { fields = FieldTable(readFields(node, list: nil)) }
        let partitionKey = top["partition_key"].flatMap { partition($0) }
        let versionTime = top["version_time"].flatMap { timeField($0, "version_time") }
        let unknown = top["unknown_fields"].flatMap { choice($0, "unknown_fields", UnknownFields.self) } ?? .ignore
        let mapper = top["mapper"].flatMap { readMapper($0) }
        var compiler = RuleCompiler(fields: fields, settings: settings)
        let rules = top["rules"].map { readRules($0, &compiler) } ?? []
        let signature = mapper.flatMap { mappers[$0.name] }
        let windows = readWindows(signature)
        let secondTime = top["second_version_time"].flatMap {
            secondTimeField($0, signature, hasFirst: top["version_time"].map { !$0.isNull } ?? false)
        }
        let kinds = readDocumentKinds(top["document_kinds"], signature, source: source, &compiler)
        let references = top["reference"].map { readReferences($0, signature, windows: windows) } ?? []
        let rowIdentity = top["row_identity"].flatMap { readRowIdentity($0) }
        guard let name, let source, let version, let partitionKey, let mapper else { return nil }
        usedFields.formUnion(mapper.bindings.values)
        warnOfSettings(signature)
        if let node = top["fields"] { warnOfFields(node) }
        return Contract(
            name: name,
            version: version,
            source: source,
            digest: .sha256(of: text),
            text: text,
            fields: fields,
            rules: rules,
            mapper: mapper,
            settings: settings,
            zone: zone,
            currency: currency,
            csv: csv,
            json: json,
            unknownFields: unknown,
            partitionKey: partitionKey,
            versionTime: versionTime,
            secondVersionTime: secondTime,
            references: references,
            windows: windows,
            documentKinds: kinds,
            rowIdentity: rowIdentity,
            warnings: Array(Set(warnings).sorted().prefix(ContractLimits.problemsMax)),
            program: RuleProgram(compiler.program)
        )
    }

    // MARK: Pieces that every section uses

    mutating func fail(_ node: YAMLNode, _ message: String) {
        problems.append(ContractProblem(line: node.line, column: node.column, message: message))
    }

    /// The values of a mapping by key; unknown and missing keys are mistakes.
    mutating func section(
        _ node: YAMLNode,
        _ what: String,
        _ known: [String],
        required: [String] = []
    ) -> [String: YAMLNode]? {
        guard let entries = node.entries else {
            fail(node, "\(what) is not a mapping; write key: value lines")
            return nil
        }
        var found: [String: YAMLNode] = [:]
        for entry in entries {
            let key = entry.key.text ?? ""
            if known.contains(key) {
                found[key] = entry.value
            } else {
                fail(
                    entry.key,
                    "Key \(key.quotedForMessage) is not known in \(what); "
                        + NearestName.remedy(key, among: known, add: nil)
                )
            }
        }
        for key in required where found[key] == nil { fail(node, "Key \(key) is missing in \(what); add it") }
        return found
    }

    mutating func items(_ node: YAMLNode, _ what: String, max: Int) -> [YAMLNode] {
        guard let items = node.items else {
            fail(node, "\(what) is not a list; write [a, b] or lines that begin with -")
            return []
        }
        if items.count > max { fail(node, "\(what) has \(items.count) entries, more than \(max); remove some") }
        return Array(items.prefix(max))
    }

    mutating func text(_ node: YAMLNode, _ what: String, max: Int = ContractLimits.nameBytesMax) -> String? {
        guard let text = node.text, !node.isNull else {
            fail(node, "\(what) is not a text; write one")
            return nil
        }
        guard !text.isEmpty, text.utf8.count <= max else {
            fail(node, "\(what) has \(text.utf8.count) bytes, not 1 to \(max); change it")
            return nil
        }
        return text
    }

    mutating func whole(_ node: YAMLNode, _ what: String, _ range: ClosedRange<Int>) -> Int? {
        guard case .scalar(let text, plain: true) = node.kind, let value = Int(text), range.contains(value) else {
            fail(
                node,
                "\(what) is \(shown(node)), not a whole number from \(range.lowerBound) to \(range.upperBound); correct it"
            )
            return nil
        }
        return value
    }

    mutating func boolean(_ node: YAMLNode, _ what: String) -> Bool? {
        guard case .scalar(let text, plain: true) = node.kind, text == "true" || text == "false" else {
            fail(node, "\(what) is \(shown(node)), not true or false; write one of the two")
            return nil
        }
        return text == "true"
    }

    mutating func choice<T: CaseIterable & RawRepresentable>(_ node: YAMLNode, _ what: String, _: T.Type) -> T?
    where T.RawValue == String {
        if let text = node.text, let value = T(rawValue: text) { return value }
        let known = T.allCases.map(\.rawValue)
        fail(
            node,
            "\(what) \(shown(node)) is not known; " + NearestName.remedy(node.text ?? "", among: known, add: nil)
        )
        return nil
    }

    func shown(_ node: YAMLNode) -> String {
        switch node.kind {
        case .scalar(let text, _): text.quotedForMessage
        case .mapping: "a mapping"
        case .sequence: "a list"
        }
    }

    /// `[a-z][a-z0-9_-]{0,39}`: part of topic names, paths and keys.
    private mutating func feedName(_ node: YAMLNode, _ what: String) -> String? {
        let bytes = Array((node.text ?? "").utf8)
        let isLegal = bytes.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x5F || $0 == 0x2D }
        guard let first = bytes.first, 0x61...0x7A ~= first, isLegal, bytes.count <= 40 else {
            fail(
                node,
                "\(what) \(shown(node)) is not a name; use 1 to 40 of a-z, 0-9, _ and -, beginning with a letter"
            )
            return nil
        }
        return node.text
    }

    /// A top-level field by its name in the contract.
    mutating func topField(_ node: YAMLNode, _ what: String) -> Int? {
        guard let reference = reference(node, what) else { return nil }
        usedFields.insert(reference)
        if reference.column == nil { return reference.field }
        fail(node, "\(what) \(shown(node)) is a field of a list; name a field outside lists")
        return nil
    }

    mutating func reference(_ node: YAMLNode, _ what: String) -> FieldReference? {
        guard let name = text(node, what, max: 2 * ContractLimits.nameBytesMax + 1) else { return nil }
        switch fields.resolve(name) {
        case .found(let reference): return reference
        case .unknown(let sentence):
            fail(node, sentence)
            return nil
        }
    }

    private mutating func partition(_ node: YAMLNode) -> Int? {
        guard let index = topField(node, "partition_key") else { return nil }
        let field = fields.fields[index]
        if ![.text, .integer, .uuid].contains(field.type) {
            fail(node, "partition_key \(field.name) is \(field.type.phrase); use a text or integer field")
        } else if field.isNullable {
            fail(node, "partition_key \(field.name) may be null; add required: true to the field")
        }
        return index
    }

    private mutating func timeField(_ node: YAMLNode, _ what: String) -> Int? {
        if node.isNull { return nil }
        guard let index = topField(node, what) else { return nil }
        let field = fields.fields[index]
        if field.type != .time { fail(node, "\(what) \(field.name) is \(field.type.phrase); use a time field") }
        return index
    }

    private mutating func secondTimeField(_ node: YAMLNode, _ mapper: MapperSignature?, hasFirst: Bool) -> Int? {
        if let mapper, !mapper.features.contains(.secondVersionTime) {
            fail(node, "The mapper takes no second version time; remove second_version_time")
        } else if !hasFirst {
            fail(
                node,
                "second_version_time decides between versions of one version_time; add version_time or remove it"
            )
        }
        return timeField(node, "second_version_time")
    }

    /// Fields that make two rows of files the same row, each once.
    private mutating func readRowIdentity(_ node: YAMLNode) -> [Int]? {
        let entries = items(node, "row_identity", max: ContractLimits.fieldsMax)
        if entries.isEmpty { fail(node, "row_identity names no field; name one, or leave it out") }
        var found: [Int] = []
        for entry in entries {
            guard let index = topField(entry, "row_identity") else { continue }
            if found.contains(index) { fail(entry, "row_identity names \(shown(entry)) twice; name it once") }
            found.append(index)
        }
        return found
    }

    private mutating func dialect(_ node: YAMLNode) -> CSVDialect {
        var dialect = CSVDialect()
        guard let top = section(node, "csv", ["separator", "quote", "encoding", "resynchronise"]) else {
            return dialect
        }
        func sign(_ node: YAMLNode) -> UInt8? {
            guard let text = node.text, text.utf8.count == 1, let byte = text.utf8.first else { return nil }
            return byte == 0x09 || (0x20..<0x7F ~= byte && !isAlphanumeric(byte)) ? byte : nil
        }
        if let value = top["resynchronise"] {
            dialect.resynchronises = boolean(value, "csv resynchronise") ?? true
        }
        if let value = top["encoding"] {
            dialect.encoding = choice(value, "csv encoding", FileEncoding.self)?.rawValue ?? "utf-8"
        }
        for (key, value) in top.sorted(by: { $0.key < $1.key }) where key == "separator" || key == "quote" {
            guard let byte = sign(value) else {
                fail(value, "csv \(key) is \(shown(value)), not one sign; write one such as \",\" or \"\\t\"")
                continue
            }
            if key == "quote" { dialect.quote = byte } else { dialect.separator = byte }
        }
        if dialect.quote == dialect.separator { fail(node, "csv separator and quote are the same sign; change one") }
        return dialect
    }

    private mutating func jsonDialect(_ node: YAMLNode) -> JSONDialect {
        var dialect = JSONDialect()
        guard let top = section(node, "json", ["double_encoded"]) else { return dialect }
        if let value = top["double_encoded"] { dialect.isDoubleEncoded = boolean(value, "double_encoded") ?? false }
        return dialect
    }

    private func isAlphanumeric(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
    }
}
