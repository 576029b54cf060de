package import Contracts
import Primitives
import RetailModel

/// The named pure functions that make canonical events of judged values; contracts bind their parameters to fields.
package enum Mappers {
    private static let texts: Set<FieldType> = [.text]
    private static let numbers: Set<FieldType> = [.integer, .decimal, .money]

    /// What each mapper takes: contracts are checked against it when they are loaded.
    package static let signatures: [String: MapperSignature] = [
        "invoice-line": MapperSignature(
            parameters: [
                .init("document", texts), .init("line", texts, isRequired: false), .init("product", texts),
                .init("description", texts, isRequired: false), .init("quantity", [.integer, .decimal]),
                .init("unit_price", [.money, .decimal]), .init("occurred_at", [.time]),
                .init("customer", texts.union([.integer]), isRequired: false),
                .init("customer_name", texts, isRequired: false), .init("country", texts, isRequired: false),
            ],
            settings: ["currency", "store", "time_zone"]
        ),
        "sale": MapperSignature(
            parameters: [
                .init("document", texts), .init("occurred_at", [.time]), .init("store", texts, isRequired: false),
                .init("customer", texts.union([.integer]), isRequired: false),
                .init("customer_name", texts, isRequired: false), .init("country", texts, isRequired: false),
                .init("currency", texts, isRequired: false), .init("status", texts, isRequired: false),
                .init("reported_total", numbers, isRequired: false), .init("version", [.time], isRequired: false),
                .init("lines.product", texts, isNested: true),
                .init("lines.description", texts, isRequired: false, isNested: true),
                .init("lines.quantity", [.integer, .decimal], isNested: true),
                .init("lines.unit_price", [.money, .decimal], isNested: true),
            ],
            settings: ["currency", "store", "time_zone"]
        ),
    ]

    /// - Parameter hashes: Whether the content hash is needed; acceptance does not depend on it.
    static func run(
        _ plan: ContractPlan,
        _ values: [FieldValue],
        _ judgement: Judgement,
        _ recordID: Identifier,
        hashes: Bool
    ) -> MapResult {
        switch plan.mapper {
        case .invoiceLine: plan.invoiceLine(values, judgement, recordID, hashes: hashes)
        case .sale: plan.sale(values, judgement)
        }
    }
}

/// What mapping yields: an event, or what no rule of the contract could say.
enum MapResult {
    case event(RetailEvent)
    case reason(Reason)
}

/// A contract made ready for mapping: bindings resolved to indexes, settings to values. Immutable; a class,
/// because it is
/// looked up per record and a copy would count references to all its parts.
final class ContractPlan: Sendable {
    enum Mapper { case invoiceLine, sale }

    let contract: Contract
    let mapper: Mapper
    let source: ByteString
    let store: ByteString
    let zone: ZoneRules
    let zoneName: ByteString
    let currency: Currency
    private let bindings: [String: FieldReference]
    /// Where mapper `invoice-line` finds its parameters.
    let lineFields: LineFields
    private let services: Set<ByteString>
    private let servicePatterns: [Pattern]

    /// - Precondition: The contract was checked against ``Mappers/signatures``.
    init(_ contract: Contract) {
        self.contract = contract
        mapper = contract.mapper.name == "sale" ? .sale : .invoiceLine
        source = ByteString(contract.source)
        guard let zone = contract.zone, let currency = contract.currency else {
            preconditionFailure("a loaded contract of mapper \(contract.mapper.name) has time_zone and currency")
        }
        self.zone = zone
        zoneName = ByteString(zone.name)
        self.currency = currency
        bindings = contract.mapper.bindings
        lineFields = LineFields(contract.mapper.bindings)
        if case .text(let text)? = contract.settings["store"] { store = text } else { store = "ONLINE" }
        if case .texts(let codes)? = contract.settings["non_product_codes"] {
            services = Set(codes)
        } else {
            services = []
        }
        // Settings are judged when the contract is loaded; a text that is no pattern there names no code.
        if case .texts(let list)? = contract.settings["non_product_patterns"] {
            servicePatterns = list.compactMap { Pattern.compiled($0.description) }
        } else {
            servicePatterns = []
        }
    }

    /// Indexes of the fields bound to the parameters of mapper `invoice-line`; -1 where none is.
    struct LineFields: Sendable {
        let document: Int, line: Int, product: Int, description: Int, quantity: Int, unitPrice: Int, occurredAt: Int
        let customer: Int, customerName: Int, country: Int

        init(_ bindings: [String: FieldReference]) {
            func index(_ parameter: String) -> Int { bindings[parameter]?.field ?? -1 }
            document = index("document")
            line = index("line")
            product = index("product")
            description = index("description")
            quantity = index("quantity")
            unitPrice = index("unit_price")
            occurredAt = index("occurred_at")
            customer = index("customer")
            customerName = index("customer_name")
            country = index("country")
        }
    }

    func value(_ parameter: String, _ values: [FieldValue]) -> FieldValue {
        guard let reference = bindings[parameter] else { return .null }
        return values[reference.field]
    }

    func column(_ parameter: String) -> Int? { bindings[parameter]?.column }
    func listField() -> Int? { bindings["lines.product"]?.field }
    func fieldName(_ parameter: String) -> String { bindings[parameter].map { contract.fields[$0].path } ?? parameter }

    func isService(_ code: ByteString) -> Bool {
        services.contains(code) || servicePatterns.contains { $0.matches(code.bytes[...]) }
    }

    /// Local day and hour of an instant, by the store's calendar.
    func calendar(_ instant: Timestamp) -> (day: Int64, hour: Int64) {
        let seconds = instant.micros.flooredDivision(by: 1_000_000).quotient + Int64(zone.offset(at: instant))
        return (seconds.flooredDivision(by: 86_400).quotient, seconds.flooredDivision(by: 3_600).quotient)
    }

    /// quantity × unit price in money units, exact; fractional quantities round half away from zero at scale 5.
    func amount(quantity: Decimal, price: Decimal, field: String) -> Result<
        (quantity: Int64, price: Int64, amount: Int64), LineProblem
    > {
        guard quantity.scale <= 3 else { return .failure(.quantity) }
        guard let thousandths = quantity.units(scale: 3),
            abs(Int128(thousandths)) <= Int128(MoneyScale.lineThousandthsMax)
        else { return .failure(.quantityRange) }
        guard price.scale <= MoneyScale.digits else { return .failure(.price) }
        guard let units = price.units(scale: MoneyScale.digits), units != .min else { return .failure(.amount) }
        guard
            let product = quantity.multiplied(by: price)?.rounded(toScale: MoneyScale.digits).units(
                scale: MoneyScale.digits
            ),
            abs(Int128(product)) <= Int128(MoneyScale.lineUnitsMax)
        else { return .failure(.amount) }
        return .success((thousandths, units, product))
    }
}

/// Why a line's numbers do not fit the model (spec model 1.3, 1.4).
enum LineProblem: Error {
    case quantity, quantityRange, price, amount

    func reason(field: String, value: String) -> Reason {
        switch self {
        case .quantity:
            Reason(
                rule: "too_many_decimals",
                field: field,
                value: value,
                message: "\(field) \(value) has more than 3 fraction digits; send thousandths at the most"
            )
        case .quantityRange:
            Reason(
                rule: "out_of_range",
                field: field,
                value: value,
                message: "\(field) \(value) is beyond ±1000000000; correct the quantity"
            )
        case .price:
            Reason(
                rule: "too_many_decimals",
                field: field,
                value: value,
                message: "\(field) \(value) has more than 5 fraction digits; send five at the most"
            )
        case .amount:
            Reason(
                rule: "amount_limit",
                field: field,
                value: value,
                message: "quantity times price passes 1000000000; check the quantity and the price"
            )
        }
    }
}

extension FieldValue {
    var decimal: Decimal? { if case .decimal(let value) = self { value } else { nil } }
    var time: FieldTime? { if case .time(let value) = self { value } else { nil } }

    /// Text, or a whole number as its text; nil for null.
    var key: ByteString? {
        switch self {
        case .text(let text): text
        case .decimal(let number): number.integer.map { ByteString(Self.digits($0)) } ?? ByteString(number.description)
        default: nil
        }
    }

    private static func digits(_ number: Int64) -> [UInt8] {
        var rest = number.magnitude
        var out: [UInt8] = []
        out.reserveCapacity(20)
        repeat {
            out.append(UInt8(truncatingIfNeeded: rest % 10) + 0x30)
            rest /= 10
        } while rest > 0
        if number < 0 { out.append(0x2D) }
        out.reverse()
        return out
    }
}
