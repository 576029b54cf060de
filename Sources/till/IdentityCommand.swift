import Primitives

/// `till identity hash`: the line of a configuration that stands for a secret, which is read from standard input.
enum IdentityCommand {
    private static let secretBytesMax = 4_096

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: [], switches: [])
        guard arguments.rest == ["hash"] else {
            throw UsageError("cli.identity_usage", "Say till identity hash, and give the secret on standard input.")
        }
        var secret = try WholeFile.read("-", bytesMax: secretBytesMax)
        while secret.last == 0x0A || secret.last == 0x0D { secret.removeLast() }
        guard !secret.isEmpty else {
            throw UsageError("cli.identity_secret_empty", "The secret is empty; give it on standard input.")
        }
        TillMain.print(SlowHash(of: secret).description)
        return .success
    }
}
