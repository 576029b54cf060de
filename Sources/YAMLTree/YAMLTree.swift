/// YAML text read into a tree: one document of scalars, mappings and sequences.
///
/// Anchors, aliases and tags are refused (they make a short text large or mean something other than it shows), and so
/// are keys that occur twice.
package enum YAMLTree {
    /// Parses one file.
    ///
    /// - Parameter bytes: UTF-8, up to ``YAMLLimits/bytesMax`` bytes.
    /// - Throws: ``YAMLError`` with the first mistake.
    /// - Complexity: O(n) in bytes.
    package static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        guard bytes.count <= YAMLLimits.bytesMax else {
            throw YAMLError(
                line: 1,
                column: 1,
                sentence: "The file has \(bytes.count) bytes, more than \(YAMLLimits.bytesMax); split it"
            )
        }
        var builder = TreeBuilder(bytes)
        return try builder.run()
    }
}

/// Builds the tree from the parser's steps; open containers are on a stack, so nothing recurses.
private struct TreeBuilder {
    private struct Open {
        var line: Int, column: Int
        var isMapping: Bool
        var items: [YAMLNode] = []
        var entries: [YAMLNode.Entry] = []
        var keys: Set<String> = []
        var key: YAMLNode?
    }

    private let parser: YAMLParserHandle
    private var stack: [Open] = []
    private var root: YAMLNode?
    private var nodes = 0
    private var documents = 0

    init(_ bytes: [UInt8]) { parser = YAMLParserHandle(bytes) }

    private func error(_ sentence: String) -> YAMLError {
        YAMLError(line: parser.line, column: parser.column, sentence: sentence)
    }

    mutating func run() throws(YAMLError) -> YAMLNode {
        while true {
            let step = try parser.next()
            if parser.isDecorated { throw error("Anchors and tags are not allowed; write the value out") }
            switch step {
            case .scalar(let text, let plain):
                try count()
                try add(node(.scalar(text: text, plain: plain), parser.line, parser.column))
            case .mappingStart: try open(isMapping: true)
            case .sequenceStart: try open(isMapping: false)
            case .mappingEnd, .sequenceEnd: try close()
            case .alias: throw error("Aliases are not allowed; write the value out")
            case .documentStart:
                documents += 1
                if documents > 1 { throw error("A second document starts here; keep one document in a file") }
            case .streamEnd:
                guard let root else { throw error("The file is empty; write at least one key") }
                return root
            case .documentEnd, .other: break
            }
        }
    }

    private func node(_ kind: YAMLNode.Kind, _ line: Int, _ column: Int) -> YAMLNode {
        YAMLNode(kind: kind, line: line, column: column)
    }

    private mutating func count() throws(YAMLError) {
        nodes += 1
        if nodes > YAMLLimits.nodesMax {
            throw error("The file has more than \(YAMLLimits.nodesMax) values; split it")
        }
    }

    private mutating func open(isMapping: Bool) throws(YAMLError) {
        try count()
        if stack.count >= YAMLLimits.depthMax {
            throw error("Values are nested deeper than \(YAMLLimits.depthMax); flatten them")
        }
        if stack.last.map({ $0.isMapping && $0.key == nil }) ?? false {
            throw error("A key must be text; write a name here")
        }
        stack.append(Open(line: parser.line, column: parser.column, isMapping: isMapping))
    }

    private mutating func close() throws(YAMLError) {
        guard let done = stack.popLast() else { return }
        try add(node(done.isMapping ? .mapping(done.entries) : .sequence(done.items), done.line, done.column))
    }

    private mutating func add(_ node: YAMLNode) throws(YAMLError) {
        guard !stack.isEmpty else {
            root = node
            return
        }
        let top = stack.count - 1
        guard stack[top].isMapping else {
            stack[top].items.append(node)
            return
        }
        if let key = stack[top].key {
            stack[top].entries.append(YAMLNode.Entry(key: key, value: node))
            stack[top].key = nil
        } else if let text = node.text {
            // Normalised forms of one text count as the same key here, which can only refuse more.
            guard stack[top].keys.insert(text).inserted else {
                throw YAMLError(
                    line: node.line,
                    column: node.column,
                    sentence: "Key \"\(String(text.unicodeScalars.prefix(80)))\" occurs twice; keep one of the two"
                )
            }
            stack[top].key = node
        }
    }
}
