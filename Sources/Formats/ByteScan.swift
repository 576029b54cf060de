import CShims

/// The SSE2 search as a checked call.
enum ByteScan {
    /// Offset of the first byte equal to one of three at or after `from`, or `end`.
    @inline(__always)
    static func find(_ bytes: Span<UInt8>, _ from: Int, _ end: Int, _ a: UInt8, _ b: UInt8, _ c: UInt8) -> Int {
        precondition(from >= 0 && end <= bytes.count, "the search lies inside the bytes")
        guard from < end else { return end }
        // Lifetime: the pointer does not leave the closure; `end` is inside the span.
        return unsafe bytes.withUnsafeBufferPointer { unsafe cshims_find3($0.baseAddress, from, end, a, b, c) }
    }

    /// Offset of the first quote, backslash or control byte at or after `from`, or the count.
    static func jsonStringEnd(_ bytes: Span<UInt8>, _ from: Int) -> Int {
        precondition(from >= 0 && from <= bytes.count, "the search lies inside the bytes")
        var high = false
        // Lifetime: as above.
        return unsafe bytes.withUnsafeBufferPointer {
            unsafe cshims_json_string_end($0.baseAddress, from, $0.count, &high)
        }
    }

    static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        // Lifetime: the pointer does not leave the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe cshims_utf8_valid($0.baseAddress, $0.count) }
    }
}
