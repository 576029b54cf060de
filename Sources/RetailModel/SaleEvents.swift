package import Primitives

/// A whole document in one event: a newer version takes back what the older one added.
package struct SaleEvent: Sendable, Equatable {
    package var header: DocumentHeader
    package var lines: [LineEvent]
    package var contentHash: Digest

    package init(header: DocumentHeader, lines: [LineEvent], contentHash: Digest) {
        self.header = header
        self.lines = lines
        self.contentHash = contentHash
    }
}

/// What is remarkable about a document without making it wrong.
package struct DocumentFlags: OptionSet, Sendable, Hashable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// The total or a line total was recomputed; the reported values are kept.
    package static let corrected = DocumentFlags(rawValue: 1)
    package static let receiptDiffers = DocumentFlags(rawValue: 2)
    package static let statusOrder = DocumentFlags(rawValue: 4)
    package static let ambiguousTime = DocumentFlags(rawValue: 8)
    package static let contractFlag = DocumentFlags(rawValue: 16)

    package static let names: [(DocumentFlags, String)] = [
        (.corrected, "corrected"), (.receiptDiffers, "receipt_differs"), (.statusOrder, "status_order"),
        (.ambiguousTime, "ambiguous_time"), (.contractFlag, "contract_flag"),
    ]
}

/// Which sums a document takes part in besides those of every sale; its contract says so.
package struct DocumentTraits: OptionSet, Sendable, Hashable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// Turnover windows of its store.
    package static let windowed = DocumentTraits(rawValue: 1)
    /// Order counters of its customer.
    package static let counted = DocumentTraits(rawValue: 2)
    /// It has a status history.
    package static let history = DocumentTraits(rawValue: 4)
}

/// Tumbling windows of one feed: settings of its contract, microseconds.
package struct WindowPolicy: Sendable, Hashable {
    /// Length; windows are aligned to 1970-01-01T00:00:00Z.
    package var length: Int64
    /// How far event time must pass a window's end before it is published.
    package var lateness: Int64
    /// A store without a record for so long (receipt time) has its windows published.
    package var idle: Int64
    /// An event time further ahead of its receipt than this counts, but does not move the watermark.
    package var skew: Int64

    package init(length: Int64, lateness: Int64, idle: Int64, skew: Int64) {
        self.length = length
        self.lateness = lateness
        self.idle = idle
        self.skew = skew
    }
}

/// One entry of a document's status history.
package struct StatusEntry: Sendable, Hashable {
    package var status: SaleStatus
    package var at: Int64

    package init(status: SaleStatus, at: Int64) {
        self.status = status
        self.at = at
    }
}

package struct DocumentHeader: Sendable, Equatable {
    package var source: ByteString
    package var document: ByteString
    package var store: ByteString
    package var timeZone: ByteString
    package var customer: ByteString?
    package var customerName: ByteString?
    package var country: ByteString?
    package var status = SaleStatus.closed
    package var occurredAt: Timestamp
    package var day: Int64
    package var currency: Currency
    package var versionAt: Int64 = 0
    /// Decides between versions of one version time, µs; no part of the content. 0 when the contract names none.
    package var secondVersionAt: Int64 = 0
    package var reportedTotal: Int64?
    package var cashier: ByteString?
    package var paymentMethod: ByteString?
    /// What was paid, where the source says so beside the total.
    package var paid: Int64?
    package var bonusPayment: Int64?
    package var bonusGranted: Int64?
    package var loyaltyPoints: Int64?
    package var receipt: Receipt?
    package var flags: DocumentFlags = []
    package var statuses: [StatusEntry] = []
    /// Nil when the feed has no windows.
    package var window: WindowPolicy?
    package var isCounted = false
    /// Reference records without which the event is parked.
    package var requires: [ReferenceKey] = []

    /// The receipt as it was reported; it may differ from the sale.
    package struct Receipt: Sendable, Equatable {
        package var id: ByteString
        package var at: Int64
        package var total: Int64
        package var paymentMethod: ByteString
        package var document: ByteString

        package init(
            id: ByteString,
            at: Int64,
            total: Int64,
            paymentMethod: ByteString,
            document: ByteString
        ) {
            self.id = id
            self.at = at
            self.total = total
            self.paymentMethod = paymentMethod
            self.document = document
        }
    }

    package init(
        source: ByteString,
        document: ByteString,
        store: ByteString,
        timeZone: ByteString,
        occurredAt: Timestamp,
        day: Int64,
        currency: Currency
    ) {
        self.source = source
        self.document = document
        self.store = store
        self.timeZone = timeZone
        self.occurredAt = occurredAt
        self.day = day
        self.currency = currency
    }

    package var traits: DocumentTraits {
        var traits: DocumentTraits = []
        if window != nil { traits.insert(.windowed) }
        if isCounted { traits.insert(.counted) }
        if !statuses.isEmpty { traits.insert(.history) }
        return traits
    }
}
