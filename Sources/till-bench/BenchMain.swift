import CShims
import Telemetry

/// What stopped a measurement; the sentence is for people.
struct BenchFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Dispatch of the command line.
enum BenchMain {
    static let help = """
        till-bench: drives a server with invoice lines and measures it. Results are one JSON object on standard output.

        till-bench ingest --to HOST:PORT [--connections 64] [--batch 1] [--pipeline 1] [--count N | --seconds 10]
                          [--lines-seed 1] [--first 0]
        till-bench latency --to HOST:PORT --rate 1000 [--seconds 10] [--connections 128] [--sample 20] [--ack-only]
                          [--lines-seed 1] [--first 0]
        till-bench start --bin TILL [--runs 1] | --to HOST:PORT -- COMMAND…
        till-bench lines --count N [--lines-seed 1]          the events as NDJSON

        Exit codes: 0 done, 1 an answer was not as expected or the server failed, 2 wrong command line.
        """

    static func run() -> Never {
        cshims_block_signals()
        var words = Array(CommandLine.arguments.dropFirst())
        let command = words.isEmpty ? "help" : words.removeFirst()
        do {
            switch command {
            case "ingest":
                var run = try IngestRun(Options(words))
                finish(try run.run())
            case "latency":
                var run = try LatencyRun(Options(words))
                finish(try run.run())
            case "start":
                var run = try StartRun(Options(words))
                finish(try run.run())
            case "lines": try Self.lines(Options(words))
            default:
                Logger.writeLine(help, to: 1)
                cshims_exit(command == "help" ? 0 : 2)
            }
        } catch {
            Logger.writeLine("till-bench: \(error)", to: 2)
        }
        cshims_exit(1)
    }

    private static func finish(_ report: Report) -> Never {
        Logger.writeLine(report.json, to: 1)
        cshims_exit(report.isGood ? 0 : 1)
    }

    private static func lines(_ options: Options) throws -> Never {
        let count = try options.integer("count", 1_000)
        var source = Requests(
            seed: UInt64(try options.integer("lines-seed", 1)),
            batch: 1,
            host: "",
            first: 0,
            isBare: true
        )
        for _ in 0..<count {
            let request = source.next()
            Logger.writeLine(String(decoding: source.template(request), as: UTF8.self), to: 1)
        }
        cshims_exit(0)
    }
}

/// Options of a command: `--name value`, `--switch`, and what follows `--`.
struct Options {
    private var values: [String: String] = [:]
    private(set) var command: [String] = []

    init(_ words: [String]) throws {
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--" {
                command = Array(words)
                return
            }
            guard word.hasPrefix("--") else { throw BenchFailure("There is no option \(word); say till-bench help.") }
            let name = String(word.dropFirst(2))
            if name == "ack-only" {
                values[name] = "on"
            } else {
                guard let value = words.popFirst() else { throw BenchFailure("--\(name) needs a value after it.") }
                values[name] = value
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    func integer(_ name: String, _ otherwise: Int) throws -> Int {
        guard let text = values[name] else { return otherwise }
        guard let number = Int(text), number >= 0 else {
            throw BenchFailure("--\(name) is \(text); give a whole number.")
        }
        return number
    }

    /// The server, from `--to`.
    func target() throws -> (host: String, port: UInt16) {
        let text = values["to"] ?? ""
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw BenchFailure("--to is \(text); give HOST:PORT.")
        }
        return (String(text[..<colon]), port)
    }
}

/// What a run found, in the order it is printed.
struct Report {
    private var fields: [(String, String)] = []
    var isGood = true

    mutating func add(_ name: String, _ value: Int) { fields.append((name, String(value))) }
    mutating func add(_ name: String, _ value: Double) {
        fields.append((name, String((value * 1_000).rounded() / 1_000)))
    }
    mutating func add(_ name: String, text: String) {
        fields.append((name, "\"" + text.filter { $0 != "\"" && $0 != "\\" && $0 >= " " } + "\""))
    }

    /// Latencies in microseconds under `prefix`.
    mutating func add(_ prefix: String, _ nanos: [Int64]) {
        let sorted = nanos.sorted()
        func at(_ share: Double) -> Int {
            sorted.isEmpty ? 0 : Int(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / 1_000)
        }
        add(prefix + "_p50_us", at(0.5))
        add(prefix + "_p99_us", at(0.99))
        add(prefix + "_max_us", at(1))
    }

    var json: String { "{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}" }
}
