import Primitives
import YAMLTree

/// All settings of a process: default, then file, then environment, then flags; the last that says something wins.
package struct TillSettings: Sendable {
    /// One mistake in the configuration, with its place.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package var place: String
        package var sentence: String
        package var description: String { "\(place): \(sentence)" }
    }

    package struct Problems: Error, Sendable, Equatable, CustomStringConvertible {
        package var all: [Problem]
        package var description: String { all.map(\.description).joined(separator: "\n") }
    }

    package struct Value: Sendable, Equatable {
        package var text: String
        /// `default`, the file's name and line, the environment variable or the flag.
        package var origin: String
    }

    private var values: [SettingName: Value] = [:]
    /// Paths of contract files, as written; relative to the working directory.
    package private(set) var contracts: [String] = []
    package private(set) var identities: [Identity] = []

    /// - Parameters:
    ///   - file: Name and bytes of the configuration file, if any.
    ///   - environment: Looks a variable up.
    ///   - flags: Settings given on the command line.
    ///   - readSecret: The bytes of a file that holds a secret.
    /// - Throws: ``Problems`` with every mistake at once.
    package init(
        file: (name: String, bytes: [UInt8])?,
        environment: (String) -> String?,
        flags: [(SettingName, String)],
        readSecret: (String) throws -> [UInt8] = { _ in [] }
    ) throws(Problems) {
        var problems: [Problem] = []
        for name in SettingName.allCases { values[name] = Value(text: name.defaultText, origin: "default") }
        if let file {
            do throws(YAMLError) {
                read(try YAMLTree.parse(file.bytes), file.name, readSecret, &problems)
            } catch {
                problems.append(Problem(place: "\(file.name):\(error.line):\(error.column)", sentence: error.sentence))
            }
        }
        for name in SettingName.allCases {
            if let text = environment(name.environmentName) { set(name, text, name.environmentName, &problems) }
        }
        for (name, text) in flags { set(name, text, "--" + name.rawValue, &problems) }
        if !problems.isEmpty { throw Problems(all: problems) }
    }

    package subscript(name: SettingName) -> Value { values[name] ?? Value(text: name.defaultText, origin: "default") }
    package func text(_ name: SettingName) -> String { self[name].text }
    package func integer(_ name: SettingName) -> Int { Int(self[name].text) ?? 0 }

    /// - Parameter origin: Where an accepted value is said to come from; the place when nil.
    private mutating func set(
        _ name: SettingName,
        _ text: String,
        _ place: String,
        origin: String? = nil,
        _ problems: inout [Problem]
    ) {
        switch name.kind {
        case .contract:
            if text.isEmpty {
                return problems.append(
                    Problem(
                        place: place,
                        sentence: "\(name.rawValue) is empty; give on, off or the path of a contract file"
                    )
                )
            }
        case .text:
            if text.isEmpty {
                return problems.append(
                    Problem(place: place, sentence: "\(name.rawValue) is empty; give a value or leave it out")
                )
            }
        case .integer(let range):
            guard let number = Int(text), range.contains(number) else {
                return problems.append(
                    Problem(
                        place: place,
                        sentence:
                            "\(name.rawValue) is \(text.quotedForMessage); give a whole number from \(range.lowerBound) to \(range.upperBound)"
                    )
                )
            }
        case .choice(let choices):
            guard choices.contains(text) else {
                return problems.append(
                    Problem(
                        place: place,
                        sentence:
                            "\(name.rawValue) is \(text.quotedForMessage); give one of \(choices.joined(separator: ", "))"
                    )
                )
            }
        }
        values[name] = Value(text: text, origin: origin ?? place)
    }

    // MARK: File

    private mutating func read(
        _ root: YAMLNode,
        _ file: String,
        _ readSecret: (String) throws -> [UInt8],
        _ problems: inout [Problem]
    ) {
        func place(_ node: YAMLNode) -> String { "\(file):\(node.line):\(node.column)" }
        if root.isNull { return }
        guard let entries = root.entries else {
            return problems.append(Problem(place: place(root), sentence: "the file must be a mapping of settings"))
        }
        for entry in entries {
            let key = entry.key.text ?? ""
            switch key {
            case "contracts":
                guard let items = entry.value.items, items.allSatisfy({ $0.text != nil }) else {
                    problems.append(Problem(place: place(entry.value), sentence: "contracts is a list of file paths"))
                    continue
                }
                contracts = items.compactMap(\.text)
            case "identities":
                identities = IdentityReader.read(entry.value, file, readSecret, &problems)
            default:
                if let sub = entry.value.entries {
                    for inner in sub {
                        readScalar(key + "." + (inner.key.text ?? ""), inner.key, inner.value, file, &problems)
                    }
                } else {
                    readScalar(key, entry.key, entry.value, file, &problems)
                }
            }
        }
    }

    private mutating func readScalar(
        _ path: String,
        _ key: YAMLNode,
        _ value: YAMLNode,
        _ file: String,
        _ problems: inout [Problem]
    ) {
        guard let name = SettingName(rawValue: path) else {
            problems.append(
                Problem(
                    place: "\(file):\(key.line):\(key.column)",
                    sentence:
                        "\(path.quotedForMessage) is not a setting; known are \((SettingName.allCases.map(\.rawValue) + ["contracts", "identities"]).joined(separator: ", "))"
                )
            )
            return
        }
        set(
            name,
            value.text ?? "",
            "\(file):\(value.line):\(value.column)",
            origin: "\(file):\(value.line)",
            &problems
        )
    }
}
