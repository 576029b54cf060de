import CShims

/// Raw writes to standard output and error; `stdout` and `stderr` themselves are errors in Swift 6 mode.
package enum StandardStream {
    /// Writes all bytes; a closed stream is nobody's fault and ignored.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) {
        _ = unsafe bytes.withUnsafeBytes { unsafe cshims_write_all(descriptor, $0.baseAddress, $0.count) }
    }
}
