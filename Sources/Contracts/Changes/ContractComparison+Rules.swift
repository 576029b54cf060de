extension ContractComparison {
    mutating func compareRules() {
        let before = Dictionary(uniqueKeysWithValues: old.rules.map { ($0.id, $0) })
        let after = Dictionary(uniqueKeysWithValues: new.rules.map { ($0.id, $0) })
        for rule in new.rules {
            if let was = before[rule.id] {
                compare(was, rule)
            } else {
                added(rule)
            }
        }
        for rule in old.rules where after[rule.id] == nil {
            if rule.effect.sets {
                breaks("rule \(rule.id) was removed: what it set stays as it was sent")
            } else {
                allows("rule \(rule.id) was removed")
            }
        }
    }

    private mutating func added(_ rule: Rule) {
        switch rule.effect {
        case .reject: breaks("rule \(rule.id) is new and rejects: \(rule.check)")
        case .flag: allows("rule \(rule.id) is new and flags")
        case .correct, .normalise: breaks("rule \(rule.id) is new and sets a value")
        }
    }

    private mutating func compare(_ was: Rule, _ now: Rule) {
        if was.effect != now.effect {
            let sentence = "rule \(now.id) is on_failure: \(now.effect), was \(was.effect)"
            let isHarmless = !was.effect.sets && now.effect == .flag || was.effect.sets && now.effect.sets
            if isHarmless { allows(sentence) } else { breaks(sentence) }
        }
        if now.effect.sets, was.effect.sets {
            if !isEqual(was.source.check, now.source.check) || !isEqual(was.source.guarded, now.source.guarded)
                || !isEqual(was.source.value, now.source.value)
                || was.correction.flatMap({ places[$0.target] }) != now.correction?.target
            {
                breaks("rule \(now.id) sets values in another way")
            }
            return
        }
        switch (now.effect, strictness(was, now)) {
        case (_, .equal): break
        case (.reject, .stricter): breaks("rule \(now.id) is stricter: \(now.check), was \(was.check)")
        case (.reject, .unknown):
            allows(
                "rule \(now.id) was changed, and till cannot tell whether it is stricter: \(now.check), was \(was.check)"
            )
        case (_, .looser): allows("rule \(now.id) is looser: \(now.check), was \(was.check)")
        default: allows("rule \(now.id) was changed: \(now.check)")
        }
    }

    private enum Strictness { case equal, stricter, looser, unknown }

    private func strictness(_ was: Rule, _ now: Rule) -> Strictness {
        guard let oldCheck = was.source.check, let newCheck = now.source.check else { return .unknown }
        let implication = RuleImplication(old: old.settings, new: new.settings, names: names)
        let always = RuleSyntax(kind: .truth(true), offset: 0)
        let (oldGuard, newGuard) = (was.source.guarded ?? always, now.source.guarded ?? always)
        let (before, after) = (implication.old(oldCheck), implication.new(newCheck))
        let (guardBefore, guardAfter) = (implication.old(oldGuard), implication.new(newGuard))
        let passes = before.implies(after) && guardAfter.implies(guardBefore)
        let passed = after.implies(before) && guardBefore.implies(guardAfter)
        return passes ? (passed ? .equal : .looser) : passed ? .stricter : .unknown
    }

    /// Two marks of one kind of document.
    func areEqual(_ was: DocumentMark, _ now: DocumentMark) -> Bool {
        Set(was.prefixes) == Set(now.prefixes) && isEqual(was.syntax, now.syntax)
    }

    private func isEqual(_ was: RuleSyntax?, _ now: RuleSyntax?) -> Bool {
        guard let was, let now else { return was == nil && now == nil }
        let implication = RuleImplication(old: old.settings, new: new.settings, names: names)
        return implication.old(was) == implication.new(now)
    }

    /// New names of the old contract's fields, as rules write them.
    private var names: [String: String] {
        var names: [String: String] = [:]
        for (was, now) in places { names[old.fields.nameInRules(was)] = new.fields.nameInRules(now) }
        return names
    }
}

extension Rule {
    fileprivate var source: (check: RuleSyntax?, guarded: RuleSyntax?, value: RuleSyntax?) {
        func syntax(_ text: String?) -> RuleSyntax? { text.flatMap { try? RuleParser.parse($0) } }
        return (syntax(check), syntax(guardText), syntax(valueText))
    }
}

extension DocumentMark {
    fileprivate var syntax: RuleSyntax? { text.flatMap { try? RuleParser.parse($0) } }
}

extension FieldTable {
    fileprivate func nameInRules(_ reference: FieldReference) -> String {
        let name = fields[reference.field].name
        return reference.column.map { "\(name).\(fields[reference.field].fields.fields[$0].name)" } ?? name
    }
}
