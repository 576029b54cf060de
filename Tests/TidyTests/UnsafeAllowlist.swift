/// The files that may say `unsafe`, each with the reason: this is the list to audit.
///
/// Every such file argues lifetime and aliasing in a comment next to the expression. An entry names one file or a
/// family by role; a whole module only where the module *is* the wrapper of a C library.
enum UnsafeAllowlist {
    static let entries: [(glob: String, reason: String)] = [
        ("Sources/Primitives/Wire.swift", "appends and reads integers as a whole instead of byte by byte"),
        ("Sources/Proof/KeyCoding.swift", "looks for a zero eight bytes at a time"),
        ("Sources/Primitives/ByteString.swift", "hashes its bytes in place"),
        ("Sources/Primitives/Digest.swift", "hands bytes to OpenSSL and to the CRC of CShims"),
        ("Sources/Primitives/Identifier.swift", "hands bytes to OpenSSL's SHA-1 for uuid5"),
        ("Sources/Primitives/Mutant.swift", "reads one environment variable in a test build"),
        ("Sources/Primitives/SlowHash.swift", "hands bytes to OpenSSL's scrypt and takes a salt by getrandom"),
        ("Sources/till/DataIdentity.swift", "hands paths to chmod, statvfs and stat of CShims"),
        ("Sources/Network/HTTPClientTLS.swift", "wraps the TLS client of CTLS"),
        ("Sources/Primitives/Randomness.swift", "fills a seed by getrandom"),
        ("Sources/Primitives/ZoneRules.swift", "reads a TZif file"),
        ("Sources/Executors/*.swift", "threads, mutexes and condition variables of pthread"),
        ("Sources/Telemetry/Internal/*.swift", "write(2) and process figures"),
        ("Sources/YAMLTree/*.swift", "the module is the wrapper of libyaml"),
        ("Sources/Primitives/ErrorText.swift", "the text of an errno from libc"),
        ("Sources/Formats/*Scan*.swift", "scans input by words and by SSE2"),
        ("Sources/Formats/DuplicateKeyFinder.swift", "seeds its hash from the kernel"),
        ("Sources/Formats/InputFile.swift", "reads a descriptor into a buffer"),
        ("Sources/Network/HTTPClientConnection.swift", "passes a host name to connect"),
        ("Sources/Network/Internal/Poller.swift", "epoll: event arrays of system calls"),
        ("Sources/Network/Internal/HTTPText.swift", "UTF-8 check of CShims over a span"),
        ("Sources/Formats/*Gzip*.swift", "hands buffers to zlib"),
        ("Sources/Formats/*Inflate*.swift", "hands buffers to zlib"),
        ("Sources/Network/*Socket*.swift", "sockets: addresses and buffers of system calls"),
        ("Sources/Network/*EventLoop*.swift", "epoll: event arrays of system calls"),
        ("Sources/Network/Internal/*Socket*.swift", "sockets: addresses and buffers of system calls"),
        ("Sources/Network/Internal/*EventLoop*.swift", "epoll: event arrays of system calls"),
        ("Sources/EmbeddedLog/Internal/*.swift", "pwrite, pread and fdatasync of segment files"),
        ("Sources/SQLiteTables/Internal/*.swift", "handles and buffers of SQLite"),
        ("Sources/Proof/Scratch.swift", "writes and reads scratch files by system calls"),
        ("Sources/Proof/Sorter.swift", "compares keys in place, eight bytes at a time"),
        ("Sources/Console/*Asset*.swift", "the bytes of the dashboard that CAssets embeds"),
        ("Sources/till/*Process*.swift", "edges of the process: arguments, environment, signals, exit"),
        ("Sources/till/*Signal*.swift", "signal set-up"),
        ("Sources/till-bench/*Connection.swift", "sockets and epoll: buffers of system calls"),
        ("Sources/till-bench/StartRun.swift", "starts a child: posix_spawn and waitpid"),
    ]

    static let globs = entries.map(\.glob)

    /// The files that may hide a data race from the compiler: they build the locks that everything else uses.
    static let raceGlobs = ["Sources/Executors/*.swift", "Sources/SQLiteTables/Internal/*Handle.swift"]
}
