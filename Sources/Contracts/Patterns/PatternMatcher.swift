package import Primitives

extension Pattern {
    /// Whether the pattern matches the whole text.
    ///
    /// - Parameter text: UTF-8; a byte that is not UTF-8 counts as U+FFFD.
    /// - Complexity: O(instructions × scalars); no allocation for programs of at most 64 instructions.
    package func matches(_ text: ByteString) -> Bool {
        closures.isEmpty ? capture(text) != nil : matchesByBits(text)
    }

    private func matchesByBits(_ text: ByteString) -> Bool {
        var scalars = ScalarReader(text)
        var states = closure(text.isEmpty ? 3 : 1, 0)
        while let scalar = scalars.next() {
            let context = scalars.atEnd ? 2 : 0
            var reached: UInt64 = 0
            var rest = states
            while rest != 0 {
                let pc = rest.trailingZeroBitCount
                rest &= rest - 1
                if takes(pc, scalar) { reached |= closure(context, pc + 1) }
            }
            states = reached
            if states == 0 { return false }
        }
        return states & (1 << (instructions.count - 1)) != 0
    }

    @inline(__always) func takes(_ pc: Int, _ scalar: UInt32) -> Bool {
        switch instructions[pc] {
        case .scalar(let wanted): wanted == scalar
        case .any: true
        case .set(let index): sets[index].contains(scalar)
        case .split, .jump, .save, .start, .end, .match: false
        }
    }

    /// The byte ranges of the whole text and its groups (nil for a group that took no part), when the pattern matches
    /// the whole text. Of several ways the leftmost alternative and the longest repetition win.
    package func capture(_ text: ByteString) -> [Range<Int>?]? {
        closures.isEmpty ? captureByThreads(text) : captureByBits(text)
    }

    /// For programs of any length.
    func captureByThreads(_ text: ByteString) -> [Range<Int>?]? {
        let slots = 2 * (groups + 1)
        var current = Threads(instructions.count, slots)
        var following = Threads(instructions.count, slots)
        var scalars = ScalarReader(text)
        add(0, [Int](repeating: -1, count: slots), &current, at: 0, text)
        while !current.order.isEmpty {
            guard let scalar = scalars.next() else {
                // Threads are in order of preference.
                guard let winner = current.order.first(where: { instructions[$0] == .match }) else { return nil }
                return ranges(current.slots[winner])
            }
            following.clear()
            for pc in current.order where takes(pc, scalar) {
                add(pc + 1, current.slots[pc], &following, at: scalars.at, text)
            }
            swap(&current, &following)
        }
        return nil
    }

    func ranges(_ ends: [Int]) -> [Range<Int>?] {
        (0...groups).map { ends[2 * $0] >= 0 && ends[2 * $0 + 1] >= 0 ? ends[2 * $0]..<ends[2 * $0 + 1] : nil }
    }

    /// Adds a thread and all it reaches without reading, in order of preference; no recursion.
    private func add(_ first: Int, _ slots: [Int], _ threads: inout Threads, at: Int, _ text: ByteString) {
        var open: [(pc: Int, slots: [Int])] = [(first, slots)]
        while let (pc, slots) = open.popLast() {
            guard !threads.has(pc) else { continue }
            threads.insert(pc, slots)
            switch instructions[pc] {
            case .jump(let to): open.append((to, slots))
            case .split(let a, let b):
                open.append((b, slots))
                open.append((a, slots))
            case .save(let slot):
                var changed = slots
                changed[slot] = at
                open.append((pc + 1, changed))
            case .start: if at == 0 { open.append((pc + 1, slots)) }
            case .end: if at == text.count { open.append((pc + 1, slots)) }
            case .scalar, .any, .set, .match: break
            }
        }
    }
}

/// The live places of a program, each at most once, in order of preference.
private struct Threads {
    var order: [Int] = []
    var slots: [[Int]]
    private var isLive: [Bool]

    init(_ count: Int, _ slotCount: Int) {
        slots = [[Int]](repeating: [], count: count)
        isLive = [Bool](repeating: false, count: count)
    }

    func has(_ pc: Int) -> Bool { isLive[pc] }

    mutating func insert(_ pc: Int, _ values: [Int]) {
        isLive[pc] = true
        slots[pc] = values
        order.append(pc)
    }

    mutating func clear() {
        for pc in order { isLive[pc] = false }
        order.removeAll(keepingCapacity: true)
    }
}

/// Unicode scalars of UTF-8 bytes; each byte that does not belong to one is U+FFFD.
struct ScalarReader {
    private let text: ByteString
    private(set) var at: Int

    init(_ text: ByteString) {
        self.text = text
        at = 0
    }

    var atEnd: Bool { at == text.count }

    mutating func next() -> UInt32? {
        guard at < text.count else { return nil }
        let first = text[at]
        at += 1
        if first < 0x80 { return UInt32(first) }
        let length = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0
        guard length > 0, first <= 0xF4, at + length <= text.count else { return 0xFFFD }
        var value = UInt32(first) & (0x3F >> UInt32(length))
        for index in at..<(at + length) {
            guard text[index] & 0xC0 == 0x80 else { return 0xFFFD }
            value = value << 6 | UInt32(text[index] & 0x3F)
        }
        at += length
        return value
    }
}
