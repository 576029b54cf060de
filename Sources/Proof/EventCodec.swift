import Primitives
import RetailModel

/// Events to bytes and back.
extension FactWriter {
    mutating func event(_ event: RetailEvent) {
        switch event {
        case .line(let line):
            bytes.append(0)
            self.line(0, of: [line])
        case .sale(let sale):
            bytes.append(1)
            header(sale.header)
            int(sale.lines.count)
            for index in sale.lines.indices { line(index, of: sale.lines) }
            digest(sale.contentHash)
        case .reference(let reference):
            bytes.append(2)
            self.reference(reference)
        }
    }

    /// Looks at the line by index: a copy would count references to all its parts. What it shares with the line before
    /// it is written once.
    private mutating func line(_ index: Int, of lines: [LineEvent]) {
        if index > 0, lines.shareDocument(index - 1, index) {
            bytes.append(1)
        } else {
            bytes.append(0)
            text(lines[index].source)
            text(lines[index].document)
            text(lines[index].store)
            text(lines[index].timeZone)
            text(lines[index].rawTime)
            text(lines[index].customer)
            text(lines[index].customerName)
            text(lines[index].country)
        }
        text(lines[index].identity)
        text(lines[index].product)
        text(lines[index].description)
        int(lines[index].documentType.rawValue)
        int(lines[index].kind.rawValue)
        int(lines[index].occurredAt.micros)
        int(lines[index].day)
        int(lines[index].hour)
        int(lines[index].quantity)
        int(lines[index].unitPrice)
        int(lines[index].amount)
        int(lines[index].reportedAmount)
        int(Int64(lines[index].currency.code))
        int(lines[index].flags.rawValue)
        int(lines[index].versionAt)
        digest(lines[index].contentHash)
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
        case 0: return .line(line(after: []))
        case 1:
            let header = header()
            let count = Int(int())
            var lines: [LineEvent] = []
            lines.reserveCapacity(count)
            for _ in 0..<count { lines.append(line(after: lines)) }
            return .sale(SaleEvent(header: header, lines: lines, contentHash: digest()))
        default: return .reference(reference())
        }
    }

    private mutating func line(after lines: [LineEvent]) -> LineEvent {
        let source: ByteString
        let document: ByteString
        let store: ByteString
        let timeZone: ByteString
        let rawTime: ByteString
        let customer: ByteString?
        let customerName: ByteString?
        let country: ByteString?
        if byte() == 0 {
            (source, document, store, timeZone, rawTime) = (text(), text(), text(), text(), text())
            (customer, customerName, country) = (optionalText(), optionalText(), optionalText())
        } else {
            let last = lines.count - 1
            (source, document, store) = (lines[last].source, lines[last].document, lines[last].store)
            (timeZone, rawTime) = (lines[last].timeZone, lines[last].rawTime)
            customer = lines[last].customer
            customerName = lines[last].customerName
            country = lines[last].country
        }
        let identity = text()
        let product = text()
        let description = optionalText()
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

extension [LineEvent] {
    /// Whether all that belongs to the document is the same in two lines.
    fileprivate func shareDocument(_ a: Int, _ b: Int) -> Bool {
        self[a].source == self[b].source && self[a].document == self[b].document && self[a].store == self[b].store
            && self[a].timeZone == self[b].timeZone && self[a].rawTime == self[b].rawTime
            && self[a].customer == self[b].customer && self[a].customerName == self[b].customerName
            && self[a].country == self[b].country
    }
}
