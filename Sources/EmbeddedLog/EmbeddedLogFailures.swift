package import Ports
import Primitives

/// Kernel errors as errors of the port, and their names.
package enum EmbeddedLogFailures {
    /// The usual text of an errno, with the remedy where there is one.
    package static func text(_ errno: Int32) -> String {
        switch errno {
        case 2: "no such file or directory"
        case 5: "input/output error, the disk is failing"
        case 11: "another process holds it"
        case 13: "permission denied, till needs to own the data directory"
        case 24: "too many open files, raise the limit (ulimit -n)"
        case 27: "the file would be larger than the file system or `ulimit -f` allows"
        case 28: "no space left on the device, free some"
        case 30: "the file system is read-only"
        case 122: "the disk quota is used up"
        default: "\(errorText(errno)) (errno \(errno))"
        }
    }

    /// What a failed operation means to the log: wait for space, stop until a restart, or try again.
    package static func translate(_ error: DiskError) -> EventLogError {
        if error.isFull { return .full(operation: error.operation, cause: text(error.errno)) }
        if error.isUncertain { return .poisoned(cause: error.description) }
        return .unavailable(operation: error.operation, cause: text(error.errno))
    }
}

/// Runs disk calls and translates what they throw.
func onDisk<Value>(_ body: () throws(DiskError) -> Value) throws(EventLogError) -> Value {
    do throws(DiskError) {
        return try body()
    } catch {
        throw EmbeddedLogFailures.translate(error)
    }
}
