import CShims
package import EmbeddedLog
import Synchronization

/// A disk in front of another one whose syncs can be held back or made to fail while the log runs on its own thread.
///
/// Thread: any; a held sync waits on the log's thread.
package final class GatedDisk: LogDisk {
    fileprivate struct State: Sendable {
        var held = false
        var waiting = 0
        var errno: Int32?
        var isFull = false
    }

    private let base: any LogDisk
    fileprivate let state = Mutex(State())

    package init(_ base: any LogDisk) { self.base = base }

    /// Makes syncs of files wait until ``release()``.
    package func hold() { state.withLock { $0.held = true } }
    package func release() { state.withLock { $0.held = false } }
    /// Makes all later syncs of files fail.
    package func fail(errno: Int32) { state.withLock { $0.errno = errno } }
    package func mend() { state.withLock { $0.errno = nil } }

    /// Makes writes stop halfway for want of room, or lets them pass again.
    package func fill(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
    fileprivate var isFull: Bool { state.withLock { $0.isFull } }

    /// Waits until a sync is held; false after ten seconds.
    package func waitUntilHeld() -> Bool {
        for _ in 0..<50_000 {
            if state.withLock({ $0.waiting > 0 }) { return true }
            cshims_sleep_micros(200)
        }
        return false
    }

    fileprivate func pass(_ path: String) throws(DiskError) {
        state.withLock { $0.waiting += 1 }
        while state.withLock({ $0.held }) { cshims_sleep_micros(200) }
        let errno = state.withLock { state in
            state.waiting -= 1
            return state.errno
        }
        if let errno { throw DiskError(operation: "sync \(path)", errno: errno, isUncertain: true) }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
    package func makeDirectory(_ directory: String) throws(DiskError) { try base.makeDirectory(directory) }
    package func syncDirectory(_ directory: String) throws(DiskError) { try base.syncDirectory(directory) }
    package func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) { try base.replace(path, with: bytes) }
    package func open(_ path: String, create: Bool, readOnly: Bool) throws(DiskError) -> any SegmentFile {
        GatedFile(disk: self, file: try base.open(path, create: create, readOnly: readOnly), path: path)
    }
}

private final class GatedFile: SegmentFile {
    private let disk: GatedDisk
    private let file: any SegmentFile
    private let path: String

    init(disk: GatedDisk, file: any SegmentFile, path: String) {
        self.disk = disk
        self.file = file
        self.path = path
    }

    func size() throws(DiskError) -> Int { try file.size() }
    func write(_ bytes: [UInt8], at position: Int) throws(DiskError) {
        guard disk.isFull else { return try file.write(bytes, at: position) }
        try file.write(Array(bytes.prefix(bytes.count / 2)), at: position)
        throw DiskError(operation: "write \(bytes.count) bytes to \(path)", errno: 28)
    }
    func isInPlace() throws(DiskError) -> Bool { try file.isInPlace() }

    func truncate(to size: Int) throws(DiskError) { try file.truncate(to: size) }
    func read(at position: Int, count: Int) throws(DiskError) -> [UInt8] { try file.read(at: position, count: count) }
    func sync() throws(DiskError) {
        try disk.pass(path)
        try file.sync()
    }
}
