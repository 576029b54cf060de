import Primitives
import YAMLTree

extension ContractReader {
    mutating func readMapper(_ node: YAMLNode) -> MapperBinding? {
        guard let top = section(node, "mapper", ["name", "bind"], required: ["name", "bind"]),
            let nameNode = top["name"], let name = text(nameNode, "mapper name"), let bind = top["bind"]
        else { return nil }
        guard let signature = mappers[name] else {
            fail(
                nameNode,
                "Mapper \(name.quotedForMessage) is not known; "
                    + NearestName.remedy(name, among: mappers.keys.sorted(), add: nil)
            )
            return nil
        }
        checkSettings(nameNode, name, signature, bind)
        guard let entries = bind.entries else {
            fail(bind, "bind is not a mapping; write parameter: field lines")
            return nil
        }
        var bindings: [String: FieldReference] = [:]
        var lists: [String: Int] = [:]
        for entry in entries {
            let key = entry.key.text ?? ""
            guard let parameter = signature.parameters.first(where: { $0.name == key }) else {
                fail(
                    entry.key,
                    "Mapper \(name) has no parameter \(key.quotedForMessage); "
                        + NearestName.remedy(key, among: signature.parameters.map(\.name), add: nil)
                )
                continue
            }
            guard let reference = reference(entry.value, "bind") else {
                bindings[key] = FieldReference(field: 0, column: nil)
                continue
            }
            bindings[key] = reference
            check(entry.value, name, parameter, reference)
            if parameter.isNested, reference.column != nil {
                if let list = lists[parameter.group], list != reference.field {
                    fail(
                        entry.value,
                        "Mapper \(name) reads one list, but \(key) is of another; bind fields of one list"
                    )
                }
                lists[parameter.group] = reference.field
            }
        }
        for parameter in signature.parameters where parameter.isRequired && bindings[parameter.name] == nil {
            fail(bind, "Mapper \(name) needs \(parameter.name); bind it to a field")
        }
        for group in signature.together {
            let missing = group.filter { bindings[$0] == nil }
            guard !missing.isEmpty, missing.count < group.count else { continue }
            let bound = group.filter { bindings[$0] != nil }
            fail(
                bind,
                "Mapper \(name) takes \(bound.joined(separator: ", ")) only with \(missing.joined(separator: ", ")); bind all of them or none"
            )
        }
        return MapperBinding(name: name, bindings: bindings)
    }

    /// Settings that the mapper needs or that it reads with a closed set of values.
    private mutating func checkSettings(
        _ node: YAMLNode,
        _ mapper: String,
        _ signature: MapperSignature,
        _ bind: YAMLNode
    ) {
        for setting in signature.settings where settings[setting] == nil {
            // A value of every event makes the one for all events needless.
            let bound = bind.entries?.first { $0.key.text == setting }?.value.text
            if let bound, case .found(let reference) = fields.resolve(bound), !fields[reference].isNullable { continue }
            fail(node, "Mapper \(mapper) needs setting \(setting); add it to settings")
        }
        for (setting, allowed) in signature.choices.sorted(by: { $0.key < $1.key }) {
            guard let value = settings[setting], let place = settingNodes[setting] else { continue }
            if case .text(let text) = value, allowed.contains(text.description) { continue }
            fail(
                place,
                "setting \(setting) is \(shown(place)); mapper \(mapper) takes \(allowed.joined(separator: " or "))"
            )
        }
    }

    private mutating func check(
        _ node: YAMLNode,
        _ mapper: String,
        _ parameter: MapperSignature.Parameter,
        _ reference: FieldReference
    ) {
        let field = fields[reference]
        if parameter.isNested != (reference.column != nil) {
            let wanted = parameter.isNested ? "a field of a list" : "a field outside lists"
            fail(
                node,
                "Mapper \(mapper) needs \(wanted) for \(parameter.name), but \(field.path) is not one; bind another"
            )
        } else if !parameter.types.contains(field.type) {
            let types = FieldType.allCases.filter { parameter.types.contains($0) }.map(\.rawValue).joined(
                separator: " or "
            )
            fail(
                node,
                "Mapper \(mapper) needs \(types) for \(parameter.name), but \(field.path) is \(field.type.phrase); "
                    + "bind another field or change its type"
            )
        } else if parameter.isRequired, reference.column != nil, fields.fields[reference.field].isNullable {
            let list = fields.fields[reference.field].name
            fail(
                node,
                "Mapper \(mapper) needs \(parameter.name), but \(list) may be null; add required: true to the list"
            )
        } else if parameter.isNeverNull, field.isNullable {
            let remedy =
                field.isRequired ? "remove accepts: [empty] from the field" : "add required: true to the field"
            fail(node, "Mapper \(mapper) needs \(parameter.name), but \(field.path) may be null; \(remedy)")
        }
    }
}
