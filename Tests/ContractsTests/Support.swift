import Glibc
import Primitives
import Testing

@testable import Contracts

/// The signatures of the mappers that the tests name.
let testMappers: [String: MapperSignature] = [
    "sale": MapperSignature(
        parameters: [
            .init("document", [.text, .integer]), .init("occurred_at", [.time]),
            .init("store", [.text], isRequired: false), .init("customer", [.text, .integer], isRequired: false),
            .init("customer_name", [.text], isRequired: false), .init("country", [.text], isRequired: false),
            .init("currency", [.text], isRequired: false), .init("status", [.text], isRequired: false),
            .init("version", [.time], isRequired: false), .init("lines.product", [.text, .integer], isNested: true),
            .init("lines.description", [.text], isRequired: false, isNested: true),
            .init("lines.quantity", [.integer, .decimal], isNested: true),
            .init("lines.unit_price", [.money], isNested: true),
        ],
        settings: ["currency"],
        choices: ["counters": ["on", "off"]],
        reads: ["store"],
        features: [.windows, .requiredReferences, .secondVersionTime]
    ),
    "invoice-line": MapperSignature(
        parameters: [
            .init("document", [.text]), .init("line", [.text], isRequired: false), .init("product", [.text]),
            .init("description", [.text], isRequired: false), .init("quantity", [.integer]),
            .init("unit_price", [.money]),
            .init("occurred_at", [.time]), .init("customer", [.integer], isRequired: false),
            .init("customer_name", [.text], isRequired: false), .init("country", [.text]),
        ],
        settings: ["currency", "store", "time_zone"],
        reads: ["non_product_codes", "non_product_patterns"],
        features: [.documentKinds]
    ),
    "free": MapperSignature(parameters: []),
]

/// A file of the package, by its path from the root.
func packageFile(_ path: String) throws -> [UInt8] {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let file = try #require(fopen("/\(root)/\(path)", "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while true {
        let byte = fgetc(file)
        if byte < 0 { return bytes }
        bytes.append(UInt8(byte))
    }
}

func loaded(_ path: String) throws -> Contract {
    try Contract.parse(packageFile(path), mappers: testMappers).get()
}

func cornerShop() throws -> Contract { try loaded("Tests/ContractsTests/Fixtures/corner-shop.yaml") }

/// A one-rule contract over fields of every type; `extra` is put after the rule's check.
func smallContract(check: String, extra: String = "on_failure: reject", head: String = "") -> Result<
    Contract, ContractProblems
> {
    let text = """
        contract: small
        version: 1
        source: small
        partition_key: id
        settings: { limit: 10, word: hello, yes: true, codes: ["A", "B"], numbers: [1, 2.5], bad: "(" }
        \(head)fields:
          - { name: id, type: text, default: x }
          - { name: n, type: decimal }
          - { name: m, type: decimal }
          - { name: t, type: text }
          - { name: b, type: boolean }
          - { name: at, type: time, formats: [iso8601] }
          - { name: rows, type: list, fields: [{ name: q, type: decimal }, { name: s, type: text }] }
        mapper: { name: free, bind: {} }
        rules:
          - id: rule
            field: id
            \(extra)
            check: |-
              \(check)
        """
    return Contract.parse(Array(text.utf8), mappers: testMappers)
}

func number(_ text: String) -> FieldValue { .decimal(Decimal(Array(text.utf8)) ?? Decimal(0)) }
func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

func value(_ reading: FieldReading) -> FieldValue? {
    guard case .value(let value) = reading else { return nil }
    return value
}

func reason(_ reading: FieldReading) -> Reason? {
    guard case .reason(let reason) = reading else { return nil }
    return reason
}
