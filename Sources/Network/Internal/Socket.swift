import CShims
import Glibc

/// One socket descriptor; whoever holds it closes it once.
///
/// `unsafe` here: arrays are lent to one call each. Thread: the owner's.
struct Socket: Sendable {
    enum Transfer {
        /// Bytes moved; 0 on receipt is the end of the stream.
        case count(Int)
        case wouldBlock
        /// Positive errno.
        case broken(Int32)

        init(_ result: Int64) {
            self =
                if result >= 0 { .count(Int(result)) } else if result == Int64(-EAGAIN) || result == Int64(-EWOULDBLOCK)
                { .wouldBlock } else { .broken(Int32(clamping: -result)) }
        }
    }

    let fd: Int32

    /// Receives into the whole array.
    func receive(_ bytes: inout [UInt8]) -> Transfer {
        let count = bytes.count
        return unsafe Transfer(bytes.withUnsafeMutableBytes { unsafe cshims_recv(fd, $0.baseAddress, count) })
    }

    /// Sends what the socket takes of the bytes from `start`.
    func send(_ bytes: [UInt8], from start: Int) -> Transfer {
        precondition(start < bytes.count, "There is something to send")
        return unsafe Transfer(
            bytes.withUnsafeBytes { unsafe cshims_send(fd, $0.baseAddress?.advanced(by: start), $0.count - start) }
        )
    }

    func shutdownWrite() { _ = cshims_shutdown_write(fd) }
    func close() { _ = cshims_close(fd) }

    /// Whether a listening socket has a connection to accept.
    var hasWaiting: Bool { cshims_is_readable(fd) }

    /// The next connection of a listening socket, nil when there is none, or a positive errno.
    func accept() -> Result<Socket?, AcceptError> {
        let client = cshims_accept(fd)
        if client >= 0 { return .success(Socket(fd: client)) }
        switch -client {
        case EAGAIN, EWOULDBLOCK: return .success(nil)
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .failure(.noResources)
        default: return .failure(.gone)
        }
    }

    enum AcceptError: Error {
        /// The process has no descriptor or memory left.
        case noResources
        /// That one connection failed before it was accepted.
        case gone
    }

    /// Listens; a port of 0 takes a free one.
    static func listen(host: String, port: Int) throws(NetworkError) -> (socket: Socket, port: Int) {
        guard let number = UInt16(exactly: port) else { throw .addressInvalid(host: host + ":\(port)") }
        let fd = unsafe cshims_listen(host, number, NetworkLimits.backlog, false)
        guard fd >= 0 else {
            switch -fd {
            case EINVAL: throw .addressInvalid(host: host)
            case EADDRINUSE: throw .addressTaken(host: host, port: port)
            default: throw .listenRefused(host: host, port: port, cause: -fd)
            }
        }
        return (Socket(fd: fd), Int(cshims_bound_port(fd)))
    }
}
