import CShims
import Primitives
import Synchronization

/// Where runs are spilled: files without a name, so nothing is left behind however the process ends.
package final class Scratch: Sendable {
    let directory: String
    /// Of the whole process: two proofs at once may share a directory.
    private static let number = Mutex(0)
    private let isOurs: Bool

    /// - Parameter directory: Made when it is missing, and then removed at the end; its parent must exist.
    package init(directory: String) throws(ProofError) {
        self.directory = directory
        // Lifetime: the bridged C strings live for the calls.
        isOurs = unsafe cshims_path_size(directory) < 0
        try make()
    }

    deinit { if isOurs { _ = unsafe cshims_rmdir(directory) } }

    private func make() throws(ProofError) {
        let result = unsafe cshims_mkdir(directory)
        if result < 0 { throw .scratch(operation: "create", path: directory, errno: -result) }
    }

    /// A new file that disappears with its object.
    func makeFile() throws(ProofError) -> ScratchFile {
        let name = Self.number.withLock { number in
            number += 1
            return number
        }
        // Another proof that made the directory may have removed it, empty as it looks.
        try make()
        return try ScratchFile(path: "\(directory)/prove-\(cshims_pid())-\(name)")
    }
}

/// One unlinked file, written from the start to the end and then read. Thread: one writer, then any reader.
final class ScratchFile: Sendable {
    private let descriptor: Int32
    let name: String
    private let written = Mutex<Int64>(0)

    init(path: String) throws(ProofError) {
        name = path
        descriptor = unsafe cshims_open(path, 1 | 2 | 8)
        if descriptor < 0 { throw .scratch(operation: "create", path: path, errno: -descriptor) }
        _ = unsafe cshims_unlink(path)
    }

    deinit { _ = cshims_close(descriptor) }

    var size: Int64 { written.withLock { $0 } }

    func append(_ bytes: [UInt8]) throws(ProofError) {
        let at = size
        // Lifetime: the callee reads the array before it returns.
        let result = unsafe bytes.withUnsafeBytes {
            unsafe cshims_pwrite_all(descriptor, $0.baseAddress, $0.count, at)
        }
        if result < 0 { throw .scratch(operation: "write", path: name, errno: -result) }
        written.withLock { $0 += Int64(bytes.count) }
    }

    /// Exactly `count` bytes from `position`.
    func read(at position: Int64, count: Int) throws(ProofError) -> [UInt8] {
        var result: Int64 = 0
        // Lifetime: the callee writes into the new array's storage before it returns.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            result = unsafe cshims_pread_all(descriptor, buffer.baseAddress, count, position)
            initialized = max(0, Int(result))
        }
        if result < 0 { throw .scratch(operation: "read", path: name, errno: Int32(-result)) }
        if bytes.count != count { throw .damagedScratch(path: name) }
        return bytes
    }
}
