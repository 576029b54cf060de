import Foundation

/// The files of this repository as a fresh clone would show them: no build products, no vendored assets.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let skippedNames: Set<String> = [
        ".git", ".build", ".build-mutants", ".build-sim", ".dev", ".swiftpm", "vendor", "__pycache__",
        ".pytest_cache", ".ruff_cache",
    ]

    /// Extensions of files that are read as text; a file without extension counts when it begins with `#!`.
    static let textExtensions: Set<String> = [
        "swift", "c", "h", "py", "sh", "md", "yaml", "yml", "toml", "txt", "js", "css", "html", "json", "scenario",
        "modulemap", "service", "conf",
    ]

    static let files: [SourceFile] = paths(under: root, prefix: "").sorted().compactMap(read)

    static func files(under folder: String, extensions: Set<String> = ["swift"]) -> [SourceFile] {
        files.filter { $0.path.hasPrefix(folder + "/") && extensions.contains($0.fileExtension) }
    }

    /// Names directly in a folder, sorted; none when the folder is not there.
    static func names(in folder: String) -> [String] {
        let path = root.appendingPathComponent(folder).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    private static func paths(under folder: URL, prefix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { !skippedNames.contains($0) }.flatMap { name -> [String] in
            let item = folder.appendingPathComponent(name)
            let attributes = try? FileManager.default.attributesOfItem(atPath: item.path)
            switch attributes?[.type] as? FileAttributeType {
            case .typeDirectory?:
                return paths(under: item, prefix: prefix + name + "/")
            case .typeRegular?: return [prefix + name]
            default: return []
            }
        }
    }

    private static func read(_ path: String) -> SourceFile? {
        let fileExtension = (path as NSString).pathExtension
        guard textExtensions.contains(fileExtension) || fileExtension.isEmpty || path.hasPrefix(".") else { return nil }
        guard let bytes = try? Data(contentsOf: root.appendingPathComponent(path)), !bytes.contains(0),
            let text = String(bytes: bytes, encoding: .utf8)
        else { return nil }
        return SourceFile(path: path, text: text)
    }
}

/// One text file, by its path from the repository's root.
struct SourceFile: Sendable {
    let path: String
    let text: String

    var fileExtension: String { (path as NSString).pathExtension }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// Whether the path matches one of the patterns: `*` stays within a folder, `**` crosses folders.
    func matches(anyOf globs: [String]) -> Bool { globs.contains { Self.path(path, matches: $0) } }

    static func path(_ path: String, matches glob: String) -> Bool {
        let crossing = glob.contains("**")
        return fnmatch(
            crossing ? glob.replacingOccurrences(of: "**", with: "*") : glob,
            path,
            crossing ? 0 : FNM_PATHNAME
        ) == 0
    }
}
