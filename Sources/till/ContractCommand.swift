import Contracts
import Formats
import Primitives
import Refine

/// `till contract check FILE…`: every mistake at once, with line and column.
enum ContractCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: [], switches: ["json"])
        guard arguments.rest.first == "check", arguments.rest.count >= 2 else {
            throw UsageError("cli.contract_usage", "Say till contract check FILE… [--json].")
        }
        var code = ExitCode.success
        var json = JSONWriter()
        json.beginArray()
        for path in arguments.rest.dropFirst() {
            switch Contract.parse(try WholeFile.read(path, bytesMax: 1 << 20), mappers: Mappers.signatures) {
            case .success(let contract) where arguments.has("json"): write(path, contract, [], &json)
            case .failure(let problems) where arguments.has("json"):
                write(path, nil, problems.problems, &json)
                code = .failure
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
        json.endArray()
        if arguments.has("json") { TillMain.print(String(decoding: json.bytes, as: UTF8.self)) }
        return code
    }

    private static func write(
        _ path: String,
        _ contract: Contract?,
        _ problems: [ContractProblem],
        _ json: inout JSONWriter
    ) {
        json.beginObject()
        json.field("file", path)
        json.field("contract", contract?.name)
        json.key("version")
        if let contract { json.int(contract.version) } else { json.null() }
        json.field("digest", contract?.digest.description)
        json.key("problems")
        json.beginArray()
        for problem in problems {
            json.beginObject()
            json.field("line", problem.line)
            json.field("column", problem.column)
            json.field("message", problem.message)
            json.endObject()
        }
        json.endArray()
        json.endObject()
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

    /// Reads one that ships with the product.
    ///
    /// - Throws: `UsageError` when the time zone database lacks its zone or cannot be read: the text itself is tested.
    static func parse(_ name: String) throws -> Contract {
        guard let text = all.first(where: { $0.name == name }) else {
            preconditionFailure("contract \(name) is not embedded")
        }
        switch Contract.parse(text.bytes, mappers: Mappers.signatures) {
        case .success(let contract): return contract
        case .failure(let problems):
            throw UsageError(
                "contract.built_in_unreadable",
                "The built-in contract \(name) cannot be used here: \(problems). See whether /usr/share/zoneinfo is there and readable (package tzdata)."
            )
        }
    }
}
