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

    private var gross: Int128 = 0, returns: Int128 = 0, adjustments: Int128 = 0
    private var grossLines: Int64 = 0, returnLines: Int64 = 0, adjustmentLines: Int64 = 0
    private var units: Int64 = 0

    init(header: DocumentHeader, lines: [LineEvent], offsets: [Int64] = [], offset: Int64) {
        self.header = header
        self.lines = lines
        self.offsets = offsets
        self.offset = offset
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
        for entry in Set(header.statuses) {
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
        for sum in [gross, returns, adjustments] { writer.wide(sum) }
        for count in [grossLines, returnLines, adjustmentLines, units, header.versionAt] { writer.int(count) }
        if let hash { writer.digest(hash) } else { writer.null() }
        writer.int(header.reportedTotal)
        writer.text(header.cashier)
        writer.text(header.paymentMethod)
        for value in [header.paid, header.bonusPayment, header.bonusGranted, header.loyaltyPoints] { writer.int(value) }
        writer.text(header.receipt?.id)
        writer.int(header.receipt?.at)
        writer.int(header.receipt?.total)
        writer.text(header.receipt?.paymentMethod)
        writer.text(header.receipt?.document)
        writer.int(header.flags.rawValue)
        writer.int(header.traits.rawValue)
        writer.int(header.windowStart)
        writer.int(offset)
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
        if order > 0 { try sums.add(MartKeys.day(self, header.day, currency), SumValues(f: order)) }
        if let customer = header.customer {
            try sums.add(
                MartKeys.customer(header.source, customer, currency),
                SumValues(a: gross, b: returns, c: adjustments, d: order, e: 1)
            )
        }
        if type == .cancellation { try sums.add(MartKeys.cancellation(header.day, currency), SumValues(b: 1)) }
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
            let product = lines[index].product
            try sums.add(MartKeys.productDay(header.source, product, share.day, share.currency), values)
            try sums.add(MartKeys.product(header.source, product, share.currency), values)
        }
        share.all += SumValues(a: values.a, b: values.b, d: type == .cancellation ? 0 : amount, e: values.c)
        if type == .cancellation { share.cancelled -= Int128(lines[index].amount.magnitude) }
    }

    private func add(_ share: HourShare, into sums: inout SumTables) throws(ProofError) {
        let hour = MartKeys.hour(header.source, header.store, share.hour, share.currency)
        try sums.add(hour, share.merchandise)
        try sums.add(MartKeys.day(self, share.day, share.currency), share.all)
        if type == .cancellation {
            try sums.add(MartKeys.cancellation(share.day, share.currency), SumValues(a: share.cancelled))
        }
    }

    /// Adds the order counters of its customer (S6).
    func countOrders(_ references: ReferenceIndex, into sums: inout SumTables) throws(ProofError) {
        guard header.isCounted, header.status == .closed, let customer = header.customer else { return }
        let products = Set(lines.map(\.product))
        var categories: Set<ByteString> = []
        for product in products {
            try sums.add(MartKeys.userProduct(header.source, customer, product), SumValues(a: 1))
            let category = references.category(
                header.source,
                store: header.store,
                product: product,
                at: header.occurredAt.micros
            )
            if let category { categories.insert(category) }
        }
        for category in categories {
            try sums.add(MartKeys.userCategory(header.source, customer, category), SumValues(a: 1))
        }
    }
}
