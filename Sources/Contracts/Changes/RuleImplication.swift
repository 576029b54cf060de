import Primitives

/// Makes expressions of two contracts comparable: settings become their values, and old field names the new ones.
struct RuleImplication {
    let old: [String: SettingValue]
    let new: [String: SettingValue]
    /// New names by old ones.
    let names: [String: String]

    func old(_ syntax: RuleSyntax) -> RuleTerm { RuleTerm(syntax, old) { names[$0] ?? "\($0) (removed)" } }
    func new(_ syntax: RuleSyntax) -> RuleTerm { RuleTerm(syntax, new) { $0 } }
}

/// An expression by its meaning: without places, with the values of settings.
indirect enum RuleTerm: Equatable {
    case number(Decimal)
    case text(String)
    case truth(Bool)
    case null
    case list(SettingValue)
    case name(String)
    case and(RuleTerm, RuleTerm)
    case or(RuleTerm, RuleTerm)
    case comparison(Comparison, RuleTerm, RuleTerm)
    case within(RuleTerm, [RuleTerm])
    case call(String, [RuleTerm])

    init(_ syntax: RuleSyntax, _ settings: [String: SettingValue], _ rename: (String) -> String) {
        func term(_ syntax: RuleSyntax) -> RuleTerm { RuleTerm(syntax, settings, rename) }
        switch syntax.kind {
        case .number(let value): self = .number(value)
        case .text(let text): self = .text(text)
        case .truth(let value): self = .truth(value)
        case .null: self = .null
        case .name(let name): self = .name(rename(name))
        case .setting(let name): self = settings[name].map(RuleTerm.init(setting:)) ?? .null
        case .negation(let inside):
            if case .number(let value) = term(inside), let negated = value.negated {
                self = .number(negated)
            } else {
                self = .call("-", [term(inside)])
            }
        case .not(let inside): self = .call("not", [term(inside)])
        case .arithmetic(let sign, let left, let right): self = .call(String(sign), [term(left), term(right)])
        case .comparison(let comparison, let left, let right): self = .comparison(comparison, term(left), term(right))
        case .and(let left, let right): self = .and(term(left), term(right))
        case .or(let left, let right): self = .or(term(left), term(right))
        case .within(let value, let entries): self = .within(term(value), entries.map(term))
        case .withinSetting(let value, let name): self = .within(term(value), Self.entries(settings[name]))
        case .call(let name, let arguments): self = .call(name, arguments.map(term))
        }
    }

    private init(setting: SettingValue) {
        switch setting {
        case .text(let text): self = .text(text.description)
        case .decimal(let number): self = .number(number)
        case .boolean(let truth): self = .truth(truth)
        case .texts, .decimals: self = .list(setting)
        }
    }

    private static func entries(_ setting: SettingValue?) -> [RuleTerm] {
        switch setting {
        case .texts(let texts): texts.map { .text($0.description) }
        case .decimals(let numbers): numbers.map { .number($0) }
        default: []
        }
    }

    /// Whether a record that passes this check surely passes the other: false also when that cannot be told.
    ///
    /// It compares the shape of the two; a value that is null leaves both unknown, because both read the same fields.
    func implies(_ other: RuleTerm) -> Bool {
        if self == other || other == .truth(true) { return true }
        switch (self, other) {
        case (_, .and(let left, let right)): return implies(left) && implies(right)
        case (.or(let left, let right), _): return left.implies(other) && right.implies(other)
        case (.and(let left, let right), _) where left.implies(other) || right.implies(other): return true
        case (_, .or(let left, let right)): return implies(left) || implies(right)
        case (.comparison(let sign, let left, .number(let bound)), .comparison(let next, let same, .number(let limit)))
        where left == same:
            return Self.implies(sign, bound, next, limit)
        case (.within(let value, let entries), .within(let same, let more)) where value == same:
            return entries.allSatisfy(more.contains)
        case (.call("all", let rows), .call("all", let others)) where rows.first == others.first:
            return rows.count == 2 && others.count == 2 && rows[1].implies(others[1])
        default: return false
        }
    }

    /// Whether `x sign bound` implies `x next limit`.
    private static func implies(_ sign: Comparison, _ bound: Decimal, _ next: Comparison, _ limit: Decimal) -> Bool {
        switch (sign, next) {
        case (.less, .less), (.lessOrEqual, .lessOrEqual), (.less, .lessOrEqual), (.equal, .lessOrEqual):
            bound <= limit
        case (.lessOrEqual, .less), (.equal, .less): bound < limit
        case (.greater, .greater), (.greaterOrEqual, .greaterOrEqual), (.greater, .greaterOrEqual),
            (.equal, .greaterOrEqual):
            bound >= limit
        case (.greaterOrEqual, .greater), (.equal, .greater): bound > limit
        case (.equal, .equal), (.notEqual, .notEqual): bound == limit
        case (.equal, .notEqual): bound != limit
        case (.less, .notEqual): bound <= limit
        case (.greater, .notEqual): bound >= limit
        case (.lessOrEqual, .notEqual): bound < limit
        case (.greaterOrEqual, .notEqual): bound > limit
        default: false
        }
    }
}
