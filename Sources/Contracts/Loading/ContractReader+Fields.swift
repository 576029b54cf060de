import Primitives
import YAMLTree

extension ContractReader {
    private static let keys: [(name: String, types: Set<FieldType>)] = [
        ("name", Set(FieldType.allCases)), ("at", Set(FieldType.allCases)), ("type", Set(FieldType.allCases)),
        ("aliases", Set(FieldType.allCases)),
        ("required", Set(FieldType.allCases)), ("accepts", Set(FieldType.allCases).subtracting([.time, .list, .uuid])),
        ("max_bytes", [.text]), ("max_characters", [.text]), ("enum", [.text]),
        ("min", [.integer, .decimal, .money]), ("max", [.integer, .decimal, .money]), ("fraction_digits", [.decimal]),
        ("default", Set(FieldType.allCases).subtracting([.list])), ("formats", [.time]), ("zone", [.time]),
        ("max_items", [.list]), ("fields", [.list]),
        ("null_words", Set(FieldType.allCases).subtracting([.boolean, .list])),
    ]

    /// - Parameter list: Name and path of the list that the fields belong to; nil at the top.
    mutating func readFields(_ node: YAMLNode, list: (name: String, path: String)?) -> [FieldDeclaration] {
        let what = list.map { "fields of \($0.name)" } ?? "fields"
        var fields: [FieldDeclaration] = []
        var taken = TakenPlaces(what)
        let nodes = items(node, what, max: ContractLimits.fieldsMax)
        if nodes.isEmpty, node.items != nil { fail(node, "\(what) is empty; declare at least one field") }
        for item in nodes {
            guard let field = readField(item, list: list) else { continue }
            for problem in taken.add(field) { fail(item, problem) }
            fields.append(field)
        }
        return fields
    }

    private mutating func readField(_ node: YAMLNode, list: (name: String, path: String)?) -> FieldDeclaration? {
        guard let top = section(node, "a field", Self.keys.map(\.name), required: ["name", "type"]) else { return nil }
        let name = top["name"].flatMap { identifier($0, "name") }
        let type = top["type"].flatMap { choice($0, "type", FieldType.self) }
        guard let name, let type else { return nil }
        var field = FieldDeclaration(name: name, place: top["at"].flatMap { place($0) }, list: list?.path, type: type)
        if top["at"] != nil, let aliases = top["aliases"] {
            fail(aliases, "Field \(name) has at and aliases; a place has one name, remove the aliases")
        }
        for (key, types) in Self.keys where !types.contains(type) {
            if let value = top[key] {
                fail(value, "\(key) does not belong to \(type.phrase); remove it from field \(name)")
            }
        }
        if type == .list, list != nil { fail(node, "Field \(name) is a list inside a list; lists are one level deep") }
        if let value = top["required"] { field.isRequired = boolean(value, "required") ?? false }
        if let value = top["aliases"], top["at"] == nil {
            for alias in items(value, "aliases", max: ContractLimits.aliasesMax) {
                guard let name = text(alias, "alias") else { continue }
                field.aliases.append(name)
                if name.contains(".") { warnOfAlias(alias, name, field.name) }
            }
        }
        if let value = top["accepts"] { readAccepts(value, &field) }
        switch type {
        case .text: readTextBounds(top, &field)
        case .integer, .decimal, .money: readNumberBounds(node, top, &field)
        case .time: readTimeFormats(node, top, &field)
        case .list: readList(node, top, &field, isNested: list != nil)
        case .boolean, .uuid: break
        }
        if let value = top["default"] { readDefault(value, &field) }
        if let value = top["null_words"] { field.nullWords = nullWords(value) }
        return field
    }

    /// Words as they are sent, whatever YAML takes them for: `[0, nan, NULL, null]`.
    private mutating func nullWords(_ node: YAMLNode) -> [ByteString] {
        var words: [ByteString] = []
        for item in items(node, "null_words", max: ContractLimits.nullWordsMax) {
            guard let word = item.text, 1...ContractLimits.nameBytesMax ~= word.utf8.count else {
                fail(item, "null_words holds \(shown(item)); write words of 1 to \(ContractLimits.nameBytesMax) bytes")
                continue
            }
            words.append(ByteString(word))
        }
        return words
    }

    /// `payload.user.id`: names of JSON members, of any signs but the point.
    private mutating func place(_ node: YAMLNode) -> [String]? {
        guard let text = text(node, "at", max: ContractLimits.placeDepthMax * ContractLimits.nameBytesMax) else {
            return nil
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= ContractLimits.placeDepthMax, parts.allSatisfy({ !$0.isEmpty }) else {
            fail(
                node,
                "at is \(shown(node)), not 1 to \(ContractLimits.placeDepthMax) names with points between them; write the members that lead to the value, such as payload.user.id"
            )
            return nil
        }
        return parts
    }

    private mutating func readAccepts(_ node: YAMLNode, _ field: inout FieldDeclaration) {
        for item in items(node, "accepts", max: Accepts.names.count) {
            let known = Accepts.names.filter { $0.types.contains(field.type) }
            if let found = known.first(where: { $0.name == item.text }) {
                field.accepts.insert(found.value)
            } else {
                let remedy =
                    known.isEmpty
                    ? "remove it" : NearestName.remedy(item.text ?? "", among: known.map(\.name), add: nil)
                fail(item, "accepts \(shown(item)) does not belong to \(field.type.phrase); \(remedy)")
            }
        }
    }

    private mutating func readTextBounds(_ top: [String: YAMLNode], _ field: inout FieldDeclaration) {
        if let value = top["max_bytes"] {
            field.bytesMax = whole(value, "max_bytes", 1...ContractLimits.textBytesMax) ?? field.bytesMax
        }
        if let value = top["max_characters"] {
            field.charactersMax = whole(value, "max_characters", 1...ContractLimits.textBytesMax)
        }
        guard let value = top["enum"] else { return }
        for item in items(value, "enum", max: ContractLimits.listEntriesMax) {
            if let text = text(item, "enum entry", max: field.bytesMax) { field.values.append(ByteString(text)) }
        }
        if field.values.isEmpty { fail(value, "enum allows no value; list at least one or remove it") }
    }

    private mutating func readNumberBounds(_ node: YAMLNode, _ top: [String: YAMLNode], _ field: inout FieldDeclaration)
    {
        if let value = top["fraction_digits"] {
            field.fractionDigitsMax =
                whole(value, "fraction_digits", 0...ContractLimits.fractionDigitsMax) ?? field.fractionDigitsMax
        }
        if let value = top["min"] { field.min = bound(value, "min") }
        if let value = top["max"] { field.max = bound(value, "max") }
        if let min = field.min, let max = field.max, min > max {
            fail(node, "Field \(field.name) has min \(min) above max \(max); swap them")
        }
    }

    /// A number, `$setting` or `-$setting`.
    private mutating func bound(_ node: YAMLNode, _ what: String) -> Decimal? {
        var text = node.text ?? ""
        if let number = DecimalText.read(Array(text.utf8)[...]) { return number }
        let isNegative = text.hasPrefix("-$")
        if isNegative { text.removeFirst() }
        guard text.hasPrefix("$") else {
            fail(node, "\(what) is \(shown(node)), not a number; write a number or a setting such as $quantity_max")
            return nil
        }
        guard case .decimal(let value) = setting(node, String(text.dropFirst())) else { return nil }
        return isNegative ? value.negated : value
    }

    /// A setting that must exist; other kinds than the caller wants are its mistake to report.
    private mutating func setting(_ node: YAMLNode, _ name: String) -> SettingValue? {
        usedSettings.insert(name)
        guard let value = settings[name] else {
            fail(
                node,
                "Setting \(name.quotedForMessage) is not declared; "
                    + NearestName.remedy(name, among: settings.keys.sorted(), add: "settings")
            )
            return nil
        }
        if case .decimal = value { return value }
        fail(node, "Setting \(name) is not a number; use one that is")
        return nil
    }

    private mutating func readTimeFormats(_ node: YAMLNode, _ top: [String: YAMLNode], _ field: inout FieldDeclaration)
    {
        var isNaive = false
        if let value = top["formats"] {
            for item in items(value, "formats", max: ContractLimits.formatsMax) {
                guard let text = text(item, "format") else { continue }
                guard let format = TimeFormat(text) else {
                    fail(
                        item,
                        "Format \(text.quotedForMessage) is not known; use yyyy MM dd HH mm ss with signs between them, iso8601, "
                            + "epoch_seconds or epoch_millis"
                    )
                    continue
                }
                field.formats.append(format)
                if text != "iso8601", !text.hasPrefix("epoch_") { isNaive = true }
            }
            if field.formats.isEmpty, value.items?.isEmpty ?? false {
                fail(value, "formats is empty; list at least one")
            }
        } else {
            fail(node, "Field \(field.name) declares no formats; add formats: [iso8601] or the sender's pattern")
        }
        guard let value = top["zone"] else {
            if isNaive {
                fail(
                    node,
                    "Field \(field.name) has a format without an offset and no zone; add zone: with a tz name or $time_zone"
                )
            }
            return
        }
        guard let text = text(value, "zone") else { return }
        guard text.hasPrefix("$") else {
            field.zone = zoneNamed(value, text: text)
            return
        }
        let name = String(text.dropFirst())
        usedSettings.insert(name)
        switch settings[name] {
        case .text(let zoneName): field.zone = name == "time_zone" ? zone : zoneNamed(value, text: zoneName.description)
        case nil:
            fail(
                value,
                "Setting \(name.quotedForMessage) is not declared; "
                    + NearestName.remedy(name, among: settings.keys.sorted(), add: "settings")
            )
        case .decimal, .boolean, .texts, .decimals: fail(value, "Setting \(name) is not a text; use one with a tz name")
        }
    }

    private mutating func readList(
        _ node: YAMLNode,
        _ top: [String: YAMLNode],
        _ field: inout FieldDeclaration,
        isNested: Bool
    ) {
        if let value = top["max_items"] {
            field.itemsMax = whole(value, "max_items", 1...ContractLimits.listItemsMax) ?? field.itemsMax
        }
        guard let value = top["fields"] else {
            fail(node, "List \(field.name) declares no fields; add fields: with one entry per field of a row")
            return
        }
        if !isNested { field.fields = FieldTable(readFields(value, list: (field.name, field.path))) }
    }

    private mutating func readDefault(_ node: YAMLNode, _ field: inout FieldDeclaration) {
        guard let text = node.text, !node.isNull else {
            fail(node, "default of \(field.name) is \(shown(node)), not a value; write a scalar or remove it")
            return
        }
        switch Field(field).read(.csv(Array(text.utf8)[...])) {
        case .value(let value):
            field.defaultValue = value
            if value.isNull { fail(node, "default of \(field.name) is empty; write a value or remove it") }
        case .reason(let reason): fail(node, "default does not fit its field: \(reason.message)")
        }
    }
}

/// Which names and JSON places the fields so far have taken.
private struct TakenPlaces {
    private let what: String
    private var names: Set<String> = []
    /// Field by place.
    private var places: [[String]: String] = [:]
    /// Some field by each object that a place leads through.
    private var objects: [[String]: String] = [:]

    init(_ what: String) { self.what = what }

    /// Sentences about names and places that the field shares with others.
    mutating func add(_ field: FieldDeclaration) -> [String] {
        var problems: [String] = []
        var isTwice = !names.insert(field.name).inserted
        for place in [field.place] + field.aliases.map({ [$0] }) {
            if let other = places.updateValue(field.name, forKey: place) {
                if place.count == 1, place[0] == field.name || field.aliases.contains(place[0]) {
                    isTwice = isTwice || place[0] == field.name
                    if place[0] != field.name { problems.append(twice(place[0])) }
                } else {
                    problems.append(
                        "Fields \(other) and \(field.name) are both at \(shown(place)); change one of the two"
                    )
                }
            } else if let inside = objects[place] {
                problems.append(
                    "Field \(field.name) is at \(shown(place)), where field \(inside) needs an object; change one of the two"
                )
            }
        }
        if isTwice { problems.append(twice(field.name)) }
        for depth in 1..<max(1, field.place.count) {
            let place = Array(field.place[..<depth])
            if let other = places[place] {
                problems.append(
                    "Field \(field.name) is at \(shown(field.place)), inside \(shown(place)), which is field \(other); change one of the two"
                )
            }
            objects[place] = objects[place] ?? field.name
        }
        return problems
    }

    private func twice(_ name: String) -> String {
        "Name \(name.quotedForMessage) is used twice in \(what); change one of the two"
    }

    private func shown(_ place: [String]) -> String { place.joined(separator: ".") }
}
