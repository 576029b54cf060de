import Primitives

/// Spellings of numbers and truths that people and tools write and till does not read. It refuses all of them, in CSV
/// and in JSON alike, and says what is wrong: a guess could read 1,234 as one or as a thousand.
extension Field {
    /// The reason against a text that is no number.
    func noNumber(_ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading {
        let shown = Reason.cut(bytes)
        guard let remedy = Self.remedy(bytes) else { return wrongType(shown, quoted: true, row) }
        return refuse(.type, shown, "\(shownName(row)) \(shown.quotedForMessage) is not \(type.phrase): \(remedy)", row)
    }

    /// The reason against a text that is neither `true` nor `false`.
    func noTruth(_ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading {
        let shown = Reason.cut(bytes)
        let isCase = ["true", "false"].contains(shown.lowercased())
        guard isCase else { return wrongType(shown, quoted: true, row) }
        return refuse(
            .type,
            shown,
            "\(shownName(row)) \(shown.quotedForMessage) is not \(type.phrase): send \(shown.lowercased()) in lower case",
            row
        )
    }

    private static func remedy(_ bytes: ArraySlice<UInt8>) -> String? {
        let scalars = Array(String(decoding: bytes.prefix(400), as: UTF8.self).unicodeScalars)
        guard scalars.contains(where: { "0"..."9" ~= $0 || "\u{FF10}"..."\u{FF19}" ~= $0 }) else { return nil }
        if scalars.contains(where: { "\u{FF10}"..."\u{FF19}" ~= $0 }) {
            return "it has full-width digits; send the digits 0 to 9"
        }
        if let blank = scalars.first(where: { $0.properties.isWhitespace || $0 == "\u{FEFF}" || $0 == "\u{200B}" }) {
            return "it has a blank (\(name(blank))); send it without"
        }
        if let dash = scalars.first(where: { "\u{2010}"..."\u{2015}" ~= $0 || $0 == "\u{2212}" || $0 == "\u{FF0D}" }) {
            return "it has the dash \(name(dash)); send the sign -"
        }
        if scalars.contains(",") {
            return "it has a comma; send no thousands separators, and a point before the fraction"
        }
        return nil
    }

    /// `U+00A0`.
    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    }
}
