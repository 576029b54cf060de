import CTLS
import Glibc

/// How the small client knows that it speaks with the right server.
package struct HTTPClientTLS: Sendable, Equatable {
    /// PEM of the authorities that are trusted; nil: those of the system.
    package var authorities: String?

    package init(authorities: String?) { self.authorities = authorities }
}

/// The client's side of TLS on one socket, which it does not own. Thread: the owner's.
@safe final class TLSClient {
    // Owned: made by init, freed by deinit, never shared.
    private let client: OpaquePointer

    private static let errorBytes = 256

    init(_ socket: Socket, _ trust: HTTPClientTLS, host: String, port: Int) throws(HTTPClientError) {
        var error = [CChar](repeating: 0, count: Self.errorBytes)
        // Lifetime: names and buffer are lent to the call.
        let made = unsafe error.withUnsafeMutableBufferPointer { error in
            if let file = trust.authorities {
                unsafe ctls_connect(socket.fd, host, file, error.baseAddress, error.count)
            } else {
                unsafe ctls_connect(socket.fd, host, nil, error.baseAddress, error.count)
            }
        }
        guard let made = unsafe made else {
            let text = error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw .notTrusted(host: host, port: port, why: String(decoding: text, as: UTF8.self))
        }
        unsafe client = made
    }

    deinit { unsafe ctls_free(client) }

    func receive(_ bytes: inout [UInt8]) -> Socket.Transfer {
        let count = bytes.count
        return unsafe Socket.Transfer(bytes.withUnsafeMutableBytes { unsafe ctls_recv(client, $0.baseAddress, count) })
    }

    func send(_ bytes: [UInt8], from start: Int) -> Socket.Transfer {
        unsafe Socket.Transfer(
            bytes.withUnsafeBytes { unsafe ctls_send(client, $0.baseAddress?.advanced(by: start), $0.count - start) }
        )
    }
}
