import Primitives

/// One difference between two contracts of a feed.
package struct ContractChange: Hashable, Sendable, CustomStringConvertible {
    /// False when a record that the old contract accepted is rejected by the new one, or counts as something else.
    package let isCompatible: Bool
    /// A sentence without a full stop.
    package let description: String
}

extension Contract {
    /// Lists what differs from an earlier contract of the same feed: incompatible changes first (decision 0043).
    package func changes(since old: Contract) -> [ContractChange] {
        var comparison = ContractComparison(old: old, new: self)
        comparison.run()
        return comparison.changes.filter { !$0.isCompatible } + comparison.changes.filter(\.isCompatible)
    }

    /// The least version that may replace `old`: nil when the version is already higher, or nothing is incompatible.
    package func versionNeeded(since old: Contract, _ changes: [ContractChange]) -> Int? {
        version > old.version || changes.allSatisfy(\.isCompatible) ? nil : old.version + 1
    }
}

/// Compares two contracts part by part.
struct ContractComparison {
    let old: Contract
    let new: Contract
    var changes: [ContractChange] = []
    /// New places of the old contract's fields; a field that was removed has none.
    var places: [FieldReference: FieldReference] = [:]

    init(old: Contract, new: Contract) {
        self.old = old
        self.new = new
    }

    mutating func breaks(_ sentence: String) { changes.append(.init(isCompatible: false, description: sentence)) }
    mutating func allows(_ sentence: String) { changes.append(.init(isCompatible: true, description: sentence)) }

    mutating func run() {
        compareFields()
        compareIdentity()
        compareMapper()
        compareSettings()
        compareDialects()
        compareRules()
        compareReferences()
    }

    private mutating func compareIdentity() {
        if old.source != new.source { breaks("source is \(new.source), was \(old.source)") }
        compareRole("partition_key", old.partitionKey, new.partitionKey)
        compareRole("version_time", old.versionTime, new.versionTime)
        compareRole("second_version_time", old.secondVersionTime, new.secondVersionTime)
        compareRowIdentity()
        let isEqual = zip(old.documentKinds.all, new.documentKinds.all).allSatisfy { areEqual($0.mark, $1.mark) }
        if !isEqual { breaks("document_kinds is \(new.documentKinds), was \(old.documentKinds)") }
    }

    private mutating func compareRowIdentity() {
        func reference(_ index: Int) -> FieldReference { FieldReference(field: index, column: nil) }
        let before = old.rowIdentity.map { $0.map { places[reference($0)] } }
        if before == new.rowIdentity.map({ $0.map { reference($0) } }) { return }
        func shown(_ fields: [Int]?, _ table: FieldTable) -> String {
            fields.map { "[\($0.map { table.fields[$0].path }.joined(separator: ", "))]" } ?? "not set"
        }
        breaks(
            "row_identity is \(shown(new.rowIdentity, new.fields)), was \(shown(old.rowIdentity, old.fields)); "
                + "rows keep the identity of the feed's first contract"
        )
    }

    /// A field that a key of the contract names.
    private mutating func compareRole(_ key: String, _ before: Int?, _ after: Int?) {
        let was = before.map { FieldReference(field: $0, column: nil) }
        let now = after.map { FieldReference(field: $0, column: nil) }
        if was.flatMap({ places[$0] }) == now, (was == nil) == (now == nil) { return }
        breaks(
            "\(key) is \(now.map { new.fields[$0].path } ?? "null"), was \(was.map { old.fields[$0].path } ?? "null")"
        )
    }

    private mutating func compareMapper() {
        if old.mapper.name != new.mapper.name {
            breaks("mapper is \(new.mapper.name), was \(old.mapper.name)")
            return
        }
        let known = Set(places.values)
        for parameter in Set(old.mapper.bindings.keys).union(new.mapper.bindings.keys).sorted() {
            let (was, now) = (old.mapper.bindings[parameter], new.mapper.bindings[parameter])
            switch (was, now) {
            case (let was?, let now?) where places[was] != now:
                breaks("\(parameter) is bound to \(new.fields[now].path), was bound to \(old.fields[was].path)")
            case (let was?, nil): breaks("\(parameter) is not bound, was bound to \(old.fields[was].path)")
            case (nil, let now?) where known.contains(now):
                breaks("\(parameter) is bound to \(new.fields[now].path), which senders already send")
            case (nil, let now?): allows("\(parameter) is bound to the new field \(new.fields[now].path)")
            default: break
            }
        }
    }

    /// Settings that mappers read decide what a record counts as; those of rules are compared where they are used.
    private static let countingSettings: Set<String> = [
        "time_zone", "currency", "store", "entity", "counters", "window_seconds",
    ]

    private mutating func compareSettings() {
        for name in Set(old.settings.keys).union(new.settings.keys).sorted()
        where old.settings[name] != new.settings[name] {
            let sentence: String
            switch (old.settings[name], new.settings[name]) {
            case (let was?, let now?): sentence = "setting \(name) is \(now), was \(was)"
            case (nil, let now?): sentence = "setting \(name) is \(now), was not set"
            case (let was, nil): sentence = "setting \(name) is not set, was \(was.map(\.description) ?? "")"
            }
            if Self.countingSettings.contains(name) { breaks(sentence) } else { allows(sentence) }
        }
    }

    private mutating func compareDialects() {
        func sign(_ byte: UInt8) -> String { String(Character(Unicode.Scalar(byte))).quotedForMessage }
        if old.csv.separator != new.csv.separator {
            breaks("csv separator is \(sign(new.csv.separator)), was \(sign(old.csv.separator))")
        }
        if old.csv.quote != new.csv.quote {
            breaks("csv quote is \(sign(new.csv.quote)), was \(sign(old.csv.quote))")
        }
        if old.csv.encoding != new.csv.encoding {
            breaks("csv encoding is \(new.csv.encoding), was \(old.csv.encoding)")
        }
        if old.csv.resynchronises != new.csv.resynchronises {
            allows("csv resynchronise is \(new.csv.resynchronises), was \(old.csv.resynchronises)")
        }
        if old.json.isDoubleEncoded != new.json.isDoubleEncoded {
            let sentence = "json double_encoded is \(new.json.isDoubleEncoded), was \(old.json.isDoubleEncoded)"
            if new.json.isDoubleEncoded { allows(sentence) } else { breaks(sentence) }
        }
        if old.unknownFields != new.unknownFields {
            let sentence = "unknown_fields is \(new.unknownFields), was \(old.unknownFields)"
            if new.unknownFields == .reject { breaks(sentence) } else { allows(sentence) }
        }
    }

    private mutating func compareReferences() {
        for need in new.references {
            let before = old.references.filter { $0.entity == need.entity && places[$0.field] == need.field }
            if before.contains(where: { $0.isRequired == need.isRequired }) { continue }
            let sentence = "reference \(need.entity) by \(new.fields[need.field].path)"
            if need.isRequired {
                breaks("\(sentence) is required: records wait until it arrives")
            } else {
                allows("\(sentence) is \(before.isEmpty ? "new" : "no longer required")")
            }
        }
        for need in old.references
        where !new.references.contains(where: { $0.entity == need.entity && places[need.field] == $0.field }) {
            allows("reference \(need.entity) by \(old.fields[need.field].path) was removed")
        }
    }
}

extension SettingValue: CustomStringConvertible {
    /// As a contract writes it; a long list is cut.
    package var description: String {
        switch self {
        case .text(let text): text.description
        case .decimal(let number): number.description
        case .boolean(let truth): truth ? "true" : "false"
        case .texts(let texts): Self.list(texts.map(\.description))
        case .decimals(let numbers): Self.list(numbers.map(\.description))
        }
    }

    private static func list(_ entries: [String]) -> String {
        let more = entries.count > 20 ? ", … \(entries.count - 20) more" : ""
        return "[\(entries.prefix(20).joined(separator: ", "))\(more)]"
    }
}
