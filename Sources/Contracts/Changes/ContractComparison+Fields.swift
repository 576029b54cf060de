import Primitives

extension ContractComparison {
    mutating func compareFields() { compareTables(old.fields, new.fields, list: nil) }

    /// - Parameter list: Positions of the list that the fields are in, in both contracts; nil outside lists.
    private mutating func compareTables(_ before: FieldTable, _ after: FieldTable, list: (old: Int, new: Int)?) {
        var kept: Set<Int> = []
        for (index, field) in before.fields.enumerated() {
            guard let found = place(of: field, in: after) else {
                removed(field)
                continue
            }
            kept.insert(found)
            let reference = { (parent: Int?, index: Int) in
                FieldReference(field: parent ?? index, column: parent == nil ? nil : index)
            }
            places[reference(list?.old, index)] = reference(list?.new, found)
            compare(field, after.fields[found])
            for name in [field.path(in: field.place)] + field.aliases
            where place(named: name, of: field, in: after) != found {
                breaks("field \(after.fields[found].path) is no longer read from \(name)")
            }
            if field.type == .list, after.fields[found].type == .list {
                compareTables(field.fields, after.fields[found].fields, list: (index, found))
            }
        }
        for (index, field) in after.fields.enumerated() where !kept.contains(index) {
            if field.isRequired, field.defaultValue.isNull {
                breaks("field \(field.path) is new and required")
            } else {
                allows("field \(field.path) is new")
            }
        }
    }

    private mutating func removed(_ field: Field) {
        if field.isRequired || new.unknownFields == .reject {
            breaks("field \(field.path) was removed")
        } else {
            // If it was bound, the missing binding is incompatible by itself.
            allows("field \(field.path) was removed")
        }
    }

    /// Where the new contract reads what the old one read as this field: under its place, or under one of its aliases.
    private func place(of field: Field, in table: FieldTable) -> Int? {
        for name in [field.path(in: field.place)] + field.aliases {
            if let found = place(named: name, of: field, in: table) { return found }
        }
        return nil
    }

    /// Objects in JSON lead to a place with points; a name with a point is one member.
    private func place(named name: String, of field: Field, in table: FieldTable) -> Int? {
        guard let found = table.index(of: name) else { return nil }
        return field.place.count == 1 || table.fields[found].place == field.place ? found : nil
    }

    private mutating func compare(_ old: Field, _ new: Field) {
        let name = "field \(new.path)"
        compareTypes(name, old, new)
        if !old.isRequired, new.isRequired, new.defaultValue.isNull { breaks("\(name) is required") }
        if old.isRequired, !new.isRequired { allows("\(name) is no longer required") }
        if old.defaultValue != new.defaultValue {
            let (was, now) = (old.defaultValue.shown, new.defaultValue.shown)
            let sentence = "\(name) has default \(now), was \(was)"
            if old.isRequired, old.defaultValue.isNull { allows(sentence) } else { breaks(sentence) }
        }
        compareBounds(name, old, new)
        let lost = Accepts.names.filter { old.accepts.contains($0.value) && !new.accepts.contains($0.value) }
        for form in lost { breaks("\(name) no longer accepts \(form.name)") }
        let gained = Accepts.names.filter { !old.accepts.contains($0.value) && new.accepts.contains($0.value) }
        for form in gained { allows("\(name) accepts \(form.name)") }
        if Set(old.nullWords) != Set(new.nullWords) {
            let words = new.nullWords.map(\.description).joined(separator: ", ")
            breaks("\(name) has null_words [\(words)]: values that were sent mean something else")
        }
        compareTimes(name, old, new)
    }

    private mutating func compareTypes(_ name: String, _ old: Field, _ new: Field) {
        guard old.type != new.type else { return }
        let sentence = "\(name) is \(new.type.phrase), was \(old.type.phrase)"
        if old.type == .integer, new.type == .decimal || new.type == .money {
            allows(sentence)
        } else {
            breaks(sentence)
        }
    }

    private mutating func compareBounds(_ name: String, _ old: Field, _ new: Field) {
        if !old.values.isEmpty || !new.values.isEmpty {
            let (was, now) = (Set(old.values), Set(new.values))
            let lost = was.subtracting(now).map(\.description).sorted().joined(separator: ", ")
            let gained = now.subtracting(was).map(\.description).sorted().joined(separator: ", ")
            if was.isEmpty {
                breaks("\(name) takes only the values of its enum")
            } else if now.isEmpty {
                allows("\(name) takes every value, not only those of its enum")
            } else {
                if !lost.isEmpty { breaks("\(name) no longer takes \(lost)") }
                if !gained.isEmpty { allows("\(name) also takes \(gained)") }
            }
        }
        limit("\(name): min", old.min?.negated, new.min?.negated, shown: { ($0.negated ?? $0).description })
        limit("\(name): max", old.max, new.max, shown: \.description)
        func number(_ what: String, _ was: Int?, _ now: Int?) {
            limit("\(name): \(what)", was, now, shown: \.description)
        }
        switch (old.type, new.type) {
        case (.text, .text):
            number("max_bytes", old.bytesMax, new.bytesMax)
            number("max_characters", old.charactersMax, new.charactersMax)
        case (.decimal, .decimal): number("fraction_digits", old.fractionDigitsMax, new.fractionDigitsMax)
        case (.list, .list): number("max_items", old.itemsMax, new.itemsMax)
        default: break
        }
    }

    /// An upper limit; nil is none.
    private mutating func limit<T: Comparable>(_ what: String, _ was: T?, _ now: T?, shown: (T) -> String) {
        guard was != now else { return }
        let sentence = "\(what) is \(now.map(shown) ?? "none"), was \(was.map(shown) ?? "none")"
        if let now, was.map({ now < $0 }) ?? true { breaks(sentence) } else { allows(sentence) }
    }

    private mutating func compareTimes(_ name: String, _ old: Field, _ new: Field) {
        guard old.type == .time, new.type == .time else { return }
        for format in old.formats where !new.formats.contains(format) { breaks("\(name) no longer reads \(format)") }
        let added = new.formats.filter { !old.formats.contains($0) }
        let isOnlyAdded = new.formats.starts(with: old.formats)
        for format in added where isOnlyAdded { allows("\(name) also reads \(format)") }
        if !isOnlyAdded, old.formats.allSatisfy(new.formats.contains) {
            let order = new.formats.map(\.description).joined(separator: ", ")
            breaks("\(name) tries its formats in another order (\(order)), so that a text can mean another time")
        }
        if old.zone?.name != new.zone?.name {
            breaks("\(name) has zone \(new.zone?.name ?? "none"), was \(old.zone?.name ?? "none")")
        }
    }
}

extension Field {
    fileprivate func path(in place: [String]) -> String { place.joined(separator: ".") }
}
