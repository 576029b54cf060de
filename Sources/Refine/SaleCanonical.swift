import Primitives
import RetailModel

/// The encoding that a sale's content hash is of: every business value, in an order that never changes.
///
/// Values that came later stand at the end, each behind its own tag and only where there is one, so that the hash
/// of a sale without them is what it always was. Requirements, windows and counters are the contract's, not the
/// sale's.
///
/// It is written while the lines are made, each once: their own hashes are of parts of it.
struct SaleEncoding {
    /// Where the reported total stands, which is known behind the lines.
    private let total: Int
    private var lines: UInt32 = 0

    /// Begins with what is known before the lines.
    init(_ header: DocumentHeader, into bytes: inout ByteBuilder) {
        bytes.removeAll()
        bytes.appendField(header.store)
        bytes.appendField(header.customer)
        bytes.appendField(header.customerName)
        bytes.appendField(header.country)
        bytes.appendBigEndian(header.status.rawValue)
        bytes.appendBigEndian(header.occurredAt.micros)
        total = bytes.count
        bytes.appendBigEndian(Int64.zero)
    }

    /// Adds the next line and sets its hash; in its place, since a copy would count references to all its parts.
    mutating func add(_ line: inout LineEvent, to bytes: inout ByteBuilder) {
        let start = bytes.count
        line.canonical(into: &bytes)
        lines += 1
        line.contentHash = Digest.sha256(of: bytes.bytes[start...])
    }

    /// The hash of the sale.
    func finish(_ header: DocumentHeader, _ bytes: inout ByteBuilder) -> Digest {
        bytes.putBigEndian(header.reportedTotal ?? .min, at: total)
        let end = bytes.count
        bytes.appendBigEndian(lines)
        bytes.appendOptional(header)
        // The count of lines stands before such values only.
        if bytes.count == end + 4 { bytes.cut(to: end) }
        return Digest.sha256(of: bytes.bytes)
    }
}

extension ByteBuilder {
    fileprivate mutating func appendOptional(_ header: DocumentHeader) {
        append(1, header.cashier)
        append(2, header.paymentMethod)
        append(3, header.paid)
        append(4, header.bonusPayment)
        append(5, header.bonusGranted)
        append(6, header.loyaltyPoints)
        if let receipt = header.receipt {
            append(7, receipt.id)
            append(8, receipt.at)
            append(9, receipt.total)
            append(10, receipt.paymentMethod)
            append(11, receipt.document)
        }
        for entry in header.statuses {
            append(12, entry.status.rawValue)
            append(13, entry.at)
        }
    }

    private mutating func append(_ tag: UInt8, _ text: ByteString?) {
        guard let text else { return }
        append(tag)
        appendField(text)
    }

    private mutating func append(_ tag: UInt8, _ number: Int64?) {
        guard let number else { return }
        append(tag)
        appendBigEndian(number)
    }
}
