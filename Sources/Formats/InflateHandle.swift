import CZlib

/// Owns one zlib stream that inflates gzip members.
///
/// Thread: the owner's. zlib keeps a pointer back to the z_stream, so it stands in memory of its own, made here and
/// freed in `deinit` (so the class is safe to use); input and output pointers are set and cleared within one ``inflate(_:from:into:)``.
@safe final class InflateHandle {
    enum Outcome: Equatable {
        /// More input or more room for output is needed.
        case running
        /// The member ended and its checksum and length fit.
        case memberEnd
        case corrupt
        case outOfMemory
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe czlib_inflate_init_gzip(stream) == Z_OK
    }

    deinit {
        if isReady { _ = unsafe inflateEnd(stream) }
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Inflates from `input[from...]` into `output`, whose whole count is room.
    ///
    /// - Returns: bytes consumed, bytes produced, and what happened.
    func inflate(
        _ input: [UInt8],
        from: Int,
        into output: inout [UInt8]
    ) -> (consumed: Int, produced: Int, outcome: Outcome) {
        guard isReady else { return (0, 0, .outOfMemory) }
        precondition(from >= 0 && from <= input.count, "the input begins inside the bytes")
        // Lifetime: both pointers are used only inside the closures and cleared before they end; zlib does not write
        // to its input. Aliasing: `output` is inout, so it is not `input`.
        return unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
                    mutating: source.baseAddress.map { unsafe $0 + from }
                )
                unsafe stream.pointee.avail_in = UInt32(source.count - from)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                let consumed = source.count - from - Int(unsafe stream.pointee.avail_in)
                let produced = target.count - Int(unsafe stream.pointee.avail_out)
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.next_out = nil
                return (consumed, produced, Self.outcome(result))
            }
        }
    }

    /// Makes ready for the next member.
    func reset() { if isReady { _ = unsafe inflateReset(stream) } }

    private static func outcome(_ result: Int32) -> Outcome {
        switch result {
        case Z_OK, Z_BUF_ERROR: .running
        case Z_STREAM_END: .memberEnd
        case Z_MEM_ERROR: .outOfMemory
        default: .corrupt
        }
    }
}
