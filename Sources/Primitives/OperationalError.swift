/// Who must act on an error.
public enum ErrorDomain: String, Sendable {
    /// The caller's request or configuration is wrong.
    case user
    /// The world refuses: a disk, a network, another service.
    case external
    /// Stored bytes are wrong; nobody may go on as if they were right.
    case integrity
}

/// Whether the same call may be repeated.
public enum RetryHint: String, Sendable {
    case never
    case afterBackoff
}

/// What an operator sees of an error: a stable code, who must act, whether to retry, and a sentence of fact and remedy.
public protocol OperationalError: Error, CustomStringConvertible {
    /// Stable, lower snake, `module.noun_problem`: metric label and row in docs/reference/errors.md.
    var code: String { get }
    var domain: ErrorDomain { get }
    var retry: RetryHint { get }
}

/// An error of the command line, of settings or of start-up, with its sentence.
public struct UsageError: OperationalError {
    public let code: String
    public let description: String
    public var domain: ErrorDomain { .user }
    public var retry: RetryHint { .never }

    public init(_ code: String, _ description: String) {
        self.code = code
        self.description = description
    }
}
