import CShims
import Glibc

/// From exec to the first accepted event on an empty directory, and memory after two idle seconds.
///
/// `unsafe` here: posix_spawn takes C strings, which are made before the call and freed after it.
struct StartRun {
    private let target: (host: String, port: UInt16)
    private let binary: String?, command: [String]
    private var requests: Requests

    init(_ options: Options) throws {
        binary = options["bin"]
        command = options.command
        guard binary != nil || !command.isEmpty else { throw BenchFailure("Name --bin PATH, or the command after --.") }
        target = options["to"] == nil ? ("127.0.0.1", try Self.freePort()) : try options.target()
        requests = Requests(seed: 1, batch: 1, host: "\(target.host):\(target.port)", first: 0)
    }

    mutating func run() throws -> Report {
        let directory = "/tmp/till-bench-\(cshims_pid())"
        let words =
            binary.map { [$0, "up", "--data", directory, "--listen", "\(target.host):\(target.port)"] } ?? command
        let request = requests.next()
        let bytes = requests.template(request)
        let started = cshims_monotonic_nanos()
        let child = try Self.spawn(words)
        defer {
            _ = kill(child, SIGTERM)
            var status: Int32 = 0
            _ = unsafe waitpid(child, &status, 0)
        }
        var connection: LoadConnection?
        while connection == nil {
            connection = try? LoadConnection(host: target.host, port: target.port)
            if connection == nil {
                guard cshims_monotonic_nanos() - started < 30_000_000_000 else {
                    throw BenchFailure("\(words[0]) does not listen.")
                }
                cshims_sleep_micros(200)
            }
        }
        let listening = cshims_monotonic_nanos()
        guard let connection else { throw BenchFailure("not connected") }
        let poller = LoadPoller()
        poller.add(connection)
        try connection.send(bytes)
        var answer: LoadConnection.Answer?
        while answer == nil {
            for _ in try poller.wait(millis: 30_000) {
                guard try connection.receive() else { throw BenchFailure("The server closed the connection.") }
            }
            answer = try connection.answer()
        }
        let accepted = cshims_monotonic_nanos()
        cshims_sleep_micros(2_000_000)
        var report = Report()
        report.add("first_accepted_ms", Double(accepted - started) / 1e6)
        report.add("listening_ms", Double(listening - started) / 1e6)
        report.add("idle_rss_bytes", Self.resident(child))
        report.isGood = answer?.status == 202 && connection.number("accepted", answer?.body ?? 0..<0) == 1
        return report
    }

    /// A port that was free a moment ago.
    private static func freePort() throws -> UInt16 {
        let socket = unsafe cshims_listen("127.0.0.1", 0, 1, false)
        guard socket >= 0 else { throw BenchFailure("No port is free: \(LoadConnection.text(-socket)).") }
        defer { _ = cshims_close(socket) }
        return UInt16(cshims_bound_port(socket))
    }

    private static func spawn(_ words: [String]) throws -> pid_t {
        var child: pid_t = 0
        // Lifetime: strdup's copies live until they are freed below, after posix_spawn has read them.
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var actions = unsafe posix_spawn_file_actions_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        _ = unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        _ = unsafe posix_spawnattr_init(&attributes)
        // The bench blocks signals; the child begins with none blocked.
        var none = sigset_t()
        _ = unsafe sigemptyset(&none)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
        _ = unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let result = unsafe posix_spawnp(&child, words[0], &actions, &attributes, arguments, environ)
        guard result == 0 else { throw BenchFailure("Cannot start \(words[0]): \(LoadConnection.text(result)).") }
        return child
    }

    /// Resident bytes of a process, from /proc.
    private static func resident(_ child: pid_t) -> Int {
        let file = unsafe cshims_open("/proc/\(child)/statm", 0)
        guard file >= 0 else { return 0 }
        defer { _ = cshims_close(file) }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe cshims_read(file, $0.baseAddress, $0.count) }
        let fields = String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4_096
    }
}
