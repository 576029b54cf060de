package import Contracts
import Primitives
import RetailModel

/// The named pure functions that make canonical events of refined values; contracts bind their parameters to fields.
package enum Mappers {
    private static let texts: Set<FieldType> = [.text, .uuid]
    private static let keys: Set<FieldType> = [.text, .uuid, .integer]
    private static let numbers: Set<FieldType> = [.integer, .decimal, .money]

    /// What each mapper takes: contracts are checked against it when they are loaded.
    package static let signatures: [String: MapperSignature] = [
        "invoice-line": invoiceLine, "sale": sale, "reference": reference,
    ]

    private static let invoiceLine = MapperSignature(
        parameters: [
            .init("document", texts), .init("line", texts, isRequired: false), .init("product", texts),
            .init("description", texts, isRequired: false), .init("quantity", [.integer, .decimal]),
            .init("unit_price", [.money, .decimal]), .init("occurred_at", [.time]),
            .init("customer", keys, isRequired: false), .init("customer_name", texts, isRequired: false),
            .init("country", texts, isRequired: false),
        ],
        settings: ["currency", "store", "time_zone"],
        reads: ["non_product_codes", "non_product_patterns"],
        features: [.documents, .documentKinds]
    )

    private static let receipt = [
        "receipt.id", "receipt.at", "receipt.total", "receipt.payment_method", "receipt.document",
    ]

    private static let sale = MapperSignature(
        parameters: [
            .init("document", keys), .init("occurred_at", [.time]), .init("store", keys, isRequired: false),
            .init("customer", keys, isRequired: false), .init("customer_name", texts, isRequired: false),
            .init("country", texts, isRequired: false), .init("currency", texts, isRequired: false),
            .init("status", texts, isRequired: false), .init("payment_status", texts, isRequired: false),
            .init("reported_total", numbers, isRequired: false), .init("version", [.time], isRequired: false),
            .init("cashier", keys, isRequired: false), .init("payment_method", texts, isRequired: false),
            .init("paid", numbers, isRequired: false), .init("bonus_payment", numbers, isRequired: false),
            .init("bonus_granted", numbers, isRequired: false), .init("loyalty_points", [.integer], isRequired: false),
            .init("receipt.id", keys, isRequired: false), .init("receipt.at", [.time], isRequired: false),
            .init("receipt.total", numbers, isRequired: false),
            .init("receipt.payment_method", texts, isRequired: false),
            .init("receipt.document", keys, isRequired: false),
            .init("lines.product", keys, isNested: true),
            .init("lines.description", texts, isRequired: false, isNested: true),
            .init("lines.quantity", [.integer, .decimal], isNested: true),
            .init("lines.unit_price", numbers, isNested: true),
            .init("lines.reported_total", numbers, isRequired: false, isNested: true),
            .init("statuses.status", texts, isRequired: false, isNested: true, isNeverNull: true),
            .init("statuses.at", [.time], isRequired: false, isNested: true, isNeverNull: true),
        ],
        settings: ["currency", "store", "time_zone"],
        choices: ["counters": ["on", "off"]],
        together: [receipt, ["statuses.status", "statuses.at"]],
        reads: ["non_product_codes", "non_product_patterns"],
        features: [.documents, .windows, .requiredReferences, .secondVersionTime]
    )

    private static let reference = MapperSignature(
        parameters: [
            .init("key", keys), .init("name", texts, isRequired: false), .init("login", texts, isRequired: false),
            .init("valid_from", [.time]),
            .init("items.key", keys, isRequired: false, isNested: true, isNeverNull: true),
            .init("items.name", texts, isRequired: false, isNested: true, isNeverNull: true),
            .init("items.category", texts, isRequired: false, isNested: true, isNeverNull: true),
            .init("items.price", numbers, isRequired: false, isNested: true, isNeverNull: true),
        ],
        settings: ["entity", "time_zone"],
        choices: ["entity": ["customer", "store"]],
        together: [["items.key", "items.name", "items.category", "items.price"]]
    )

    /// - Parameters:
    ///   - hashes: Whether the content hash is needed; acceptance does not depend on it.
    ///   - canonical: Work space.
    static func run(
        _ plan: ContractPlan,
        _ values: [FieldValue],
        _ validation: Validation,
        _ recordID: Identifier,
        hashes: Bool,
        _ canonical: inout ByteBuilder
    ) -> MapResult {
        do throws(MapRefusal) {
            switch plan.mapper {
            case .invoiceLine: return plan.invoiceLine(values, validation, recordID, hashes: hashes, &canonical)
            case .sale: return .event(.sale(try plan.sale(values, validation, hashes: hashes, &canonical)))
            case .reference: return .event(.reference(try plan.reference(values, hashes: hashes, &canonical)))
            }
        } catch {
            return .reason(error.reason)
        }
    }
}

extension Contract {
    /// Whether its events are sales or lines of documents, which feeds of one source would share.
    package var makesDocuments: Bool { Mappers.signatures[mapper.name]?.features.contains(.documents) ?? false }
}

/// A value that the model cannot hold.
struct MapRefusal: Error {
    var reason: Reason
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
    enum Mapper { case invoiceLine, sale, reference }

    let contract: Contract
    let mapper: Mapper
    let source: ByteString
    let store: ByteString
    let zone: ZoneRules
    let zoneName: ByteString
    private let bindings: [String: FieldReference]
    /// Where mapper `invoice-line` finds its parameters.
    let lineFields: LineFields
    /// Where mapper `sale` finds its own.
    let saleFields: SaleFields
    let window: WindowPolicy?
    let isCounted: Bool
    let requiredReferences: [ReferenceNeed]
    private let services: Set<ByteString>
    private let servicePatterns: [Pattern]
    /// By first byte: whether a code can be one of a service. Nearly all product codes begin with a digit.
    private let mayBeService: [Bool]

    /// - Precondition: The contract was checked against ``Mappers/signatures``.
    init(_ contract: Contract) {
        self.contract = contract
        switch contract.mapper.name {
        case "sale": mapper = .sale
        case "reference": mapper = .reference
        default: mapper = .invoiceLine
        }
        source = ByteString(contract.source)
        guard let zone = contract.zone else {
            preconditionFailure("a loaded contract of mapper \(contract.mapper.name) has time_zone")
        }
        self.zone = zone
        zoneName = ByteString(zone.name)
        bindings = contract.mapper.bindings
        lineFields = LineFields(contract.mapper.bindings)
        saleFields = SaleFields(contract.mapper.bindings)
        window = contract.windows.map {
            WindowPolicy(
                length: Int64($0.length) * 1_000_000,
                lateness: Int64($0.lateness) * 1_000_000,
                idle: Int64($0.idle) * 1_000_000,
                skew: Int64($0.skew) * 1_000_000
            )
        }
        isCounted = contract.settings["counters"] == .text("on")
        requiredReferences = contract.references.filter(\.isRequired)
        if case .text(let text)? = contract.settings["store"] { store = text } else { store = "ONLINE" }
        if case .texts(let codes)? = contract.settings["non_product_codes"] {
            services = Set(codes)
        } else {
            services = []
        }
        // Settings are refined when the contract is loaded; a text that is no pattern there names no code.
        if case .texts(let list)? = contract.settings["non_product_patterns"] {
            servicePatterns = list.compactMap { Pattern.compiled($0.description) }
        } else {
            servicePatterns = []
        }
        mayBeService = (0...UInt8.max).map { [services, servicePatterns] byte in
            services.contains { $0.first == byte } || servicePatterns.contains { $0.mayBegin(with: byte) }
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

    /// Of mappers that make amounts: they need the setting.
    var currency: Currency {
        guard let currency = contract.currency else {
            preconditionFailure("a loaded contract of mapper \(contract.mapper.name) has currency")
        }
        return currency
    }

    func value(_ parameter: String, _ values: [FieldValue]) -> FieldValue {
        guard let reference = bindings[parameter] else { return .null }
        return values[reference.field]
    }

    func column(_ parameter: String) -> Int? { bindings[parameter]?.column }
    func listField(_ parameter: String) -> Int? { bindings[parameter]?.field }
    func fieldName(_ parameter: String) -> String { bindings[parameter].map { contract.fields[$0].path } ?? parameter }

    /// An amount in units of 1e-5; nil for null.
    func units(_ value: FieldValue, _ parameter: String) throws(MapRefusal) -> Int64? {
        guard let number = value.decimal else { return nil }
        if number.scale <= MoneyScale.digits, let units = number.units(scale: MoneyScale.digits) { return units }
        let problem: LineProblem = number.scale > MoneyScale.digits ? .price : .total
        throw MapRefusal(reason: problem.reason(field: fieldName(parameter), value: value.shown))
    }

    func isService(_ code: ByteString) -> Bool {
        guard let first = code.first, mayBeService[Int(first)] else { return false }
        return services.contains(code) || servicePatterns.contains { $0.matches(code) }
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
    case quantity, quantityRange, price, amount, total

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
        case .total:
            Reason(
                rule: "out_of_range",
                field: field,
                value: value,
                message: "\(field) \(value) is beyond ±92233720368547.75807; correct the amount"
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
