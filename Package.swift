// swift-tools-version: 6.2
import PackageDescription

// The layering is data: a module may depend on lower layers only, never on a sibling, and the build refuses a
// violation before anything compiles. Changing this table needs a decision record (docs/decisions/).
// See docs/internals/architecture.md.

/// One Swift module of the product: its layer and what it depends on.
struct Module {
    var name: String
    var layer: Int
    var dependencies: [String]
    var executable = false
}

/// C libraries and shims, layer 0, one folder each under Sources/C.
let systemLibraries = [
    "CSQLite": "libsqlite3-dev", "CYAML": "libyaml-dev", "CZlib": "zlib1g-dev",
]
let cTargets: [(name: String, links: [String])] = [
    ("CShims", []), ("CCrypto", ["crypto"]), ("CTLS", ["ssl", "crypto"]), ("CAssets", []),
]

let modules = [
    Module(name: "Primitives", layer: 1, dependencies: ["CShims", "CCrypto"]),
    Module(name: "YAMLTree", layer: 1, dependencies: ["CYAML"]),
    Module(name: "Tables", layer: 2, dependencies: ["Primitives"]),
    Module(name: "Contracts", layer: 2, dependencies: ["Primitives", "YAMLTree"]),
    Module(name: "Telemetry", layer: 2, dependencies: ["Primitives", "CShims"]),
    Module(name: "Executors", layer: 2, dependencies: ["Primitives", "CShims"]),
    Module(name: "Settings", layer: 2, dependencies: ["Primitives", "YAMLTree"]),
    Module(name: "RetailModel", layer: 3, dependencies: ["Primitives", "Tables"]),
    Module(name: "Ports", layer: 3, dependencies: ["Primitives", "Tables"]),
    Module(name: "Formats", layer: 3, dependencies: ["Primitives", "CShims", "CZlib"]),
    Module(name: "RecordBatch", layer: 3, dependencies: ["Primitives"]),
    Module(name: "Network", layer: 3, dependencies: ["Primitives", "CShims", "CTLS", "Executors", "Telemetry"]),
    Module(
        name: "Refine",
        layer: 4,
        dependencies: ["Primitives", "Contracts", "Formats", "RetailModel", "Ports", "RecordBatch"]
    ),
    Module(name: "RetailFolds", layer: 4, dependencies: ["Primitives", "Ports", "Tables", "RetailModel", "Formats"]),
    Module(name: "Simulation", layer: 4, dependencies: ["Primitives", "Formats"]),
    // The second computation of every table: it may see what refining yields and never the folds.
    Module(
        name: "Proof",
        layer: 5,
        dependencies: [
            "Primitives", "Ports", "Tables", "Contracts", "Refine", "RecordBatch", "RetailModel", "Formats", "CShims",
            "Executors",
        ]
    ),
    Module(
        name: "Ingest",
        layer: 5,
        dependencies: [
            "Primitives", "Ports", "Refine", "Contracts", "Formats", "RecordBatch", "RetailModel", "Telemetry",
            "Executors",
        ]
    ),
    Module(
        name: "Processing",
        layer: 5,
        dependencies: [
            "Primitives", "Ports", "Refine", "Contracts", "RecordBatch", "RetailModel", "RetailFolds", "Tables",
            "Telemetry", "Executors",
        ]
    ),
    Module(
        name: "Console",
        layer: 5,
        dependencies: [
            "Primitives", "Ports", "Tables", "RetailModel", "Formats", "Telemetry", "Executors", "CAssets", "CShims",
        ]
    ),
    Module(
        name: "EmbeddedLog",
        layer: 5,
        dependencies: ["Primitives", "Ports", "RecordBatch", "Executors", "Telemetry", "CShims"]
    ),
    Module(name: "SQLiteTables", layer: 5, dependencies: ["Primitives", "Ports", "Tables", "CSQLite", "CShims"]),
    Module(name: "HTTPServer", layer: 5, dependencies: ["Primitives", "Ports", "Network", "Telemetry"]),
    Module(
        name: "till",
        layer: 6,
        dependencies: [
            "Primitives", "YAMLTree", "Contracts", "Settings", "Telemetry", "Executors", "Tables", "RetailModel",
            "Ports", "Formats", "RecordBatch", "Network", "Refine", "Ingest", "Processing", "Console", "EmbeddedLog",
            "SQLiteTables", "HTTPServer", "CShims", "Proof", "Simulation",
        ],
        executable: true
    ),
    Module(
        name: "till-bench",
        layer: 6,
        dependencies: ["Primitives", "Network", "CShims", "Telemetry"],
        executable: true
    ),
    // Test support: may see everything, is seen by tests only.
    Module(name: "FaultKit", layer: 7, dependencies: ["Primitives", "EmbeddedLog", "Ports", "Tables", "CShims"]),
    Module(name: "PortConformance", layer: 7, dependencies: ["Primitives", "Ports", "Tables", "RecordBatch"]),
]

let tests: [(name: String, dependencies: [String])] = [
    ("PrimitivesTests", ["Primitives"]),
    ("ContractsTests", ["Contracts", "Primitives", "YAMLTree"]),
    ("FormatsTests", ["Formats", "Primitives", "CZlib"]),
    ("NetworkTests", ["Network", "HTTPServer", "Executors", "Ports", "Primitives"]),
    ("RecordBatchTests", ["RecordBatch", "Primitives"]),
    (
        "EmbeddedLogTests",
        ["EmbeddedLog", "FaultKit", "PortConformance", "Ports", "RecordBatch", "Primitives", "CShims"]
    ),
    (
        "SQLiteTablesTests",
        [
            "SQLiteTables", "PortConformance", "FaultKit", "Ports", "Tables", "RetailModel", "Primitives", "CSQLite",
            "CShims",
        ]
    ),
    ("RefineTests", ["Refine", "Contracts", "RetailModel", "RecordBatch", "Formats", "Ports", "Primitives"]),
    (
        "ProcessingTests",
        [
            "Processing", "Refine", "Contracts", "RetailModel", "RetailFolds", "Tables", "Ports", "SQLiteTables",
            "EmbeddedLog", "RecordBatch", "Primitives", "Telemetry", "FaultKit", "PortConformance", "Proof",
            "Executors",
        ]
    ),
    (
        "ProofTests",
        ["Proof", "SQLiteTables", "Refine", "RetailModel", "Tables", "Ports", "Primitives", "FaultKit", "EmbeddedLog"]
    ),
    ("SettingsTests", ["Settings", "Primitives"]),
    ("TelemetryTests", ["Telemetry"]),
    ("SimulationTests", ["Simulation", "Formats", "Primitives"]),
    ("TidyTests", []),
]

// Plants faults for the test of `till prove` (Sources/Primitives/Mutant.swift); never set for a product.
let mutants: [SwiftSetting] = Context.environment["TILL_MUTANTS"] == "1" ? [.define("TILL_MUTANTS")] : []

let strict: [SwiftSetting] =
    mutants + [
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"),
    ]

func refuse(_ message: String) -> Never { fatalError(message + "; see docs/internals/architecture.md") }

let layers = Dictionary(
    modules.map { ($0.name, $0.layer) } + cTargets.map { ($0.name, 0) } + systemLibraries.keys.map { ($0, 0) },
    uniquingKeysWith: { _, _ in refuse("a module is listed twice") }
)
for module in modules {
    for dependency in module.dependencies {
        guard let lower = layers[dependency] else { refuse("\(module.name) depends on unknown \(dependency)") }
        if lower >= module.layer {
            refuse("\(module.name) (layer \(module.layer)) must not depend on \(dependency) (layer \(lower))")
        }
    }
}

var targets: [Target] = systemLibraries.keys.sorted().map {
    .systemLibrary(name: $0, path: "Sources/C/\($0)", providers: [.apt([systemLibraries[$0] ?? ""])])
}
targets += cTargets.map { target in
    .target(
        name: target.name,
        path: "Sources/C/\(target.name)",
        exclude: target.name == "CAssets" ? ["assets"] : [],
        cSettings: [
            .define("CSHIMS_FAULTS", .when(configuration: .debug)), .unsafeFlags(["-std=gnu2x", "-Wall", "-Werror"]),
        ],
        linkerSettings: target.links.map { .linkedLibrary($0) }
    )
}
targets += modules.map { module in
    let dependencies = module.dependencies.map { Target.Dependency.byName(name: $0) }
    let path = module.layer == 7 ? "Tests/Support/\(module.name)" : "Sources/\(module.name)"
    return module.executable
        ? .executableTarget(name: module.name, dependencies: dependencies, path: path, swiftSettings: strict)
        : .target(name: module.name, dependencies: dependencies, path: path, swiftSettings: strict)
}
targets += tests.map {
    .testTarget(
        name: $0.name,
        dependencies: $0.dependencies.map { .byName(name: $0) },
        exclude: ["ContractsTests", "RefineTests"].contains($0.name) ? ["Fixtures"] : [],
        swiftSettings: [
            .enableUpcomingFeature("ExistentialAny")
        ]
    )
}

let package = Package(
    name: "tillstream",
    products: [.executable(name: "till", targets: ["till"]), .executable(name: "till-bench", targets: ["till-bench"])],
    targets: targets,
    swiftLanguageModes: [.v6]
)
