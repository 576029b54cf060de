import Primitives
import YAMLTree

extension ContractReader {
    /// `[A-Za-z_][A-Za-z0-9_]{0,63}` and no word of the rule language.
    mutating func identifier(_ node: YAMLNode, _ what: String) -> String? {
        let bytes = Array((node.text ?? "").utf8)
        let isLegal = bytes.enumerated().allSatisfy { index, byte in
            0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte == 0x5F || (index > 0 && 0x30...0x39 ~= byte)
        }
        guard !bytes.isEmpty, isLegal, bytes.count <= ContractLimits.nameBytesMax else {
            fail(
                node,
                "\(what) \(shown(node)) is not a name; use 1 to 64 of A-Z, a-z, 0-9 and _, not beginning with a digit"
            )
            return nil
        }
        guard let text = node.text, !RuleParser.words.contains(text) else {
            fail(node, "\(what) \(shown(node)) is a word of the rule language; choose another name")
            return nil
        }
        return text
    }

    mutating func readSettings(_ node: YAMLNode) {
        guard let entries = node.entries else {
            if !node.isNull { fail(node, "settings is not a mapping; write key: value lines") }
            return
        }
        if entries.count > ContractLimits.settingsMax {
            fail(node, "settings has \(entries.count) entries, more than \(ContractLimits.settingsMax); remove some")
        }
        for entry in entries.prefix(ContractLimits.settingsMax) {
            guard let name = identifier(entry.key, "setting"), let value = settingValue(entry.value, name) else {
                continue
            }
            settings[name] = value
            settingNodes[name] = entry.value
            settingKeys[name] = entry.key
            if name == "time_zone" { zone = zoneNamed(entry.value, text: entry.value.text ?? "") }
            if name == "currency" {
                currency = Currency(entry.value.text ?? "")
                if currency == nil {
                    fail(
                        entry.value,
                        "currency \(shown(entry.value)) is not an ISO 4217 code; write three letters such as GBP"
                    )
                }
            }
        }
    }

    private mutating func settingValue(_ node: YAMLNode, _ name: String) -> SettingValue? {
        switch node.kind {
        case .mapping:
            fail(node, "setting \(name) is a mapping; write a text, a number, true, false or a list")
            return nil
        case .scalar(let text, let plain):
            if node.isNull {
                fail(node, "setting \(name) is null; give it a value or remove it")
                return nil
            }
            guard text.utf8.count <= ContractLimits.messageBytesMax else {
                fail(
                    node,
                    "setting \(name) has \(text.utf8.count) bytes, more than \(ContractLimits.messageBytesMax); shorten it"
                )
                return nil
            }
            if plain, text == "true" || text == "false" { return .boolean(text == "true") }
            if plain, let number = DecimalText.read(Array(text.utf8)[...]) { return .decimal(number) }
            return .text(ByteString(text))
        case .sequence:
            var texts: [ByteString] = []
            var numbers: [Decimal] = []
            for item in items(node, "setting \(name)", max: ContractLimits.listEntriesMax) {
                switch settingValue(item, name) {
                case .text(let text): texts.append(text)
                case .decimal(let number): numbers.append(number)
                case .boolean, .texts, .decimals:
                    fail(item, "setting \(name) holds \(shown(item)); lists hold texts or numbers")
                case nil: break
                }
            }
            if !texts.isEmpty, !numbers.isEmpty {
                fail(node, "setting \(name) mixes texts and numbers; put the numbers in quotes to make them texts")
            }
            return numbers.isEmpty ? .texts(texts) : .decimals(numbers)
        }
    }

    static let windowRanges = [
        ("window_seconds", 1...ContractLimits.windowSecondsMax),
        ("window_lateness_seconds", 0...ContractLimits.windowWaitSecondsMax),
        ("window_idle_seconds", 1...ContractLimits.windowWaitSecondsMax),
        ("window_skew_seconds", 0...ContractLimits.windowSecondsMax),
    ]

    /// The windows that settings `window_…` ask for: all of them or none.
    mutating func readWindows(_ mapper: MapperSignature?) -> WindowSettings? {
        let ranges = Self.windowRanges
        var values: [Int] = []
        for (name, range) in ranges {
            if let node = settingNodes[name], let value = whole(node, "setting \(name)", range) { values.append(value) }
        }
        let given = ranges.map(\.0).filter { settingNodes[$0] != nil }
        guard let first = given.first, let node = settingNodes[first] else { return nil }
        if let mapper, !mapper.features.contains(.windows) {
            fail(node, "The mapper makes no sales, so there are no windows; remove \(given.joined(separator: ", "))")
        }
        let missing = ranges.map(\.0).filter { settingNodes[$0] == nil }
        if !missing.isEmpty {
            fail(
                node,
                "Windows need all four settings; add \(missing.joined(separator: ", ")) or remove \(given.joined(separator: ", "))"
            )
        }
        guard values.count == ranges.count else { return nil }
        return WindowSettings(length: values[0], lateness: values[1], idle: values[2], skew: values[3])
    }

    mutating func zoneNamed(_ node: YAMLNode, text: String) -> ZoneRules? {
        let zone = text.utf8.count <= ContractLimits.nameBytesMax ? ZoneRules(named: text) : nil
        if zone == nil {
            fail(node, "Time zone \(text.quotedForMessage) is not known; use a tz name such as Europe/London")
        }
        return zone
    }
}
