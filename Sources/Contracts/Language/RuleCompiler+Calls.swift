import Primitives

extension RuleCompiler {
    static let functions = [
        "sum", "count", "all", "any", "unique", "matches", "capture", "length", "lower", "upper", "is_null", "number",
        "abs", "round", "exact", "seconds",
    ]

    mutating func call(_ syntax: RuleSyntax, _ name: String, _ arguments: [RuleSyntax]) -> Compiled? {
        let counts = ["all": 2, "any": 2, "matches": 2, "capture": 3, "round": 2]
        guard Self.functions.contains(name) else {
            return fail(
                syntax,
                "Function \(name.quotedForMessage) is not known; "
                    + NearestName.remedy(name, among: Self.functions, add: nil)
            )
        }
        let wanted = counts[name] ?? 1
        guard arguments.count == wanted else {
            return fail(syntax, "\(name) takes \(wanted) arguments, not \(arguments.count); write \(Self.usage(name))")
        }
        switch name {
        case "sum", "unique": return aggregate(syntax, name, arguments[0])
        case "all", "any": return quantified(syntax, name, arguments[0], arguments[1])
        case "count":
            guard let list = listNamed(arguments[0], "count") else { return nil }
            return emit(.count, .decimal, a: list)
        case "matches":
            guard let text = compile(arguments[0], as: .text, "matches needs"),
                let patterns = patterns(arguments[1], name)
            else { return nil }
            return emit(.matches, .truth, a: text.part, b: patterns)
        case "capture":
            guard let text = compile(arguments[0], as: .text, "capture needs"),
                let patterns = patterns(arguments[1], name)
            else { return nil }
            let groups = program.patterns[patterns].map(\.groups).min() ?? 0
            guard case .number(let number) = arguments[2].kind, let group = number.integer, 0...groups ~= Int(group)
            else {
                return fail(
                    arguments[2],
                    "capture needs a group from 0 to \(groups), as a literal; add ( ) to the pattern"
                )
            }
            return emit(.capture, .text, a: text.part, b: patterns, c: Int(group))
        case "is_null":
            guard let value = compile(arguments[0]) else { return nil }
            if value.type == .null { return fail(syntax, "is_null of null is always true; name a field") }
            return isNull(value)
        case "round":
            guard let value = compile(arguments[0], as: .decimal, "round needs") else { return nil }
            guard case .number(let digits) = arguments[1].kind, let count = digits.integer,
                0...Int64(Decimal.scaleMax) ~= count
            else {
                return fail(
                    arguments[1],
                    "round needs 0 to \(Decimal.scaleMax) fraction digits, as a literal; write one"
                )
            }
            return emit(.round, .decimal, a: value.part, b: Int(count))
        case "exact":
            guard case .name = arguments[0].kind else {
                return fail(arguments[0], "exact needs a number field; write \(Self.usage(name))")
            }
            isExact = true
            defer { isExact = false }
            return compile(arguments[0], as: .decimal, "exact needs")
        default: return simple(name, arguments[0])
        }
    }

    private mutating func simple(_ name: String, _ argument: RuleSyntax) -> Compiled? {
        let wanted: RuleType = name == "abs" ? .decimal : name == "seconds" ? .time : .text
        guard let value = compile(argument, as: wanted, "\(name) needs") else { return nil }
        switch name {
        case "abs": return emit(.absolute, .decimal, a: value.part)
        case "seconds": return emit(.seconds, .decimal, a: value.part)
        case "length": return emit(.length, .decimal, a: value.part)
        case "number": return emit(.number, .decimal, a: value.part)
        case "lower": return emit(.lower, .text, a: value.part)
        default: return emit(.upper, .text, a: value.part)
        }
    }

    private static func usage(_ name: String) -> String {
        switch name {
        case "sum": "sum(lines.quantity * lines.unit_price)"
        case "count": "count(lines)"
        case "all", "any": "\(name)(lines, lines.quantity > 0)"
        case "unique": "unique(lines.item_id)"
        case "matches": "matches(text, \"pattern\")"
        case "capture": "capture(text, \"pattern\", 1)"
        case "round": "round(number, 2)"
        case "exact": "exact(lines.unit_price)"
        default: "\(name)(value)"
        }
    }

    private mutating func listNamed(_ syntax: RuleSyntax, _ function: String) -> Int? {
        if case .name(let name) = syntax.kind, let field = fields.fields.firstIndex(where: { $0.name == name }),
            fields.fields[field].type == .list
        {
            named.append(FieldReference(field: field, column: nil))
            return field
        }
        _ = fail(syntax, "\(function) needs a list field; write \(Self.usage(function))")
        return nil
    }

    /// Compiles the part that is evaluated once per row.
    private mutating func perRow(_ syntax: RuleSyntax, _ name: String, _ list: Int, _ body: RuleSyntax) -> Compiled? {
        guard self.list == nil else {
            return fail(syntax, "\(name) is inside another function over rows; split the rule in two")
        }
        self.list = list
        // A cell that is compared as a whole is not computed with.
        isExact = name == "unique"
        defer { (self.list, isExact) = (nil, false) }
        return compile(body)
    }

    private mutating func aggregate(_ syntax: RuleSyntax, _ name: String, _ argument: RuleSyntax) -> Compiled? {
        guard let list = firstList(argument) else {
            return fail(syntax, "\(name) names no field of a list; write \(Self.usage(name))")
        }
        guard let value = perRow(syntax, name, list, argument) else { return nil }
        if name == "unique" {
            let part = program.parts[value.part]
            guard [.decimalCell, .textCell, .timeCell, .truthCell].contains(part.operation) else {
                return fail(argument, "unique needs one field of a list; write unique(lines.item_id)")
            }
            return emit(.unique, .truth, a: list, b: Int(part.b))
        }
        guard value.type == .decimal else {
            return fail(
                argument,
                "sum needs a number, but this is \(value.type.phrase); use a number field or number(text)"
            )
        }
        return emit(.sum, .decimal, a: list, b: value.part)
    }

    private mutating func quantified(
        _ syntax: RuleSyntax,
        _ name: String,
        _ over: RuleSyntax,
        _ body: RuleSyntax
    ) -> Compiled? {
        guard let list = listNamed(over, name), let value = perRow(syntax, name, list, body) else { return nil }
        guard value.type == .truth else {
            return fail(body, "\(name) needs true or false, but this is \(value.type.phrase); write a comparison")
        }
        return emit(name == "all" ? .all : .any, .truth, a: list, b: value.part)
    }

    /// The list of the first nested field that an expression names.
    private func firstList(_ syntax: RuleSyntax) -> Int? {
        switch syntax.kind {
        case .name(let name):
            guard case .found(let reference) = fields.resolve(name), reference.column != nil else { return nil }
            return reference.field
        case .negation(let a), .not(let a), .withinSetting(let a, _), .within(let a, _): return firstList(a)
        case .arithmetic(_, let a, let b), .comparison(_, let a, let b), .and(let a, let b), .or(let a, let b):
            return firstList(a) ?? firstList(b)
        case .call(_, let arguments):
            for argument in arguments { if let list = firstList(argument) { return list } }
            return nil
        case .number, .text, .truth, .null, .setting: return nil
        }
    }

    /// Patterns from a literal, or from a setting that holds one or a list of them.
    private mutating func patterns(_ syntax: RuleSyntax, _ function: String) -> Int? {
        var sources: [String] = []
        switch syntax.kind {
        case .text(let text): sources = [text]
        case .setting(let name):
            namedSettings.insert(name)
            switch settings[name] {
            case .text(let text): sources = [text.description]
            case .texts(let texts): sources = texts.map(\.description)
            case .decimal, .decimals, .boolean: break
            case nil:
                _ = fail(syntax, unknownSetting(name))
                return nil
            }
        default: break
        }
        guard !sources.isEmpty else {
            _ = fail(
                syntax,
                "\(function) needs its pattern as a literal or a setting with texts; write the pattern in quotes"
            )
            return nil
        }
        var compiled: [Pattern] = []
        for source in sources {
            do {
                compiled.append(try Pattern(source))
            } catch {
                _ = fail(
                    syntax,
                    "Pattern \(source.quotedForMessage) is wrong at character \(error.offset + 1): \(error.sentence)"
                )
                return nil
            }
        }
        program.patterns.append(compiled)
        return program.patterns.count - 1
    }

    mutating func within(_ syntax: RuleSyntax, _ value: RuleSyntax, _ items: [RuleSyntax]) -> Compiled? {
        guard items.count <= ContractLimits.listEntriesMax else {
            return fail(syntax, "The list is too long; use a setting")
        }
        var decimals: Set<Decimal> = []
        var texts: Set<ByteString> = []
        for item in items {
            switch item.kind {
            case .number(let number): decimals.insert(number)
            case .negation(let inside):
                guard case .number(let number) = inside.kind, let negated = number.negated else {
                    return fail(item, "A list holds literals only; write numbers or texts in quotes")
                }
                decimals.insert(negated)
            case .text(let text): texts.insert(ByteString(text))
            default: return fail(item, "A list holds literals only; write numbers or texts in quotes")
            }
        }
        guard decimals.isEmpty || texts.isEmpty else {
            return fail(syntax, "The list mixes numbers and texts; keep one kind")
        }
        return within(syntax, value, decimals, texts)
    }

    mutating func within(_ syntax: RuleSyntax, _ value: RuleSyntax, setting name: String) -> Compiled? {
        namedSettings.insert(name)
        switch settings[name] {
        case .texts(let texts): return within(syntax, value, [], Set(texts))
        case .decimals(let numbers): return within(syntax, value, Set(numbers), [])
        case .text, .decimal, .boolean: return fail(syntax, "Setting \(name) is not a list; compare with ==")
        case nil: return fail(syntax, unknownSetting(name))
        }
    }

    private mutating func within(
        _ syntax: RuleSyntax,
        _ value: RuleSyntax,
        _ decimals: Set<Decimal>,
        _ texts: Set<ByteString>
    ) -> Compiled? {
        guard let value = compile(value) else { return nil }
        switch value.type {
        case .decimal where texts.isEmpty:
            program.decimalLists.append(decimals)
            return emit(.inDecimals, .truth, a: value.part, b: program.decimalLists.count - 1)
        case .text where decimals.isEmpty:
            program.textLists.append(texts)
            return emit(.inTexts, .truth, a: value.part, b: program.textLists.count - 1)
        case .decimal, .text, .truth, .time, .null:
            let kind = decimals.isEmpty ? "texts" : "numbers"
            return fail(syntax, "\(value.type.phrase) is looked up in a list of \(kind); compare values of one type")
        }
    }
}
