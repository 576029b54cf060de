package import Primitives

/// What a rule does with an event that breaks it.
package enum RuleEffect: String, CaseIterable, Sendable { case reject, flag, correct }

/// One rule of a contract.
package struct Rule: Sendable {
    package let id: String
    package let effect: RuleEffect
    /// The field that its reason names.
    package let field: FieldReference
    package let message: String
    /// Text of the check, for documentation.
    package let check: String
    let checkPart: Int32
    let guardPart: Int32?
    let correction: CorrectionPlan?
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

    package init() {}
}

/// A reference record that events of a contract need. Source: spec model 1.11.
package struct ReferenceNeed: Hashable, Sendable {
    package let entity: String
    package let field: FieldReference
    /// Park the event until the record arrives.
    package let isRequired: Bool
}

/// A mapper's name and the fields bound to its parameters.
package struct MapperBinding: Sendable {
    package let name: String
    package let bindings: [String: FieldReference]
}

/// What becomes of fields that a contract does not name.
package enum UnknownFields: String, CaseIterable, Sendable { case ignore, reject }

/// One version of a feed's contract: schema, rules and the mapper with its bindings. Immutable; an event is judged for
/// ever under the contract whose digest its envelope carries.
package struct Contract: Sendable {
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
    package let unknownFields: UnknownFields
    package let partitionKey: Int
    package let versionTime: Int?
    package let references: [ReferenceNeed]
    let program: RuleProgram
}
