import Contracts
import Primitives
import RetailModel

extension ContractPlan {
    /// A whole sale with its lines in one event.
    ///
    /// - Parameter canonical: Work space.
    func sale(
        _ values: [FieldValue],
        _ validation: Validation,
        hashes: Bool,
        _ canonical: inout ByteBuilder
    ) throws(MapRefusal) -> SaleEvent {
        func at(_ index: Int) -> FieldValue { index < 0 ? .null : values[index] }
        let fields = saleFields
        guard let document = at(fields.document).key, let time = at(fields.occurredAt).time,
            case .list(let rows) = at(fields.lines)
        else { preconditionFailure("a refined sale has its required fields") }
        let (day, hour) = calendar(time.instant)
        var header = DocumentHeader(
            source: source,
            document: document,
            store: at(fields.store).key ?? store,
            timeZone: zoneName,
            occurredAt: time.instant,
            day: day,
            currency: try saleCurrency(at(fields.currency))
        )
        header.customer = at(fields.customer).key
        header.customerName = at(fields.customerName).key
        header.country = at(fields.country).key
        header.status = try status(at(fields.status), payment: at(fields.paymentStatus))
        if let version = at(fields.version).time ?? contract.versionTime.flatMap({ values[$0].time }) {
            header.versionAt = max(0, version.instant.micros)
        }
        if let second = contract.secondVersionTime.flatMap({ values[$0].time }) {
            header.secondVersionAt = max(0, second.instant.micros)
        }
        header.cashier = at(fields.cashier).key
        header.paymentMethod = at(fields.paymentMethod).key
        header.paid = try units(at(fields.paid), "paid")
        header.bonusPayment = try units(at(fields.bonusPayment), "bonus_payment")
        header.bonusGranted = try units(at(fields.bonusGranted), "bonus_granted")
        header.loyaltyPoints = at(fields.loyaltyPoints).decimal?.integer
        if let id = at(fields.receiptID).key, let receiptTime = at(fields.receiptAt).time,
            let total = try units(at(fields.receiptTotal), "receipt.total"),
            let method = at(fields.receiptPaymentMethod).key, let other = at(fields.receiptDocument).key
        {
            header.receipt = .init(
                id: id,
                at: receiptTime.instant.micros,
                total: total,
                paymentMethod: method,
                document: other
            )
        }
        header.statuses = try history(at(fields.statuses))
        header.window = window
        header.isCounted = isCounted

        var lines: [LineEvent] = []
        lines.reserveCapacity(rows.count)
        var encoding = SaleEncoding(header, into: &canonical)
        for index in rows.indices {
            // Made and filled in its place: a copy would count references to all its parts.
            lines.append(try line(index, rows[index], header, hour, time))
            try fill(&lines[index], index, rows[index], header, time, validation)
            if hashes { encoding.add(&lines[index], to: &canonical) }
        }
        header.reportedTotal = try reportedTotal(at(fields.total), lines, validation)
        header.flags = documentFlags(validation, header, time)
        header.requires = requirements(values, rows, store: header.store)
        let hash = hashes ? encoding.finish(header, &canonical) : .zero
        return SaleEvent(header: header, lines: lines, contentHash: hash)
    }

    // MARK: Parts of the header

    private func saleCurrency(_ value: FieldValue) throws(MapRefusal) -> Currency {
        guard let text = value.key else { return currency }
        if let found = Currency(text.bytes) { return found }
        let field = fieldName("currency")
        throw MapRefusal(
            reason: Reason(
                rule: "currency",
                field: field,
                value: text.description,
                message:
                    "\(field) \(text.description.quotedForMessage) is no ISO 4217 code; send three capital letters"
            )
        )
    }

    /// A failed payment makes a failed sale, whatever else is said of it.
    private func status(_ value: FieldValue, payment: FieldValue) throws(MapRefusal) -> SaleStatus {
        var status = SaleStatus.closed
        if let text = value.key { status = try named(text, "status") }
        // As most senders write it: texts of String cost more than all the rest here.
        if let key = payment.key, key != Self.success {
            let text = key.description
            switch text.lowercased() {
            case "success": break
            case "failed", "failure": status = .failed
            default: throw unknown(text, "payment_status", ["success", "failed", "failure"])
            }
        }
        return status
    }

    private static let success: ByteString = "success"

    private func named(_ text: ByteString, _ parameter: String) throws(MapRefusal) -> SaleStatus {
        let name = text.description.lowercased()
        if let found = SaleStatus.allCases.first(where: { $0.name == name }) { return found }
        throw unknown(text.description, parameter, SaleStatus.allCases.map(\.name))
    }

    private func unknown(_ text: String, _ parameter: String, _ known: [String]) -> MapRefusal {
        let field = fieldName(parameter)
        return MapRefusal(
            reason: Reason(
                rule: parameter == "payment_status" ? "payment_status" : "status",
                field: field,
                value: text,
                message: "\(field) \(text.quotedForMessage) is not one of \(known.joined(separator: ", "))"
            )
        )
    }

    /// Distinct entries in order of time; at one time in the order in which an order passes through them.
    private func history(_ value: FieldValue) throws(MapRefusal) -> [StatusEntry] {
        guard case .list(let rows) = value else { return [] }
        var entries: [StatusEntry] = []
        for row in rows {
            guard let text = row[saleFields.historyStatus].key, let time = row[saleFields.historyAt].time else {
                preconditionFailure("a refined status has its name and its time")
            }
            entries.append(StatusEntry(status: try named(text, "statuses.status"), at: time.instant.micros))
        }
        entries.sort { ($0.at, $0.status.progress) < ($1.at, $1.status.progress) }
        var distinct: [StatusEntry] = []
        for entry in entries where entry != distinct.last { distinct.append(entry) }
        return distinct
    }

    /// The total as sent, where it is not the sum of the lines.
    private func reportedTotal(
        _ value: FieldValue,
        _ lines: [LineEvent],
        _ validation: Validation
    ) throws(MapRefusal) -> Int64? {
        let corrected = validation.corrections.first { $0.field.field == saleFields.total && $0.row == nil }
        let sent = try units(corrected?.old ?? value, "reported_total")
        guard corrected == nil else { return sent }
        // By index: a copy of a line would count references to all its parts.
        var sum: Int64 = 0
        for index in lines.indices { sum += lines[index].amount }
        return sent == sum ? nil : sent
    }

    private func documentFlags(_ validation: Validation, _ header: DocumentHeader, _ time: FieldTime) -> DocumentFlags {
        var flags = DocumentFlags(rawValue: 0)
        if !validation.corrections.isEmpty { flags.insert(.corrected) }
        for rule in validation.flags {
            switch rule {
            case "receipt_differs": flags.insert(.receiptDiffers)
            // Flags of lines, set by what the lines hold.
            case "no_description", "zero_price": break
            default: flags.insert(.contractFlag)
            }
        }
        // Skips are allowed; nothing repeats or goes back, and only a cancellation follows the end.
        if header.statuses.count > 1 {
            let steps = header.statuses.map(\.status.progress)
            if zip(steps, steps.dropFirst()).contains(where: { $0 >= $1 }) { flags.insert(.statusOrder) }
        }
        if time.isAmbiguous { flags.insert(.ambiguousTime) }
        return flags
    }

    private func requirements(_ values: [FieldValue], _ rows: [[FieldValue]], store: ByteString) -> [ReferenceKey] {
        var keys: [ReferenceKey] = []
        for need in requiredReferences {
            switch need.entity {
            case .customer, .store:
                guard let key = values[need.field.field].key else { continue }
                keys.append(ReferenceKey(need.entity == .customer ? .customer : .store, source: source, key: key))
            case .product:
                guard let column = need.field.column else { continue }
                for row in rows {
                    guard let product = row[column].key else { continue }
                    let key = ReferenceKey(.product, source: source, key: product, store: store)
                    if !keys.contains(key) { keys.append(key) }
                }
            }
        }
        return keys
    }

    // MARK: Lines

    private func line(
        _ index: Int,
        _ row: [FieldValue],
        _ header: DocumentHeader,
        _ hour: Int64,
        _ time: FieldTime
    ) throws(MapRefusal) -> LineEvent {
        func cell(_ column: Int) -> FieldValue { column < 0 ? .null : row[column] }
        let fields = saleFields
        guard let product = cell(fields.product).key, let quantity = cell(fields.quantity).decimal,
            let price = cell(fields.unitPrice).decimal
        else { preconditionFailure("a refined line has its required fields") }
        let numbers: (quantity: Int64, price: Int64, amount: Int64)
        switch amount(quantity: quantity, price: price, field: "") {
        case .success(let found): numbers = found
        case .failure(let problem):
            let isPrice = if case .price = problem { true } else { false }
            let value = cell(isPrice ? fields.unitPrice : fields.quantity).shown
            let field = fieldName(isPrice ? "lines.unit_price" : "lines.quantity")
            throw MapRefusal(reason: problem.reason(field: field, value: value))
        }
        let place = UInt32(index)
        let identity = [
            3, UInt8(place >> 24), UInt8(truncatingIfNeeded: place >> 16), UInt8(truncatingIfNeeded: place >> 8),
            UInt8(truncatingIfNeeded: place),
        ]
        return LineEvent(
            source: source,
            document: header.document,
            identity: ByteString(identity),
            store: header.store,
            timeZone: zoneName,
            product: product,
            occurredAt: header.occurredAt,
            day: header.day,
            hour: hour,
            quantity: numbers.quantity,
            unitPrice: numbers.price,
            amount: numbers.amount,
            currency: header.currency,
            rawTime: time.raw
        )
    }

    private func fill(
        _ event: inout LineEvent,
        _ index: Int,
        _ row: [FieldValue],
        _ header: DocumentHeader,
        _ time: FieldTime,
        _ validation: Validation
    ) throws(MapRefusal) {
        func cell(_ column: Int) -> FieldValue { column < 0 ? .null : row[column] }
        let fields = saleFields
        event.description = cell(fields.description).key
        event.customer = header.customer
        event.country = header.country
        event.kind = LineKind.classify(
            documentType: .sale,
            quantity: event.quantity,
            unitPrice: event.unitPrice,
            isRefund: header.customer != nil
        )
        if validation.corrections.isEmpty {
            let sent = try units(cell(fields.lineTotal), "lines.reported_total")
            event.reportedAmount = sent == event.amount ? nil : sent
        } else {
            try note(validation.corrections, of: index, cell(fields.lineTotal), &event)
        }
        if event.description == nil { event.flags.insert(.noDescription) }
        if event.unitPrice == 0 { event.flags.insert(.zeroPrice) }
        if isService(event.product) { event.flags.insert(.notMerchandise) }
        if time.isAmbiguous { event.flags.insert(.ambiguousTime) }
        event.versionAt = header.versionAt
    }

    /// A line total that a rule replaced is kept as it was sent.
    private func note(
        _ all: [Correction],
        of index: Int,
        _ total: FieldValue,
        _ event: inout LineEvent
    ) throws(MapRefusal) {
        let corrections = all.filter { $0.row == index && $0.field.field == saleFields.lines }
        let corrected = corrections.first { $0.field.column == saleFields.lineTotal }
        let sent = try units(corrected?.old ?? total, "lines.reported_total")
        event.reportedAmount = corrected == nil && sent == event.amount ? nil : sent
        if !corrections.isEmpty { event.flags.insert(.corrected) }
    }
}
