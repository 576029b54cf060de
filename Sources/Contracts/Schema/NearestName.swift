import Primitives

/// Suggestions for misspelt names.
enum NearestName {
    /// "write Quantity", or "add it to fields", or the list of known names.
    static func remedy(_ name: String, among known: [String], add: String?) -> String {
        if let nearest = nearest(name, among: known) { return "did you mean \(nearest)?" }
        if let add { return "add it to \(add)" }
        return "known are \(known.prefix(20).joined(separator: ", "))"
    }

    /// The known name with the fewest edits, at most 2, or a third of the length for longer names; nil when none is near.
    static func nearest(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        var best: (distance: Int, name: String)?
        for candidate in known {
            let distance = distance(wanted, Array(candidate.lowercased().utf8.prefix(64)))
            if distance <= max(2, wanted.count / 3), distance < candidate.utf8.count, distance < best?.distance ?? .max {
                best = (distance, candidate)
            }
        }
        return best?.name
    }

    /// Levenshtein's distance. Complexity: O(a × b), both at most 64 bytes.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
