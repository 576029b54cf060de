package import EmbeddedLog
import Primitives
import Synchronization

/// When and how often a disk refuses.
package struct Fault: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable { case once, forever }

    package var kind: Kind
    package var atOperation: Int
    package var errno: Int32
    /// Spares what needs no room: syncs, truncations and renames, as a full disk does.
    package var onlyForSpace: Bool

    package init(_ kind: Kind, atOperation: Int, errno: Int32 = 5, onlyForSpace: Bool = false) {
        self.kind = kind
        self.atOperation = atOperation
        self.errno = errno
        self.onlyForSpace = onlyForSpace
    }

    package var description: String { "errno \(errno) \(kind) at operation \(atOperation)" }
}

/// A file system in memory that keeps what was synced, may lose the rest, and fails on demand.
///
/// As nasty as a kernel may be:
/// - a failed write leaves half of its bytes in the cache;
/// - a failed sync may forget the dirty bytes for good: reads still show them and later syncs succeed without them;
/// - a power cut keeps an arbitrary subset of what was not synced: whole, lost, cut short, or some of its 512-byte
///   sectors only; later writes may survive earlier ones, and a file may have grown without its bytes (zeros);
/// - names that were not synced may be lost or kept, a truncation that was not synced may be undone.
///
/// Counted operations are those that change something: make directory, open, write, sync, truncate, rename, sync
/// directory. Deterministic: same seed, fault and calls, same bytes. Thread: any.
package final class SimulatedDisk: LogDisk {
    fileprivate enum Change: Sendable {
        case write(position: Int, bytes: [UInt8])
        case truncate(size: Int)
    }

    fileprivate struct Node: Sendable {
        /// What reads see.
        var cache: [UInt8] = []
        /// What is on the platter.
        var durable: [UInt8] = []
        /// What may still reach the platter, in the order it was written.
        var pending: [Change] = []
    }

    fileprivate struct State: Sendable {
        var random: SeededRandom
        var fault: Fault?
        var faultFired = false
        var operations = 0
        var nodes: [Int: Node] = [:]
        var nextNode = 0
        var names: [String: Int] = [:], durableNames: [String: Int] = [:]
        var directories: Set<String> = [], durableDirectories: Set<String> = []

        /// Counts an operation; throws when it is the one that fails.
        mutating func step(
            _ operation: String,
            isSync: Bool = false,
            takesSpace: Bool = false
        ) throws(DiskError) {
            defer { operations += 1 }
            guard let fault else { return }
            let due = fault.kind == .once ? operations == fault.atOperation : operations >= fault.atOperation
            guard due, takesSpace || !fault.onlyForSpace else { return }
            faultFired = true
            throw DiskError(operation: operation, errno: fault.errno, isUncertain: isSync)
        }
    }

    fileprivate let state: Mutex<State>

    package init(seed: UInt64, fault: Fault? = nil) {
        state = Mutex(State(random: SeededRandom(seed: seed), fault: fault))
    }

    private init(_ state: State) { self.state = Mutex(state) }

    /// Operations so far.
    package var operations: Int { state.withLock { $0.operations } }
    /// Whether the fault was met.
    package var faultFired: Bool { state.withLock { $0.faultFired } }

    /// Sets the fault, counted from the first operation ever.
    package func arm(_ fault: Fault?) { state.withLock { $0.fault = fault } }

    // MARK: What tests see and do

    /// The paths of all files, in order.
    package var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    package func bytes(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.nodes[$0]?.cache } }
    }

    /// Puts a durable file, its directories included.
    package func put(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            let id = state.nextNode
            state.nextNode += 1
            state.nodes[id] = Node(cache: bytes, durable: bytes)
            state.names[path] = id
            state.durableNames[path] = id
            for directory in Self.parents(of: path) {
                state.directories.insert(directory)
                state.durableDirectories.insert(directory)
            }
        }
    }

    /// Removes a file for good.
    package func remove(_ path: String) {
        state.withLock {
            $0.names[path] = nil
            $0.durableNames[path] = nil
        }
    }

    /// What the next process finds when this one was killed: everything the kernel still shows. The fault is gone.
    package func afterRestart() -> SimulatedDisk {
        var copy = state.withLock { $0 }
        copy.fault = nil
        copy.faultFired = false
        copy.operations = 0
        return SimulatedDisk(copy)
    }

    /// What the next process finds after a power cut. The fault is gone.
    package func afterPowerLoss(seed: UInt64) -> SimulatedDisk {
        let before = state.withLock { $0 }
        var after = State(random: SeededRandom(seed: seed), fault: nil)
        after.nextNode = before.nextNode
        for directory in before.directories.sorted() {
            let parentKept = Self.parents(of: directory).allSatisfy { after.directories.contains($0) }
            if parentKept, before.durableDirectories.contains(directory) || Bool.random(using: &after.random) {
                after.directories.insert(directory)
            }
        }
        for path in Set(before.names.keys).union(before.durableNames.keys).sorted() {
            let new = before.names[path]
            let old = before.durableNames[path]
            let id = new == old || Bool.random(using: &after.random) ? new : old
            guard let id, let node = before.nodes[id],
                Self.parents(of: path).allSatisfy({ after.directories.contains($0) })
            else { continue }
            let bytes = Self.survivors(of: node, &after.random)
            after.nodes[id] = Node(cache: bytes, durable: bytes)
            after.names[path] = id
        }
        after.durableDirectories = after.directories
        after.durableNames = after.names
        return SimulatedDisk(after)
    }

    private static func survivors(of node: Node, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = node.durable
        for change in node.pending {
            switch change {
            case .truncate(let size):
                if Bool.random(using: &random) { bytes.resize(to: size) }
            case .write(let position, let written):
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: bytes.apply(written[...], at: position)
                case 2: break
                case 3:
                    bytes.apply(written.prefix(Int.random(in: 0...written.count, using: &random)), at: position)
                case 4:
                    // Grown, but without its bytes.
                    if bytes.count < position + written.count { bytes.resize(to: position + written.count) }
                default:
                    var at = 0
                    while at < written.count {
                        let next = min(written.count, at + 512 - (position + at) % 512)
                        if Bool.random(using: &random) { bytes.apply(written[at..<next], at: position + at) }
                        at = next
                    }
                }
            }
        }
        return bytes
    }

    // MARK: LogDisk

    package func list(_ directory: String) throws(DiskError) -> [String] {
        state.withLock { state in
            let prefix = directory + "/"
            var names: Set<String> = []
            for path in Array(state.names.keys) + Array(state.directories) where path.hasPrefix(prefix) {
                names.insert(String(path.dropFirst(prefix.count).prefix { $0 != "/" }))
            }
            return names.sorted()
        }
    }

    package func makeDirectory(_ directory: String) throws(DiskError) {
        try state.withLock { state throws(DiskError) in
            for path in Self.parents(of: directory + "/.") {
                if !state.directories.contains(path) {
                    try state.step("create directory \(path)", takesSpace: true)
                    state.directories.insert(path)
                }
                if !state.durableDirectories.contains(path) {
                    try state.step("sync parent of \(path)", isSync: true)
                    state.durableDirectories.insert(path)
                }
            }
        }
    }

    package func open(_ path: String, create: Bool, readOnly: Bool) throws(DiskError) -> any SegmentFile {
        try state.withLock { state throws(DiskError) in
            try state.step("open \(path)", takesSpace: create && state.names[path] == nil)
            if let id = state.names[path] { return SimulatedFile(disk: self, node: id, path: path) }
            guard create, state.directories.contains(Self.parents(of: path).last ?? "") else {
                throw DiskError(operation: "open \(path)", errno: 2)
            }
            return SimulatedFile(disk: self, node: Self.make(path, &state), path: path)
        }
    }

    package func syncDirectory(_ directory: String) throws(DiskError) {
        try state.withLock { state throws(DiskError) in
            try state.step("sync directory \(directory)", isSync: true)
            let prefix = directory + "/"
            func isDirect(_ path: String) -> Bool {
                path.hasPrefix(prefix) && !path.dropFirst(prefix.count).contains("/")
            }
            for (path, _) in state.durableNames where isDirect(path) { state.durableNames[path] = state.names[path] }
            for (path, id) in state.names where isDirect(path) { state.durableNames[path] = id }
            for path in state.directories where isDirect(path) { state.durableDirectories.insert(path) }
        }
    }

    package func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) {
        let temporary = path + ".tmp"
        let file = try state.withLock { state throws(DiskError) in
            try state.step("create \(temporary)", takesSpace: true)
            return SimulatedFile(disk: self, node: Self.make(temporary, &state), path: temporary)
        }
        try file.write(bytes, at: 0)
        try file.sync()
        try state.withLock { state throws(DiskError) in
            try state.step("rename \(temporary)")
            state.names[path] = state.names.removeValue(forKey: temporary)
        }
        try syncDirectory(Self.parents(of: path).last ?? "")
    }

    private static func make(_ path: String, _ state: inout State) -> Int {
        let id = state.nextNode
        state.nextNode += 1
        state.nodes[id] = Node()
        state.names[path] = id
        return id
    }

    /// The directories that hold `path`, outermost first.
    private static func parents(of path: String) -> [String] {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return (1..<max(1, parts.count)).map { parts[..<$0].joined(separator: "/") }.filter { !$0.isEmpty }
    }
}

/// A file of a ``SimulatedDisk``. Thread: any.
package final class SimulatedFile: SegmentFile {
    private let disk: SimulatedDisk
    private let node: Int
    private let path: String

    fileprivate init(disk: SimulatedDisk, node: Int, path: String) {
        self.disk = disk
        self.node = node
        self.path = path
    }

    package func size() throws(DiskError) -> Int { disk.state.withLock { $0.nodes[node]?.cache.count ?? 0 } }

    package func read(at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        disk.state.withLock { state in
            guard let cache = state.nodes[node]?.cache, position < cache.count else { return [] }
            return Array(cache[position..<min(cache.count, position + count)])
        }
    }

    package func write(_ bytes: [UInt8], at position: Int) throws(DiskError) {
        try disk.state.withLock { state throws(DiskError) in
            do throws(DiskError) {
                try state.step("write \(bytes.count) bytes to \(path)", takesSpace: true)
                change(&state, .write(position: position, bytes: bytes))
            } catch {
                change(&state, .write(position: position, bytes: Array(bytes.prefix(bytes.count / 2))))
                throw error
            }
        }
    }

    package func sync() throws(DiskError) {
        try disk.state.withLock { state throws(DiskError) in
            do throws(DiskError) {
                try state.step("sync \(path)", isSync: true)
            } catch {
                if Bool.random(using: &state.random) { state.nodes[node]?.pending = [] }
                throw error
            }
            guard var node = state.nodes[node] else { return }
            for change in node.pending { node.durable.apply(change) }
            node.pending = []
            state.nodes[self.node] = node
        }
    }

    package func isInPlace() throws(DiskError) -> Bool { true }

    package func truncate(to size: Int) throws(DiskError) {
        try disk.state.withLock { state throws(DiskError) in
            try state.step("truncate \(path)")
            change(&state, .truncate(size: size))
        }
    }

    private func change(_ state: inout SimulatedDisk.State, _ change: SimulatedDisk.Change) {
        state.nodes[node]?.cache.apply(change)
        state.nodes[node]?.pending.append(change)
    }
}

extension [UInt8] {
    fileprivate mutating func resize(to size: Int) {
        if count > size {
            removeLast(count - size)
        } else {
            append(contentsOf: [UInt8](repeating: 0, count: size - count))
        }
    }

    fileprivate mutating func apply(_ bytes: ArraySlice<UInt8>, at position: Int) {
        guard !bytes.isEmpty else { return }
        if count < position { resize(to: position) }
        replaceSubrange(position..<Swift.min(count, position + bytes.count), with: bytes)
    }

    fileprivate mutating func apply(_ change: SimulatedDisk.Change) {
        switch change {
        case .write(let position, let bytes): apply(bytes[...], at: position)
        case .truncate(let size): resize(to: size)
        }
    }
}
