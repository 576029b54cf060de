package import Primitives

/// What a document or a line is: `document_kinds` of a contract. Everything else is a sale.
package struct DocumentKinds: Equatable, Sendable, CustomStringConvertible {
    package var cancellation = DocumentMark()
    package var badDebt = DocumentMark()
    /// Lines of a sale with a negative quantity that are returns also without a customer.
    package var refund = DocumentMark()

    package init() {}

    /// Of contracts of source `invoices` that were written before the key was there, and never say it.
    static let ofOldInvoices: DocumentKinds = {
        var kinds = DocumentKinds()
        kinds.cancellation.prefixes = ["C"]
        kinds.badDebt.prefixes = ["A"]
        return kinds
    }()

    var all: [(name: String, mark: DocumentMark)] {
        [("cancellation", cancellation), ("bad_debt", badDebt), ("refund", refund)]
    }

    /// `cancellation C, bad_debt A`, for messages.
    package var description: String {
        let parts = all.filter { !$0.mark.isEmpty }
        return parts.isEmpty ? "none" : parts.map { "\($0.name) \($0.mark)" }.joined(separator: ", ")
    }
}

/// How a contract tells one kind: by the first signs of the document's number, or by an expression.
package struct DocumentMark: Equatable, Sendable, CustomStringConvertible {
    package var prefixes: [ByteString] = []
    /// The expression as written; `field` and `values` as the expression that they stand for.
    var text: String?
    /// The part of the contract's program that ``text`` was compiled to.
    var part: Int32?

    var isEmpty: Bool { prefixes.isEmpty && text == nil }

    package var description: String {
        text.map { "when \($0)" } ?? prefixes.map(\.description).sorted().joined(separator: " or ")
    }

    /// The place in a program says nothing about the meaning.
    package static func == (a: Self, b: Self) -> Bool { a.prefixes == b.prefixes && a.text == b.text }
}

/// What a contract says about one line of a document.
package struct DocumentVerdict: Equatable, Sendable {
    package var isCancellation = false, isBadDebt = false, isRefund = false
}

package enum DocumentReading: Equatable, Sendable {
    case verdict(DocumentVerdict)
    case reason(Reason)
}

extension Contract {
    /// Which kinds a line has, by its values after the rules.
    ///
    /// - Returns: the kinds, or the reason of an expression whose arithmetic left its bounds.
    package func documentVerdict(_ number: ByteString, _ values: [FieldValue]) -> DocumentReading {
        var verdict = DocumentVerdict()
        // Not through a copy: every line asks, and a copy counts references to all lists.
        verdict.isCancellation = documentKinds.cancellation.begins(number)
        verdict.isBadDebt = documentKinds.badDebt.begins(number)
        verdict.isRefund = documentKinds.refund.begins(number)
        guard hasDocumentExpressions else { return .verdict(verdict) }
        var evaluator = RuleEvaluator(program: program, values: values)
        for (name, mark) in documentKinds.all {
            guard let part = mark.part else { continue }
            let holds = evaluator.truth(part) == .yes
            if let failure = evaluator.failure {
                return .reason(
                    Reason(
                        rule: failure.rawValue,
                        field: "",
                        value: "",
                        message:
                            "The \(name) expression of document_kinds (\(mark)) cannot be computed; send smaller or shorter values"
                    )
                )
            }
            switch name {
            case "cancellation": verdict.isCancellation = holds
            case "bad_debt": verdict.isBadDebt = holds
            default: verdict.isRefund = holds
            }
        }
        return .verdict(verdict)
    }
}

extension DocumentMark {
    fileprivate func begins(_ number: ByteString) -> Bool { prefixes.contains { number.begins(with: $0) } }
}

extension ByteString {
    package func begins(with start: ByteString) -> Bool {
        guard count >= start.count else { return false }
        for index in 0..<start.count where self[index] != start[index] { return false }
        return true
    }
}
