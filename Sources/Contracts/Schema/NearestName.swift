import Primitives

/// Suggestions for misspelt names.
enum NearestName {
    /// "write Quantity", or "add it to fields", or the list of known names.
    static func remedy(_ name: String, among known: [String], add: String?) -> String {
        if let nearest = nearest(name, among: known) { return "did you mean \(nearest)?" }
        if let add { return "add it to \(add)" }
        return "known are \(known.prefix(20).joined(separator: ", "))"
    }

    /// The known name with the fewest edits, at most one in three letters, or that begins with this one (`int`); nil when
    /// none is near.
    static func nearest(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        var best: (distance: Int, name: String)?
        for candidate in known {
            let other = Array(candidate.lowercased().utf8.prefix(64))
            let distance = wanted.count >= 3 && other.starts(with: wanted) ? 1 : distance(wanted, other)
            if distance <= max(1, wanted.count / 3), distance < other.count, distance < best?.distance ?? .max {
                best = (distance, candidate)
            }
        }
        return best?.name
    }

    /// Edits from `a` to `b`: insert, remove, replace, or swap two neighbours. Complexity: O(a × b), both at most 64 bytes.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var edits = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { edits = min(edits, before[j - 1] + 1) }
                row.append(edits)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
