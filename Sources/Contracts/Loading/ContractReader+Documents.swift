import Primitives
import YAMLTree

extension ContractReader {
    /// `document_kinds`: what marks cancellations, bad debts and refunds.
    ///
    /// A contract of source `invoices` that does not name the key has those that were built in before there was one:
    /// its text may stand in a log (decision 0044). One that names it has what it says, nothing with `{}`.
    mutating func readDocumentKinds(
        _ node: YAMLNode?,
        _ mapper: MapperSignature?,
        source: String?,
        _ compiler: inout RuleCompiler
    ) -> DocumentKinds {
        let isMeant = mapper?.features.contains(.documentKinds) ?? true
        guard let node else { return isMeant && source == "invoices" ? .ofOldInvoices : DocumentKinds() }
        var kinds = DocumentKinds()
        guard isMeant else {
            fail(node, "The mapper makes no documents of several kinds; remove document_kinds")
            return kinds
        }
        guard let top = section(node, "document_kinds", ["cancellation", "bad_debt", "refund"]) else { return kinds }
        if let node = top["cancellation"] { kinds.cancellation = mark(node, "cancellation", &compiler) }
        if let node = top["bad_debt"] { kinds.badDebt = mark(node, "bad_debt", &compiler) }
        if let node = top["refund"] { kinds.refund = mark(node, "refund", &compiler) }
        for one in kinds.cancellation.prefixes {
            guard
                let other = kinds.badDebt.prefixes.first(where: { $0.begins(with: one) || one.begins(with: $0) })
            else { continue }
            fail(
                node,
                "A document can begin with prefix \(one.description.quotedForMessage) of cancellation and with prefix "
                    + "\(other.description.quotedForMessage) of bad_debt; change one so that neither begins with the other"
            )
        }
        return kinds
    }

    /// A prefix, a list of prefixes, `{ field, values }` or `{ when }`.
    private mutating func mark(_ node: YAMLNode, _ kind: String, _ compiler: inout RuleCompiler) -> DocumentMark {
        var mark = DocumentMark()
        guard node.entries != nil else {
            let nodes = node.items == nil ? [node] : items(node, kind, max: ContractLimits.listEntriesMax)
            mark.prefixes = nodes.compactMap { text($0, "prefix of \(kind)").map { ByteString($0) } }
            return mark
        }
        guard let top = section(node, kind, ["field", "values", "when"]) else { return mark }
        if let when = top["when"], top["field"] == nil, top["values"] == nil {
            mark.part = expression(when, "when", as: .truth, &compiler).map { Int32($0.part) }
            mark.text = when.text
        } else if let field = top["field"], let values = top["values"], top["when"] == nil {
            guard let text = membership(field, values, kind) else { return mark }
            mark.part = compiler.compile(text).map { Int32($0.part) }
            for error in compiler.errors { fail(node, "In \(kind): \(error.sentence)") }
            mark.text = text
        } else {
            fail(node, "\(kind) is told by a prefix, by field and values, or by when; write one of the three")
        }
        return mark
    }

    /// `doc_type in ["CN", "CREDIT"]`.
    private mutating func membership(_ node: YAMLNode, _ values: YAMLNode, _ kind: String) -> String? {
        guard let index = topField(node, "field") else { return nil }
        let field = fields.fields[index]
        guard field.type == .text || field.type == .uuid else {
            fail(
                node,
                "field \(field.name) is \(field.type.phrase); use a text field, or write when: with an expression"
            )
            return nil
        }
        let texts = items(values, "values", max: ContractLimits.listEntriesMax).compactMap {
            text($0, "value of \(kind)")
        }
        guard !texts.isEmpty else {
            if values.items?.isEmpty == true { fail(values, "values of \(kind) is empty; list at least one value") }
            return nil
        }
        let quoted = texts.map { "\"\($0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        return "\(field.name) in [\(quoted.joined(separator: ", "))]"
    }
}
