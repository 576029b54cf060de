/// The ban list of the style guide: token, replacement, scope. Every rule carries the snippets that test it.
enum BanList {
    static let swiftEverywhere = ["Sources/**.swift", "Tests/**.swift", "Package.swift"]

    static let all: [Ban] = concurrency + determinism + safety + surface + text

    static let concurrency: [Ban] = [
        Ban(
            name: "unbounded streams",
            pattern: #"\bAsync(Throwing)?Stream\b"#,
            remedy: "use a bounded queue of Executors: a stream is unbounded or lossy",
            bad: ["let s = AsyncStream<Int> { _ in }", "AsyncThrowingStream.makeStream()"],
            good: ["// AsyncStream is banned", "struct AsyncStreaming {}"]
        ),
        Ban(
            name: "orphan tasks",
            pattern: #"\bTask(<[^>\n]*>)?(\([^)\n]*\))?\s*\{|\bTask\.(immediateD|d)etached\b"#,
            remedy: "use a child in the service's task group: orphan work survives shutdown",
            except: ["Sources/Executors/*.swift"],
            bad: ["Task { await run() }", "Task(priority: .low) { }", "Task.detached { }", "Task<Void, Never> { }"],
            good: ["group.addTask { await run() }", "try Task.checkCancellation()", "struct Task_ {"]
        ),
        Ban(
            name: "blocking calls",
            pattern: #"\bu?sleep\(|\bThread\.sleep\b|\.wait\(\)|\bDispatch(Queue|Semaphore|Group)\b"#,
            remedy: "use DedicatedThread, BlockingPool or Guarded.wait of Executors: a blocked pool stops the machine",
            except: ["Sources/Executors/*.swift"],
            bad: ["usleep(10)", "sleep(1)", "Thread.sleep(forTimeInterval: 1)", "group.wait()", "DispatchQueue.main"],
            good: ["state.wait { $0.ready }", "let sleeper = 1"]
        ),
        Ban(
            name: "hidden races",
            pattern: #"@unchecked\s+Sendable|\bnonisolated\(unsafe\)|@preconcurrency\b"#,
            remedy: "use Guarded, an actor or `sending`",
            except: UnsafeAllowlist.raceGlobs,
            bad: [
                "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1", "@preconcurrency import X",
            ],
            good: ["final class A: Sendable {}", "nonisolated func f() {}"]
        ),
    ]

    static let determinism: [Ban] = [
        Ban(
            name: "wall clocks",
            pattern: #"(?<![\w.])Date\(|\b(Continuous|Suspending)Clock\b|\bDispatchTime\b|\bclock_gettime\("#,
            remedy: "pass a TimeSource: a run must be repeatable",
            bad: ["let now = Date()", "ContinuousClock.now", "ContinuousClock().now", "clock_gettime(0, &t)"],
            good: ["civilDate(of: x)", "let d = CivilDate(year: 1, month: 1, day: 1)"]
        ),
        Ban(
            name: "chance without a seed",
            pattern: #"(?<![\w.])UUID\(\)|\.random\((?![^\n]*using:)|\bSystemRandomNumberGenerator\b"#
                + #"|\.(shuffled|randomElement)\(\)|\.shuffle\(\)"#,
            remedy: "take the identifier as an argument, or draw from the seeded generator of Primitives",
            bad: ["let id = UUID()", "Int.random(in: 0..<3)", "xs.shuffled()", "xs.randomElement()"],
            good: ["Int.random(in: 0..<3, using: &seeded)", "xs.shuffled(using: &seeded)"]
        ),
    ]

    static let safety: [Ban] = [
        Ban(
            name: "unsafe outside the list",
            pattern: #"(?<![\w.`])unsafe\s+(?=[\w.&\[(])"#,
            remedy: "move it into a handle, or add the file to UnsafeAllowlist.swift with a reason",
            except: UnsafeAllowlist.globs,
            bad: ["let p = unsafe q.pointee", "return unsafe f(p)", "for unsafe x in y {}"],
            good: ["// unsafe here", "let text = \"unsafe thing\"", "x.unsafe (1)"]
        ),
        Ban(
            name: "forced results",
            pattern: #"\btry!|\bas!"#,
            remedy: "handle the error, or state the bug with precondition and a sentence",
            bad: ["let a = try! f()", "let b = a as! Int"],
            good: ["let a = try? f()", "a as? Int", "if has != other {}"]
        ),
        Ban(
            name: "unchecked optimisation and C++ interop",
            pattern: #"-Ounchecked|interoperabilityMode"#,
            remedy: "preconditions stay on in release; C++ stands behind extern \"C\"",
            scope: ["Package.swift", "dev", "scripts/**", "deploy/**", "Dockerfile"],
            wholeText: true,
            bad: [#".unsafeFlags(["-Ounchecked"])"#, ".interoperabilityMode(.Cxx)"],
            good: [#".unsafeFlags(["-O"])"#]
        ),
    ]

    static let surface: [Ban] = [
        Ban(
            name: "Foundation",
            pattern: #"\bimport\s+(\w+\s+)?Foundation\w*"#,
            remedy: "use Primitives: Foundation costs 52 MB of binary and 14 MiB of memory (docs/decisions)",
            bad: ["import Foundation", "package import FoundationEssentials", "import struct Foundation.Data"],
            good: ["import Primitives", "// import Foundation"]
        ),
        Ban(
            name: "public outside hot modules",
            pattern: #"(?<![\w.`])(public|open)\s+(?="#
                + "(private|package|fileprivate|internal|final|class|struct|enum|actor|protocol|func|var|let|init"
                + "|static|subscript|typealias|extension|import|override|mutating|indirect|nonisolated|convenience"
                + #"|macro)\b)"#,
            remedy: "use package: the product has no API clients",
            except: ["Sources/Primitives/**", "Sources/Formats/**", "Sources/RecordBatch/**"],
            bad: [
                "public struct A {}", "open class B {}", "public private(set) var c = 1", "public import Primitives",
            ],
            good: ["package struct A {}", "case open", "let open = true", "guard open else { return }"]
        ),
        Ban(
            name: "printing",
            pattern: #"(?<![\w.])(?<!func )(print|debugPrint|dump|NSLog)\("#,
            remedy: "use the log of Telemetry: structure, and secrets that cannot print",
            bad: ["print(\"x\")", "debugPrint(a)", "dump(a)", "NSLog(a)"],
            good: ["console.print(x)", "func print(_ x: Int) {}", "fingerprint(x)"]
        ),
        Ban(
            name: "Data in ports",
            pattern: #":\s*\[?Data\b"#,
            remedy: "use [UInt8] or Span<UInt8>: ports know no Foundation",
            scope: ["Sources/Ports/**.swift"],
            bad: ["func f(_ bytes: Data)", "var a: [Data]"],
            good: ["var a: DataRange", "func f(_ bytes: [UInt8])"]
        ),
        Ban(
            name: "empty type names",
            pattern:
                #"\b(struct|class|enum|actor|protocol|typealias)\s+\w*(Manager|Helpers?|Utils?|Impl|Base|Info|Data)\b"#,
            remedy: "name the role: Machine, Driver, Handle, Settings, Service, or a noun of the domain",
            bad: ["struct SaleManager {}", "enum TimeUtils {}", "final class StoreBase {}", "protocol SaleInfo {}"],
            good: ["struct Database {}", "enum DataKind {}", "class Handle {}"]
        ),
    ]

    static let text: [Ban] = [
        Ban(
            name: "left-over markers",
            pattern: #"(//|#|/\*).*\b(FIX"# + #"ME|XX"# + #"X|TO"# + #"DO)\b"#,
            remedy: "do it, or file an issue and say nothing here",
            scope: ["Sources/**", "Tests/**", "Package.swift", "dev", "scripts/**"],
            wholeText: true,
            bad: ["// FIX" + "ME: later", "// XX" + "X", "// TO" + "DO"],
            good: ["// fix me", "let todo = 1", "code ?? \"XX" + "X\""]
        ),
        Ban(
            name: "names of package registries",
            pattern: #"\b("#
                + [
                    #"pypi\."# + "org", #"pythonhosted\."# + "org", #"registry\."# + #"npmjs\.org"#,
                    #"(deb|security|ftp)\."# + #"debian\.org"#, #"crates\."# + "io", #"proxy\."# + #"golang\.org"#,
                    #"repo1?\.maven\."# + "org", #"rubygems\."# + "org",
                ].joined(separator: "|") + #")\b"#,
            remedy: "name the package; which host serves it is the machine's business",
            scope: ["**"],
            wholeText: true,
            bad: [
                "pip install -i https://pypi." + "org/simple x", "deb http://deb." + "debian.org/debian bookworm main",
            ],
            good: ["pip install duckdb", "doi.org", "debian.md"]
        ),
        Ban(
            name: "paths of one machine",
            pattern: #"(?<![\w.$}~\])*/-])/(root|work|home/\w+)(?=/|$|[\s"'`,;:)])|(?<![\w.])/opt/"# + #"swift\b"#,
            remedy: "compute the path from the repository's root, or take it as an argument",
            scope: ["**"],
            except: ["dev"],
            wholeText: true,
            bad: [
                "cd /wo" + "rk/wt/x", "HOME=/ro" + "ot/x", "export PATH=/opt" + "/swift/usr/bin:$PATH",
                "\"/ro" + "ot\"",
            ],
            good: ["\"$root\"/Examples", "https://example.com/work/a", "net/work/x", "a/root"]
        ),
    ]
}
