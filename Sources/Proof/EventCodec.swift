import Primitives
import RetailModel

/// Events to bytes and back.
extension FactWriter {
    mutating func event(_ event: RetailEvent) {
        switch event {
        case .line(let line):
            byte(0)
            document(0, of: [line])
            self.line(0, of: [line])
        case .sale(let sale):
            byte(1)
            header(sale.header)
            int(sale.lines.count)
            for index in sale.lines.indices {
                document(index, of: sale)
                line(index, of: sale.lines)
            }
            digest(sale.contentHash)
        case .reference(let reference):
            byte(2)
            self.reference(reference)
        }
    }

    /// What a line says of its document. What it shares with the line before it, or with the header, is written once.
    private mutating func document(_ index: Int, of sale: SaleEvent) {
        if index > 0, sale.lines.shareDocument(index - 1, index) {
            byte(1)
        } else if sale.lines.isOf(sale.header, index) {
            byte(2)
            text(sale.lines[index].rawTime)
            text(sale.lines[index].customerName)
        } else {
            byte(0)
            document(index, of: sale.lines)
        }
    }

    /// Looks at the line by index: a copy would count references to all its parts.
    private mutating func document(_ index: Int, of lines: [LineEvent]) {
        text(lines[index].source)
        text(lines[index].document)
        text(lines[index].store)
        text(lines[index].timeZone)
        text(lines[index].rawTime)
        text(lines[index].customer)
        text(lines[index].customerName)
        text(lines[index].country)
    }

    private mutating func line(_ index: Int, of lines: [LineEvent]) {
        text(lines[index].identity)
        text(lines[index].product)
        int(lines[index].occurredAt.micros)
        int(lines[index].day)
        int(lines[index].hour)
        int(lines[index].quantity)
        int(lines[index].unitPrice)
        int(lines[index].amount)
        int(Int64(lines[index].currency.code))
        text(lines[index].description, like: lines[index].product)
        int(lines[index].documentType.rawValue)
        int(lines[index].kind.rawValue)
        int(lines[index].reportedAmount)
        int(lines[index].flags.rawValue)
        int(lines[index].versionAt)
        digest(lines[index].contentHash)
    }

    private mutating func header(_ header: DocumentHeader) {
        // One by one: lists would be allocated for every document.
        text(header.source)
        text(header.document)
        text(header.store)
        text(header.timeZone)
        text(header.customer)
        text(header.customerName)
        text(header.country)
        text(header.cashier)
        text(header.paymentMethod)
        text(header.receipt?.id)
        text(header.receipt?.paymentMethod)
        text(header.receipt?.document, like: header.document)
        int(header.status.rawValue)
        int(header.occurredAt.micros)
        int(header.day)
        int(Int64(header.currency.code))
        int(header.versionAt)
        int(header.secondVersionAt)
        int(header.flags.rawValue)
        int(Int64(header.isCounted ? 1 : 0))
        int(header.reportedTotal)
        int(header.paid)
        int(header.bonusPayment)
        int(header.bonusGranted)
        int(header.loyaltyPoints)
        int(header.receipt?.at)
        int(header.receipt?.total)
        int(header.window?.length)
        int(header.window?.lateness)
        int(header.window?.idle)
        int(header.window?.skew)
        int(header.statuses.count)
        for entry in header.statuses {
            int(entry.status.rawValue)
            int(entry.at)
        }
        int(header.requires.count)
        for key in header.requires {
            int(key.entity.rawValue)
            text(key.source)
            text(key.key)
            text(key.store)
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
        switch kind() {
        case .line: .line(line())
        case .sale: .sale(sale())
        case .reference: .reference(reference())
        }
    }

    enum Kind { case line, sale, reference }

    /// What follows; for readers that need no event that is behind a reference.
    mutating func kind() -> Kind {
        switch byte() {
        case 0: .line
        case 1: .sale
        default: .reference
        }
    }

    mutating func line() -> LineEvent {
        let document = lineDocument()
        var line = line(of: document)
        fill(&line, document)
        return line
    }

    mutating func sale() -> SaleEvent {
        let header = header()
        let count = Int(int())
        var lines: [LineEvent] = []
        lines.reserveCapacity(count)
        var document = LineDocument(header)
        for _ in 0..<count {
            switch byte() {
            case 0: document = lineDocument()
            case 1: break
            default:
                document = LineDocument(header)
                document.rawTime = text()
                document.customerName = optionalText()
            }
            // Made and filled in its place: a copy would count references to all its parts.
            lines.append(line(of: document))
            fill(&lines[lines.count - 1], document)
        }
        return SaleEvent(header: header, lines: lines, contentHash: digest())
    }

    private mutating func lineDocument() -> LineDocument {
        LineDocument(
            source: text(),
            document: text(),
            store: text(),
            timeZone: text(),
            rawTime: text(),
            customer: optionalText(),
            customerName: optionalText(),
            country: optionalText()
        )
    }

    private mutating func line(of document: LineDocument) -> LineEvent {
        LineEvent(
            source: document.source,
            document: document.document,
            identity: text(),
            store: document.store,
            timeZone: document.timeZone,
            product: text(),
            occurredAt: Timestamp(micros: int()),
            day: int(),
            hour: int(),
            quantity: int(),
            unitPrice: int(),
            amount: int(),
            currency: currency(),
            rawTime: document.rawTime
        )
    }

    private mutating func fill(_ line: inout LineEvent, _ document: LineDocument) {
        line.customer = document.customer
        line.customerName = document.customerName
        line.country = document.country
        line.description = optionalText(like: line.product)
        line.documentType = documentType()
        line.kind = lineKind()
        line.reportedAmount = optionalInt()
        line.flags = LineFlags(rawValue: int())
        line.versionAt = int()
        line.contentHash = digest()
    }

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
        let (receiptID, receiptMethod) = (optionalText(), optionalText())
        let receiptDocument = optionalText(like: document)
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
        header.secondVersionAt = int()
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

/// What a line says of its document.
private struct LineDocument {
    var source: ByteString, document: ByteString, store: ByteString, timeZone: ByteString, rawTime: ByteString
    var customer: ByteString?, customerName: ByteString?, country: ByteString?
}

extension LineDocument {
    /// What the header says; the time as sent and the customer's name are the line's own.
    init(_ header: DocumentHeader) {
        self.init(
            source: header.source,
            document: header.document,
            store: header.store,
            timeZone: header.timeZone,
            rawTime: ByteString(),
            customer: header.customer,
            customerName: nil,
            country: header.country
        )
    }
}

extension [LineEvent] {
    /// Whether what belongs to the document is that of the header.
    fileprivate func isOf(_ header: DocumentHeader, _ at: Int) -> Bool {
        self[at].source == header.source && self[at].document == header.document && self[at].store == header.store
            && self[at].timeZone == header.timeZone && self[at].customer == header.customer
            && self[at].country == header.country
    }

    /// Whether all that belongs to the document is the same in two lines.
    fileprivate func shareDocument(_ a: Int, _ b: Int) -> Bool {
        self[a].source == self[b].source && self[a].document == self[b].document && self[a].store == self[b].store
            && self[a].timeZone == self[b].timeZone && self[a].rawTime == self[b].rawTime
            && self[a].customer == self[b].customer && self[a].customerName == self[b].customerName
            && self[a].country == self[b].country
    }
}
