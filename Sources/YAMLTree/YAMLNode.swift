/// One value of a YAML file with the place where it starts.
package struct YAMLNode: Sendable {
    package enum Kind: Sendable {
        /// `plain` is false for text in quotes or a block (`|`, `>`): `null` and `"null"` differ.
        case scalar(text: String, plain: Bool)
        /// In the order of the file; no key occurs twice.
        case mapping([Entry])
        case sequence([YAMLNode])
    }

    package struct Entry: Sendable {
        package let key: YAMLNode
        package let value: YAMLNode
    }

    package let kind: Kind
    /// 1-based.
    package let line: Int
    /// 1-based, in Unicode scalars.
    package let column: Int

    package init(kind: Kind, line: Int, column: Int) {
        self.kind = kind
        self.line = line
        self.column = column
    }

    /// The text of a scalar; nil for mappings and sequences.
    package var text: String? {
        guard case .scalar(let text, _) = kind else { return nil }
        return text
    }

    /// True for the plain scalars `null`, `~` and nothing at all.
    package var isNull: Bool {
        guard case .scalar(let text, plain: true) = kind else { return false }
        return text.isEmpty || text == "null" || text == "~"
    }

    /// The entries of a mapping; nil for anything else.
    package var entries: [Entry]? {
        guard case .mapping(let entries) = kind else { return nil }
        return entries
    }

    /// The items of a sequence; nil for anything else.
    package var items: [YAMLNode]? {
        guard case .sequence(let items) = kind else { return nil }
        return items
    }
}

/// Why a file is not a valid YAML tree, with the place.
package struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 1-based.
    package let line: Int
    /// 1-based.
    package let column: Int
    /// The fact and the remedy.
    package let sentence: String

    package init(line: Int, column: Int, sentence: String) {
        self.line = line
        self.column = column
        self.sentence = sentence
    }

    package var description: String { "line \(line), column \(column): \(sentence)" }
}
