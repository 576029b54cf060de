import EmbeddedLog
import Formats
import Ports
import Primitives
import SQLiteTables
import Settings

/// `till backup DIR`: a consistent copy of a data directory, also beside a running till; takes no lock.
///
/// The tables come first, as one snapshot, then the log, which then reaches at least as far. Everything is written to
/// `DIR.partial` and renamed at the end: what is called DIR is complete.
enum BackupCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: SettingsCommand.options, switches: ["json"])
        let target = withoutSlash(try arguments.only("directory for the backup"))
        let data = withoutSlash(try SettingsCommand.load(arguments).text(.data))
        let disk = PosixDisk()
        do {
            guard try !disk.list(data + "/log").isEmpty else {
                throw BackupError(
                    "backup.nothing",
                    .user,
                    "\(data) holds no log; name the data directory of a till with --data."
                )
            }
            guard disk.exists(data + "/tables.sqlite") else {
                throw BackupError(
                    "backup.tables_missing",
                    .external,
                    "\(data) has a log and no tables.sqlite, which somebody removed; nothing was written: restart till there, which makes the tables again from the log, then back up."
                )
            }
            let partial = try begin(target, disk)
            let manifest = try make(data, partial, disk)
            try disk.move(partial, to: target)
            report(manifest, target, json: arguments.has("json"))
        } catch let error as DiskError {
            throw BackupError.disk(error)
        }
        return .success
    }

    static func withoutSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The directory that becomes `target` at the end, made now; refuses to touch what is there.
    static func begin(_ target: String, _ disk: PosixDisk) throws -> String {
        let partial = target + ".partial"
        if disk.exists(target), try !disk.list(target).isEmpty || !disk.isDirectory(target) {
            throw BackupError(
                "backup.target_exists",
                .user,
                "\(target) exists and is not empty; nothing was changed: name a new directory, or remove that one first."
            )
        }
        if disk.exists(partial) {
            throw BackupError(
                "backup.partial_exists",
                .user,
                "\(partial) exists: another till writes it now, or died while it did; nothing was changed: remove it when no other runs."
            )
        }
        try disk.makeDirectory(partial)
        return partial
    }

    private static func make(_ data: String, _ partial: String, _ disk: PosixDisk) throws -> BackupManifest {
        var manifest = BackupManifest(till: TillMain.version, madeAt: SystemTime().now().description)
        var positions = PositionVector()
        let tables = data + "/tables.sqlite"
        if disk.exists(tables) {
            let copy = partial + "/tables.sqlite"
            let contents = try SQLiteCopy.make(of: tables, to: copy)
            try disk.sync(copy)
            let (bytes, sum) = try disk.read(copy)
            positions = contents.positions
            manifest.schema = contents.schema
            manifest.positions = positions.description
            manifest.files.append(BackupManifest.File(path: "tables.sqlite", bytes: bytes, sha256: sum))
        }
        for part in try LogCopy.parts(data + "/log", disk) {
            try disk.makeDirectory("\(partial)/log/\(part.partition)")
            for piece in part.pieces {
                let name = "log/\(piece.path)"
                let (bytes, sum) = try disk.copy("\(data)/\(name)", to: "\(partial)/\(name)", count: piece.bytes)
                guard bytes == piece.bytes else {
                    throw BackupError(
                        "backup.source_changed",
                        .integrity,
                        "\(data)/\(name) has \(bytes) bytes, expected at least \(piece.bytes): someone cut it meanwhile; run till log verify."
                    )
                }
                manifest.files.append(BackupManifest.File(path: name, bytes: bytes, sha256: sum))
            }
            try disk.syncDirectory("\(partial)/log/\(part.partition)")
            manifest.log.append(
                BackupManifest.Part(partition: part.partition.description, start: part.start, end: part.end)
            )
            let stored = positions.offsets.removeValue(forKey: part.partition) ?? 0
            if stored > part.end { throw behind(part.partition, stored, part.end) }
        }
        for (partition, stored) in positions.offsets where stored > 0 { throw behind(partition, stored, 0) }
        let text = manifest.encoded()
        try disk.replace(partial + "/" + BackupManifest.name, with: text)
        try disk.replace(partial + "/" + BackupManifest.sumName, with: BackupManifest.sumText(text))
        return manifest
    }

    private static func behind(_ partition: TopicPartition, _ stored: Int64, _ end: Int64) -> BackupError {
        BackupError(
            "backup.log_behind",
            .integrity,
            "The tables contain \(partition) up to offset \(stored) and its log ends at \(end): the log lost records; run till log verify."
        )
    }

    private static func report(_ manifest: BackupManifest, _ target: String, json asJSON: Bool) {
        if asJSON {
            TillMain.print(RestoreCommand.json("backup", target, manifest))
        } else {
            let ends = manifest.log.map { "\($0.partition):\($0.end)" }.joined(separator: ",")
            TillMain.print(
                "backup \(target): \(manifest.files.count) files, \(manifest.bytes) bytes; tables at \(manifest.positions.isEmpty ? "nothing" : manifest.positions), log up to \(ends)"
            )
        }
    }
}
