package import Primitives

package enum FieldType: String, CaseIterable, Hashable, Sendable {
    case text, integer, decimal, money, boolean, time, list

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

    static let names: [(name: String, value: Accepts, types: Set<FieldType>)] = [
        ("integer", .integer, [.text]), ("number_text", .numberText, [.integer, .decimal, .money, .boolean]),
        ("whole_decimal", .wholeDecimal, [.integer]), ("excess_digits", .excessDigits, [.money]),
    ]
}

/// One field of a contract: what it is called, what it holds, and its bounds.
package struct Field: Sendable {
    package let name: String
    /// The name with its list's in front: `lines.quantity`.
    package let path: String
    package let type: FieldType
    package var aliases: [String] = []
    /// Present, not null and, for text, not empty.
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

    package init(name: String, path: String, type: FieldType) {
        self.name = name
        self.path = path
        self.type = type
    }

    /// Whether a reading can give null.
    package var isNullable: Bool { !isRequired && defaultValue.isNull }
}

private final class SharedField: Sendable {
    let field: Field
    init(_ field: Field) { self.field = field }
}

/// Fields in order, found by name or alias without allocation.
package struct FieldTable: Sendable {
    package let fields: [Field]
    /// The same fields behind references: taking one out of an array would count references to all its parts.
    private let shared: [SharedField]
    private var names: [(bytes: [UInt8], field: Int)] = []
    /// First entry of `names` per bucket and the next of each entry; -1 ends.
    private var heads = [Int16](repeating: -1, count: 256)
    private var nexts: [Int16] = []

    /// Names and aliases must be distinct; of two equal ones the first is found.
    package init(_ fields: [Field]) {
        self.fields = fields
        shared = fields.map(SharedField.init)
        for (index, field) in fields.enumerated() {
            for name in [field.name] + field.aliases { names.append((Array(name.utf8), index)) }
        }
        nexts = [Int16](repeating: -1, count: names.count)
        for entry in names.indices.reversed() {
            let bucket = Self.bucket(names[entry].bytes[...])
            nexts[entry] = heads[bucket]
            heads[bucket] = Int16(entry)
        }
    }

    package var count: Int { fields.count }

    /// Whether the field at `index` is a list, which only the decoder can read.
    package func isList(_ index: Int) -> Bool { shared[index].field.type == .list }

    /// ``Field/read(_:row:)`` of the field at `index`; not for lists.
    package func read(_ index: Int, _ raw: RawValue, row: Int? = nil) -> FieldReading {
        shared[index].field.read(raw, row: row)
    }

    private static func bucket(_ name: ArraySlice<UInt8>) -> Int {
        guard let first = name.first, let last = name.last else { return 0 }
        return (name.count &* 37 &+ Int(first) &* 5 &+ Int(last)) & 255
    }

    /// The position of the field with this name or alias. Complexity: O(name), no allocation.
    package func index(of name: ArraySlice<UInt8>) -> Int? {
        var entry = Int(heads[Self.bucket(name)])
        while entry >= 0 {
            if names[entry].bytes.elementsEqual(name) { return names[entry].field }
            entry = Int(nexts[entry])
        }
        return nil
    }

    package func index(of name: ByteString) -> Int? { index(of: name.bytes[...]) }
    package func index(of name: String) -> Int? { index(of: Array(name.utf8)[...]) }
}
