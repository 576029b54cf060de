import Primitives

extension Field {
    /// Reads one raw value as this field.
    ///
    /// An empty text is null: a CSV cell cannot tell the two apart, and an empty name is no name.
    ///
    /// - Parameter row: 0-based row of the list, for a nested field's messages.
    /// - Returns: the value (the default for missing, null and empty), or the first reason against it.
    /// - Complexity: O(n) in the value's bytes.
    package func read(_ raw: RawValue, row: Int? = nil) -> FieldReading {
        switch raw {
        case .missing: absent("is missing; send it with every event", row)
        case .null: absent("is null; send a value", row)
        case .csv(let bytes) where isNullWord(bytes), .text(let bytes) where isNullWord(bytes),
            .number(let bytes) where isNullWord(bytes):
            absent("is \(Reason.cut(bytes).quotedForMessage), one of its null_words; send a value", row)
        case .csv(let bytes): bytes.isEmpty ? empty(row) : readText(bytes, isUntyped: true, row)
        case .text(let bytes):
            bytes.isEmpty && isEmptyNull ? empty(row) : readText(bytes, isUntyped: false, row)
        case .number(let bytes): readNumber(bytes, row)
        case .boolean(let value):
            type == .boolean ? .value(.boolean(value)) : wrongType(value ? "true" : "false", quoted: false, row)
        case .other(let phrase):
            .reason(
                Reason(
                    .type,
                    field: shownName(row),
                    value: phrase,
                    message: "\(shownName(row)) is \(phrase), not \(type.phrase); send \(example)"
                )
            )
        }
    }

    /// Asked of what was sent, before it is read as the field's type: `0` is null, `0.0` is not.
    private func isNullWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        if nullWords.isEmpty { return false }
        return nullWords.contains { $0.bytes.elementsEqual(bytes) }
    }

    private func empty(_ row: Int?) -> FieldReading {
        accepts.contains(.empty) ? .value(defaultValue) : absent("is empty; send a value", row)
    }

    /// An empty JSON text says nothing.
    private var isEmptyNull: Bool {
        type == .text || type == .uuid || type == .time || accepts.contains(.numberText)
    }

    /// Validates the rows of a list field that the decoder collected; nil stands for missing or null.
    package func readList(_ rows: [[FieldValue]]?) -> FieldReading {
        guard let rows else { return absent("is missing; send it with every event", nil) }
        if rows.isEmpty, isRequired { return absent("is empty; send at least one item", nil) }
        if let reason = checkCount(rows.count) { return .reason(reason) }
        return .value(.list(rows))
    }

    /// The reason against a list of `count` rows; nil within ``itemsMax``. Ask before reading the rows.
    package func checkCount(_ count: Int) -> Reason? {
        guard count > itemsMax else { return nil }
        return Reason(
            .tooManyItems,
            field: path,
            value: "\(count)",
            message:
                "\(path) has \(count) items, more than \(itemsMax); split the event or raise max_items in the contract"
        )
    }

    /// `lines[2].quantity` for a nested field, else the path.
    func shownName(_ row: Int?) -> String { row == nil ? path : PathText.shown(place, list: list, row: row) }

    private func absent(_ phrase: String, _ row: Int?) -> FieldReading {
        guard isRequired, defaultValue.isNull else { return .value(defaultValue) }
        return refuse(.required, "", "\(shownName(row)) \(phrase)", row)
    }

    func refuse(_ rule: BuiltInRule, _ value: String, _ message: String, _ row: Int?) -> FieldReading {
        .reason(Reason(rule, field: shownName(row), value: value, message: message))
    }

    func wrongType(_ shown: String, quoted: Bool, _ row: Int?) -> FieldReading {
        let value = quoted ? shown.quotedForMessage : shown
        return refuse(.type, shown, "\(shownName(row)) \(value) is not \(type.phrase); send \(example)", row)
    }

    private var example: String {
        switch type {
        case .text: "a text in quotes"
        case .integer: "a whole number such as 6"
        case .decimal: "a number such as 1.5"
        case .money: "a number such as 2.55"
        case .boolean: "true or false"
        case .time: "a text in one of the declared formats (\(formatNames))"
        case .list: "an array of objects"
        case .uuid: "32 hexadecimal digits, with dashes as in 8-4-4-4-12 or without"
        }
    }

    var formatNames: String { formats.map(\.description).joined(separator: ", ") }

    private func readText(_ bytes: ArraySlice<UInt8>, isUntyped: Bool, _ row: Int?) -> FieldReading {
        switch type {
        case .text: return readOwnText(bytes, row)
        case .time: return readTime(bytes, row)
        case .integer, .decimal, .money:
            guard isUntyped || accepts.contains(.numberText) else {
                let shown = Reason.cut(bytes)
                guard DecimalText.read(bytes) != nil else { return noNumber(bytes, row) }
                return refuse(
                    .type,
                    shown,
                    "\(shownName(row)) \(shown.quotedForMessage) is a text, not a number; send it without quotes or declare "
                        + "accepts: [number_text]",
                    row
                )
            }
            return readNumber(bytes, row)
        case .boolean:
            if isUntyped || accepts.contains(.numberText) {
                if bytes.elementsEqual("true".utf8) { return .value(.boolean(true)) }
                if bytes.elementsEqual("false".utf8) { return .value(.boolean(false)) }
            }
            return noTruth(bytes, row)
        case .uuid:
            guard let uuid = UUIDText.canonical(bytes) else { return wrongType(Reason.cut(bytes), quoted: true, row) }
            return .value(.text(uuid))
        case .list: return wrongType(Reason.cut(bytes), quoted: true, row)
        }
    }

    private func readOwnText(_ bytes: ArraySlice<UInt8>, _ row: Int?) -> FieldReading {
        func shown() -> String { Reason.cut(bytes) }
        if bytes.count > bytesMax {
            return refuse(
                .tooLong,
                shown(),
                "\(shownName(row)) \(shown().quotedForMessage) has \(bytes.count) bytes, more than \(bytesMax); shorten it or "
                    + "raise max_bytes in the contract",
                row
            )
        }
        guard let characters = TextCheck.characters(bytes) else {
            return refuse(
                .badText,
                shown(),
                "\(shownName(row)) \(shown().quotedForMessage) is not UTF-8 or holds a NUL; send UTF-8 text without NUL",
                row
            )
        }
        if let charactersMax, characters > charactersMax {
            return refuse(
                .tooLong,
                shown(),
                "\(shownName(row)) \(shown().quotedForMessage) has \(characters) characters, more than \(charactersMax); "
                    + "shorten it or raise max_characters in the contract",
                row
            )
        }
        let text = ByteString(bytes)
        if !values.isEmpty, !values.contains(text) {
            let names = values.prefix(20).map(\.description).joined(separator: ", ") + (values.count > 20 ? ", …" : "")
            return refuse(
                .notInEnum,
                shown(),
                "\(shownName(row)) \(shown().quotedForMessage) is not one of: \(names); send one of these",
                row
            )
        }
        return .value(.text(text))
    }
}

/// Checks text bytes once when they are read, so that no later step meets bytes it cannot store.
enum TextCheck {
    /// Unicode scalars of the text; nil when it is not UTF-8 or holds U+0000 (which PostgreSQL cannot store).
    static func characters(_ bytes: ArraySlice<UInt8>) -> Int? {
        // Without a branch in the loop: it is made of vectors then.
        var bits: UInt8 = 0
        var least = UInt8.max
        for byte in bytes {
            bits |= byte
            least = min(least, byte)
        }
        if least == 0 { return nil }
        if bits < 0x80 { return bytes.count }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return text.unicodeScalars.count
    }
}

enum UUIDText {
    /// Lower case with dashes; nil unless the text is 32 hexadecimal digits, all dashes in place or none.
    static func canonical(_ bytes: ArraySlice<UInt8>) -> ByteString? {
        let dashes = [8, 13, 18, 23]
        guard bytes.count == 32 || bytes.count == 36 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if bytes.count == 36, dashes.contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            if dashes.contains(out.count) { out.append(UInt8(ascii: "-")) }
            switch byte {
            case 0x30...0x39, 0x61...0x66: out.append(byte)
            case 0x41...0x46: out.append(byte | 0x20)
            default: return nil
            }
        }
        return ByteString(out)
    }
}
