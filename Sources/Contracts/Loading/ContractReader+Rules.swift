import Primitives
import YAMLTree

extension ContractReader {
    private static let keys = ["id", "field", "check", "when", "on_failure", "message", "set"]

    mutating func readRules(_ node: YAMLNode, _ compiler: inout RuleCompiler) -> [Rule] {
        if node.isNull { return [] }
        var rules: [Rule] = []
        var ids: Set<String> = []
        for item in items(node, "rules", max: ContractLimits.rulesMax) {
            guard let rule = readRule(item, &compiler) else { continue }
            if !ids.insert(rule.id).inserted { fail(item, "Rule \(rule.id) occurs twice; rename one of the two") }
            rules.append(rule)
        }
        return rules
    }

    private mutating func readRule(_ node: YAMLNode, _ compiler: inout RuleCompiler) -> Rule? {
        guard let top = section(node, "a rule", Self.keys, required: ["id", "check", "on_failure"]) else { return nil }
        let id = top["id"].flatMap { identifier($0, "id") }
        if let id, BuiltInRule(rawValue: id) != nil, let node = top["id"] {
            fail(node, "id \(id) belongs to a built-in rule; choose another")
        }
        let effect = top["on_failure"].flatMap { choice($0, "on_failure", RuleEffect.self) }
        let check = top["check"].flatMap { expression($0, "check", as: .truth, &compiler) }
        var first = compiler.named.first
        let guarded = top["when"].map { expression($0, "when", as: .truth, &compiler) }
        first = first ?? (guarded == nil ? nil : compiler.named.first)
        if let node = top["field"] {
            first = reference(node, "field")
            if let first { usedFields.insert(first) }
        } else if first == nil, check != nil {
            fail(node, "Rule \(id ?? "") names no field; add field: with the one its reasons are about")
        }
        var message = "Rule \(id ?? "") (\(top["check"]?.text ?? "")) does not hold; correct the event"
        if let node = top["message"] { message = readMessage(node) ?? message }
        let correction = readCorrection(node, top, effect, &compiler)
        guard let id, let effect, let check, let first else { return nil }
        if let guarded, guarded == nil { return nil }
        return Rule(
            id: id,
            effect: effect,
            field: first,
            message: message,
            check: top["check"]?.text ?? "",
            guardText: top["when"]?.text,
            valueText: top["set"]?.entries?.first { $0.key.text == "value" }?.value.text,
            checkPart: Int32(check.part),
            guardPart: guarded.flatMap { $0 }.map { Int32($0.part) },
            correction: correction
        )
    }

    /// A message with the values of the settings that it names as `{$name}`.
    private mutating func readMessage(_ node: YAMLNode) -> String? {
        guard let source = text(node, "message", max: ContractLimits.messageBytesMax) else { return nil }
        var message = ""
        var rest = source[...]
        while let start = rest.firstRange(of: "{$") {
            message += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            let name = String(rest.prefix { $0 != "}" })
            rest = rest.dropFirst(name.count + 1)
            usedSettings.insert(name)
            switch settings[name] {
            case .text(let text): message += text.description
            case .decimal(let number): message += number.description
            case .boolean(let truth): message += truth ? "true" : "false"
            case .texts, .decimals: fail(node, "In message: Setting \(name) is a list; name a setting with one value")
            case nil:
                let remedy = NearestName.remedy(name, among: settings.keys.sorted(), add: "settings")
                fail(node, "In message: Setting \(name.quotedForMessage) is not declared; \(remedy)")
            }
        }
        warnOfNames(node, source)
        return message + rest
    }

    /// Compiles an expression; its mistakes are placed inside the scalar.
    mutating func expression(
        _ node: YAMLNode,
        _ what: String,
        as type: RuleType?,
        list: Int? = nil,
        _ compiler: inout RuleCompiler
    ) -> RuleCompiler.Compiled? {
        compiler.named = []
        guard let source = text(node, what, max: ContractLimits.expressionBytesMax) else { return nil }
        let compiled = compiler.compile(source, list: list)
        for error in compiler.errors { fail(node, at: error.offset, "In \(what): \(error.sentence)") }
        usedFields.formUnion(compiler.named)
        usedSettings.formUnion(compiler.namedSettings)
        guard let compiled else { return nil }
        if let type, compiled.type != type {
            fail(
                node,
                "In \(what): this is \(compiled.type.phrase), not \(type.phrase); write a comparison such as Quantity > 0"
            )
            return nil
        }
        return compiled
    }

    /// Places a mistake at a scalar's character: exact for a text on one line without escapes.
    private mutating func fail(_ node: YAMLNode, at offset: Int, _ message: String) {
        var shift = offset
        if case .scalar(_, let plain) = node.kind, !plain { shift += 1 }
        problems.append(ContractProblem(line: node.line, column: node.column + shift, message: message))
    }

    private mutating func readCorrection(
        _ node: YAMLNode,
        _ top: [String: YAMLNode],
        _ effect: RuleEffect?,
        _ compiler: inout RuleCompiler
    ) -> CorrectionPlan? {
        guard let set = top["set"] else {
            if let effect, effect.sets {
                let kind = effect == .correct ? "correcting" : "normalising"
                fail(node, "A \(kind) rule has no set; add set: { field: …, value: … }")
            }
            return nil
        }
        if let effect, !effect.sets {
            fail(set, "set belongs to on_failure: correct or normalise; remove it or change on_failure")
        }
        guard let parts = section(set, "set", ["field", "value"], required: ["field", "value"]),
            let target = parts["field"].flatMap({ reference($0, "field") }), let value = parts["value"]
        else { return nil }
        usedFields.insert(target)
        let field = fields[target]
        if value.isNull {
            if !field.isNullable { fail(value, "Field \(field.path) may not be null; set another value") }
            return CorrectionPlan(target: target, valuePart: -1, type: .null, isNull: true)
        }
        let list = target.column == nil ? nil : target.field
        guard let compiled = expression(value, "value", as: nil, list: list, &compiler) else { return nil }
        if compiled.type == .null, field.isNullable {
            return CorrectionPlan(target: target, valuePart: -1, type: .null, isNull: true)
        }
        guard let type = RuleType(field.type), type != .time, compiled.type == type else {
            let remedy =
                field.type == .time || field.type == .list ? "reject or flag instead" : "give \(field.type.phrase)"
            fail(
                value,
                "In value: \(compiled.type.phrase) cannot be set in \(field.path), \(field.type.phrase); \(remedy)"
            )
            return nil
        }
        return CorrectionPlan(target: target, valuePart: Int32(compiled.part), type: compiled.type, isNull: false)
    }

    mutating func readReferences(
        _ node: YAMLNode,
        _ mapper: MapperSignature?,
        windows: WindowSettings?
    ) -> [ReferenceNeed] {
        if node.isNull { return [] }
        var needs: [ReferenceNeed] = []
        for item in items(node, "reference", max: ContractLimits.referencesMax) {
            guard
                let top = section(item, "a reference", ["entity", "field", "required"], required: ["entity", "field"])
            else { continue }
            let entity = top["entity"].flatMap { choice($0, "entity", ReferenceSubject.self) }
            let field = top["field"].flatMap { reference($0, "field") }
            let isRequired = top["required"].flatMap { boolean($0, "required") } ?? false
            if isRequired, let node = top["required"] { checkRequired(node, mapper, windows) }
            guard let entity, let field, let node = top["field"] else { continue }
            checkKey(node, entity, field)
            usedFields.insert(field)
            needs.append(ReferenceNeed(entity: entity, field: field, isRequired: isRequired))
        }
        return needs
    }

    private mutating func checkRequired(_ node: YAMLNode, _ mapper: MapperSignature?, _ windows: WindowSettings?) {
        if let mapper, !mapper.features.contains(.requiredReferences) {
            fail(node, "Only sales wait for a reference; the mapper makes none, remove required")
        } else if windows != nil {
            fail(
                node,
                "A sale that waits for its reference comes too late for its window, whose turnover would depend on it; remove required or the settings window_…"
            )
        }
    }

    private mutating func checkKey(_ node: YAMLNode, _ entity: ReferenceSubject, _ reference: FieldReference) {
        let field = fields[reference]
        if (entity == .product) != (reference.column != nil) {
            let wanted = entity == .product ? "a field of a list" : "a field outside lists"
            fail(node, "A \(entity.rawValue) is named by \(wanted), but \(field.path) is not one; name another")
        } else if ![.text, .uuid, .integer].contains(field.type) {
            fail(node, "A key is text, uuid or integer, but \(field.path) is \(field.type.phrase); name another")
        }
    }
}
