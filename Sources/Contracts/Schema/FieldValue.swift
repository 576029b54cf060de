package import Primitives

/// The value of one field after reading, exact.
package enum FieldValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// Also integers and money.
    case decimal(Decimal)
    case text(ByteString)
    case time(FieldTime)
    /// Rows in order; each has one value per nested field, in the order of the contract.
    case list([[FieldValue]])

    @inlinable package var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// The value as people see it in a message, cut at 80 characters.
    package var shown: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .decimal(let value): value.description
        case .text(let text): Reason.cut(text.bytes[...])
        case .time(let time): Reason.cut(time.raw.bytes[...])
        case .list(let rows): "\(rows.count) items"
        }
    }
}

/// A point in time and how the sender wrote it.
package struct FieldTime: Hashable, Sendable {
    package let instant: Timestamp
    package let raw: ByteString
    /// The local clock showed this reading twice; `instant` is the first (spec model 1.10).
    package let isAmbiguous: Bool

    package init(instant: Timestamp, raw: ByteString, isAmbiguous: Bool = false) {
        self.instant = instant
        self.raw = raw
        self.isAmbiguous = isAmbiguous
    }
}

/// A value as a decoder found it, before the contract says what it means.
package enum RawValue: Sendable {
    /// The event has no such field.
    case missing
    case null
    case boolean(Bool)
    /// The text of a JSON number.
    case number(ArraySlice<UInt8>)
    /// A JSON text, unescaped.
    case text(ArraySlice<UInt8>)
    /// A CSV cell: untyped; empty is null; numbers, times and booleans are read from its text.
    case csv(ArraySlice<UInt8>)
    /// An object or array where a scalar is wanted, as a phrase: "an object".
    case other(String)
}

/// What reading one field gave.
package enum FieldReading: Equatable, Sendable {
    case value(FieldValue)
    case reason(Reason)
}
