import CShims

/// A file, or standard input for the path `-`, read in chunks from the start to the end; gzip is unpacked.
///
/// Gzip is recognised by its first two bytes, not by its name; several members one after another are one stream, and
/// zero bytes after the last are ignored as gzip(1) does. Plain bytes pass as they are. An error comes after all bytes
/// before it were returned, and repeats.
///
/// Thread: the owner's; ``read()`` blocks on the disk or the pipe.
public struct InputFile: ~Copyable {
    public static let unpackedBytesMax: Int64 = 64 << 30

    private enum Format { case unknown, plain, gzip }

    public let path: String
    private let descriptor: Int32
    private let chunkBytes: Int
    private let unpackedMax: Int64
    private var format = Format.unknown
    private var inflater: InflateHandle?
    private var packed: [UInt8] = []
    private var packedStart = 0
    /// Bytes of the stored file that were taken, for messages.
    private var offset: Int64 = 0
    private var unpacked: Int64 = 0
    private var isAtEnd = false
    private var isBetweenMembers = false
    private var failure: InputError?

    /// Opens for reading.
    ///
    /// - Parameters:
    ///   - path: A file, a pipe, or `-` for standard input.
    ///   - chunkBytes: Most bytes per ``read()``, 64 bytes to 16 MiB.
    ///   - unpackedBytesMax: Most bytes a gzip stream may unpack to: the defence against a bomb.
    /// - Returns: The file before its first byte; what it holds is looked at by the first ``read()``.
    /// - Throws: `notOpened`.
    public static func open(
        _ path: String,
        chunkBytes: Int = 1 << 18,
        unpackedBytesMax: Int64 = unpackedBytesMax
    ) throws(InputError) -> InputFile {
        if path == "-" { return InputFile(path, 0, chunkBytes, unpackedBytesMax) }
        if path.isEmpty || path.utf8.contains(0) { throw InputError(.notOpened, path: path) }
        // Lifetime: the bridged C string lives for the call.
        let descriptor = unsafe cshims_open(path, 0)
        if descriptor < 0 { throw InputError(.notOpened, path: path, errno: -descriptor) }
        return InputFile(path, descriptor, chunkBytes, unpackedBytesMax)
    }

    private init(_ path: String, _ descriptor: Int32, _ chunkBytes: Int, _ unpackedMax: Int64) {
        precondition(chunkBytes >= 64 && chunkBytes <= 16 << 20, "chunkBytes is 64 to 16 MiB")
        self.path = path
        self.descriptor = descriptor
        self.chunkBytes = chunkBytes
        self.unpackedMax = unpackedMax
    }

    deinit { if descriptor > 0 { _ = cshims_close(descriptor) } }

    /// The next bytes, at least one; nil at the end.
    ///
    /// - Throws: ``InputError`` with the byte of the stored file.
    public mutating func read() throws(InputError) -> [UInt8]? {
        if let failure { throw failure }
        do throws(InputError) {
            if format == .unknown { try recognise() }
            return format == .gzip ? try readUnpacked() : try readPlain()
        } catch {
            failure = error
            throw error
        }
    }

    /// Reads the first two bytes, which may arrive one by one through a pipe.
    private mutating func recognise() throws(InputError) {
        while packed.count < 2, let more = try readStored() { packed += more }
        let isGzip = packed.count >= 2 && packed[0] == 0x1F && packed[1] == 0x8B
        format = isGzip ? .gzip : .plain
        if isGzip { inflater = InflateHandle() }
    }

    private mutating func readPlain() throws(InputError) -> [UInt8]? {
        if packed.isEmpty { return try readStored() }
        defer { packed = [] }
        offset += Int64(packed.count)
        return packed
    }

    private mutating func readUnpacked() throws(InputError) -> [UInt8]? {
        guard let inflater else { return nil }
        var out = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            if packedStart == packed.count {
                packed = try readStored() ?? []
                packedStart = 0
                if packed.isEmpty {
                    if isBetweenMembers { return nil }
                    throw InputError(.gzipTruncated, path: path, offset: offset)
                }
            }
            if isBetweenMembers {
                if packed[packedStart] == 0 {
                    packedStart += 1
                    offset += 1
                    continue
                }
                inflater.reset()
                isBetweenMembers = false
            }
            let (consumed, produced, outcome) = inflater.inflate(packed, from: packedStart, into: &out)
            packedStart += consumed
            offset += Int64(consumed)
            unpacked += Int64(produced)
            if unpacked > unpackedMax {
                throw InputError(.tooLarge, path: path, offset: offset, limit: unpackedMax)
            }
            switch outcome {
            case .running: break
            case .memberEnd: isBetweenMembers = true
            case .corrupt: failure = InputError(.gzipCorrupt, path: path, offset: offset)
            case .outOfMemory: failure = InputError(.outOfMemory, path: path, offset: offset)
            }
            if produced > 0 {
                out.removeLast(out.count - produced)
                return out
            }
            if let failure { throw failure }
        }
    }

    /// Bytes as they are stored, or nil at the end.
    private mutating func readStored() throws(InputError) -> [UInt8]? {
        if isAtEnd { return nil }
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        // Lifetime: the pointer does not leave the closure; the kernel writes at most the buffer's count.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe cshims_read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            throw InputError(.readFailed, path: path, offset: offset, errno: Int32(truncatingIfNeeded: -count))
        }
        if count == 0 {
            isAtEnd = true
            return nil
        }
        if format == .plain { offset += count }
        chunk.removeLast(chunkBytes - Int(count))
        return chunk
    }
}
