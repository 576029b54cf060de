import Primitives
import YAMLTree

/// Reads the identities of a configuration file.
enum IdentityReader {
    private static let members = "name, secret_hash, secret_file, secret_sha256, scopes, senders"
    private static let emptySecret = Digest.sha256(of: [UInt8]())

    static func read(
        _ node: YAMLNode,
        _ file: String,
        _ readSecret: (String) throws -> [UInt8],
        _ problems: inout [TillSettings.Problem]
    ) -> [Identity] {
        var found: [Identity] = []
        for item in node.items ?? [] {
            let identity = identity(item, file, readSecret, &problems)
            if found.contains(where: { $0.name == identity.name }) {
                problems.append(problem(item, file, "two identities are named \(identity.name.quotedForMessage)"))
            }
            found.append(identity)
        }
        if node.items == nil { problems.append(problem(node, file, "identities is a list")) }
        return found
    }

    private static func problem(_ node: YAMLNode, _ file: String, _ sentence: String) -> TillSettings.Problem {
        TillSettings.Problem(place: "\(file):\(node.line):\(node.column)", sentence: sentence)
    }

    private static func identity(
        _ item: YAMLNode,
        _ file: String,
        _ readSecret: (String) throws -> [UInt8],
        _ problems: inout [TillSettings.Problem]
    ) -> Identity {
        var identity = Identity(
            name: "",
            secret: .fast(.zero),
            scopes: [],
            place: "\(file):\(item.line):\(item.column)"
        )
        var secrets = 0
        for entry in item.entries ?? [] {
            let text = entry.value.text ?? ""
            switch entry.key.text {
            case "name": identity.name = text
            case "secret_sha256", "secret_hash", "secret_file":
                secrets += 1
                switch secret(entry.key.text ?? "", text, readSecret) {
                case .success(let secret): identity.secret = secret
                case .failure(let refusal): problems.append(problem(entry.value, file, refusal.sentence))
                }
            case "scopes":
                for scope in entry.value.items ?? [] {
                    guard let known = Scope(scope.text ?? "") else {
                        let sentence = "\((scope.text ?? "").quotedForMessage) is not a scope; known are \(Scope.known)"
                        problems.append(problem(scope, file, sentence))
                        continue
                    }
                    if case .readCustomer = known, identity.customer != nil {
                        problems.append(
                            problem(scope, file, "an identity is of one customer; name one read:customer:SOURCE:KEY")
                        )
                    }
                    identity.scopes.insert(known)
                }
                if entry.value.items?.isEmpty ?? true {
                    problems.append(
                        problem(entry.value, file, "scopes is a list with one scope or more of \(Scope.known)")
                    )
                }
            case "senders":
                let names = (entry.value.items ?? []).compactMap(\.text).filter { !$0.isEmpty }
                if names.isEmpty || names.count != entry.value.items?.count {
                    problems.append(
                        problem(entry.value, file, "senders is a list of names that X-Till-Sender may have")
                    )
                }
                identity.senders = Set(names)
            default:
                let sentence = "\((entry.key.text ?? "").quotedForMessage) is not known here; known are \(members)"
                problems.append(problem(entry.key, file, sentence))
            }
        }
        if identity.name.isEmpty || identity.name.contains(":") {
            problems.append(problem(item, file, "an identity needs a name without a colon"))
        }
        if secrets != 1 {
            let sentence =
                "an identity needs one of secret_hash (till identity hash prints it), secret_file, secret_sha256"
            problems.append(problem(item, file, sentence))
        }
        if !(item.entries ?? []).contains(where: { $0.key.text == "scopes" }) {
            problems.append(problem(item, file, "an identity needs scopes: one or more of \(Scope.known)"))
        }
        return identity
    }

    private struct Refusal: Error { var sentence: String }

    private static func secret(
        _ kind: String,
        _ text: String,
        _ readSecret: (String) throws -> [UInt8]
    ) -> Result<Identity.Secret, Refusal> {
        func refuse(_ sentence: String) -> Result<Identity.Secret, Refusal> { .failure(Refusal(sentence: sentence)) }
        switch kind {
        case "secret_hash":
            guard let hash = SlowHash(text) else {
                return refuse("secret_hash is not what till identity hash prints: scrypt:COST:SALT:HASH")
            }
            return hash.matches([]) ? refuse("the secret is empty; choose one") : .success(.slow(hash))
        case "secret_file":
            do {
                var bytes = try readSecret(text)
                while bytes.last == 0x0A || bytes.last == 0x0D { bytes.removeLast() }
                return bytes.isEmpty
                    ? refuse("the secret in \(text.quotedForMessage) is empty; write one into it")
                    : .success(.slow(SlowHash(of: bytes)))
            } catch {
                return refuse("secret_file cannot be read: \(error)")
            }
        default:
            guard let hash = Hex.bytes(Array(text.utf8)).flatMap({ Digest($0) }) else {
                return refuse("secret_sha256 must be 64 hex digits: printf %s SECRET | sha256sum")
            }
            return hash == emptySecret ? refuse("the secret is empty; choose one") : .success(.fast(hash))
        }
    }
}
