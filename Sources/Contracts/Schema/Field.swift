package import Primitives

package enum FieldType: String, CaseIterable, Hashable, Sendable {
    case text, integer, decimal, money, boolean, time, list, uuid

    var isNumber: Bool { self == .integer || self == .decimal || self == .money }

    /// With its article, for messages.
    var phrase: String {
        switch self {
        case .text: "a text"
        case .integer: "an integer"
        case .decimal: "a decimal number"
        case .money: "an amount"
        case .boolean: "true or false"
        case .time: "a time"
        case .list: "a list"
        case .uuid: "a UUID"
        }
    }
}

/// What a field takes beyond its own type.
package struct Accepts: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Text fields: a whole JSON number is kept as its text.
    package static let integer = Accepts(rawValue: 1)
    /// Number fields: a JSON text that holds a number; boolean fields: `"true"`.
    package static let numberText = Accepts(rawValue: 2)
    /// Integer fields: `17850.0` and `1e3` are whole.
    package static let wholeDecimal = Accepts(rawValue: 4)
    /// Money fields: more than five fraction digits are rounded half away from zero (compatibility profile).
    package static let excessDigits = Accepts(rawValue: 8)
    /// Text fields: a required one may be empty; it must still be sent, and not null.
    package static let empty = Accepts(rawValue: 16)

    static let names: [(name: String, value: Accepts, types: Set<FieldType>)] = [
        ("integer", .integer, [.text]), ("number_text", .numberText, [.integer, .decimal, .money, .boolean]),
        ("whole_decimal", .wholeDecimal, [.integer]), ("excess_digits", .excessDigits, [.money]),
        ("empty", .empty, [.text]),
    ]
}

/// What a contract says of one field: what it is called, what it holds, and its bounds.
package struct FieldDeclaration: Sendable {
    package let name: String
    /// Names of the JSON members that lead to it from the event (or the row of its list); the name alone without `at`.
    package let place: [String]
    /// Path of its list; nil outside lists.
    package let list: String?
    package let type: FieldType
    package var aliases: [String] = []
    /// Present, not null and, for text that does not accept `empty`, not empty.
    package var isRequired = false
    package var accepts: Accepts = []
    /// Text: bytes, 1 to ``ContractLimits/textBytesMax``.
    package var bytesMax = ContractLimits.textBytesDefault
    /// Text: Unicode scalars; nil for no limit of its own.
    package var charactersMax: Int?
    /// Decimal: fraction digits, 0 to ``ContractLimits/fractionDigitsMax``.
    package var fractionDigitsMax = ContractLimits.fractionDigitsMax
    package var min: Decimal?
    package var max: Decimal?
    /// Text: the only values allowed; empty for no such limit.
    package var values: [ByteString] = []
    /// Texts as sent that stand for null: `0`, `nan`, `NULL`.
    package var nullWords: [ByteString] = []
    /// Taken when the field is missing, null or empty.
    package var defaultValue: FieldValue = .null
    /// Time: tried in order.
    package var formats: [TimeFormat] = []
    /// Time: the zone of readings without an offset.
    package var zone: ZoneRules?
    /// List: rows.
    package var itemsMax = ContractLimits.listItemsDefault
    /// List: the fields of one row.
    package var fields = FieldTable([])

    package init(name: String, place: [String]? = nil, list: String? = nil, type: FieldType) {
        self.name = name
        self.place = place ?? [name]
        self.list = list
        self.type = type
        path = ((list.map { [$0] } ?? []) + self.place).joined(separator: ".")
    }

    /// What reasons call it: its place with its list's in front, `payload.lines.quantity`.
    package let path: String
}

/// A field as events are read with it. A class: it is looked at several times for every event, by every thread, and a
/// copy of a structure would count references to all its parts.
package final class Field: Sendable {
    package let name: String, path: String
    package let place: [String]
    package let list: String?
    package let type: FieldType
    package let aliases: [String]
    package let isRequired: Bool
    package let accepts: Accepts
    package let bytesMax: Int, fractionDigitsMax: Int, itemsMax: Int
    package let charactersMax: Int?
    package let min: Decimal?, max: Decimal?
    package let values: [ByteString]
    package let nullWords: [ByteString]
    package let defaultValue: FieldValue
    package let formats: [TimeFormat]
    package let zone: ZoneRules?
    package let fields: FieldTable

    package init(_ declared: FieldDeclaration) {
        name = declared.name
        path = declared.path
        place = declared.place
        list = declared.list
        type = declared.type
        aliases = declared.aliases
        isRequired = declared.isRequired
        accepts = declared.accepts
        bytesMax = declared.bytesMax
        fractionDigitsMax = declared.fractionDigitsMax
        itemsMax = declared.itemsMax
        charactersMax = declared.charactersMax
        min = declared.min
        max = declared.max
        values = declared.values
        nullWords = declared.nullWords
        defaultValue = declared.defaultValue
        formats = declared.formats
        zone = declared.zone
        fields = declared.fields
    }

    /// Whether a reading can give null.
    package var isNullable: Bool { (!isRequired || accepts.contains(.empty)) && defaultValue.isNull }
}
