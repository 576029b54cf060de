import Contracts
import Formats
import Ports
import Primitives
import Refine

/// Gives every row of a load its record_id: its identity and k, its k-th occurrence in its file (spec model 1.7).
struct RowNames {
    /// Nil for a feed that a till before 2026-12 loaded files into: its ids are those of the bytes, and k counts over
    /// all files of a command, so that the same files again add nothing.
    private var hasher: RowHasher?
    /// Whether the files are parts of one export: then k counts over all of them.
    let isOneExport: Bool
    private var counter = OccurrenceCounter()
    /// Rows that repeat a row of their own file, or export; they count.
    private(set) var repeats: Int64 = 0
    /// Rows that repeat a row of another file of the command; they do not count.
    private(set) var repeatsOfOthers: Int64 = 0

    /// By content.
    init(_ contract: Contract, _ identity: RowIdentity, isOneExport: Bool) {
        hasher = RowHasher(contract, identity)
        self.isOneExport = isOneExport
    }

    /// By bytes, as before 2026-12.
    init() {
        hasher = nil
        isOneExport = true
    }

    var isByContent: Bool { hasher != nil }

    mutating func beginFile() {
        if !isOneExport { counter.beginFile() }
    }

    /// The record_id of this occurrence of a row.
    mutating func identifier(_ bytes: [UInt8], _ row: CSVRow, _ format: PayloadFormat) throws -> Identifier {
        let digest: Digest
        if let cut = row.cut {
            digest = cut.digest
        } else if hasher != nil {
            digest = hasher?.digest(bytes, row.range, format) ?? .sha256(of: bytes[row.range])
        } else {
            digest = .sha256(of: bytes[row.range])
        }
        let id = Identifier(digest)
        let occurrence = try counter.next(id.high)
        if occurrence.index > 0 { repeats += 1 }
        if occurrence.index < occurrence.before { repeatsOfOthers += 1 }
        return id.item(occurrence.index)
    }
}

/// Counts how often a row was seen in its file, and in the files before. Open addressing over 64-bit hashes: 24 bytes a
/// slot.
struct OccurrenceCounter {
    /// Distinct rows of one command at most: about 3.2 GB of memory at the limit.
    static let rowsMax = 60_000_000

    private struct Slot {
        var key: UInt64 = 0
        /// In the file of `file`; 0 for a free slot.
        var count: UInt32 = 0
        var file: UInt32 = 0
        /// Most in one file before it.
        var before: UInt32 = 0
    }

    private var slots: [Slot] = Array(repeating: Slot(), count: 1 << 12)
    private var used = 0
    private var file: UInt32 = 0

    mutating func beginFile() { file += 1 }

    /// How often the row was in this file before, and the most that it was in one file before this one.
    mutating func next(_ hash: UInt64) throws -> (index: Int, before: Int) {
        guard used < Self.rowsMax else {
            throw UsageError(
                "cli.rows_max",
                "One command takes \(Self.rowsMax) distinct rows; load the files in several commands."
            )
        }
        if used * 2 > slots.count { grow() }
        let at = find(hash)
        if slots[at].count == 0 {
            slots[at] = Slot(key: hash, count: 0, file: file, before: 0)
            used += 1
        } else if slots[at].file != file {
            slots[at].before = max(slots[at].before, slots[at].count)
            // One that was not yet seen in this file, but is no free slot.
            slots[at].file = file
            slots[at].count = 1
            return (0, Int(slots[at].before))
        }
        slots[at].count += 1
        return (Int(slots[at].count) - 1, Int(slots[at].before))
    }

    private func find(_ key: UInt64) -> Int {
        var at = Int(truncatingIfNeeded: key >> 1) & (slots.count - 1)
        while slots[at].count != 0, slots[at].key != key { at = (at + 1) & (slots.count - 1) }
        return at
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.count != 0 { slots[find(slot.key)] = slot }
    }
}
