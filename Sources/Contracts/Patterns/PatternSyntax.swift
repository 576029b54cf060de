/// A mistake in a pattern: what, and where (0-based, in Unicode scalars).
struct PatternError: Error, Equatable {
    let offset: Int
    let sentence: String
}

/// A set of scalars as ranges, possibly complemented.
struct ScalarSet: Equatable, Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        return isNegated
    }

    static let digit = ScalarSet(ranges: [0x30...0x39])
    static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarSet(ranges: [0x09...0x0D, 0x20...0x20])

    /// The ranges of everything outside `ranges`.
    var complementRanges: [ClosedRange<UInt32>] {
        var out: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { out.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { out.append(next...0x10FFFF) }
        return out
    }
}

/// A parsed pattern.
indirect enum PatternSyntax {
    case empty
    case scalar(UInt32)
    case any
    case set(ScalarSet)
    case start, end
    case sequence([PatternSyntax])
    case either([PatternSyntax])
    /// `most` nil: without bound.
    case repetition(PatternSyntax, least: Int, most: Int?)
    /// `number` nil: a group that captures nothing.
    case group(PatternSyntax, number: Int?)
}

/// Reads `literals \d \w \s \D \W \S \n \t . [a-z] [^…] * + ? {m,n} | ( ) (?: ) ^ $`.
struct PatternParser {
    private let text: [UInt32]
    private var at = 0
    private var groups = 0
    private var depth = 0

    private init(_ text: [UInt32]) { self.text = text }

    static func parse(_ pattern: String) throws(PatternError) -> (syntax: PatternSyntax, groups: Int) {
        guard pattern.utf8.count <= ContractLimits.patternBytesMax else {
            throw PatternError(
                offset: 0,
                sentence: "the pattern has more than \(ContractLimits.patternBytesMax) bytes; shorten it"
            )
        }
        var parser = PatternParser(pattern.unicodeScalars.map(\.value))
        let syntax = try parser.either()
        if parser.at < parser.text.count { throw parser.error("a ) closes no group; remove it or write \\)") }
        return (syntax, parser.groups)
    }

    private func error(_ sentence: String) -> PatternError { PatternError(offset: at, sentence: sentence) }
    private var next: UInt32? { at < text.count ? text[at] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == character.value else { return false }
        at += 1
        return true
    }

    private mutating func either() throws(PatternError) -> PatternSyntax {
        depth += 1
        defer { depth -= 1 }
        if depth > ContractLimits.patternDepthMax {
            throw error("groups are nested deeper than \(ContractLimits.patternDepthMax); flatten them")
        }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let character = next, character != 0x7C, character != 0x29 { parts.append(try repeated()) }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func repeated() throws(PatternError) -> PatternSyntax {
        let part = try atom()
        var least = 1
        var most: Int? = 1
        if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            (least, most) = (1, nil)
        } else if take("?") {
            (least, most) = (0, 1)
        } else if take("{") {
            (least, most) = try bounds()
        } else {
            return part
        }
        if let character = next, [0x2A, 0x2B, 0x3F, 0x7B].contains(character) {
            throw error("a repetition follows a repetition; keep one, or put a group around the first")
        }
        return .repetition(part, least: least, most: most)
    }

    private mutating func bounds() throws(PatternError) -> (Int, Int?) {
        guard let least = try number() else {
            throw error("{ needs a number; write {2}, {2,} or {2,5}, or \\{ for the brace")
        }
        var most: Int? = least
        if take(",") { most = try number() }
        guard take("}") else { throw error("{ is not closed; write {2}, {2,} or {2,5}") }
        if let most, most < least { throw error("{\(least),\(most)} has its numbers in the wrong order; swap them") }
        return (least, most)
    }

    private mutating func number() throws(PatternError) -> Int? {
        var value: Int?
        while let character = next, 0x30...0x39 ~= character {
            let grown = (value ?? 0) * 10 + Int(character - 0x30)
            if grown > ContractLimits.repetitionMax {
                throw error("a repetition is above \(ContractLimits.repetitionMax); use a smaller number")
            }
            value = grown
            at += 1
        }
        return value
    }

    private mutating func atom() throws(PatternError) -> PatternSyntax {
        guard let character = next.flatMap(Unicode.Scalar.init) else { return .empty }
        switch character {
        case "(": return try group()
        case "[":
            at += 1
            return .set(try set())
        case ".":
            at += 1
            return .any
        case "^":
            at += 1
            return .start
        case "$":
            at += 1
            return .end
        case "\\":
            at += 1
            return try escape()
        case "*", "+", "?", "{":
            throw error("\(character) repeats nothing; put something before it or write \\\(character)")
        case "}", "]": throw error("\(character) closes nothing; write \\\(character) for the character")
        default:
            at += 1
            return .scalar(character.value)
        }
    }

    private mutating func group() throws(PatternError) -> PatternSyntax {
        let start = at
        at += 1
        var number: Int?
        if take("?") {
            guard take(":") else { throw error("only (?: is known after (?; remove the ?") }
        } else {
            groups += 1
            number = groups
            if groups > ContractLimits.patternGroupsMax {
                throw error("the pattern has more than \(ContractLimits.patternGroupsMax) groups; write (?: for some")
            }
        }
        let inside = try either()
        guard take(")") else { throw PatternError(offset: start, sentence: "( is not closed; add ) or write \\(") }
        return .group(inside, number: number)
    }

    private mutating func escape() throws(PatternError) -> PatternSyntax {
        guard let character = next.flatMap(Unicode.Scalar.init) else {
            throw error("the pattern ends in a backslash; write \\\\ for the character")
        }
        at += 1
        if let set = Self.sets(character) { return .set(set) }
        return .scalar(try literal(character))
    }

    private static func sets(_ character: Unicode.Scalar) -> ScalarSet? {
        switch character {
        case "d": return .digit
        case "w": return .word
        case "s": return .space
        case "D": return ScalarSet(ranges: ScalarSet.digit.ranges, isNegated: true)
        case "W": return ScalarSet(ranges: ScalarSet.word.ranges, isNegated: true)
        case "S": return ScalarSet(ranges: ScalarSet.space.ranges, isNegated: true)
        default: return nil
        }
    }

    private func literal(_ character: Unicode.Scalar) throws(PatternError) -> UInt32 {
        switch character {
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "a"..."z", "A"..."Z", "0"..."9":
            throw PatternError(
                offset: at - 1,
                sentence: "\\\(character) is not known; known are \\d \\w \\s \\D \\W \\S \\n \\r \\t and signs"
            )
        default: return character.value
        }
    }

    private mutating func set() throws(PatternError) -> ScalarSet {
        let start = at - 1
        var set = ScalarSet()
        set.isNegated = take("^")
        var isFirst = true
        while let character = next, character != 0x5D || isFirst {
            isFirst = false
            at += 1
            var low = character
            if character == 0x5C {
                guard let escaped = next.flatMap(Unicode.Scalar.init) else { break }
                at += 1
                if let named = Self.sets(escaped) {
                    set.ranges += named.isNegated ? named.complementRanges : named.ranges
                    continue
                }
                low = try literal(escaped)
            }
            guard next == 0x2D, at + 1 < text.count, text[at + 1] != 0x5D else {
                set.ranges.append(low...low)
                continue
            }
            at += 1
            var high = text[at]
            at += 1
            if high == 0x5C {
                guard let escaped = next.flatMap(Unicode.Scalar.init) else { break }
                at += 1
                if Self.sets(escaped) != nil { throw error("a range cannot end in a class; write the range out") }
                high = try literal(escaped)
            }
            guard low <= high else { throw error("a range has its ends in the wrong order; swap them") }
            set.ranges.append(low...high)
        }
        guard take("]") else { throw PatternError(offset: start, sentence: "[ is not closed; add ] or write \\[") }
        return set
    }
}
