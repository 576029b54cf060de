import EmbeddedLog
import Formats
import Primitives
import Settings

/// `till restore DIR --data NEWDIR`: checks every byte of a backup before anything is written, then puts it in place.
enum RestoreCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: ["data"], switches: ["json", "verify"])
        let source = BackupCommand.withoutSlash(try arguments.only("backup directory"))
        let disk = PosixDisk()
        do {
            if arguments.has("verify") {
                guard arguments["data"] == nil else {
                    throw UsageError("cli.restore_usage", "--verify only checks; leave --data out.")
                }
                report("verified", source, try verify(source, disk), json: arguments.has("json"))
                return .success
            }
            guard let data = arguments["data"].map(BackupCommand.withoutSlash), !data.isEmpty else {
                throw UsageError(
                    "cli.restore_usage",
                    "Say till restore DIR --data NEWDIR, or till restore --verify DIR."
                )
            }
            let manifest = try verify(source, disk)
            let partial = try BackupCommand.begin(data, disk)
            var directories: Set<String> = [partial]
            for file in manifest.files {
                let target = partial + "/" + file.path
                let directory = PosixDisk.parent(of: target)
                if directories.insert(directory).inserted { try disk.makeDirectory(directory) }
                let (bytes, sum) = try disk.copy(source + "/" + file.path, to: target)
                try compare(file, bytes, sum, source)
            }
            for directory in directories.sorted() { try disk.syncDirectory(directory) }
            try disk.move(partial, to: data)
            report("restored", data, manifest, json: arguments.has("json"))
        } catch let error as DiskError {
            throw BackupError.disk(error)
        }
        return .success
    }

    /// Reads the whole backup; throws at the first file that is not as the manifest says.
    static func verify(_ source: String, _ disk: PosixDisk) throws -> BackupManifest {
        guard disk.isDirectory(source) else {
            throw BackupError("backup.not_found", .user, "There is no directory \(source); name a backup.")
        }
        let path = source + "/" + BackupManifest.name
        let sumPath = source + "/" + BackupManifest.sumName
        guard disk.exists(path), disk.exists(sumPath) else {
            throw BackupError(
                "backup.manifest_missing",
                .integrity,
                "\(disk.exists(path) ? sumPath : path) is missing: this is no backup, or one that was not finished (DIR.partial); name another."
            )
        }
        let text = try WholeFile.read(path, bytesMax: BackupManifest.bytesMax)
        let expected = BackupManifest.sumText(text)
        guard try WholeFile.read(sumPath, bytesMax: 1 << 10) == expected else {
            throw BackupError(
                "backup.manifest_damaged",
                .integrity,
                "\(path) has SHA-256 \(Digest.sha256(of: text)), which is not what \(sumPath) says; one of the two is damaged: use another backup."
            )
        }
        let manifest = try BackupManifest(text, path: path)
        for file in manifest.files {
            guard disk.exists(source + "/" + file.path) else {
                throw BackupError(
                    "backup.file_missing",
                    .integrity,
                    "\(source)/\(file.path) is missing, expected \(file.bytes) bytes; use another backup."
                )
            }
            let (bytes, sum) = try disk.read(source + "/" + file.path)
            try compare(file, bytes, sum, source)
        }
        return manifest
    }

    private static func compare(_ file: BackupManifest.File, _ bytes: Int, _ sum: Digest, _ source: String) throws {
        guard bytes != file.bytes || sum != file.sha256 else { return }
        let what =
            bytes != file.bytes
            ? "has \(bytes) bytes, expected \(file.bytes)" : "has SHA-256 \(sum), expected \(file.sha256)"
        throw BackupError(
            "backup.file_damaged",
            .integrity,
            "\(source)/\(file.path) \(what); the file was changed after the backup: use another backup."
        )
    }

    static func json(_ what: String, _ directory: String, _ manifest: BackupManifest) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field(what, directory)
        json.field("files", manifest.files.count)
        json.field("bytes", manifest.bytes)
        json.key("manifest")
        manifest.write(&json)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func report(_ what: String, _ directory: String, _ manifest: BackupManifest, json asJSON: Bool) {
        TillMain.print(
            asJSON
                ? json(what, directory, manifest)
                : "\(what) \(directory): \(manifest.files.count) files, \(manifest.bytes) bytes, as made by till \(manifest.till) at \(manifest.madeAt)"
        )
    }
}
