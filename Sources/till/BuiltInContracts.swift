import Contracts
import Primitives
import Refine

/// Contracts that are part of the binary.
enum BuiltInContracts {
    struct Text {
        var name: String
        var bytes: [UInt8]
    }

    static let all: [Text] = ProcessEdges.embeddedContracts()

    static func isOne(_ contract: Contract) -> Bool { all.contains { $0.bytes == contract.text } }

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
