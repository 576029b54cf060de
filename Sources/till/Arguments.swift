import Primitives

/// The words of a command: options with a value, switches, and the rest.
struct Arguments {
    private(set) var values: [String: String] = [:]
    private(set) var switches: Set<String> = []
    private(set) var rest: [String] = []

    /// - Parameters:
    ///   - options: Names (without dashes) that take a value: `--data DIR` or `--data=DIR`.
    ///   - switches: Names that take none.
    init(_ words: [String], options: Set<String>, switches allowed: Set<String>) throws {
        var words = words[...]
        // Whoever names a server can say how to be known to it, and how to know it.
        let options = options.contains("to") ? options.union(["token-file", "ca-file"]) : options
        while let word = words.popFirst() {
            guard word.hasPrefix("--"), word.utf8.count > 2 else {
                rest.append(word)
                continue
            }
            let body = word.dropFirst(2)
            let name = String(body.prefix { $0 != "=" })
            if allowed.contains(name), !body.contains("=") {
                switches.insert(name)
            } else if options.contains(name) {
                if body.contains("=") {
                    values[name] = String(body.dropFirst(name.count + 1))
                } else if let value = words.popFirst() {
                    values[name] = value
                } else {
                    throw UsageError("cli.value_missing", "--\(name) needs a value after it.")
                }
            } else {
                let known = (options.map { "--\($0) VALUE" } + allowed.map { "--\($0)" }).sorted().joined(
                    separator: ", "
                )
                throw UsageError(
                    "cli.option_unknown",
                    "There is no option \(IngestCommand.Address.redacted(word).quotedForMessage) here; known are \(known)."
                )
            }
        }
    }

    subscript(name: String) -> String? { values[name] }
    func has(_ name: String) -> Bool { switches.contains(name) }

    /// The only remaining word.
    func only(_ what: String) throws -> String {
        guard rest.count == 1 else {
            throw UsageError("cli.word_count", "Name exactly one \(what); \(rest.count) are given.")
        }
        return rest[0]
    }
}
