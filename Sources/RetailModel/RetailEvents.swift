package import Primitives

/// What a line counts as: spec model 1.9.
package enum LineKind: Int64, Sendable, CaseIterable {
    case gross = 0, returned = 1, adjustment = 2

    /// First match decides: bad debt, negative price, cancellation, negative quantity, everything else.
    ///
    /// - Parameter isRefund: The line names a customer, or its contract marks it as a refund.
    package static func classify(
        documentType: DocumentType,
        quantity: Int64,
        unitPrice: Int64,
        isRefund: Bool
    ) -> LineKind {
        if documentType == .badDebt || unitPrice < 0 { return .adjustment }
        if documentType == .cancellation { return quantity < 0 ? .returned : .adjustment }
        if quantity < 0 { return isRefund ? .returned : .adjustment }
        return .gross
    }
}

package enum DocumentType: Int64, Sendable, CaseIterable {
    case sale = 0, cancellation = 1, badDebt = 2
}

package enum SaleStatus: Int64, Sendable, CaseIterable {
    case closed = 0, open = 1, cooking = 2, delivering = 3, cancelled = 4, failed = 5

    /// The name in messages and contracts.
    package var name: String {
        switch self {
        case .closed: "closed"
        case .open: "open"
        case .cooking: "cooking"
        case .delivering: "delivering"
        case .cancelled: "cancelled"
        case .failed: "failed"
        }
    }
}

extension SaleStatus {
    /// Place in the life of an order; an end beside the last one follows everything.
    package var progress: Int64 {
        switch self {
        case .open: 0
        case .cooking: 1
        case .delivering: 2
        case .closed: 3
        case .cancelled, .failed: 4
        }
    }
}

/// What is remarkable about a line without making it wrong.
package struct LineFlags: OptionSet, Sendable, Hashable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    package static let noDescription = LineFlags(rawValue: 1)
    package static let zeroPrice = LineFlags(rawValue: 2)
    package static let ambiguousTime = LineFlags(rawValue: 4)
    package static let notMerchandise = LineFlags(rawValue: 8)
    package static let corrected = LineFlags(rawValue: 16)
    package static let contractFlag = LineFlags(rawValue: 32)

    package static let names: [(LineFlags, String)] = [
        (.noDescription, "no_description"), (.zeroPrice, "zero_price"), (.ambiguousTime, "ambiguous_time"),
        (.notMerchandise, "not_merchandise"), (.corrected, "corrected"), (.contractFlag, "contract_flag"),
    ]
}

/// One line of a document, ready to fold: a pure function of bytes, envelope and contract.
package struct LineEvent: Sendable, Equatable {
    package var source: ByteString
    package var document: ByteString
    package var documentType = DocumentType.sale
    /// Unique within the document: the client's line number or the record_id.
    package var identity: ByteString
    package var store: ByteString
    package var timeZone: ByteString
    package var product: ByteString
    package var description: ByteString?
    package var customer: ByteString?
    package var customerName: ByteString?
    package var country: ByteString?
    package var kind = LineKind.gross
    package var occurredAt: Timestamp
    /// Days since 1970 and hours since 1970-01-01 00:00, by the store's calendar.
    package var day: Int64
    package var hour: Int64
    /// Thousandths, signed.
    package var quantity: Int64
    /// Units of 1e-5.
    package var unitPrice: Int64
    package var amount: Int64
    /// The line total as the sender stated it, where it differs from `amount`.
    package var reportedAmount: Int64?
    package var currency: Currency
    package var flags: LineFlags = []
    package var rawTime: ByteString
    /// Microseconds; 0 when the contract names no version time.
    package var versionAt: Int64 = 0
    package var contentHash = Digest.zero

    package init(
        source: ByteString,
        document: ByteString,
        identity: ByteString,
        store: ByteString,
        timeZone: ByteString,
        product: ByteString,
        occurredAt: Timestamp,
        day: Int64,
        hour: Int64,
        quantity: Int64,
        unitPrice: Int64,
        amount: Int64,
        currency: Currency,
        rawTime: ByteString
    ) {
        self.source = source
        self.document = document
        self.identity = identity
        self.store = store
        self.timeZone = timeZone
        self.product = product
        self.occurredAt = occurredAt
        self.day = day
        self.hour = hour
        self.quantity = quantity
        self.unitPrice = unitPrice
        self.amount = amount
        self.currency = currency
        self.rawTime = rawTime
    }

    /// The canonical encoding that the content hash is of: no positions, receipt times, display numbers, surrogates.
    package func canonical(into bytes: inout ByteBuilder) {
        // One by one: lists would be allocated for every line.
        bytes.appendField(source)
        bytes.appendField(document)
        bytes.appendField(product)
        bytes.appendField(description)
        bytes.appendField(customer)
        bytes.appendField(customerName)
        bytes.appendField(country)
        bytes.appendBigEndian(documentType.rawValue)
        bytes.appendBigEndian(occurredAt.micros)
        bytes.appendBigEndian(quantity)
        bytes.appendBigEndian(unitPrice)
        bytes.appendBigEndian(amount)
        bytes.appendBigEndian(Int64(currency.code))
        // Only where there is one: hashes of lines without are those of older versions of till.
        if let reportedAmount { bytes.appendBigEndian(reportedAmount) }
        // Nothing above says that a contract marks this line as a refund.
        if kind == .returned, documentType == .sale, customer == nil { bytes.append(1) }
    }
}

extension ByteBuilder {
    /// A length (−1 for nil) and the bytes: no two different sequences of fields have the same encoding.
    package mutating func appendField(_ text: ByteString?) {
        appendBigEndian(Int32(text?.count ?? -1))
        if let text { append(text) }
    }
}
