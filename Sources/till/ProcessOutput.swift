import CShims
import Primitives

/// A file that is written from its beginning, or standard output for `-`. Thread: the owner's.
final class OutputFile {
    private let path: String
    private let descriptor: Int32

    /// Creates the file, or empties it.
    init(_ path: String) throws {
        self.path = path
        guard path != "-" else {
            descriptor = 1
            return
        }
        // Lifetime: the path is lent to the call.
        descriptor = unsafe cshims_open(path, 1 | 2 | 8)
        guard descriptor >= 0 else { throw Self.failure(path, -descriptor) }
    }

    deinit { if path != "-", descriptor >= 0 { _ = cshims_close(descriptor) } }

    func write(_ bytes: [UInt8]) throws {
        // Lifetime: the bytes are lent to the call.
        let result = unsafe bytes.withUnsafeBytes { unsafe cshims_write_all(descriptor, $0.baseAddress, $0.count) }
        guard result == 0 else { throw Self.failure(path, -result) }
    }

    /// Whether two paths name one file that there is.
    static func isSame(_ a: String, _ b: String) -> Bool {
        var (deviceA, inodeA, deviceB, inodeB) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        // Lifetime: paths and numbers are lent to the calls.
        guard unsafe cshims_file_identity(a, &deviceA, &inodeA) == 0,
            unsafe cshims_file_identity(b, &deviceB, &inodeB) == 0
        else { return false }
        return deviceA == deviceB && inodeA == inodeB
    }

    private static func failure(_ path: String, _ errno: Int32) -> UsageError {
        UsageError(
            "cli.output_unwritable",
            "\(path.quotedForMessage) cannot be written (\(errorText(errno))); name another file, or - for standard output."
        )
    }
}
