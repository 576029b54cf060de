public import Primitives

/// Why a file cannot be read (on).
public struct InputError: OperationalError, Hashable {
    public enum Problem: String, Sendable, CaseIterable {
        case notOpened = "input.not_opened"
        case readFailed = "input.read_failed"
        case gzipCorrupt = "input.gzip_corrupt"
        case gzipTruncated = "input.gzip_truncated"
        case tooLarge = "input.too_large"
        case outOfMemory = "input.out_of_memory"
    }

    public let problem: Problem
    public let path: String
    /// Byte of the file as it is stored (compressed, if it is).
    public let offset: Int64
    /// The kernel's error number, or 0.
    public let errno: Int32
    /// The exceeded limit in bytes, or 0.
    public let limit: Int64

    init(_ problem: Problem, path: String, offset: Int64 = 0, errno: Int32 = 0, limit: Int64 = 0) {
        self.problem = problem
        self.path = path
        self.offset = offset
        self.errno = errno
        self.limit = limit
    }

    public var code: String { problem.rawValue }

    public var domain: ErrorDomain {
        switch problem {
        case .notOpened, .gzipCorrupt, .gzipTruncated, .tooLarge: .user
        case .readFailed, .outOfMemory: .external
        }
    }

    public var retry: RetryHint { domain == .external ? .afterBackoff : .never }

    public var description: String {
        let file = path.quotedForMessage
        let cause = errno == 0 ? "the path is not usable" : errorText(errno)
        return switch problem {
        case .notOpened: "File \(file) cannot be opened: \(cause); check the path and its permissions."
        case .readFailed: "File \(file) cannot be read at byte \(offset): \(cause)."
        case .gzipCorrupt: "File \(file) is damaged gzip at compressed byte \(offset); fetch it again."
        case .gzipTruncated: "File \(file) ends inside a gzip member at compressed byte \(offset); fetch it again."
        case .tooLarge: "File \(file) unpacks to more than the limit of \(limit) bytes; split it."
        case .outOfMemory: "File \(file) cannot be unpacked: no memory for zlib."
        }
    }
}
