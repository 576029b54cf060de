import Primitives

/// Checks names and types of expressions against fields and settings, and adds them to a program. Every mistake is
/// collected; a part with a mistake yields nil and silences the parts around it.
struct RuleCompiler {
    struct Compiled {
        let part: Int
        let type: RuleType
    }

    let fields: FieldTable
    let settings: [String: SettingValue]
    var program = RuleProgram.Draft()
    var errors: [RuleError] = []
    /// Fields in the order in which the current expression names them: top-level index and column of a list.
    var named: [FieldReference] = []
    /// Settings that the expressions name.
    var namedSettings: Set<String> = []
    /// The list whose rows the current part is about.
    var list: Int?
    /// Inside `exact`: amounts with all their digits.
    var isExact = false

    init(fields: FieldTable, settings: [String: SettingValue]) {
        self.fields = fields
        self.settings = settings
    }

    /// The part of a whole expression; mistakes are in ``errors``, fields in ``named``.
    mutating func compile(_ text: String, list: Int? = nil) -> Compiled? {
        errors = []
        named = []
        self.list = list
        do {
            return compile(try RuleParser.parse(text))
        } catch {
            errors.append(error)
            return nil
        }
    }

    mutating func fail(_ syntax: RuleSyntax, _ sentence: String) -> Compiled? {
        errors.append(RuleError(offset: syntax.offset, sentence: sentence))
        return nil
    }

    mutating func emit(
        _ operation: RuleProgram.Operation,
        _ type: RuleType,
        a: Int = 0,
        b: Int = 0,
        c: Int = 0,
        comparison: Comparison = .equal
    ) -> Compiled? {
        if program.parts.count >= ContractLimits.expressionNodesMax {
            errors.append(
                RuleError(
                    offset: 0,
                    sentence:
                        "All expressions together have more than \(ContractLimits.expressionNodesMax) parts; remove rules"
                )
            )
            return nil
        }
        program.parts.append(
            RuleProgram.Part(operation: operation, comparison: comparison, a: Int32(a), b: Int32(b), c: Int32(c))
        )
        return Compiled(part: program.parts.count - 1, type: type)
    }

    mutating func compile(_ syntax: RuleSyntax) -> Compiled? {
        switch syntax.kind {
        case .number(let value): return constant(value)
        case .text(let text): return constant(ByteString(text))
        case .truth(let value): return emit(.truthConstant, .truth, a: value ? 1 : 0)
        case .null: return Compiled(part: -1, type: .null)
        case .name(let name): return reference(syntax, name)
        case .setting(let name): return setting(syntax, name)
        case .negation(let inside):
            guard let value = compile(inside, as: .decimal, "- needs") else { return nil }
            return emit(.negate, .decimal, a: value.part)
        case .not(let inside):
            guard let value = compile(inside, as: .truth, "not needs") else { return nil }
            return emit(.not, .truth, a: value.part)
        case .and(let left, let right): return both(.and, "and", left, right)
        case .or(let left, let right): return both(.or, "or", left, right)
        case .arithmetic(let sign, let left, let right): return arithmetic(syntax, sign, left, right)
        case .comparison(let comparison, let left, let right): return compare(syntax, comparison, left, right)
        case .within(let value, let items): return within(syntax, value, items)
        case .withinSetting(let value, let name): return within(syntax, value, setting: name)
        case .call(let name, let arguments): return call(syntax, name, arguments)
        }
    }

    /// The part when it has the wanted type; else a mistake that begins with `phrase`.
    mutating func compile(_ syntax: RuleSyntax, as type: RuleType, _ phrase: String) -> Compiled? {
        guard let value = compile(syntax) else { return nil }
        guard value.type == type else {
            return fail(syntax, "\(phrase) \(type.phrase), but this is \(value.type.phrase); \(remedy(type))")
        }
        return value
    }

    private func remedy(_ type: RuleType) -> String {
        switch type {
        case .decimal: "use a number field or number(text)"
        case .text: "use a text field or write the value in quotes"
        case .truth: "write a comparison such as Quantity > 0"
        case .time: "use a time field"
        case .null: "write null"
        }
    }

    mutating func constant(_ value: Decimal) -> Compiled? {
        program.decimals.append(value)
        return emit(.decimalConstant, .decimal, a: program.decimals.count - 1)
    }

    mutating func constant(_ value: ByteString) -> Compiled? {
        program.texts.append(value)
        return emit(.textConstant, .text, a: program.texts.count - 1)
    }

    private mutating func reference(_ syntax: RuleSyntax, _ name: String) -> Compiled? {
        let found: FieldReference
        switch fields.resolve(name) {
        case .found(let reference): found = reference
        case .unknown(let sentence): return fail(syntax, sentence)
        }
        named.append(found)
        if let column = found.column {
            guard list == found.field else {
                return fail(syntax, "\(name) has a value per row; put it inside sum, all, any or unique")
            }
            return value(fields.fields[found.field].fields.fields[column], column, isCell: true)
        }
        guard let value = value(fields.fields[found.field], found.field, isCell: false) else {
            return fail(syntax, "\(name) is a list; use it in count(\(name)) or name one of its fields")
        }
        return value
    }

    private mutating func value(_ field: Field, _ index: Int, isCell: Bool) -> Compiled? {
        let (a, b) = isCell ? (list ?? 0, index) : (index, 0)
        switch field.type {
        case .integer, .decimal, .money:
            let number = emit(isCell ? .decimalCell : .decimalField, .decimal, a: a, b: b)
            guard let number, field.accepts.contains(.excessDigits), !isExact else { return number }
            return emit(.round, .decimal, a: number.part, b: MoneyScale.digits)
        case .time: return emit(isCell ? .timeCell : .timeField, .time, a: a, b: b)
        case .text, .uuid: return emit(isCell ? .textCell : .textField, .text, a: a, b: b)
        case .boolean: return emit(isCell ? .truthCell : .truthField, .truth, a: a, b: b)
        case .list: return nil
        }
    }

    private mutating func setting(_ syntax: RuleSyntax, _ name: String) -> Compiled? {
        namedSettings.insert(name)
        switch settings[name] {
        case .decimal(let value): return constant(value)
        case .text(let text): return constant(text)
        case .boolean(let value): return emit(.truthConstant, .truth, a: value ? 1 : 0)
        case .texts, .decimals: return fail(syntax, "Setting \(name) is a list; use it after in")
        case nil: return fail(syntax, unknownSetting(name))
        }
    }

    func unknownSetting(_ name: String) -> String {
        "Setting \(name.quotedForMessage) is not declared; "
            + NearestName.remedy(name, among: settings.keys.sorted(), add: "settings")
    }

    private mutating func both(
        _ operation: RuleProgram.Operation,
        _ word: String,
        _ left: RuleSyntax,
        _ right: RuleSyntax
    ) -> Compiled? {
        let a = compile(left, as: .truth, "\(word) needs")
        let b = compile(right, as: .truth, "\(word) needs")
        guard let a, let b else { return nil }
        return emit(operation, .truth, a: a.part, b: b.part)
    }

    private mutating func arithmetic(
        _ syntax: RuleSyntax,
        _ sign: Character,
        _ left: RuleSyntax,
        _ right: RuleSyntax
    ) -> Compiled? {
        let a = compile(left)
        let b = compile(right)
        guard let a, let b else { return nil }
        if sign == "+", a.type == .text, b.type == .text { return emit(.concatenate, .text, a: a.part, b: b.part) }
        guard a.type == .decimal, b.type == .decimal else {
            let wrong = a.type == .decimal ? b : a
            return fail(syntax, "\(sign) needs two numbers, but one side is \(wrong.type.phrase); \(remedy(.decimal))")
        }
        return emit(sign == "+" ? .add : sign == "-" ? .subtract : .multiply, .decimal, a: a.part, b: b.part)
    }

    private mutating func compare(
        _ syntax: RuleSyntax,
        _ comparison: Comparison,
        _ left: RuleSyntax,
        _ right: RuleSyntax
    ) -> Compiled? {
        let a = compile(left)
        let b = compile(right)
        guard let a, let b else { return nil }
        if a.type == .null || b.type == .null {
            guard comparison.isEquality else {
                return fail(syntax, "\(comparison.rawValue) cannot order null; write == null or != null")
            }
            guard a.type != b.type else { return fail(syntax, "null is compared with null; name a field") }
            guard let test = isNull(a.type == .null ? b : a) else { return nil }
            return comparison == .equal ? test : emit(.not, .truth, a: test.part)
        }
        guard a.type == b.type else {
            return fail(syntax, "\(a.type.phrase) is compared with \(b.type.phrase); compare values of one type")
        }
        if a.type == .truth, !comparison.isEquality {
            return fail(syntax, "\(comparison.rawValue) cannot order true and false; write == or !=")
        }
        let operation: RuleProgram.Operation =
            a.type == .text ? .compareTexts : a.type == .truth ? .compareTruths : .compareDecimals
        return emit(operation, .truth, a: a.part, b: b.part, comparison: comparison)
    }

    mutating func isNull(_ value: Compiled) -> Compiled? {
        let part = program.parts[value.part]
        switch part.operation {
        case .decimalField, .timeField, .textField, .truthField: return emit(.isNullField, .truth, a: Int(part.a))
        case .decimalCell, .timeCell, .textCell, .truthCell:
            return emit(.isNullCell, .truth, a: Int(part.a), b: Int(part.b))
        default: break
        }
        switch value.type {
        case .decimal, .time: return emit(.isNullDecimal, .truth, a: value.part)
        case .text: return emit(.isNullText, .truth, a: value.part)
        case .truth, .null: return emit(.isNullTruth, .truth, a: value.part)
        }
    }
}
