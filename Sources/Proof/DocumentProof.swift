import Primitives
import RetailModel
import Tables

/// One document as it must be: its rows, and what it adds to sums.
struct DocumentProof {
    var header: DocumentHeader
    /// Looked at by index: a copy of a line would count references to all its parts.
    var lines: [LineEvent]
    /// Of each line; empty when they came with the document.
    var offsets: [Int64]
    var offset: Int64
    var customerAt: Int64?, countryAt: Int64?
    var type = DocumentType.sale
    /// Of a whole-document event.
    var hash: Digest?
    var secondVersionAt: Int64 = 0

    private var gross: Int128 = 0, returns: Int128 = 0, adjustments: Int128 = 0
    private var grossLines: Int64 = 0, returnLines: Int64 = 0, adjustmentLines: Int64 = 0
    private var units: Int64 = 0

    init(header: consuming DocumentHeader, lines: consuming [LineEvent], offsets: [Int64] = [], offset: Int64) {
        self.header = header
        self.offsets = offsets
        self.offset = offset
        self.lines = lines
        let lines = self.lines
        for index in lines.indices {
            let amount = Int128(lines[index].amount)
            switch lines[index].kind {
            case .gross:
                gross += amount
                grossLines += 1
                units += lines[index].quantity
            case .returned:
                returns += amount
                returnLines += 1
            case .adjustment:
                adjustments += amount
                adjustmentLines += 1
            }
        }
    }

    private static let document = TableShape.of(RetailTables.document)
    private static let line = TableShape.of(RetailTables.line)
    private static let status = TableShape.of(RetailTables.statusHistory)

    // MARK: Rows

    func write(_ writer: inout RowWriter, into rows: inout RowSink) throws(ProofError) {
        writeDocument(&writer)
        try writer.end(into: &rows)
        for index in lines.indices {
            write(line: index, &writer)
            try writer.end(into: &rows)
        }
        for entry in header.statuses.isEmpty ? [] : Set(header.statuses) {
            writer.begin(Self.status)
            writer.name(header.source, header.document)
            writer.int(entry.at)
            writer.int(entry.status.rawValue)
            try writer.end(into: &rows)
        }
    }

    private func writeDocument(_ writer: inout RowWriter) {
        writer.begin(Self.document)
        writer.name(header.source, header.document)
        writer.int(type.rawValue)
        writer.name(header.source, header.store)
        writer.text(header.customer.map { _ in header.source })
        writer.text(header.customer)
        writer.int(customerAt)
        writer.text(header.customer)
        writer.text(header.country)
        writer.text(header.country)
        writer.int(countryAt)
        writer.int(header.status.rawValue)
        writer.int(header.occurredAt.micros)
        writer.int(header.day)
        writer.int(Int64(header.currency.code))
        // One by one: lists would be allocated for every document.
        writer.wide(gross)
        writer.wide(returns)
        writer.wide(adjustments)
        writer.int(grossLines)
        writer.int(returnLines)
        writer.int(adjustmentLines)
        writer.int(units)
        writer.int(header.versionAt)
        if let hash { writer.digest(hash) } else { writer.null() }
        writer.int(header.reportedTotal)
        writer.text(header.cashier)
        writer.text(header.paymentMethod)
        writer.int(header.paid)
        writer.int(header.bonusPayment)
        writer.int(header.bonusGranted)
        writer.int(header.loyaltyPoints)
        writer.text(header.receipt?.id)
        writer.int(header.receipt?.at)
        writer.int(header.receipt?.total)
        writer.text(header.receipt?.paymentMethod)
        writer.text(header.receipt?.document)
        writer.int(header.flags.rawValue)
        writer.int(header.traits.rawValue)
        writer.int(header.provedWindowStart)
        writer.int(offset)
        writer.int(secondVersionAt)
    }

    private func write(line index: Int, _ writer: inout RowWriter) {
        writer.begin(Self.line)
        writer.name(header.source, header.document)
        writer.blob(lines[index].identity.bytes)
        writer.name(header.source, lines[index].product)
        writer.int(lines[index].kind.rawValue)
        writer.int(lines[index].occurredAt.micros)
        writer.int(lines[index].day)
        writer.int(lines[index].hour)
        writer.int(lines[index].quantity)
        writer.int(lines[index].unitPrice)
        writer.int(lines[index].amount)
        writer.int(lines[index].reportedAmount)
        writer.int(Int64(lines[index].currency.code))
        writer.text(lines[index].description)
        writer.int(lines[index].flags.rawValue)
        writer.text(lines[index].rawTime)
        writer.int(lines[index].versionAt)
        writer.digest(lines[index].contentHash)
        writer.int(offsets.isEmpty ? offset : offsets[index])
    }

    // MARK: Sums

    /// Adds what the document and its lines count as; nothing while it is not closed (model 1.9).
    func count(into sums: inout SumTables) throws(ProofError) {
        guard header.status == .closed, !lines.isEmpty else { return }
        try countLines(into: &sums)
        let order: Int128 = grossLines > 0 ? 1 : 0
        let currency = Int64(header.currency.code)
        if order > 0 {
            try sums.add(SumValues(f: order)) { MartKeys.day(header, header.day, currency, into: &$0) }
            try sums.add(SumValues(f: order)) { MartKeys.total(currency, into: &$0) }
        }
        if let customer = header.customer {
            try sums.add(SumValues(a: gross, b: returns, c: adjustments, d: order, e: 1)) {
                MartKeys.customer(header.source, customer, currency, into: &$0)
            }
        }
        if type == .cancellation {
            try sums.add(SumValues(b: 1)) { MartKeys.cancellation(header.day, currency, into: &$0) }
        }
    }

    /// What neighbouring lines of one hour and currency add to the sums that know no product.
    private struct HourShare {
        var hour: Int64, day: Int64, currency: Int64
        var merchandise = SumValues(), all = SumValues()
        var cancelled: Int128 = 0
    }

    private func countLines(into sums: inout SumTables) throws(ProofError) {
        var share: HourShare?
        for index in lines.indices {
            let (hour, day) = (lines[index].hour, lines[index].day)
            let currency = Int64(lines[index].currency.code)
            if let full = share, full.hour != hour || full.day != day || full.currency != currency {
                try add(full, into: &sums)
                share = nil
            }
            var current = share ?? HourShare(hour: hour, day: day, currency: currency)
            try count(line: index, &current, into: &sums)
            share = current
        }
        if let share { try add(share, into: &sums) }
    }

    private func count(
        line index: Int,
        _ share: inout HourShare,
        into sums: inout SumTables
    ) throws(ProofError) {
        let amount = Int128(lines[index].amount)
        let kind = lines[index].kind
        var values = SumValues()
        switch kind {
        case .gross:
            values.a = amount
            values.c = Int128(lines[index].quantity)
        case .returned: values.b = amount
        case .adjustment: share.all.c += amount
        }
        if kind != .adjustment {
            share.merchandise += values
            let (product, day, currency) = (lines[index].product, share.day, share.currency)
            try sums.add(values) { MartKeys.productDay(header.source, product, day, currency, into: &$0) }
            try sums.add(values) { MartKeys.product(header.source, product, currency, into: &$0) }
            try sums.add(values) { MartKeys.productCountry(header, product, currency, into: &$0) }
        }
        share.all += SumValues(a: values.a, b: values.b, d: type == .cancellation ? 0 : amount, e: values.c)
        if type == .cancellation { share.cancelled -= Int128(lines[index].amount.magnitude) }
    }

    private func add(_ share: HourShare, into sums: inout SumTables) throws(ProofError) {
        let (hour, day, currency) = (share.hour, share.day, share.currency)
        try sums.add(share.merchandise) { MartKeys.hour(header.source, header.store, hour, currency, into: &$0) }
        try sums.add(share.all) { MartKeys.day(header, day, currency, into: &$0) }
        try sums.add(share.all) { MartKeys.total(currency, into: &$0) }
        if type == .cancellation {
            try sums.add(SumValues(a: share.cancelled)) { MartKeys.cancellation(day, currency, into: &$0) }
        }
    }

    /// Adds the order counters of its customer (S6).
    func countOrders(_ references: ReferenceIndex, into sums: inout SumTables) throws(ProofError) {
        guard header.isCounted, header.status == .closed, let customer = header.customer else { return }
        let products = Set(lines.map(\.product))
        var categories: Set<ByteString> = []
        for product in products {
            try sums.add(SumValues(a: 1)) { MartKeys.userProduct(header.source, customer, product, into: &$0) }
            let category = references.category(
                header.source,
                store: header.store,
                product: product,
                at: header.occurredAt.micros
            )
            if let category { categories.insert(category) }
        }
        for category in categories {
            try sums.add(SumValues(a: 1)) { MartKeys.userCategory(header.source, customer, category, into: &$0) }
        }
    }
}
