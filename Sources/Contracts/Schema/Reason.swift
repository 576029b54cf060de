package import Primitives

/// Why an event is rejected: which rule, which field, what it held, and what to do.
package struct Reason: Hashable, Sendable, CustomStringConvertible {
    /// The id of a rule of the contract, or one of ``BuiltInRule``.
    package let rule: String
    /// Path of the field: `Quantity`, `lines[2].quantity` (0-based row).
    package let field: String
    /// What it held, cut at 80 characters.
    package let value: String
    /// Fact and remedy.
    package let message: String

    package init(rule: String, field: String, value: String, message: String) {
        self.rule = rule
        self.field = field
        self.value = value
        self.message = message
    }

    init(_ rule: BuiltInRule, field: String, value: String, message: String) {
        self.init(rule: rule.rawValue, field: field, value: value, message: message)
    }

    package var description: String { message }

    /// The first reasons of an event, and how many more there are.
    package static func listed(_ reasons: [Reason]) -> [Reason] {
        let others = reasons.count - ContractLimits.reasonsMax
        guard others > 0 else { return reasons }
        let last = Reason(
            .moreReasons,
            field: "",
            value: "",
            message: "\(others) more reasons are not listed; correct the listed ones first"
        )
        return reasons.prefix(ContractLimits.reasonsMax) + [last]
    }

    /// The reason for a field that the contract does not name, for feeds whose contract refuses those.
    ///
    /// - Parameter place: Path of the object it is in; empty for the event itself.
    package static func unknownField(_ name: ArraySlice<UInt8>, in place: String = "") -> Reason {
        let shown = place.isEmpty ? cut(name) : "\(place).\(cut(name))"
        return Reason(
            .unknownField,
            field: shown,
            value: "",
            message:
                "Field \(shown.quotedForMessage) is not in the contract; remove it, or add it to the contract's fields"
        )
    }

    /// How a row beyond the limit is stored: its first bytes, under this in place of a media type, with its whole size
    /// and SHA-256.
    package static func cutRowType(size: Int, digest: Digest) -> ByteString {
        ByteString("\(cutRowPrefix)\(size); sha256=\(digest)")
    }

    private static let cutRowPrefix = "till/cut-row; size="

    /// The reason for bytes of a media type that is not read.
    package static func contentType(_ type: ByteString) -> Reason {
        if type.bytes.starts(with: cutRowPrefix.utf8) {
            let parts = String(decoding: type.bytes.dropFirst(cutRowPrefix.utf8.count), as: UTF8.self).split(
                separator: ";"
            )
            return Reason(
                .rowTooLarge,
                field: "",
                value: cut(type.bytes[...]),
                message:
                    "The row has \(parts.first ?? "more") bytes, and a row may have 1048576; its first bytes are kept (the whole row has\(parts.last.map(String.init) ?? "")). Look for a quote without its partner"
            )
        }
        let shown = cut(type.bytes[...])
        return Reason(
            .contentType,
            field: "",
            value: shown,
            message: "Content-Type \(shown.quotedForMessage) is not read here; send application/json"
        )
    }

    /// Text from outside, cut at 80 characters.
    static func cut(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes.prefix(400), as: UTF8.self)
        guard bytes.count > 80, text.unicodeScalars.count > 80 else { return text }
        var out = ""
        for scalar in text.unicodeScalars.prefix(80) { out.unicodeScalars.append(scalar) }
        return out + "…"
    }
}

/// The ids of reasons that no contract needs to spell out.
package enum BuiltInRule: String, CaseIterable, Sendable {
    case required, type
    case badText = "bad_text"
    case tooLong = "too_long"
    case outOfRange = "out_of_range"
    case notInEnum = "not_in_enum"
    case badTime = "bad_time"
    case nonexistentTime = "nonexistent_time"
    case tooManyDecimals = "too_many_decimals"
    case tooManyItems = "too_many_items"
    case unknownField = "unknown_field"
    /// The bytes came as something that is not read.
    case contentType = "content_type_unknown"
    case rowTooLarge = "row_too_large"
    /// A rule's arithmetic left 127 bits or 30 fraction digits.
    case overflow
    /// More reasons than ``ContractLimits/reasonsMax``.
    case moreReasons = "more_reasons"
    /// Validating needs more than ``ContractLimits/stepsMax`` steps.
    case tooCostly = "too_costly"
}
