package import Primitives

/// What a rule does with an event that breaks it.
package enum RuleEffect: String, CaseIterable, Sendable {
    case reject, flag, correct
    /// As `correct`, for spellings of one value: nothing is recorded, because nothing was wrong.
    case normalise

    var sets: Bool { self == .correct || self == .normalise }
}

/// One rule of a contract.
package final class Rule: Sendable {
    package let id: String
    package let effect: RuleEffect
    /// The field that its reason names.
    package let field: FieldReference
    /// `{value}` stands for what the field held; settings have been filled in.
    package let message: String
    /// Text of the check, for documentation.
    package let check: String
    /// Text of `when` and of the value that `set` sets.
    let guardText: String?, valueText: String?
    let checkPart: Int32
    let guardPart: Int32?
    let correction: CorrectionPlan?

    init(
        id: String,
        effect: RuleEffect,
        field: FieldReference,
        message: String,
        check: String,
        guardText: String?,
        valueText: String?,
        checkPart: Int32,
        guardPart: Int32?,
        correction: CorrectionPlan?
    ) {
        self.id = id
        self.effect = effect
        self.field = field
        self.message = message
        self.check = check
        self.guardText = guardText
        self.valueText = valueText
        self.checkPart = checkPart
        self.guardPart = guardPart
        self.correction = correction
    }
}

/// What a correcting rule sets.
struct CorrectionPlan: Sendable {
    let target: FieldReference
    let valuePart: Int32
    let type: RuleType
    /// The value is the literal null.
    let isNull: Bool
}

/// How the cells of a CSV file are separated.
package struct CSVDialect: Hashable, Sendable {
    package var separator = UInt8(ascii: ",")
    package var quote = UInt8(ascii: "\"")
    /// Of files; bodies of requests are UTF-8.
    package var encoding = "utf-8"
    /// Whether rows are looked for inside a row of several lines that is none.
    package var resynchronises = true

    package init() {}
}

/// How JSON records are written.
package struct JSONDialect: Hashable, Sendable {
    /// A record that is a JSON text is read as the JSON inside it.
    package var isDoubleEncoded = false

    package init() {}
}

/// What a reference record can describe.
package enum ReferenceSubject: String, CaseIterable, Sendable { case customer, store, product }

/// A reference record that events of a contract need. Source: spec model 1.11.
package struct ReferenceNeed: Hashable, Sendable {
    package let entity: ReferenceSubject
    /// Outside lists for a customer or a store; of a list for a product, one per row.
    package let field: FieldReference
    /// Park the event until the record arrives.
    package let isRequired: Bool
}

/// The turnover windows that a feed's sales take part in, seconds: settings `window_…` of its contract.
package struct WindowSettings: Hashable, Sendable {
    package let length: Int
    package let lateness: Int
    package let idle: Int
    package let skew: Int
}

/// A mapper's name and the fields bound to its parameters.
package struct MapperBinding: Sendable {
    package let name: String
    package let bindings: [String: FieldReference]
}

/// What becomes of fields that a contract does not name.
package enum UnknownFields: String, CaseIterable, Sendable { case ignore, reject }

/// One version of a feed's contract: schema, rules and the mapper with its bindings. Immutable; an event is validated
/// for ever under the contract whose digest its envelope carries.
package final class Contract: Sendable {
    package let name: String
    package let version: Int
    /// `source_system` of the feed's events.
    package let source: String
    /// SHA-256 of ``text``.
    package let digest: Digest
    package let text: [UInt8]
    package let fields: FieldTable
    package let rules: [Rule]
    package let mapper: MapperBinding
    package let settings: [String: SettingValue]
    /// Of the setting `time_zone`.
    package let zone: ZoneRules?
    /// Of the setting `currency`.
    package let currency: Currency?
    package let csv: CSVDialect
    package let json: JSONDialect
    package let unknownFields: UnknownFields
    package let partitionKey: Int
    package let versionTime: Int?
    /// Decides between versions of one version time.
    package let secondVersionTime: Int?
    package let references: [ReferenceNeed]
    /// Nil when the feed has none.
    package let windows: WindowSettings?
    package let documentKinds: DocumentKinds
    /// Fields that make two rows of files the same row; nil means all that the mapper takes.
    package let rowIdentity: [Int]?
    /// What is legal and probably not meant.
    package let warnings: [ContractProblem]
    let program: RuleProgram
    /// Some kind of document is told by an expression.
    let hasDocumentExpressions: Bool
    /// Amounts that may come with more digits than are kept.
    let longAmounts: [FieldReference]

    init(
        name: String,
        version: Int,
        source: String,
        digest: Digest,
        text: [UInt8],
        fields: FieldTable,
        rules: [Rule],
        mapper: MapperBinding,
        settings: [String: SettingValue],
        zone: ZoneRules?,
        currency: Currency?,
        csv: CSVDialect,
        json: JSONDialect,
        unknownFields: UnknownFields,
        partitionKey: Int,
        versionTime: Int?,
        secondVersionTime: Int?,
        references: [ReferenceNeed],
        windows: WindowSettings?,
        documentKinds: DocumentKinds,
        rowIdentity: [Int]?,
        warnings: [ContractProblem],
        program: RuleProgram
    ) {
        self.name = name
        self.version = version
        self.source = source
        self.digest = digest
        self.text = text
        self.fields = fields
        self.rules = rules
        self.mapper = mapper
        self.settings = settings
        self.zone = zone
        self.currency = currency
        self.csv = csv
        self.json = json
        self.unknownFields = unknownFields
        self.partitionKey = partitionKey
        self.versionTime = versionTime
        self.secondVersionTime = secondVersionTime
        self.references = references
        self.windows = windows
        self.documentKinds = documentKinds
        self.rowIdentity = rowIdentity
        hasDocumentExpressions = documentKinds.all.contains { $0.mark.part != nil }
        self.warnings = warnings
        self.program = program
        longAmounts = fields.fields.enumerated().flatMap { index, field in
            if field.accepts.contains(.excessDigits) { return [FieldReference(field: index, column: nil)] }
            return field.fields.fields.enumerated().filter { $0.element.accepts.contains(.excessDigits) }
                .map { FieldReference(field: index, column: $0.offset) }
        }
    }
}
