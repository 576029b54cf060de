import Primitives

/// Merges sorted runs. Single owner.
package struct SortedRecords {
    private struct Source {
        var run: RunReader?
        var index = 0
        var head: SortedRecord?
    }

    private let chunk: SortedChunk
    private var sources: [Source]
    /// A heap of the indices of sources by head; equal heads by index, so equal keys keep their order.
    private var heap: [Int] = []
    private var isStarted = false

    init(runs: [ScratchFile], chunk: SortedChunk) {
        self.chunk = chunk
        sources = runs.map { Source(run: RunReader($0)) } + [Source(run: nil)]
    }

    /// The next record in order of keys; nil at the end.
    package mutating func next() throws(ProofError) -> SortedRecord? {
        if !isStarted {
            isStarted = true
            for index in sources.indices {
                try advance(index)
                if sources[index].head != nil { heap.append(index) }
            }
            for index in heap.indices.reversed() { sink(index) }
        }
        guard let top = heap.first, let record = sources[top].head else { return nil }
        try advance(top)
        if sources[top].head == nil {
            heap[0] = heap[heap.count - 1]
            heap.removeLast()
        }
        if !heap.isEmpty { sink(0) }
        return record
    }

    private mutating func advance(_ index: Int) throws(ProofError) {
        if sources[index].run != nil {
            sources[index].head = try sources[index].run?.next()
        } else {
            let at = sources[index].index
            sources[index].head = at < chunk.entries.count ? chunk.record(at) : nil
            sources[index].index = at + 1
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        guard let x = sources[a].head, let y = sources[b].head else { return false }
        let order = keyOrder(x, y)
        return order != 0 ? order < 0 : a < b
    }

    private mutating func sink(_ start: Int) {
        var at = start
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < heap.count {
                if isBefore(heap[child], heap[least]) { least = child }
            }
            if least == at { return }
            heap.swapAt(at, least)
            at = least
        }
    }
}

/// Reads one run from its start.
private struct RunReader {
    private let file: ScratchFile
    private let size: Int64
    private var buffer: [UInt8] = []
    private var position = 0
    /// Where the buffer ends in the file.
    private var end: Int64 = 0

    init(_ file: ScratchFile) {
        self.file = file
        size = file.size
    }

    mutating func next() throws(ProofError) -> SortedRecord? {
        if position == buffer.count, end == size { return nil }
        try need(8)
        var header = WireReader(buffer, at: position)
        let keyLength = Int(header.integer(Int32.self) ?? 0)
        let length = Int(header.integer(Int32.self) ?? 0)
        try need(8 + length)
        let start = position + 8
        position = start + length
        return SortedRecord(bytes: Array(buffer[start..<position]), keyLength: keyLength)
    }

    /// Makes the next `count` bytes lie in the buffer.
    private mutating func need(_ count: Int) throws(ProofError) {
        let held = buffer.count - position
        if held >= count { return }
        let more = min(max(count - held, ProofLimits.readBytes), Int(size - end))
        buffer = Array(buffer[position...]) + (try file.read(at: end, count: more))
        end += Int64(more)
        position = 0
        if buffer.count < count { throw .damagedScratch(path: file.name) }
    }
}

/// Groups of a sorted stream: neighbours whose key begins with the same bytes.
struct SortedGroups {
    private var records: SortedRecords

    init(_ runs: SortedRuns) { records = runs.records() }

    /// Calls `body` for every record; `isFirst` when its key without the last `suffix` bytes differs from the one
    /// before.
    mutating func forEach(
        suffix: Int,
        _ body: (_ record: SortedRecord, _ isFirst: Bool) throws -> Void
    ) throws {
        var last: SortedRecord?
        while let record = try records.next() {
            let length = record.keyLength - suffix
            let isFirst =
                last.map { $0.keyLength != record.keyLength || !$0.bytes.starts(with: record.key, length: length) }
                ?? true
            try body(record, isFirst)
            last = record
        }
    }
}
