package import Primitives

/// What a document is by how its number begins: `document_kinds` of a contract. Everything else is a sale.
package struct DocumentKinds: Hashable, Sendable, CustomStringConvertible {
    package var cancellation: [ByteString] = []
    package var badDebt: [ByteString] = []

    package init() {}

    /// Of contracts of source `invoices` that were written before the key was there, and never say it.
    static let ofOldInvoices: DocumentKinds = {
        var kinds = DocumentKinds()
        kinds.cancellation = ["C"]
        kinds.badDebt = ["A"]
        return kinds
    }()

    /// `cancellation C, bad_debt A`, for messages.
    package var description: String {
        let parts = [("cancellation", cancellation), ("bad_debt", badDebt)].filter { !$0.1.isEmpty }
        if parts.isEmpty { return "none" }
        return parts.map { "\($0.0) \($0.1.map(\.description).sorted().joined(separator: " or "))" }
            .joined(separator: ", ")
    }
}

extension ByteString {
    package func begins(with start: ByteString) -> Bool {
        guard count >= start.count else { return false }
        for index in 0..<start.count where self[index] != start[index] { return false }
        return true
    }
}
