import Contracts
import Primitives
import Refine

/// `till contract check FILE…`: every mistake at once, with line and column.
enum ContractCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: [], switches: [])
        guard arguments.rest.first == "check", arguments.rest.count >= 2 else {
            throw UsageError("cli.contract_usage", "Say till contract check FILE.")
        }
        var code = ExitCode.success
        for path in arguments.rest.dropFirst() {
            switch Contract.parse(try WholeFile.read(path, bytesMax: 1 << 20), mappers: Mappers.signatures) {
            case .success(let contract):
                TillMain.print(
                    "\(path): contract \(contract.name) version \(contract.version) is good, digest \(contract.digest)"
                )
            case .failure(let problems):
                for problem in problems.problems {
                    TillMain.print("\(path):\(problem.line):\(problem.column): \(problem.message)")
                }
                code = .failure
            }
        }
        return code
    }
}

/// Contracts that are part of the binary.
enum BuiltInContracts {
    struct Text {
        var name: String
        var bytes: [UInt8]
    }

    static let all: [Text] = ProcessEdges.embeddedContracts()

    /// Names of the feeds there are without any configuration; the contract of a compatibility profile is no feed's.
    static var feeds: [String] { all.map(\.name).filter { !$0.hasSuffix("-compat") } }

    /// Reads one that ships with the product; a mistake in it is a bug.
    static func parse(_ name: String) -> Contract {
        guard let text = all.first(where: { $0.name == name }) else {
            preconditionFailure("contract \(name) is not embedded")
        }
        switch Contract.parse(text.bytes, mappers: Mappers.signatures) {
        case .success(let contract): return contract
        case .failure(let problems): preconditionFailure("the built-in contract \(name) is wrong: \(problems)")
        }
    }
}
