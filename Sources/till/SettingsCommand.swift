import Formats
import Primitives
import Settings

/// `till settings --effective`: every setting, its value and where it comes from.
enum SettingsCommand {
    /// Options that every command with settings takes.
    static let options: Set<String> = Set(SettingName.allCases.map(\.rawValue)).union(["config"])

    static func load(_ arguments: Arguments) throws -> TillSettings {
        var file: (name: String, bytes: [UInt8])?
        if let path = arguments["config"] { file = (path, try WholeFile.read(path, bytesMax: 1 << 20)) }
        let flags = SettingName.allCases.compactMap { name in arguments[name.rawValue].map { (name, $0) } }
        do throws(TillSettings.Problems) {
            return try TillSettings(
                file: file,
                environment: ProcessEdges.environment,
                flags: flags,
                readSecret: { try WholeFile.read($0, bytesMax: 4_096) }
            )
        } catch {
            throw UsageError("settings.invalid", error.description)
        }
    }

    /// Variables that look like settings and are none: most often one that is misspelled.
    static var unknownVariables: [String] {
        let known = Set(SettingName.allCases.map(\.environmentName) + [IngestCommand.Address.tokenVariable])
        return ProcessEdges.environmentNames("TILL_").filter { !known.contains($0) }
    }

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: options, switches: ["effective", "json"])
        guard arguments.rest.isEmpty, arguments.has("effective") else {
            throw UsageError("cli.settings_usage", "Say till settings --effective.")
        }
        let settings = try load(arguments)
        if arguments.has("json") {
            var json = JSONWriter()
            json.beginObject()
            for name in SettingName.allCases {
                json.key(name.rawValue)
                json.beginObject()
                json.field("value", settings[name].text)
                json.field("origin", settings[name].origin)
                json.endObject()
            }
            json.key("contracts")
            json.beginArray()
            for path in settings.contracts { json.string(path) }
            json.endArray()
            json.key("identities")
            json.beginArray()
            for identity in settings.identities { json.string(identity.name) }
            json.endArray()
            json.key("unknown_variables")
            json.beginArray()
            for name in unknownVariables { json.string(name) }
            json.endArray()
            json.endObject()
            TillMain.print(String(decoding: json.bytes, as: UTF8.self))
        } else {
            for name in SettingName.allCases {
                TillMain.print("\(name.rawValue): \(settings[name].text)    # \(settings[name].origin)")
            }
            for name in unknownVariables { TillMain.print("\(name) of the environment is no setting") }
            if !settings.contracts.isEmpty { TillMain.print("contracts: \(settings.contracts)") }
            for identity in settings.identities {
                TillMain.print(
                    "identity \(identity.name): \(identity.scopes.map(\.description).sorted().joined(separator: " "))"
                )
            }
        }
        return .success
    }
}

/// Reads small files completely.
enum WholeFile {
    static func read(_ path: String, bytesMax: Int) throws -> [UInt8] {
        var input = try InputFile.open(path)
        var bytes: [UInt8] = []
        while let chunk = try input.read() {
            bytes += chunk
            if bytes.count > bytesMax {
                throw UsageError("cli.file_too_large", "\(path) is larger than \(bytesMax) bytes; name a smaller file.")
            }
        }
        return bytes
    }
}
