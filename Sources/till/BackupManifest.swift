import EmbeddedLog
import Formats
import Ports
import Primitives

/// What went wrong with a backup: the file, what was expected, what is there, and what to do.
struct BackupError: OperationalError {
    let code: String
    let domain: ErrorDomain
    let description: String
    var retry: RetryHint { .never }

    init(_ code: String, _ domain: ErrorDomain, _ description: String) {
        self.code = code
        self.domain = domain
        self.description = description
    }

    /// A disk operation that the kernel refused.
    static func disk(_ error: DiskError) -> BackupError { BackupError("backup.disk", .external, "\(error).") }
}

/// `MANIFEST.json` of a backup: what it contains, file by file. `MANIFEST.sha256` beside it is its checksum, in the form
/// that `sha256sum -c` reads.
struct BackupManifest: Equatable {
    struct File: Equatable {
        /// Below the backup's directory.
        var path: String
        var bytes: Int
        var sha256: Digest
    }

    struct Part: Equatable {
        var partition: String
        var start: Int64, end: Int64
    }

    static let format = 1
    static let name = "MANIFEST.json", sumName = "MANIFEST.sha256"
    /// A file is about 200 bytes: 80,000 segments.
    static let bytesMax = 16 << 20

    var till: String
    var madeAt: String
    /// Schema of the tables; 0 when the backup has none.
    var schema = 0
    /// What the tables contain.
    var positions = ""
    var log: [Part] = []
    var files: [File] = []

    var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    static func sumText(_ manifest: [UInt8]) -> [UInt8] {
        Array("\(Digest.sha256(of: manifest))  \(name)\n".utf8)
    }

    func encoded() -> [UInt8] {
        var json = JSONWriter()
        write(&json)
        return json.bytes
    }

    func write(_ json: inout JSONWriter) {
        json.beginObject()
        json.field("format", Self.format)
        json.field("till", till)
        json.field("made_at", madeAt)
        json.field("schema", schema)
        json.field("positions", positions)
        json.key("log")
        json.beginArray()
        for part in log {
            json.beginObject()
            json.field("partition", part.partition)
            json.field("start", part.start)
            json.field("end", part.end)
            json.endObject()
        }
        json.endArray()
        json.key("files")
        json.beginArray()
        for file in files {
            json.beginObject()
            json.field("path", file.path)
            json.field("bytes", file.bytes)
            json.field("sha256", file.sha256.description)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }

    /// Reads a manifest whose checksum was compared before; `path` is for messages.
    init(_ bytes: [UInt8], path: String) throws {
        var limits = JSONLimits()
        limits.bytesMax = Self.bytesMax
        limits.nodesMax = 2_000_000
        var tape = JSONTape(limits: limits)
        try tape.parse(bytes)
        func wrong(_ what: String) -> BackupError {
            BackupError("backup.manifest_invalid", .integrity, "\(path): \(what); take another backup.")
        }
        func text(_ object: Int, _ name: String) throws -> String {
            guard let node = tape.member(object, named: Array(name.utf8), in: bytes) else {
                throw wrong("\(name) is missing")
            }
            return tape.text(node, in: bytes).description
        }
        func number(_ object: Int, _ name: String) throws -> Int {
            let found = try text(object, name)
            guard let number = Int(found), number >= 0 else {
                throw wrong("\(name) is \(found.quotedForMessage), expected a whole number")
            }
            return number
        }
        func elements(_ name: String) throws -> [Int] {
            guard let list = tape.member(0, named: Array(name.utf8), in: bytes), tape.kind(list) == .array else {
                throw wrong("\(name) is no list")
            }
            var all: [Int] = []
            tape.forEachElement(list) { all.append($0) }
            return all
        }
        guard tape.kind(0) == .object else { throw wrong("it is no object") }
        let format = try number(0, "format")
        guard format == Self.format else {
            throw BackupError(
                "backup.format_unknown",
                .user,
                "\(path) has format \(format) and this till knows \(Self.format); use the till that made the backup, or a newer one."
            )
        }
        till = try text(0, "till")
        madeAt = try text(0, "made_at")
        schema = try number(0, "schema")
        positions = try text(0, "positions")
        log = try elements("log").map { part in
            Part(
                partition: try text(part, "partition"),
                start: Int64(try number(part, "start")),
                end: Int64(try number(part, "end"))
            )
        }
        files = try elements("files").map { file in
            let name = try text(file, "path")
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard name == "tables.sqlite" || parts.first == "log",
                !parts.contains(where: { ["", ".", ".."].contains($0) })
            else { throw wrong("\(name.quotedForMessage) is no file of a backup") }
            let sum = try text(file, "sha256")
            guard let digest = Hex.bytes(sum.utf8).flatMap({ Digest($0) }) else {
                throw wrong("the sha256 of \(name) is \(sum.quotedForMessage)")
            }
            return File(path: name, bytes: try number(file, "bytes"), sha256: digest)
        }
    }

    init(till: String, madeAt: String) {
        self.till = till
        self.madeAt = madeAt
    }
}
