import Primitives
import YAMLTree

extension ContractReader {
    /// `document_kinds`: the prefixes of document numbers that are cancellations and bad debts.
    ///
    /// A contract of source `invoices` that does not name the key has those that were built in before there was one:
    /// its text may stand in a log (decision 0044). One that names it has what it says, nothing with `{}`.
    mutating func readDocumentKinds(_ node: YAMLNode?, _ mapper: MapperSignature?, source: String?) -> DocumentKinds {
        let isMeant = mapper?.features.contains(.documentKinds) ?? true
        guard let node else { return isMeant && source == "invoices" ? .ofOldInvoices : DocumentKinds() }
        var kinds = DocumentKinds()
        guard isMeant else {
            fail(node, "The mapper makes no documents of several kinds; remove document_kinds")
            return kinds
        }
        guard let top = section(node, "document_kinds", ["cancellation", "bad_debt"]) else { return kinds }
        if let node = top["cancellation"] { kinds.cancellation = prefixes(node, "cancellation") }
        if let node = top["bad_debt"] { kinds.badDebt = prefixes(node, "bad_debt") }
        for one in kinds.cancellation {
            guard let other = kinds.badDebt.first(where: { $0.begins(with: one) || one.begins(with: $0) }) else {
                continue
            }
            fail(
                node,
                "A document can begin with prefix \(one.description.quotedForMessage) of cancellation and with prefix "
                    + "\(other.description.quotedForMessage) of bad_debt; change one so that neither begins with the other"
            )
        }
        return kinds
    }

    private mutating func prefixes(_ node: YAMLNode, _ kind: String) -> [ByteString] {
        let nodes = node.items == nil ? [node] : items(node, kind, max: ContractLimits.listEntriesMax)
        return nodes.compactMap { text($0, "prefix of \(kind)").map { ByteString($0) } }
    }
}
