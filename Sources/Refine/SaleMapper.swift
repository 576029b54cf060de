import Contracts
import Primitives
import RetailModel

extension ContractPlan {
    /// A whole sale with its lines in one event.
    func sale(_ values: [FieldValue], _ judgement: Judgement) -> MapResult {
        guard let document = value("document", values).key, let time = value("occurred_at", values).time else {
            preconditionFailure("a judged sale has its required fields")
        }
        var saleCurrency = currency
        if let text = value("currency", values).key {
            guard let found = Currency(text.bytes) else {
                return .reason(
                    Reason(
                        rule: "currency",
                        field: fieldName("currency"),
                        value: text.description,
                        message:
                            "\(fieldName("currency")) \(text.description.quotedForMessage) is no ISO 4217 code; send three capital letters"
                    )
                )
            }
            saleCurrency = found
        }
        var status = SaleStatus.closed
        if let text = value("status", values).key {
            guard let found = SaleStatus.allCases.first(where: { $0.name == text.description }) else {
                return .reason(
                    Reason(
                        rule: "status",
                        field: fieldName("status"),
                        value: text.description,
                        message:
                            "\(fieldName("status")) \(text.description.quotedForMessage) is not one of \(SaleStatus.allCases.map(\.name).joined(separator: ", "))"
                    )
                )
            }
            status = found
        }
        let (day, hour) = calendar(time.instant)
        var header = DocumentHeader(
            source: source,
            document: document,
            store: value("store", values).key ?? store,
            timeZone: zoneName,
            occurredAt: time.instant,
            day: day,
            currency: saleCurrency
        )
        header.customer = value("customer", values).key
        header.customerName = value("customer_name", values).key
        header.country = value("country", values).key
        header.status = status
        header.reportedTotal =
            judgement.corrections.compactMap { $0.old.decimal }.first?.units(scale: MoneyScale.digits)
            ?? value("reported_total", values).decimal?.units(scale: MoneyScale.digits)
        if let version = value("version", values).time ?? contract.versionTime.flatMap({ values[$0].time }) {
            header.versionAt = max(0, version.instant.micros)
        }
        var lines: [LineEvent] = []
        guard let listField = listField(), case .list(let rows) = values[listField] else {
            preconditionFailure("a judged sale has its list of lines")
        }
        for (index, row) in rows.enumerated() {
            switch line(index, row, header, hour, time, judgement) {
            case .success(let line): lines.append(line)
            case .failure(let problem): return .reason(problem.reason)
            }
        }
        var canonical: [UInt8] = []
        canonical.appendField(header.store)
        canonical.appendField(header.customer)
        canonical.appendField(header.customerName)
        canonical.appendField(header.country)
        for number in [status.rawValue, header.occurredAt.micros, header.reportedTotal ?? .min] {
            canonical.appendBigEndian(number)
        }
        for line in lines { line.canonical(into: &canonical) }
        return .event(.sale(SaleEvent(header: header, lines: lines, contentHash: Digest.sha256(of: canonical))))
    }

    private struct LineFailure: Error { var reason: Reason }

    private func line(
        _ index: Int,
        _ row: [FieldValue],
        _ header: DocumentHeader,
        _ hour: Int64,
        _ time: FieldTime,
        _ judgement: Judgement
    ) -> Result<LineEvent, LineFailure> {
        func cell(_ parameter: String) -> FieldValue { column(parameter).map { row[$0] } ?? .null }
        guard let product = cell("lines.product").key, let quantity = cell("lines.quantity").decimal,
            let price = cell("lines.unit_price").decimal
        else { preconditionFailure("a judged line has its required fields") }
        let numbers: (quantity: Int64, price: Int64, amount: Int64)
        switch amount(quantity: quantity, price: price, field: "") {
        case .success(let found): numbers = found
        case .failure(let problem):
            let parameter = if case .price = problem { "lines.unit_price" } else { "lines.quantity" }
            return .failure(
                LineFailure(reason: problem.reason(field: fieldName(parameter), value: cell(parameter).shown))
            )
        }
        var identity: [UInt8] = [3]
        identity.appendBigEndian(UInt32(index))
        var event = LineEvent(
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
        event.description = cell("lines.description").key
        event.customer = header.customer
        event.country = header.country
        event.kind = LineKind.classify(
            documentType: .sale,
            quantity: numbers.quantity,
            unitPrice: numbers.price,
            namesCustomer: header.customer != nil
        )
        event.flags = flags(judgement, price: numbers.price, description: event.description, product: product)
        if time.isAmbiguous { event.flags.insert(.ambiguousTime) }
        event.versionAt = header.versionAt
        var canonical: [UInt8] = []
        event.canonical(into: &canonical)
        event.contentHash = Digest.sha256(of: canonical)
        return .success(event)
    }
}
