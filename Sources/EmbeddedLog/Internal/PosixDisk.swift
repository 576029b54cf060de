import CShims
import Primitives

/// The real file system through CShims. The only file of its module that may say `unsafe`: pointers to arrays are
/// passed to calls that do not keep them.
package struct PosixDisk: LogDisk {
    private let addedSyncMicros: Int64

    package init(addedSyncMicros: Int64 = 0) { self.addedSyncMicros = addedSyncMicros }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        final class Names { var all: [String] = [] }
        let names = Names()
        // Lifetime: `names` outlives the call, the callback runs only during it.
        let result = unsafe cshims_list(directory, Unmanaged.passUnretained(names).toOpaque()) { context, name in
            guard let context = unsafe context, let name = unsafe name else { return }
            unsafe Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(String(cString: name))
        }
        if result == -2 || result == -20 { return [] }
        try check(Int64(result), "list \(directory)")
        return names.all.sorted()
    }

    package func makeDirectory(_ directory: String) throws(DiskError) {
        var path = ""
        let parts = directory.split(separator: "/", omittingEmptySubsequences: false)
        for (number, part) in parts.enumerated() {
            let parent = path.isEmpty ? (directory.hasPrefix("/") ? "/" : ".") : path
            path += path.isEmpty && part.isEmpty ? "" : (path.isEmpty && !directory.hasPrefix("/") ? "" : "/") + part
            let exists = unsafe cshims_path_size(path) >= 0
            if part.isEmpty { continue }
            if exists {
                // The process that made it may have died before the entry was durable; the data directory, the topic
                // and the partition are ours, what lies above is the operator's and may be unreadable (13).
                guard number >= parts.count - 3 else { continue }
                let result = unsafe cshims_fsync_directory(parent)
                if result != -13 { try check(Int64(result), "sync directory \(parent)", isSync: true) }
                continue
            }
            try check(Int64(unsafe cshims_mkdir(path)), "create directory \(path)")
            try syncDirectory(parent)
        }
    }

    package func open(_ path: String, create: Bool, readOnly: Bool) throws(DiskError) -> any SegmentFile {
        let descriptor = unsafe cshims_open(path, (readOnly ? 0 : 1) | (create ? 2 : 0))
        try check(Int64(descriptor), "open \(path)")
        return PosixSegmentFile(descriptor: descriptor, path: path, addedSyncMicros: addedSyncMicros)
    }

    package func syncDirectory(_ directory: String) throws(DiskError) {
        try check(Int64(unsafe cshims_fsync_directory(directory)), "sync directory \(directory)", isSync: true)
    }

    package func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) {
        let temporary = path + ".tmp"
        let descriptor = unsafe cshims_open(temporary, 1 | 2 | 8)
        try check(Int64(descriptor), "create \(temporary)")
        let file = PosixSegmentFile(descriptor: descriptor, path: temporary, addedSyncMicros: 0)
        do throws(DiskError) {
            try file.write(bytes, at: 0)
        } catch {
            // What was written takes space that the log may need.
            _ = unsafe cshims_unlink(temporary)
            throw error
        }
        try file.sync()
        try check(Int64(unsafe cshims_rename(temporary, path)), "rename \(temporary)")
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try syncDirectory(directory.isEmpty ? "/" : directory)
    }
}

func check(_ result: Int64, _ operation: @autoclosure () -> String, isSync: Bool = false) throws(DiskError) {
    guard result < 0 else { return }
    // ENFILE and EMFILE: the directory was not opened, so nothing was synced and nothing failed on the disk.
    let isOpen = result == -23 || result == -24
    throw DiskError(operation: operation(), errno: Int32(-result), isUncertain: isSync && !isOpen)
}

/// Owns one descriptor; closed in deinit. Thread: any for reads, the log's for writes.
final class PosixSegmentFile: SegmentFile {
    private let descriptor: Int32
    private let path: String
    private let addedSyncMicros: Int64

    init(descriptor: Int32, path: String, addedSyncMicros: Int64) {
        self.descriptor = descriptor
        self.path = path
        self.addedSyncMicros = addedSyncMicros
    }

    deinit { _ = cshims_close(descriptor) }

    func size() throws(DiskError) -> Int {
        let size = cshims_file_size(descriptor)
        try check(size, "measure \(path)")
        return Int(size)
    }

    func write(_ bytes: [UInt8], at position: Int) throws(DiskError) {
        let result = unsafe bytes.withUnsafeBytes {
            unsafe cshims_pwrite_all(descriptor, $0.baseAddress, $0.count, Int64(position))
        }
        try check(Int64(result), "write \(bytes.count) bytes to \(path)")
    }

    func sync() throws(DiskError) {
        if addedSyncMicros > 0 { cshims_sleep_micros(addedSyncMicros) }
        try check(Int64(cshims_fdatasync(descriptor)), "sync \(path)", isSync: true)
    }

    func isInPlace() throws(DiskError) -> Bool {
        let result = unsafe cshims_is_at(descriptor, path)
        try check(Int64(result), "look at \(path)")
        return result == 1
    }

    func truncate(to size: Int) throws(DiskError) {
        try check(Int64(cshims_ftruncate(descriptor, Int64(size))), "truncate \(path)")
    }

    func read(at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        var result: Int64 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            result = unsafe cshims_pread_all(descriptor, buffer.baseAddress, count, Int64(position))
            initialized = max(0, Int(result))
        }
        try check(result, "read \(path)")
        return bytes
    }
}

/// Holds the advisory locks of a data directory while it lives: of its lock file, which earlier tills look at, and of
/// the directory itself, which nobody can remove and make again under its files.
package final class DirectoryLock: Sendable {
    private let descriptor: Int32
    private let directory: Int32

    /// - Throws: ``DiskError`` with EWOULDBLOCK (11) when another process holds it.
    package init(path: String) throws(DiskError) {
        descriptor = unsafe cshims_open(path, 1 | 2)
        try check(Int64(descriptor), "open \(path)")
        let result = cshims_lock(descriptor)
        if result < 0 {
            _ = cshims_close(descriptor)
            throw DiskError(operation: "lock \(path)", errno: -result)
        }
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        directory = unsafe cshims_open(parent, 0)
        let second = directory < 0 ? directory : cshims_lock(directory)
        // Network file systems may not lock directories (EBADF 9, EINVAL 22, EOPNOTSUPP 95); the file is locked there.
        if second < 0, ![-9, -22, -95].contains(second) {
            _ = cshims_close(descriptor)
            if directory >= 0 { _ = cshims_close(directory) }
            throw DiskError(operation: "lock \(parent)", errno: -second)
        }
    }

    deinit {
        _ = cshims_close(descriptor)
        _ = cshims_close(directory)
    }
}
