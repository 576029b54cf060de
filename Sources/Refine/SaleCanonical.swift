import Primitives
import RetailModel

extension ContractPlan {
    /// The encoding that a sale's content hash is of: every business value, in an order that never changes.
    ///
    /// Values that came later stand at the end, each behind its own tag and only where there is one, so that the hash
    /// of a sale without them is what it always was. Requirements, windows and counters are the contract's, not the
    /// sale's.
    ///
    /// - Parameters:
    ///   - lines: The encodings of all lines, one behind the other.
    ///   - count: How many lines.
    static func canonical(_ header: DocumentHeader, lines: [UInt8], count: Int) -> [UInt8] {
        var canonical: [UInt8] = []
        canonical.reserveCapacity(384 + lines.count)
        for text in [header.store, header.customer, header.customerName, header.country] {
            canonical.appendField(text)
        }
        for number in [header.status.rawValue, header.occurredAt.micros, header.reportedTotal ?? .min] {
            canonical.appendBigEndian(number)
        }
        canonical += lines

        var optional: [UInt8] = []
        func add(_ tag: UInt8, _ text: ByteString?) {
            guard let text else { return }
            optional.append(tag)
            optional.appendField(text)
        }
        func add(_ tag: UInt8, _ number: Int64?) {
            guard let number else { return }
            optional.append(tag)
            optional.appendBigEndian(number)
        }
        add(1, header.cashier)
        add(2, header.paymentMethod)
        add(3, header.paid)
        add(4, header.bonusPayment)
        add(5, header.bonusGranted)
        add(6, header.loyaltyPoints)
        if let receipt = header.receipt {
            add(7, receipt.id)
            add(8, receipt.at)
            add(9, receipt.total)
            add(10, receipt.paymentMethod)
            add(11, receipt.document)
        }
        for entry in header.statuses {
            add(12, entry.status.rawValue)
            add(13, entry.at)
        }
        guard !optional.isEmpty else { return canonical }
        canonical.appendBigEndian(UInt32(count))
        return canonical + optional
    }
}
