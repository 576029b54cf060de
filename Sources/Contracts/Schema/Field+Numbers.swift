import Primitives

extension Field {
    /// Reads the text of a number as this field.
    func readNumber(_ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading {
        switch type {
        case .text:
            guard accepts.contains(.integer), Self.isWhole(bytes), bytes.count <= bytesMax else {
                return wrongType(Reason.cut(bytes), quoted: false, row)
            }
            return read(.text(bytes), row: row)
        case .time:
            let isEpoch = formats.contains { $0.description.hasPrefix("epoch_") }
            return isEpoch ? readTime(bytes, row) : wrongType(Reason.cut(bytes), quoted: false, row)
        case .boolean, .list, .uuid: return wrongType(Reason.cut(bytes), quoted: false, row)
        case .integer, .decimal, .money: break
        }
        func shown() -> String { Reason.cut(bytes) }
        guard var number = DecimalText.read(bytes) else {
            guard DecimalText.looksNumeric(bytes) else { return noNumber(bytes, row) }
            return refuse(
                .outOfRange,
                shown(),
                "\(shownName(row)) \(shown()) has more digits than 38 or a finer fraction than 30 digits; send a shorter number",
                row
            )
        }
        if type == .integer {
            // JSON has no sign +, spreadsheets have.
            let unsigned = bytes.first == 0x2B ? bytes.dropFirst() : bytes
            guard accepts.contains(.wholeDecimal) ? number.scale == 0 : Self.isWhole(unsigned) else {
                return refuse(
                    .type,
                    shown(),
                    "\(shownName(row)) \(shown()) is not an integer; \(wholeRemedy(number))",
                    row
                )
            }
            guard number.integer != nil else {
                return refuse(
                    .outOfRange,
                    shown(),
                    "\(shownName(row)) \(shown()) needs more than 64 bits; correct it",
                    row
                )
            }
        } else {
            let digits = type == .money ? MoneyScale.digits : fractionDigitsMax
            let roundsExcess = accepts.contains(.excessDigits)
            if roundsExcess { number = number.rounded(toScale: ContractLimits.exactDigitsMax) }
            guard roundsExcess || number.scale <= digits else {
                return refuse(
                    .tooManyDecimals,
                    shown(),
                    "\(shownName(row)) \(shown()) has more than \(digits) fraction digits; round it before sending",
                    row
                )
            }
            if type == .money, kept(number).units(scale: MoneyScale.digits) == nil {
                return refuse(
                    .outOfRange,
                    shown(),
                    "\(shownName(row)) \(shown()) is beyond ±92233720368547.75807; correct it",
                    row
                )
            }
        }
        if let max, kept(number) > max {
            return refuse(
                .outOfRange,
                shown(),
                "\(shownName(row)) \(shown()) is above the maximum \(max); correct it or raise max in the contract",
                row
            )
        }
        if let min, kept(number) < min {
            return refuse(
                .outOfRange,
                shown(),
                "\(shownName(row)) \(shown()) is below the minimum \(min); correct it or lower min in the contract",
                row
            )
        }
        return .value(.decimal(number))
    }

    /// A number as the model holds it: excess digits of an amount are rounded away once the rules have seen them.
    private func kept(_ number: Decimal) -> Decimal {
        accepts.contains(.excessDigits) ? number.rounded(toScale: MoneyScale.digits) : number
    }

    /// The value as the model holds it; what reading gave may have more digits, for `exact`.
    func kept(_ value: FieldValue) -> FieldValue {
        guard case .decimal(let number) = value else { return value }
        return .decimal(kept(number))
    }

    private func wholeRemedy(_ number: Decimal) -> String {
        number.scale == 0
            ? "send \(number) or declare accepts: [whole_decimal]"
            : "send a whole number such as \(number.rounded(toScale: 0))"
    }

    /// `-?digits` and nothing else.
    static func isWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
        let digits = bytes.first == 0x2D ? bytes.dropFirst() : bytes
        return !digits.isEmpty && digits.allSatisfy { 0x30...0x39 ~= $0 }
    }

    /// Reads the text of a time as this field.
    func readTime(_ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading {
        guard bytes.count <= 64 else { return badTime(bytes, "is not in any declared format (\(formatNames))", row) }
        for format in formats {
            guard let reading = format.read(bytes) else { continue }
            switch reading {
            case .instant(let instant): return time(instant, isAmbiguous: false, bytes, row)
            case .civil(let civil):
                guard let zone else {
                    return badTime(bytes, "has no offset from UTC and the contract declares no zone for it", row)
                }
                switch zone.instant(of: civil) {
                case .one(let instant): return time(instant, isAmbiguous: false, bytes, row)
                case .ambiguous(let first): return time(first, isAmbiguous: true, bytes, row)
                case .nonexistent:
                    let shown = Reason.cut(bytes)
                    return refuse(
                        .nonexistentTime,
                        shown,
                        "\(shownName(row)) \(shown.quotedForMessage) does not exist in \(zone.name) (the clock skips it); "
                            + "correct the time or send it with its offset",
                        row
                    )
                }
            }
        }
        for format in formats {
            switch format.clockFault(of: bytes) {
            case .hour24: return badClock(bytes, "has hour 24; send 00:00 of the next day", row)
            case .second60: return badClock(bytes, "has second 60, a leap second; send second 59", row)
            case nil: break
            }
        }
        return badTime(bytes, "is not in any declared format (\(formatNames))", row)
    }

    private func badClock(_ bytes: ArraySlice<UInt8>, _ sentence: String, _ row: Int?) -> FieldReading {
        let shown = Reason.cut(bytes)
        return refuse(.badTime, shown, "\(shownName(row)) \(shown.quotedForMessage) \(sentence)", row)
    }

    /// Years 1 to 9999 in UTC: what every output format can write.
    private static let timeRange: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    private func time(_ instant: Timestamp, isAmbiguous: Bool, _ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading
    {
        guard Self.timeRange.contains(instant.micros) else {
            let shown = Reason.cut(bytes)
            return refuse(
                .outOfRange,
                shown,
                "\(shownName(row)) \(shown.quotedForMessage) is outside the years 1 to 9999; correct it",
                row
            )
        }
        return .value(.time(FieldTime(instant: instant, raw: ByteString(bytes), isAmbiguous: isAmbiguous)))
    }

    private func badTime(_ bytes: ArraySlice<UInt8>, _ phrase: String, _ row: Int?) -> FieldReading {
        let shown = Reason.cut(bytes)
        let remedy =
            phrase.hasPrefix("has no")
            ? "send it with an offset or declare zone in the contract"
            : "send one of these or declare the sender's format in the contract"
        return refuse(.badTime, shown, "\(shownName(row)) \(shown.quotedForMessage) \(phrase); \(remedy)", row)
    }
}

/// Numbers from their text, with a path for the common short ones.
enum DecimalText {
    /// Exact; nil when the text is not a number that `Decimal` can hold. The grammar is that of `Decimal.init(_:)`.
    static func read(_ bytes: ArraySlice<UInt8>) -> Decimal? { short(bytes.span) ?? long(bytes) }

    static func read(_ text: ByteString) -> Decimal? { text.withSpan { short($0) } ?? long(text.bytes[...]) }

    private static func long(_ bytes: ArraySlice<UInt8>) -> Decimal? { bytes.count <= 400 ? Decimal(bytes) : nil }

    /// Up to 18 digits without an exponent, which fit Int64: no 128-bit division is needed. Nil for anything else.
    private static func short(_ bytes: Span<UInt8>) -> Decimal?? {
        guard bytes.count <= 19 else { return nil }
        var value: Int64 = 0
        var digits = 0
        var scale = 0
        var isFraction = false
        let isNegative = bytes.count > 0 && bytes[0] == 0x2D
        for at in (isNegative ? 1 : 0)..<bytes.count {
            let byte = bytes[at]
            if 0x30...0x39 ~= byte {
                digits += 1
                guard digits <= 18 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
                if isFraction { scale += 1 }
            } else if byte == 0x2E, !isFraction, digits > 0 {
                isFraction = true
            } else {
                return nil
            }
        }
        guard digits > 0, !isFraction || scale > 0 else { return .some(nil) }
        while scale > 0, value % 10 == 0 {
            value /= 10
            scale -= 1
        }
        return Decimal(coefficient: Int128(isNegative ? -value : value), scale: scale)
    }

    /// Whether text that `Decimal` refused consists of the characters of a number.
    static func looksNumeric(_ bytes: ArraySlice<UInt8>) -> Bool {
        let body = bytes.first == 0x2D ? bytes.dropFirst() : bytes
        guard let first = body.first, 0x30...0x39 ~= first, let last = body.last, 0x30...0x39 ~= last else {
            return false
        }
        var points = 0
        var exponents = 0
        for byte in body {
            switch byte {
            case 0x30...0x39, 0x2B, 0x2D: break
            case 0x2E: points += 1
            case 0x45, 0x65: exponents += 1
            default: return false
            }
        }
        return points <= 1 && exponents <= 1 && (exponents == 1 || body.allSatisfy { $0 != 0x2B && $0 != 0x2D })
    }
}
