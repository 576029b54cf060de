import Primitives

/// A mistake in an expression: where (0-based, in Unicode scalars) and a sentence.
struct RuleError: Error, Equatable {
    let offset: Int
    let sentence: String
}

enum Comparison: String, Sendable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="

    var isEquality: Bool { self == .equal || self == .notEqual }
}

/// An expression as written, before names and types are checked.
struct RuleSyntax {
    indirect enum Kind {
        case number(Decimal)
        case text(String)
        case truth(Bool)
        case null
        /// `Quantity`, `lines.quantity`.
        case name(String)
        /// `$quantity_max`, without the sign.
        case setting(String)
        case negation(RuleSyntax)
        case not(RuleSyntax)
        case arithmetic(Character, RuleSyntax, RuleSyntax)
        case comparison(Comparison, RuleSyntax, RuleSyntax)
        case and(RuleSyntax, RuleSyntax)
        case or(RuleSyntax, RuleSyntax)
        case within(RuleSyntax, [RuleSyntax])
        case withinSetting(RuleSyntax, String)
        case call(String, [RuleSyntax])
    }

    let kind: Kind
    let offset: Int
}

/// Cuts an expression into words. In a text, `\"` and `\\` are escapes; any other backslash stands for itself, so that
/// patterns read as written.
struct RuleToken {
    enum Kind: Equatable {
        case number(Decimal)
        case text(String)
        case name(String)
        case setting(String)
        /// An operator or a bracket.
        case sign(String)
        case end
    }

    let kind: Kind
    let offset: Int

    var shown: String {
        switch kind {
        case .number(let value): "\(value)"
        case .text(let text): text.quotedForMessage
        case .name(let name): name.quotedForMessage
        case .setting(let name): "$" + name
        case .sign(let sign): sign.quotedForMessage
        case .end: "the end"
        }
    }

    static func all(of text: String) throws(RuleError) -> [RuleToken] {
        let scalars = Array(text.unicodeScalars)
        var tokens: [RuleToken] = []
        var at = 0
        while at < scalars.count {
            let start = at
            let scalar = scalars[at]
            if scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r" {
                at += 1
            } else if "0"..."9" ~= scalar {
                while at < scalars.count, "0"..."9" ~= scalars[at] || scalars[at] == "." { at += 1 }
                let digits = string(scalars[start..<at])
                guard !digits.hasSuffix("."), let value = Decimal(Array(digits.utf8)) else {
                    throw RuleError(
                        offset: start,
                        sentence: "\(digits.quotedForMessage) is not a number; write 1 or 1.5"
                    )
                }
                tokens.append(RuleToken(kind: .number(value), offset: start))
            } else if isLetter(scalar) || scalar == "$" {
                at += 1
                while at < scalars.count, isLetter(scalars[at]) || "0"..."9" ~= scalars[at] || scalars[at] == "." {
                    at += 1
                }
                let name = string(scalars[start..<at])
                tokens.append(
                    RuleToken(kind: scalar == "$" ? .setting(String(name.dropFirst())) : .name(name), offset: start)
                )
            } else if scalar == "\"" {
                tokens.append(RuleToken(kind: .text(try quoted(scalars, &at)), offset: start))
            } else {
                let two = at + 1 < scalars.count ? string(scalars[at...(at + 1)]) : ""
                let sign = ["==", "!=", "<=", ">="].contains(two) ? two : String(scalar)
                guard sign.utf8.count == 2 || "+-*()[],<>".unicodeScalars.contains(scalar) else {
                    throw RuleError(offset: start, sentence: unknown(sign))
                }
                at += sign.unicodeScalars.count
                tokens.append(RuleToken(kind: .sign(sign), offset: start))
            }
        }
        tokens.append(RuleToken(kind: .end, offset: scalars.count))
        return tokens
    }

    private static func unknown(_ sign: String) -> String {
        let remedies = [
            "=": "write == to compare", "&": "write and", "|": "write or", "!": "write not", "'": "write \" for texts",
            "/": "division is not supported; multiply instead",
        ]
        return "\(sign.quotedForMessage) is not an operator; \(remedies[sign] ?? "remove it")"
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        "a"..."z" ~= scalar || "A"..."Z" ~= scalar || scalar == "_"
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var out = ""
        out.unicodeScalars.append(contentsOf: scalars)
        return out
    }

    private static func quoted(_ scalars: [Unicode.Scalar], _ at: inout Int) throws(RuleError) -> String {
        let start = at
        var out = ""
        at += 1
        while at < scalars.count {
            let scalar = scalars[at]
            at += 1
            if scalar == "\"" { return out }
            if scalar == "\\", at < scalars.count, scalars[at] == "\"" || scalars[at] == "\\" {
                out.unicodeScalars.append(scalars[at])
                at += 1
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        throw RuleError(offset: start, sentence: "A text is not closed; add \"")
    }
}
