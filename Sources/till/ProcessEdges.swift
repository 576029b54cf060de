import CAssets
import CShims

/// What comes from outside the language: the environment and what is embedded in the binary.
enum ProcessEdges {
    /// An environment variable. The C string is copied at once.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe cshims_getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The words of the command line behind the program's name; `CommandLine` would need /proc.
    static func arguments() -> [String] {
        var words: [String] = []
        while let word = unsafe cshims_argument_at(Int32(words.count + 1)) {
            unsafe words.append(String(cString: word))
        }
        return words
    }

    /// Names of the environment's variables that begin with `start`, in order.
    static func environmentNames(_ start: String) -> [String] {
        var names: [String] = []
        var index: Int32 = 0
        while let entry = unsafe cshims_environment_at(index) {
            let name = unsafe String(cString: entry).prefix { $0 != "=" }
            if name.hasPrefix(start) { names.append(String(name)) }
            index += 1
        }
        return names.sorted()
    }

    /// Contracts embedded at build time from the folder Contracts; the bytes are static storage of the binary.
    static func embeddedContracts() -> [BuiltInContracts.Text] {
        var found: [BuiltInContracts.Text] = []
        var index: Int32 = 0
        while true {
            let file = unsafe cassets_contract_at(index)
            guard let name = unsafe file.path, let bytes = unsafe file.bytes else { return found }
            unsafe found.append(
                BuiltInContracts.Text(
                    name: String(cString: name),
                    bytes: Array(UnsafeBufferPointer(start: bytes, count: file.size))
                )
            )
            index += 1
        }
    }
}
