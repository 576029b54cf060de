import Primitives
import RetailModel

/// Events to bytes and back.
extension FactWriter {
    mutating func event(_ event: RetailEvent) {
        switch event {
        case .line(let line):
            bytes.append(0)
            self.line(line)
        case .sale(let sale):
            bytes.append(1)
            header(sale.header)
            int(sale.lines.count)
            for line in sale.lines { self.line(line) }
            digest(sale.contentHash)
        case .reference(let reference):
            bytes.append(2)
            self.reference(reference)
        }
    }

    mutating func line(_ line: LineEvent) {
        text(line.source)
        text(line.document)
        text(line.identity)
        text(line.store)
        text(line.timeZone)
        text(line.product)
        text(line.description)
        text(line.customer)
        text(line.customerName)
        text(line.country)
        text(line.rawTime)
        int(line.documentType.rawValue)
        int(line.kind.rawValue)
        int(line.occurredAt.micros)
        int(line.day)
        int(line.hour)
        int(line.quantity)
        int(line.unitPrice)
        int(line.amount)
        int(line.reportedAmount)
        int(Int64(line.currency.code))
        int(line.flags.rawValue)
        int(line.versionAt)
        digest(line.contentHash)
    }

    private mutating func header(_ header: DocumentHeader) {
        for value in [header.source, header.document, header.store, header.timeZone] { text(value) }
        for value in [
            header.customer, header.customerName, header.country, header.cashier, header.paymentMethod,
            header.receipt?.id, header.receipt?.paymentMethod, header.receipt?.document,
        ] { text(value) }
        for value in [
            header.status.rawValue, header.occurredAt.micros, header.day, Int64(header.currency.code),
            header.versionAt, header.flags.rawValue, header.isCounted ? 1 : 0,
        ] { int(value) }
        for value in [
            header.reportedTotal, header.paid, header.bonusPayment, header.bonusGranted, header.loyaltyPoints,
            header.receipt?.at, header.receipt?.total, header.window?.length, header.window?.lateness,
            header.window?.idle, header.window?.skew,
        ] { int(value) }
        int(header.statuses.count)
        for entry in header.statuses {
            int(entry.status.rawValue)
            int(entry.at)
        }
        int(header.requires.count)
        for key in header.requires {
            int(key.entity.rawValue)
            for part in [key.source, key.key, key.store] { text(part) }
        }
    }

    private mutating func reference(_ reference: ReferenceEvent) {
        int(reference.entity.rawValue)
        for value in [reference.source, reference.key, reference.timeZone] { text(value) }
        text(reference.name)
        text(reference.login)
        int(reference.validFrom)
        int(reference.items.count)
        for item in reference.items {
            for part in [item.product, item.name, item.category] { text(part) }
            int(item.price)
        }
        digest(reference.contentHash)
    }
}

extension FactReader {
    mutating func event() -> RetailEvent {
        switch byte() {
        case 0: return .line(line())
        case 1:
            let header = header()
            let lines = (0..<int()).map { _ in line() }
            return .sale(SaleEvent(header: header, lines: lines, contentHash: digest()))
        default: return .reference(reference())
        }
    }

    mutating func line() -> LineEvent {
        let source = text()
        let document = text()
        let identity = text()
        let store = text()
        let timeZone = text()
        let product = text()
        let description = optionalText()
        let customer = optionalText()
        let customerName = optionalText()
        let country = optionalText()
        let rawTime = text()
        let type = documentType()
        let kind = lineKind()
        var line = LineEvent(
            source: source,
            document: document,
            identity: identity,
            store: store,
            timeZone: timeZone,
            product: product,
            occurredAt: Timestamp(micros: int()),
            day: int(),
            hour: int(),
            quantity: int(),
            unitPrice: int(),
            amount: int(),
            currency: Self.unknownCurrency,
            rawTime: rawTime
        )
        line.reportedAmount = optionalInt()
        line.currency = currency()
        line.flags = LineFlags(rawValue: int())
        line.versionAt = int()
        line.contentHash = digest()
        line.description = description
        line.customer = customer
        line.customerName = customerName
        line.country = country
        line.documentType = type
        line.kind = kind
        return line
    }

    /// Placeholder until the field of that name was read.
    private static let unknownCurrency: Currency = {
        guard let currency = Currency("XXX") else { preconditionFailure("three letters are a currency") }
        return currency
    }()

    private mutating func currency() -> Currency {
        guard let currency = Currency(code: int()) else { preconditionFailure("a spilled currency has three letters") }
        return currency
    }

    private mutating func documentType() -> DocumentType { DocumentType(rawValue: int()) ?? .sale }
    private mutating func lineKind() -> LineKind { LineKind(rawValue: int()) ?? .gross }
    private mutating func status() -> SaleStatus { SaleStatus(rawValue: int()) ?? .closed }

    private mutating func header() -> DocumentHeader {
        let (source, document, store, zone) = (text(), text(), text(), text())
        let (customer, customerName, country) = (optionalText(), optionalText(), optionalText())
        let (cashier, method) = (optionalText(), optionalText())
        let (receiptID, receiptMethod, receiptDocument) = (optionalText(), optionalText(), optionalText())
        let status = status()
        var header = DocumentHeader(
            source: source,
            document: document,
            store: store,
            timeZone: zone,
            occurredAt: Timestamp(micros: int()),
            day: int(),
            currency: currency()
        )
        header.status = status
        header.versionAt = int()
        header.flags = DocumentFlags(rawValue: int())
        header.isCounted = int() == 1
        header.customer = customer
        header.customerName = customerName
        header.country = country
        header.cashier = cashier
        header.paymentMethod = method
        header.reportedTotal = optionalInt()
        header.paid = optionalInt()
        header.bonusPayment = optionalInt()
        header.bonusGranted = optionalInt()
        header.loyaltyPoints = optionalInt()
        let (receiptAt, receiptTotal) = (optionalInt(), optionalInt())
        if let receiptID, let receiptAt, let receiptTotal, let receiptMethod, let receiptDocument {
            header.receipt = DocumentHeader.Receipt(
                id: receiptID,
                at: receiptAt,
                total: receiptTotal,
                paymentMethod: receiptMethod,
                document: receiptDocument
            )
        }
        let (length, lateness, idle, skew) = (optionalInt(), optionalInt(), optionalInt(), optionalInt())
        if let length, let lateness, let idle, let skew {
            header.window = WindowPolicy(length: length, lateness: lateness, idle: idle, skew: skew)
        }
        header.statuses = (0..<int()).map { _ in StatusEntry(status: self.status(), at: int()) }
        header.requires = (0..<int()).map { _ in
            let entity = ReferenceEntity(rawValue: int()) ?? .customer
            return ReferenceKey(entity, source: text(), key: text(), store: text())
        }
        return header
    }

    private mutating func reference() -> ReferenceEvent {
        let entity = ReferenceEntity(rawValue: int()) ?? .customer
        let (source, key, zone) = (text(), text(), text())
        let (name, login) = (optionalText(), optionalText())
        var event = ReferenceEvent(entity: entity, source: source, key: key, timeZone: zone, validFrom: int())
        event.name = name
        event.login = login
        event.items = (0..<int()).map { _ in
            ReferenceEvent.MenuItem(product: text(), name: text(), category: text(), price: int())
        }
        event.contentHash = digest()
        return event
    }
}
