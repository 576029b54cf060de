import CShims
import Primitives

// The grammar. Offsets in errors thrown here count from the start of the array; parse(_:in:) makes them relative.
// Iterative: nesting costs a node, never stack. All reads go through Span and are bounds-checked; the two C scanners
// get a pointer that does not leave the call, with an end inside the span.
extension JSONTape {
    /// Scans white space and one value; `nodes` must be empty.
    ///
    /// - Parameters:
    ///   - array: Any bytes.
    ///   - from: Where the value or white space before it begins.
    ///   - end: Behind the last byte that may belong to it.
    ///   - lenient: Leaves out what is no matter of grammar: duplicate keys, lone surrogates, the limits of members,
    ///     strings and numbers. For splitting a body whose elements are refined one by one later.
    /// - Returns: The offset behind the value.
    /// - Throws: ``JSONError`` with the offset from the start of `array`.
    mutating func scanValue(_ array: [UInt8], from: Int, end: Int, lenient: Bool) throws(JSONError) -> Int {
        let bytes = array.span
        var at = skipSpace(bytes, from, end)
        if at + 2 < end, bytes[at] == 0xEF, bytes[at + 1] == 0xBB, bytes[at + 2] == 0xBF {
            throw JSONError(.byteOrderMark, at: at)
        }
        let none = UInt32.max
        var parent = none
        var depth = 0
        while true {
            // At a value.
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                at = try scanString(bytes, at, end, isKey: false, lenient: lenient)
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
                if depth > limits.depthMax { throw JSONError(.tooDeep, at: at, limit: limits.depthMax) }
                let isObject = byte == UInt8(ascii: "{")
                let opened = UInt32(truncatingIfNeeded: nodes.count)
                try append(at, at, isObject ? 6 : 5, next: parent)
                parent = opened
                at = skipSpace(bytes, at + 1, end)
                guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                if bytes[at] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    nodes[Int(opened)].info += 16
                    if isObject { at = try scanKey(bytes, at, end, lenient: lenient) }
                    continue
                }
            } else if byte == UInt8(ascii: "-") || (byte >= 0x30 && byte <= 0x39) {
                at = try scanNumber(bytes, at, end, lenient: lenient)
            } else {
                at = try scanWord(bytes, at, end)
            }
            // Behind a value, or at the bracket that closes an empty container.
            while true {
                if parent == none { return at }
                at = skipSpace(bytes, at, end)
                guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                let open = Int(parent)
                let isObject = nodes[open].info & 7 == 6
                let byte = bytes[at]
                if byte == UInt8(ascii: ",") {
                    let comma = at
                    at = skipSpace(bytes, at + 1, end)
                    guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                    if bytes[at] == UInt8(ascii: "}") || bytes[at] == UInt8(ascii: "]") {
                        throw JSONError(.trailingComma, at: comma)
                    }
                    nodes[open].info += 16
                    if isObject {
                        if !lenient, nodes[open].info >> 4 > UInt32(truncatingIfNeeded: limits.membersMax) {
                            throw JSONError(.tooManyMembers, at: at, limit: limits.membersMax)
                        }
                        at = try scanKey(bytes, at, end, lenient: lenient)
                    }
                    break
                }
                guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw JSONError(.unexpectedByte, at: at)
                }
                at += 1
                depth -= 1
                parent = nodes[open].next
                nodes[open].end = UInt32(truncatingIfNeeded: at)
                nodes[open].next = UInt32(truncatingIfNeeded: nodes.count)
                if isObject, !lenient, nodes[open].info >> 4 > 1, let key = keys.firstDuplicate(nodes, open, array) {
                    throw JSONError(.duplicateKey, at: Int(nodes[key].start) - 1)
                }
            }
        }
    }

    @inline(__always)
    private mutating func append(_ start: Int, _ end: Int, _ info: UInt32, next: UInt32? = nil) throws(JSONError) {
        let index = nodes.count
        if index >= limits.nodesMax { throw JSONError(.tooManyNodes, at: start, limit: limits.nodesMax) }
        nodes.append(
            Node(
                start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: end),
                next: next ?? UInt32(truncatingIfNeeded: index + 1),
                info: info
            )
        )
    }

    @inline(__always)
    func skipSpace(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end {
            let byte = bytes[at]
            if byte > 0x20 || (byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09) { break }
            at += 1
        }
        return at
    }

    /// A key, the colon and the white space around it; returns the offset of the value.
    @inline(__always)
    private mutating func scanKey(
        _ bytes: Span<UInt8>,
        _ from: Int,
        _ end: Int,
        lenient: Bool
    ) throws(JSONError) -> Int {
        guard bytes[from] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: from) }
        var at = try scanString(bytes, from, end, isKey: true, lenient: lenient)
        at = skipSpace(bytes, at, end)
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        guard bytes[at] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: at) }
        return skipSpace(bytes, at + 1, end)
    }

    /// A string whose opening quote is at `from`; returns the offset behind the closing quote.
    private mutating func scanString(
        _ bytes: Span<UInt8>,
        _ from: Int,
        _ end: Int,
        isKey: Bool,
        lenient: Bool
    ) throws(JSONError) -> Int {
        let start = from + 1
        var at = start
        var high = false
        var escapes: UInt32 = 0
        while true {
            // Lifetime: the pointer does not leave the closure; `end` is at most the span's count.
            at = unsafe bytes.withUnsafeBufferPointer { unsafe cshims_json_string_end($0.baseAddress, at, end, &high) }
            guard at < end else { throw JSONError(.unexpectedEnd, at: end) }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 { throw JSONError(.controlByte, at: at) }
            escapes = 8
            at = try JSONEscape.checkEscape(bytes, at, end, lenient: lenient)
        }
        if high {
            let valid = unsafe bytes.withUnsafeBufferPointer {
                unsafe cshims_utf8_valid($0.baseAddress.map { unsafe $0 + start }, at - start)
            }
            if !valid { throw JSONError(.utf8Invalid, at: JSONEscape.firstInvalidUTF8(bytes, start, at)) }
        }
        if !lenient, at - start > limits.stringBytesMax {
            throw JSONError(.stringTooLong, at: from, limit: limits.stringBytesMax)
        }
        let signature = isKey && escapes == 0 ? Self.signature(bytes, start, at) << 4 : 0
        try append(start, at, 4 | escapes | signature)
        return at + 1
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    @inline(__always)
    private mutating func scanNumber(
        _ bytes: Span<UInt8>,
        _ from: Int,
        _ end: Int,
        lenient: Bool
    ) throws(JSONError) -> Int {
        var at = from
        if bytes[at] == UInt8(ascii: "-") {
            at += 1
            if at < end, bytes[at] == UInt8(ascii: "I") { throw JSONError(.notFinite, at: from) }
        }
        let whole = at
        at = try skipDigits(bytes, at, end)
        if at - whole > 1, bytes[whole] == 0x30 { throw JSONError(.leadingZero, at: whole) }
        if at < end, bytes[at] == UInt8(ascii: ".") { at = try skipDigits(bytes, at + 1, end) }
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            at = try skipDigits(bytes, at, end)
        }
        if !lenient, at - from > limits.numberBytesMax {
            throw JSONError(.numberTooLong, at: from, limit: limits.numberBytesMax)
        }
        try append(from, at, 3)
        return at
    }

    /// One digit or more.
    @inline(__always)
    private func skipDigits(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) throws(JSONError) -> Int {
        var at = from
        while at < end, bytes[at] &- 0x30 <= 9 { at += 1 }
        if at == from { throw JSONError(at < end ? .numberInvalid : .unexpectedEnd, at: at) }
        return at
    }

    private mutating func scanWord(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) throws(JSONError) -> Int {
        var last = from
        while last < end, last - from < 16, bytes[last] | 0x20 >= 0x61, bytes[last] | 0x20 <= 0x7A { last += 1 }
        let word = last - from
        if word == 0 { throw JSONError(.unexpectedByte, at: from) }
        func matches(_ text: StaticString) -> Bool {
            // Lifetime: static storage; read inside its count.
            guard text.utf8CodeUnitCount == word else { return false }
            for i in 0..<word where unsafe text.utf8Start[i] != bytes[from + i] { return false }
            return true
        }
        if matches("null") {
            try append(from, last, 0)
        } else if matches("true") {
            try append(from, last, 1)
        } else if matches("false") {
            try append(from, last, 2)
        } else if matches("NaN") || matches("Infinity") {
            throw JSONError(.notFinite, at: from)
        } else {
            throw JSONError(.wordUnknown, at: from)
        }
        return last
    }
}
