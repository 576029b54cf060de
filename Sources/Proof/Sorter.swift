import Primitives

/// A record of a sorter: the first `keyLength` bytes are what it is sorted by.
package struct SortedRecord: Sendable {
    package var bytes: [UInt8]
    package var keyLength: Int

    var key: ArraySlice<UInt8> { bytes[..<keyLength] }

    func hasKey(of other: SortedRecord) -> Bool {
        keyLength == other.keyLength && bytes.starts(with: other.key, length: keyLength)
    }
}

extension [UInt8] {
    /// Whether the first `length` bytes are equal to those of `other`.
    func starts(with other: ArraySlice<UInt8>, length: Int) -> Bool {
        // Lifetime: both buffers live for the closure.
        unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in unsafe compare(mine, theirs, length) == 0 }
        }
    }
}

/// Sorts records by their keys in bounded memory: what does not fit is written to sorted runs, which are merged.
///
/// Records with equal keys come out in the order in which they were added. Thread: the owner's; the result may go to
/// another.
struct Sorter {
    private let scratch: Scratch?
    private let bufferBytes: Int
    private var chunk = SortedChunk()
    /// Runs by level: a run of level n holds `fanIn` runs of level n − 1, so a record is written few times.
    private var levels: [[ScratchFile]] = []

    /// - Parameter scratch: Nil keeps everything in memory.
    init(_ scratch: Scratch?, bufferBytes: Int) {
        self.scratch = scratch
        self.bufferBytes = scratch == nil ? .max : max(1, bufferBytes)
    }

    private(set) var count = 0

    mutating func add(_ record: [UInt8], keyLength: Int) throws(ProofError) {
        try add(record[...], keyLength: keyLength)
    }

    mutating func add(_ record: ArraySlice<UInt8>, keyLength: Int) throws(ProofError) {
        count += 1
        chunk.add(record, keyLength: keyLength)
        if chunk.size > bufferBytes { try spill() }
    }

    private mutating func spill() throws(ProofError) {
        guard let scratch else { return }
        chunk.sort()
        let file = try scratch.makeFile()
        try chunk.write(to: file)
        chunk.removeAll()
        try place(file, at: 0, scratch)
    }

    private mutating func place(_ file: ScratchFile, at level: Int, _ scratch: Scratch) throws(ProofError) {
        if levels.count == level { levels.append([]) }
        levels[level].append(file)
        guard levels[level].count == ProofLimits.fanIn else { return }
        let runs = levels[level]
        levels[level] = []
        var merged = SortedRecords(runs: runs, chunk: SortedChunk())
        let target = try scratch.makeFile()
        var out: [UInt8] = []
        while let record = try merged.next() {
            SortedChunk.encode(record.bytes[...], record.keyLength, &out)
            if out.count >= ProofLimits.readBytes {
                try target.append(out)
                out.removeAll(keepingCapacity: true)
            }
        }
        try target.append(out)
        try place(target, at: level + 1, scratch)
    }

    /// Adds everything of another sorter.
    mutating func absorb(_ runs: SortedRuns) throws(ProofError) {
        if let scratch {
            for file in runs.files { try place(file, at: 0, scratch) }
        }
        for index in runs.chunk.entries.indices {
            let record = runs.chunk.record(index)
            chunk.add(record.bytes[...], keyLength: record.keyLength)
        }
        count += runs.count
        if chunk.size > bufferBytes { try spill() }
    }

    /// Everything that was added, in order. The sorter is empty afterwards.
    mutating func finish() throws(ProofError) -> SortedRuns {
        if scratch != nil, chunk.size > ProofLimits.restBytes {
            try spill()
            chunk = SortedChunk()
        }
        chunk.sort()
        defer {
            chunk = SortedChunk()
            levels = []
            count = 0
        }
        // Older runs first, so that equal keys keep their order.
        return SortedRuns(files: levels.reversed().flatMap { $0 }, chunk: chunk, count: count)
    }
}

/// The result of a sorter; may be read more than once.
package struct SortedRuns: Sendable {
    static let empty = SortedRuns(files: [], chunk: SortedChunk(), count: 0)

    fileprivate let files: [ScratchFile]
    fileprivate let chunk: SortedChunk
    package let count: Int

    package func records() -> SortedRecords { SortedRecords(runs: files, chunk: chunk) }
}

/// Records in memory: their bytes side by side, and where each begins.
struct SortedChunk: Sendable {
    struct Entry {
        var start: Int
        var keyLength: Int32, length: Int32
    }

    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []
    private var isSorted = true

    /// Bytes of memory in use, what the records of the run cost included.
    var size: Int { bytes.count + entries.count * 16 }

    /// Keeps the memory: the next run is as long.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        isSorted = true
    }

    mutating func add(_ record: ArraySlice<UInt8>, keyLength: Int) {
        precondition(record.count < 1 << 30 && keyLength <= record.count, "a record to sort is below 1 GiB")
        let entry = Entry(start: bytes.count, keyLength: Int32(keyLength), length: Int32(record.count))
        bytes += record
        if isSorted, let last = entries.last, isLess(entry, last) { isSorted = false }
        entries.append(entry)
    }

    private func isLess(_ a: Entry, _ b: Entry) -> Bool {
        // Lifetime: the pointer does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe order($0, a, b) < 0 }
    }

    mutating func sort() {
        if isSorted { return }
        // Lifetime: the pointer does not leave the closure. Swift's sort is stable.
        unsafe bytes.withUnsafeBytes { raw in entries.sort { unsafe order(raw, $0, $1) < 0 } }
        isSorted = true
    }

    func record(_ index: Int) -> SortedRecord {
        let entry = entries[index]
        return SortedRecord(
            bytes: Array(bytes[entry.start..<entry.start + Int(entry.length)]),
            keyLength: Int(entry.keyLength)
        )
    }

    func write(to file: ScratchFile) throws(ProofError) {
        var out: [UInt8] = []
        out.reserveCapacity(min(size, 1 << 20) + 4_096)
        for entry in entries {
            Self.encode(bytes[entry.start..<entry.start + Int(entry.length)], Int(entry.keyLength), &out)
            if out.count >= 1 << 20 {
                try file.append(out)
                out.removeAll(keepingCapacity: true)
            }
        }
        try file.append(out)
    }

    /// A record of a run: two lengths of four bytes, then its bytes.
    static func encode(_ record: ArraySlice<UInt8>, _ keyLength: Int, _ out: inout [UInt8]) {
        out.appendBigEndian(Int32(keyLength))
        out.appendBigEndian(Int32(record.count))
        out.append(contentsOf: record)
    }
}

private func order(_ raw: UnsafeRawBufferPointer, _ a: SortedChunk.Entry, _ b: SortedChunk.Entry) -> Int {
    let x = unsafe UnsafeRawBufferPointer(rebasing: raw[a.start..<a.start + Int(a.keyLength)])
    let y = unsafe UnsafeRawBufferPointer(rebasing: raw[b.start..<b.start + Int(b.keyLength)])
    let common = unsafe compare(x, y, Int(min(a.keyLength, b.keyLength)))
    return common != 0 ? common : Int(a.keyLength) - Int(b.keyLength)
}

/// Order of the first `count` bytes: below 0, 0 or above. Both buffers must have them.
private func compare(_ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, _ count: Int) -> Int {
    var at = 0
    while at + 8 <= count {
        let a = unsafe x.loadUnaligned(fromByteOffset: at, as: UInt64.self).bigEndian
        let b = unsafe y.loadUnaligned(fromByteOffset: at, as: UInt64.self).bigEndian
        if a != b { return a < b ? -1 : 1 }
        at += 8
    }
    while at < count {
        let a = unsafe x[at]
        let b = unsafe y[at]
        if a != b { return a < b ? -1 : 1 }
        at += 1
    }
    return 0
}

/// Compares two keys of sorted records.
func keyOrder(_ a: SortedRecord, _ b: SortedRecord) -> Int {
    // Lifetime: the pointers do not leave the closures.
    let common = unsafe a.bytes.withUnsafeBytes { x in
        unsafe b.bytes.withUnsafeBytes { y in unsafe compare(x, y, min(a.keyLength, b.keyLength)) }
    }
    return common != 0 ? common : a.keyLength - b.keyLength
}
