import CShims
import Console
import EmbeddedLog
import Primitives

/// What tells one data directory from another: the file `ID`, made with the directory. Its first line is a random number;
/// a second line `demo` says that simulated trade may be added without a question.
struct DataIdentity: Sendable {
    static let name = "ID"
    let id: String
    let isDemo: Bool

    /// Reads the file, or makes it; `demo` marks a directory that is new: one with a log may hold real sales.
    init(_ directory: String, _ disk: PosixDisk, demo: Bool) throws {
        let path = directory + "/" + Self.name
        if disk.exists(path) {
            let lines = String(decoding: try WholeFile.read(path, bytesMax: 1 << 10), as: UTF8.self).split(
                separator: "\n"
            )
            id = lines.first.map(String.init) ?? ""
            isDemo = lines.dropFirst().contains("demo")
        } else {
            var random = SeededRandom.fromKernel()
            id = (0..<2).map { _ in padded(Int64(random.next() >> 4), 19) }.joined(separator: "-")
            isDemo = demo && !disk.exists(directory + "/log")
            try disk.replace(path, with: Array((isDemo ? "\(id)\ndemo\n" : "\(id)\n").utf8))
        }
    }
}

/// Files of till are its user's alone.
enum PrivateFiles {
    /// Takes the rights of others from everything that till keeps in a data directory.
    ///
    /// - Returns: How many files and directories were changed.
    static func mend(_ directory: String, _ disk: PosixDisk) throws(DiskError) -> Int {
        var changed = 0
        func mend(_ path: String) throws(DiskError) {
            let result = unsafe cshims_make_private(path)
            if result < 0 { throw DiskError(operation: "protect \(path)", errno: -result) }
            changed += Int(result)
        }
        try mend(directory)
        let own = ["ID", "LOCK", "proof.json"]
        for name in try disk.list(directory) where own.contains(name) || name.hasPrefix("tables.sqlite") {
            try mend(directory + "/" + name)
        }
        var waiting = disk.exists(directory + "/log") ? [directory + "/log"] : []
        while let path = waiting.popLast() {
            try mend(path)
            if disk.isDirectory(path) { waiting += try disk.list(path).map { path + "/" + $0 } }
        }
        return changed
    }
}

/// The space that a data directory takes.
enum DataSpace {
    /// Bytes of its files, and what the file system has left; nil when it cannot be read. Files that go away meanwhile
    /// count nothing.
    static func measure(_ directory: String, _ disk: PosixDisk) -> StorageStatus.Space? {
        let free = unsafe cshims_free_bytes(directory)
        guard free >= 0 else { return nil }
        var used: Int64 = 0
        var waiting = [directory]
        while let path = waiting.popLast() {
            guard let names = try? disk.list(path) else { continue }
            for name in names {
                let place = path + "/" + name
                if disk.isDirectory(place) {
                    waiting.append(place)
                } else {
                    used += max(0, unsafe cshims_path_size(place))
                }
            }
        }
        return StorageStatus.Space(usedBytes: used, freeBytes: free)
    }
}
