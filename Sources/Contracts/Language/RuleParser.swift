import Primitives

/// Reads an expression. Precedence, loosest first: or, and, not, comparison and in, + and -, *, unary -.
struct RuleParser {
    private let tokens: [RuleToken]
    private var at = 0
    private var depth = 0

    static let words: Set<String> = ["and", "or", "not", "in", "true", "false", "null"]

    static func parse(_ text: String) throws(RuleError) -> RuleSyntax {
        guard text.utf8.count <= ContractLimits.expressionBytesMax else {
            throw RuleError(
                offset: 0,
                sentence: "The expression has more than \(ContractLimits.expressionBytesMax) bytes; split the rule"
            )
        }
        var parser = RuleParser(tokens: try RuleToken.all(of: text))
        let syntax = try parser.or()
        if parser.next.kind != .end {
            throw parser.error("\(parser.next.shown) does not continue the expression; add an operator or remove it")
        }
        return syntax
    }

    private init(tokens: [RuleToken]) { self.tokens = tokens }

    private var next: RuleToken { tokens[at] }

    private func error(_ sentence: String) -> RuleError { RuleError(offset: next.offset, sentence: sentence) }

    private mutating func take(_ kind: RuleToken.Kind) -> Bool {
        guard next.kind == kind else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ sign: String) throws(RuleError) {
        if !take(.sign(sign)) { throw error("Expected \(sign.quotedForMessage) but found \(next.shown); add it") }
    }

    private mutating func deeper<T>(_ body: (inout Self) throws(RuleError) -> T) throws(RuleError) -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > ContractLimits.expressionDepthMax {
            throw error("The expression is nested deeper than \(ContractLimits.expressionDepthMax); split the rule")
        }
        return try body(&self)
    }

    /// Each operator of a chain adds a level to the tree, so chains count towards the depth as well.
    private func checkChain(_ length: Int) throws(RuleError) {
        if depth + length > ContractLimits.expressionDepthMax {
            throw error("The expression is nested deeper than \(ContractLimits.expressionDepthMax); split the rule")
        }
    }

    private mutating func or() throws(RuleError) -> RuleSyntax {
        var left = try and()
        var length = 0
        while next.kind == .name("or") {
            let offset = next.offset
            at += 1
            length += 1
            try checkChain(length)
            left = RuleSyntax(kind: .or(left, try and()), offset: offset)
        }
        return left
    }

    private mutating func and() throws(RuleError) -> RuleSyntax {
        var left = try not()
        var length = 0
        while next.kind == .name("and") {
            let offset = next.offset
            at += 1
            length += 1
            try checkChain(length)
            left = RuleSyntax(kind: .and(left, try not()), offset: offset)
        }
        return left
    }

    private mutating func not() throws(RuleError) -> RuleSyntax {
        let offset = next.offset
        guard take(.name("not")) else { return try comparison() }
        let inside = try deeper { (parser) throws(RuleError) in try parser.not() }
        return RuleSyntax(kind: .not(inside), offset: offset)
    }

    private mutating func comparison() throws(RuleError) -> RuleSyntax {
        let left = try sum()
        let offset = next.offset
        if take(.name("in")) { return try within(left, offset) }
        if next.kind == .name("not"), tokens[at + 1].kind == .name("in") {
            at += 2
            return RuleSyntax(kind: .not(try within(left, offset)), offset: offset)
        }
        guard case .sign(let sign) = next.kind, let comparison = Comparison(rawValue: sign) else { return left }
        at += 1
        let right = try sum()
        if case .sign(let sign) = next.kind, Comparison(rawValue: sign) != nil {
            throw error("Comparisons cannot be chained; write a < b and b < c")
        }
        return RuleSyntax(kind: .comparison(comparison, left, right), offset: offset)
    }

    private mutating func within(_ left: RuleSyntax, _ offset: Int) throws(RuleError) -> RuleSyntax {
        if case .setting(let name) = next.kind {
            at += 1
            return RuleSyntax(kind: .withinSetting(left, name), offset: offset)
        }
        guard take(.sign("[")) else {
            throw error("Expected a list but found \(next.shown); write in [1, 2] or in $setting")
        }
        var items: [RuleSyntax] = []
        repeat { items.append(try sum()) } while take(.sign(","))
        try expect("]")
        return RuleSyntax(kind: .within(left, items), offset: offset)
    }

    private mutating func sum() throws(RuleError) -> RuleSyntax {
        var left = try product()
        var length = 0
        while case .sign(let sign) = next.kind, sign == "+" || sign == "-" {
            let offset = next.offset
            at += 1
            length += 1
            try checkChain(length)
            left = RuleSyntax(kind: .arithmetic(sign == "+" ? "+" : "-", left, try product()), offset: offset)
        }
        return left
    }

    private mutating func product() throws(RuleError) -> RuleSyntax {
        var left = try unary()
        var length = 0
        while next.kind == .sign("*") {
            let offset = next.offset
            at += 1
            length += 1
            try checkChain(length)
            left = RuleSyntax(kind: .arithmetic("*", left, try unary()), offset: offset)
        }
        return left
    }

    private mutating func unary() throws(RuleError) -> RuleSyntax {
        let offset = next.offset
        guard take(.sign("-")) else { return try primary() }
        let inside = try deeper { (parser) throws(RuleError) in try parser.unary() }
        return RuleSyntax(kind: .negation(inside), offset: offset)
    }

    private mutating func primary() throws(RuleError) -> RuleSyntax {
        let token = next
        func syntax(_ kind: RuleSyntax.Kind) -> RuleSyntax { RuleSyntax(kind: kind, offset: token.offset) }
        at += token.kind == .end ? 0 : 1
        switch token.kind {
        case .number(let value): return syntax(.number(value))
        case .text(let text): return syntax(.text(text))
        case .setting(let name): return syntax(.setting(name))
        case .name("true"): return syntax(.truth(true))
        case .name("false"): return syntax(.truth(false))
        case .name("null"): return syntax(.null)
        case .name(let name) where !Self.words.contains(name):
            guard take(.sign("(")) else { return syntax(.name(name)) }
            var arguments: [RuleSyntax] = []
            if !take(.sign(")")) {
                repeat {
                    arguments.append(try deeper { (parser) throws(RuleError) in try parser.or() })
                } while take(.sign(",")) && arguments.count < 8
                try expect(")")
            }
            return syntax(.call(name, arguments))
        case .sign("("):
            let inside = try deeper { (parser) throws(RuleError) in try parser.or() }
            try expect(")")
            return inside
        case .name, .sign, .end:
            at -= token.kind == .end ? 0 : 1
            throw error("Expected a value but found \(token.shown); add a field, a number or a text")
        }
    }
}
