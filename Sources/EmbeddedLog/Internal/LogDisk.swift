import Primitives

/// A disk operation that the kernel refused.
package struct DiskError: Error, Equatable, Sendable, CustomStringConvertible {
    package var operation: String
    package var errno: Int32
    /// A sync failed, or undoing a write did: what is on the platter is not known, and the page cache may lie.
    package var isUncertain: Bool

    package init(operation: String, errno: Int32, isUncertain: Bool = false) {
        self.operation = operation
        self.errno = errno
        self.isUncertain = isUncertain
    }

    /// There was no room (EFBIG 27, ENOSPC 28, EDQUOT 122), and nothing of the operation is in doubt: space may return.
    package var isFull: Bool { !isUncertain && [27, 28, 122].contains(errno) }

    package var description: String { "\(operation): \(EmbeddedLogFailures.text(errno))" }
}

/// One file of a segment. Writes come from one thread; reads may come from several.
package protocol SegmentFile: AnyObject, Sendable {
    func size() throws(DiskError) -> Int
    func write(_ bytes: [UInt8], at position: Int) throws(DiskError)
    /// After it returns, all bytes written before survive a power cut.
    func sync() throws(DiskError)
    func truncate(to size: Int) throws(DiskError)
    /// Whether the path that was opened still names this file.
    func isInPlace() throws(DiskError) -> Bool
    /// Up to `count` bytes from `position`; fewer only at the end of the file.
    func read(at position: Int, count: Int) throws(DiskError) -> [UInt8]
}

/// The file system as the log needs it: a parameter, so that tests can lose, tear and fail.
package protocol LogDisk: Sendable {
    /// Names in a directory; empty when there is no such directory.
    func list(_ directory: String) throws(DiskError) -> [String]
    /// Makes the directory, its parents included, and makes their entries durable.
    func makeDirectory(_ directory: String) throws(DiskError)
    /// Opens for reading and writing, or for reading only when `readOnly`; `create` makes an empty file.
    func open(_ path: String, create: Bool, readOnly: Bool) throws(DiskError) -> any SegmentFile
    /// Makes additions to and removals from a directory durable.
    func syncDirectory(_ directory: String) throws(DiskError)
    /// Replaces a file's content atomically (temporary file, sync, rename, directory sync).
    func replace(_ path: String, with bytes: [UInt8]) throws(DiskError)
}
