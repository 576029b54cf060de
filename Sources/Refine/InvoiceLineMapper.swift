import Contracts
import Primitives
import RetailModel

extension ContractPlan {
    /// One invoice line: classified by spec model 1.9, identified by the client's line number or the record_id (1.8).
    ///
    /// - Parameter canonical: Work space.
    func invoiceLine(
        _ values: [FieldValue],
        _ validation: Validation,
        _ recordID: Identifier,
        hashes: Bool,
        _ canonical: inout ByteBuilder
    ) -> MapResult {
        func at(_ index: Int) -> FieldValue { index < 0 ? .null : values[index] }
        let fields = lineFields
        guard let document = at(fields.document).key, let product = at(fields.product).key,
            let quantity = at(fields.quantity).decimal, let price = at(fields.unitPrice).decimal,
            let time = at(fields.occurredAt).time
        else { preconditionFailure("a refined invoice line has its required fields") }
        let numbers: (quantity: Int64, price: Int64, amount: Int64)
        switch amount(quantity: quantity, price: price, field: "") {
        case .success(let found): numbers = found
        case .failure(let problem):
            let parameter = if case .price = problem { "unit_price" } else { "quantity" }
            return .reason(problem.reason(field: fieldName(parameter), value: value(parameter, values).shown))
        }
        let (day, hour) = calendar(time.instant)
        var identity: [UInt8] = []
        if let line = at(fields.line).key {
            identity.reserveCapacity(line.count + 1)
            identity.append(2)
            identity.append(line)
        } else {
            identity.reserveCapacity(17)
            identity.append(1)
            identity.appendBigEndian(recordID.high)
            identity.appendBigEndian(recordID.low)
        }
        var event = LineEvent(
            source: source,
            document: document,
            identity: ByteString(identity),
            store: store,
            timeZone: zoneName,
            product: product,
            occurredAt: time.instant,
            day: day,
            hour: hour,
            quantity: numbers.quantity,
            unitPrice: numbers.price,
            amount: numbers.amount,
            currency: currency,
            rawTime: time.raw
        )
        let verdict: DocumentVerdict
        switch contract.documentVerdict(document, values) {
        case .verdict(let found): verdict = found
        case .reason(let reason): return .reason(reason)
        }
        event.documentType = verdict.isBadDebt ? .badDebt : verdict.isCancellation ? .cancellation : .sale
        event.description = at(fields.description).key
        event.customer = at(fields.customer).key
        event.customerName = at(fields.customerName).key
        event.country = at(fields.country).key
        event.kind = LineKind.classify(
            documentType: event.documentType,
            quantity: numbers.quantity,
            unitPrice: numbers.price,
            isRefund: event.customer != nil || verdict.isRefund
        )
        event.flags = flags(validation, price: numbers.price, description: event.description, product: product)
        if time.isAmbiguous { event.flags.insert(.ambiguousTime) }
        if let index = contract.versionTime, let version = values[index].time {
            event.versionAt = max(0, version.instant.micros)
        }
        if hashes {
            canonical.removeAll()
            event.canonical(into: &canonical)
            event.contentHash = Digest.sha256(of: canonical.bytes)
        }
        return .event(.line(event))
    }

    func flags(_ validation: Validation, price: Int64, description: ByteString?, product: ByteString) -> LineFlags {
        var flags: LineFlags = []
        if description == nil { flags.insert(.noDescription) }
        if price == 0 { flags.insert(.zeroPrice) }
        if isService(product) { flags.insert(.notMerchandise) }
        if !validation.corrections.isEmpty { flags.insert(.corrected) }
        if validation.flags.contains(where: { $0 != "no_description" && $0 != "zero_price" }) {
            flags.insert(.contractFlag)
        }
        return flags
    }
}
