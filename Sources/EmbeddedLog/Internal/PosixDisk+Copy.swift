import CShims
package import Primitives

/// What backup and restore need of the file system beyond the log's own work.
extension PosixDisk {
    package func exists(_ path: String) -> Bool { unsafe cshims_path_size(path) >= 0 }
    package func isDirectory(_ path: String) -> Bool { unsafe cshims_path_size(path + "/.") >= 0 }

    package func remove(_ path: String) throws(DiskError) {
        try check(Int64(unsafe cshims_unlink(path)), "remove \(path)")
    }

    /// Renames a file or directory and makes that durable; replaces an empty directory.
    package func move(_ from: String, to: String) throws(DiskError) {
        try check(Int64(unsafe cshims_rename(from, to)), "rename \(from) to \(to)")
        try syncDirectory(Self.parent(of: to))
    }

    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a file that another library wrote durable.
    package func sync(_ path: String) throws(DiskError) {
        try open(path, create: false, readOnly: false).sync()
    }

    /// Reads the first `count` bytes of a file (all when nil), in pieces.
    ///
    /// - Returns: Size and SHA-256 of what was read; less than `count` when the file is shorter.
    package func read(
        _ path: String,
        count: Int? = nil,
        _ each: ([UInt8], Int) throws(DiskError) -> Void = { (_, _) throws(DiskError) in }
    ) throws(DiskError) -> (bytes: Int, sha256: Digest) {
        let file = try open(path, create: false, readOnly: true)
        let digest = DigestStream()
        var at = 0
        while at < count ?? .max {
            let piece = try file.read(at: at, count: min(1 << 20, (count ?? .max) - at))
            if piece.isEmpty { break }
            digest.add(piece[...])
            try each(piece, at)
            at += piece.count
        }
        return (at, digest.finish())
    }

    /// Copies the first `count` bytes of a file (all when nil) to a new one and syncs it; its directory must be there.
    package func copy(_ from: String, to: String, count: Int? = nil) throws(DiskError) -> (bytes: Int, sha256: Digest) {
        let target = try open(to, create: true, readOnly: false)
        let copied = try read(from, count: count) { (piece, at) throws(DiskError) in try target.write(piece, at: at) }
        try target.sync()
        return copied
    }
}
