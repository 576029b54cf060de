/// Cuts a request body into the values that are refined one by one: an array's elements, or the lines of NDJSON.
public enum JSONSplitter {
    /// The byte range of each element of a body that is one JSON array.
    ///
    /// The body must be well-formed JSON as a whole. What is no matter of grammar is left to the parse of the element
    /// (so one bad event does not refuse its batch): duplicate keys, lone surrogates, and the limits of bytes, members,
    /// strings and numbers. The limits of depth and nodes hold for each element here already.
    ///
    /// - Parameters:
    ///   - bytes: Any bytes.
    ///   - range: Which bytes hold the body; bound its size before.
    ///   - valuesMax: Most elements.
    ///   - tape: Work space, empty afterwards; its limits apply to each element.
    /// - Returns: The elements' ranges in `bytes`, without white space around.
    /// - Throws: ``JSONError`` with the offset from the start of `range`; `tooManyValues` beyond `valuesMax` elements.
    public static func splitTopLevel(
        _ bytes: [UInt8],
        in range: Range<Int>,
        valuesMax: Int,
        using tape: inout JSONTape
    ) throws(JSONError) -> [Range<Int>] {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies inside the bytes")
        precondition(range.upperBound <= Int(UInt32.max), "JSON is parsed below 4 GiB")
        defer { tape.nodes.removeAll(keepingCapacity: true) }
        do throws(JSONError) {
            return try split(bytes, range, valuesMax, &tape)
        } catch {
            throw JSONError(error.problem, at: error.offset - range.lowerBound, limit: error.limit)
        }
    }

    private static func split(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ valuesMax: Int,
        _ tape: inout JSONTape
    ) throws(JSONError) -> [Range<Int>] {
        let end = range.upperBound
        var at = tape.skipSpace(bytes.span, range.lowerBound, end)
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        if bytes[at...].starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONError(.byteOrderMark, at: at) }
        guard bytes[at] == UInt8(ascii: "[") else { throw JSONError(.notAnArray, at: at) }
        at = tape.skipSpace(bytes.span, at + 1, end)
        var values: [Range<Int>] = []
        if at < end, bytes[at] == UInt8(ascii: "]") {
            at += 1
        } else {
            while true {
                if values.count >= valuesMax { throw JSONError(.tooManyValues, at: at, limit: valuesMax) }
                tape.nodes.removeAll(keepingCapacity: true)
                let last = try tape.scanValue(bytes, from: at, end: end, lenient: true)
                values.append(at..<last)
                at = tape.skipSpace(bytes.span, last, end)
                guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                if bytes[at] == UInt8(ascii: "]") {
                    at += 1
                    break
                }
                guard bytes[at] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: at) }
                let comma = at
                at = tape.skipSpace(bytes.span, at + 1, end)
                if at < end, bytes[at] == UInt8(ascii: "]") { throw JSONError(.trailingComma, at: comma) }
            }
        }
        let rest = tape.skipSpace(bytes.span, at, end)
        if rest < end { throw JSONError(.trailingBytes, at: rest) }
        return values
    }

    /// The byte ranges of the lines that are not blank, without LF or CRLF; blank is only spaces and tabs.
    ///
    /// - Throws: `tooManyValues` beyond `valuesMax` lines.
    public static func splitLines(
        _ bytes: [UInt8],
        in range: Range<Int>,
        valuesMax: Int
    ) throws(JSONError) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var at = range.lowerBound
        while at < range.upperBound {
            let feed = ByteScan.find(bytes.span, at, range.upperBound, 0x0A, 0x0A, 0x0A)
            let last = feed > at && bytes[feed - 1] == 0x0D ? feed - 1 : feed
            if bytes[at..<last].contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
                if lines.count >= valuesMax {
                    throw JSONError(.tooManyValues, at: at - range.lowerBound, limit: valuesMax)
                }
                lines.append(at..<last)
            }
            at = feed + 1
        }
        return lines
    }
}
