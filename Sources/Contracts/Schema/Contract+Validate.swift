import Primitives

/// One value that a rule replaced.
package struct Correction: Hashable, Sendable {
    package let rule: String
    package let field: FieldReference
    /// 0-based row of a nested field.
    package let row: Int?
    package let old: FieldValue
    package let new: FieldValue
}

/// What the rules say about one event.
package struct Validation: Equatable, Sendable {
    /// Every reason to reject; empty means accepted.
    package var reasons: [Reason] = []
    /// Ids of flagging rules that did not hold.
    package var flags: [String] = []
    package var corrections: [Correction] = []

    package init() {}
}

extension Contract {
    /// Applies all rules in their order.
    ///
    /// Corrections are made in `values` at once, so later rules see them. A correction whose value is null (and not
    /// written as `null`), or that the field itself would refuse, rejects instead. Afterwards `values` has no amount
    /// of more than five fraction digits.
    ///
    /// - Parameter values: one per field, in the order of ``fields``; rows of a list likewise in the order of its fields.
    /// - Complexity: bounded by ``ContractLimits/stepsMax`` steps.
    package func validate(_ values: inout [FieldValue]) -> Validation {
        precondition(values.count == fields.count, "an event has one value for each of its contract's fields")
        var validation = Validation()
        var evaluator = RuleEvaluator(program: program, values: values)
        // The evaluator is the only owner while it may correct.
        values = []
        for index in rules.indices { apply(rules[index], &evaluator, &validation) }
        values = evaluator.values
        for place in longAmounts { round(place, &values) }
        return validation
    }

    /// Leaves of an amount the digits that the model holds.
    private func round(_ place: FieldReference, _ values: inout [FieldValue]) {
        let field = fields[place]
        guard let column = place.column else {
            values[place.field] = field.kept(values[place.field])
            return
        }
        guard case .list(var rows) = values[place.field] else { return }
        for row in rows.indices {
            let kept = field.kept(rows[row][column])
            if kept != rows[row][column] { rows[row][column] = kept }
        }
        values[place.field] = .list(rows)
    }

    private func apply(_ rule: Rule, _ evaluator: inout RuleEvaluator, _ validation: inout Validation) {
        evaluator.failure = nil
        evaluator.failedRow = nil
        if let guardPart = rule.guardPart {
            let applies = evaluator.truth(guardPart)
            if evaluator.failure == nil, applies != .yes { return }
        }
        if evaluator.failure == nil, evaluator.truth(rule.checkPart) != .no, evaluator.failure == nil { return }
        if let failure = evaluator.failure {
            validation.reasons.append(reason(rule, failure, evaluator))
            return
        }
        switch rule.effect {
        case .reject:
            validation.reasons.append(reason(rule, evaluator, rule.message))
            rejectOtherRows(rule, &evaluator, &validation)
        case .flag: validation.flags.append(rule.id)
        case .correct, .normalise: correct(rule, &evaluator, &validation)
        }
    }

    /// A check of every row gives a reason for every row that breaks it, so that the sender hears all at once.
    private func rejectOtherRows(_ rule: Rule, _ evaluator: inout RuleEvaluator, _ validation: inout Validation) {
        guard rule.field.column != nil, program.parts[Int(rule.checkPart)].operation == .all else { return }
        for _ in 1..<ContractLimits.rowsReportedMax {
            guard evaluator.failsLater(rule.checkPart) else { return }
            validation.reasons.append(reason(rule, evaluator, rule.message))
        }
    }

    private func reason(_ rule: Rule, _ evaluator: RuleEvaluator, _ message: String) -> Reason {
        let field = fields[rule.field]
        var value = evaluator.values[rule.field.field]
        var name = field.path
        if let column = rule.field.column {
            guard let row = evaluator.failedRow, case .list(let rows) = value, row < rows.count else {
                return Reason(rule: rule.id, field: name, value: "", message: message)
            }
            value = rows[row][column]
            name = field.shownName(row)
        }
        let shown = value.shown
        let sentence = message.contains("{value}") ? message.replacing("{value}", with: shown) : message
        return Reason(rule: rule.id, field: name, value: shown, message: sentence)
    }

    private func reason(_ rule: Rule, _ failure: BuiltInRule, _ evaluator: RuleEvaluator) -> Reason {
        let sentence =
            failure == .overflow
            ? "Rule \(rule.id) (\(rule.check)) needs more than 127 bits or 30 fraction digits; send smaller or shorter numbers"
            : "Rule \(rule.id) (\(rule.check)) needs more than \(ContractLimits.stepsMax) steps; send shorter texts or fewer rows"
        let found = reason(rule, evaluator, sentence)
        return Reason(rule: failure.rawValue, field: found.field, value: found.value, message: sentence)
    }

    private func correct(_ rule: Rule, _ evaluator: inout RuleEvaluator, _ validation: inout Validation) {
        guard let plan = rule.correction else { return }
        guard let column = plan.target.column else {
            if let new = newValue(rule, plan, row: nil, &evaluator, &validation) {
                let old = fields[plan.target].kept(evaluator.values[plan.target.field])
                guard old != new else { return }
                evaluator.values[plan.target.field] = new
                guard rule.effect == .correct else { return }
                validation.corrections.append(
                    Correction(rule: rule.id, field: plan.target, row: nil, old: old, new: new)
                )
            }
            return
        }
        guard case .list(var rows) = evaluator.values[plan.target.field] else { return }
        let check = program.parts[Int(rule.checkPart)]
        // A check of every row says which ones are right: they keep what they hold.
        let rowCheck = check.operation == .all && Int(check.a) == plan.target.field ? check.b : nil
        for row in rows.indices {
            evaluator.row = row
            if let rowCheck, evaluator.truth(rowCheck) == .yes { continue }
            guard let new = newValue(rule, plan, row: row, &evaluator, &validation) else { break }
            let old = fields[plan.target].kept(rows[row][column])
            guard old != new else { continue }
            rows[row][column] = new
            guard rule.effect == .correct else { continue }
            validation.corrections.append(Correction(rule: rule.id, field: plan.target, row: row, old: old, new: new))
        }
        evaluator.row = 0
        evaluator.values[plan.target.field] = .list(rows)
    }

    /// The value to set; nil after a reason was added.
    private func newValue(
        _ rule: Rule,
        _ plan: CorrectionPlan,
        row: Int?,
        _ evaluator: inout RuleEvaluator,
        _ validation: inout Validation
    ) -> FieldValue? {
        if plan.isNull { return .null }
        var value = FieldValue.null
        var raw = RawValue.null
        switch plan.type {
        case .decimal:
            if let number = evaluator.decimal(plan.valuePart) {
                (value, raw) = (.decimal(number), .csv(Array(number.description.utf8)[...]))
            }
        case .text:
            if let text = evaluator.text(plan.valuePart) { (value, raw) = (.text(text), .csv(text.bytes[...])) }
        case .truth:
            let truth = evaluator.truth(plan.valuePart)
            if truth != .unknown { return .boolean(truth == .yes) }
        case .time, .null: break
        }
        if let failure = evaluator.failure {
            validation.reasons.append(reason(rule, failure, evaluator))
            return nil
        }
        evaluator.failedRow = row
        guard !value.isNull else {
            validation.reasons.append(reason(rule, evaluator, rule.message))
            return nil
        }
        switch fields[plan.target].read(raw, row: row) {
        case .value(let checked): return checked
        case .reason(let reason):
            validation.reasons.append(reason)
            return nil
        }
    }
}
