import CZlib
import Formats
import Glibc
import Primitives
import Testing

@Suite struct InputFileTests {
    static let plain: [UInt8] = {
        var random = SeededRandom(seed: 3)
        return (0..<40_000).flatMap { _ in Array("row \(UInt8.random(in: 0...255, using: &random))\n".utf8) }
    }()

    /// A path of this test alone, removed afterwards.
    func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let path = "/tmp/till-formats-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let file = try #require(fopen(path, "wb"))
        _ = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        fclose(file)
        defer { unlink(path) }
        try body(path)
    }

    func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let path = "/tmp/till-formats-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).gz"
        defer { unlink(path) }
        let file = try #require(gzopen(path, "wb6"))
        if !bytes.isEmpty { #expect(Int(gzwrite(file, bytes, UInt32(bytes.count))) == bytes.count) }
        gzclose(file)
        let stored = try #require(fopen(path, "rb"))
        defer { fclose(stored) }
        var out = [UInt8](repeating: 0, count: bytes.count + 1_000)
        let capacity = out.count
        let count = fread(&out, 1, capacity, stored)
        return Array(out.prefix(count))
    }

    func contents(_ path: String, chunk: Int = 4_096, max: Int64 = 1 << 30) throws -> [UInt8] {
        var file = try InputFile.open(path, chunkBytes: chunk, unpackedBytesMax: max)
        var out: [UInt8] = []
        while let bytes = try file.read() {
            #expect(!bytes.isEmpty && bytes.count <= chunk)
            out += bytes
        }
        return out
    }

    @Test(arguments: [0, 1, 2, 3, 64, 65, 300_000])
    func `plain bytes pass as they are`(size: Int) throws {
        let bytes = Array(Self.plain.prefix(size))
        try withFile(bytes) { try #expect(contents($0, chunk: 64) == bytes) }
    }

    @Test(arguments: [64, 1_000, 1 << 18])
    func `gzip round trip, one member, three members, padding`(chunk: Int) throws {
        let member = try gzip(Self.plain)
        let empty = try gzip([])
        let small = try gzip([0x61])
        try withFile(member) { try #expect(contents($0, chunk: chunk) == Self.plain) }
        try withFile(small + empty + member + small) {
            try #expect(contents($0, chunk: chunk) == [0x61] + Self.plain + [0x61])
        }
        try withFile(small + [UInt8](repeating: 0, count: 700)) { try #expect(contents($0, chunk: chunk) == [0x61]) }
        try withFile(empty) { try #expect(contents($0, chunk: chunk) == []) }
    }

    @Test func `a stream cut after any byte is truncated at that byte`() throws {
        let member = try gzip(Array("a short text, a short text".utf8))
        for length in 2..<member.count {
            try withFile(Array(member.prefix(length))) { path in
                #expect { try contents(path) } throws: {
                    ($0 as? InputError)?.problem == .gzipTruncated && ($0 as? InputError)?.offset == Int64(length)
                }
            }
        }
    }

    @Test func `damage is an error or the same bytes, never a crash`() throws {
        let text = Array(Self.plain.prefix(300))
        let member = try gzip(text)
        for byte in 2..<member.count {
            var damaged = member
            damaged[byte] ^= 0x55
            try withFile(damaged) { path in
                do {
                    try #expect(contents(path) == text, "only the header's free bytes may differ: \(byte)")
                } catch let error as InputError {
                    #expect(error.problem == .gzipCorrupt || error.problem == .gzipTruncated)
                    #expect(error.offset <= member.count)
                }
            }
        }
        try withFile(member + Array("garbage".utf8)) { path in
            var file = try InputFile.open(path)
            #expect(try file.read() == text, "what came before the damage is delivered")
            for _ in 0..<2 {
                do throws(InputError) {
                    _ = try file.read()
                    Issue.record("garbage after the last member is an error")
                } catch {
                    #expect(error.problem == .gzipCorrupt)
                }
            }
        }
    }

    @Test func `a bomb stops at the limit`() throws {
        let bomb = try gzip([UInt8](repeating: 0, count: 1 << 20))
        try withFile(bomb) { path in
            try #expect(contents(path, max: 1 << 20).count == 1 << 20)
            #expect { try contents(path, max: (1 << 20) - 1) } throws: {
                "\($0)".hasSuffix("unpacks to more than the limit of 1048575 bytes; split it.")
            }
        }
    }

    @Test func `a path that cannot be read says why`() {
        #expect { try contents("/nonexistent/x") } throws: {
            "\($0)"
                == "File \"/nonexistent/x\" cannot be opened: No such file or directory; check the path and its permissions."
        }
        #expect { try contents("/tmp") } throws: { ($0 as? InputError)?.problem == .readFailed }
        #expect { try contents("") } throws: { ($0 as? InputError)?.problem == .notOpened }
        #expect { try contents("a\u{0}b") } throws: { ($0 as? InputError)?.problem == .notOpened }
    }
}
