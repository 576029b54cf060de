import Primitives
import YAMLTree

extension ContractReader {
    private mutating func warn(_ node: YAMLNode, _ message: String) {
        warnings.append(ContractProblem(line: node.line, column: node.column, message: message))
    }

    /// `aliases: [user.id]` looks like a place, and no JSON record that has an object `user` would ever fill it.
    mutating func warnOfAlias(_ node: YAMLNode, _ alias: String, _ field: String) {
        warn(
            node,
            "Alias \(alias.quotedForMessage) of \(field) is the name of one column or JSON member; "
                + "to read a member of an object, write at: \(alias)"
        )
    }

    /// `{name}` in a message stands as it is unless it is `{value}` or `{$setting}`.
    mutating func warnOfNames(_ node: YAMLNode, _ message: String) {
        var rest = message[...]
        while let start = rest.firstIndex(of: "{") {
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: "}") else { return }
            let name = String(rest[..<end])
            let isName = !name.isEmpty && name.allSatisfy { $0 == "_" || $0 == "." || $0.isLetter || $0.isNumber }
            guard isName, name != "value" else { continue }
            let setting = settings[name] == nil ? "{$name} for a setting" : "{$\(name)} for the setting"
            warn(
                node,
                "In message: {\(name)} is not replaced; write {value} for the value of the rule's field, or \(setting)"
            )
        }
    }

    /// Settings that neither till nor a rule, field or message reads.
    mutating func warnOfSettings(_ mapper: MapperSignature?) {
        guard let mapper else { return }
        var known: Set = ["time_zone", "currency"]
        known.formUnion(mapper.settings)
        known.formUnion(mapper.choices.keys)
        known.formUnion(mapper.reads)
        if mapper.features.contains(.windows) { known.formUnion(Self.windowRanges.map(\.0)) }
        for (name, node) in settingKeys where !known.contains(name) && !usedSettings.contains(name) {
            let nearest = NearestName.nearest(name, among: known.subtracting(settings.keys).sorted())
            warn(
                node,
                "Setting \(name) is not used by the mapper, a rule, a field or a message; "
                    + (nearest.map { "did you mean \($0)?" } ?? "remove it, or name it as $\(name)")
            )
        }
    }

    /// Fields that are read and then go nowhere.
    mutating func warnOfFields(_ node: YAMLNode) {
        let nodes = nodes(of: node)
        for (index, field) in fields.fields.enumerated() {
            let columns = field.fields.fields.indices.map { FieldReference(field: index, column: $0) }
            let unused = columns.filter { !usedFields.contains($0) }
            let isUsed = usedFields.contains(FieldReference(field: index, column: nil)) || unused.count < columns.count
            if !isUsed {
                warnOfUnused(nodes[field.name] ?? node, field)
                continue
            }
            guard !unused.isEmpty, let list = nodes[field.name]?.entries?.first(where: { $0.key.text == "fields" })
            else { continue }
            let inner = self.nodes(of: list.value)
            for column in unused.compactMap(\.column) {
                let nested = field.fields.fields[column]
                warnOfUnused(inner[nested.name] ?? list.value, nested)
            }
        }
    }

    private mutating func warnOfUnused(_ node: YAMLNode, _ field: Field) {
        warn(
            node,
            "Field \(field.path) is checked but not bound, and no rule uses it; bind it under mapper, or remove it"
        )
    }

    /// The entries of a list of fields by name.
    private func nodes(of node: YAMLNode) -> [String: YAMLNode] {
        var found: [String: YAMLNode] = [:]
        for item in node.items ?? [] {
            if let name = item.entries?.first(where: { $0.key.text == "name" })?.value.text { found[name] = item }
        }
        return found
    }
}
