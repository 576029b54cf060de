import CShims
import HTTPServer
import Primitives
import Settings
import Telemetry

/// `till up`: runs until SIGINT or SIGTERM, then drains.
enum UpCommand {
    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try Arguments(words, options: SettingsCommand.options, switches: ["demo"])
        guard arguments.rest.isEmpty else {
            throw UsageError(
                "cli.word_unexpected",
                "till up takes no word \(arguments.rest[0].quotedForMessage); till help lists the options."
            )
        }
        let settings = try SettingsCommand.load(arguments)
        let listen = try ListenAddress.parse(settings.text(.listen))
        guard ListenAddress.isLoopback(listen.host) || !settings.identities.isEmpty else {
            throw UsageError(
                "settings.listen_open",
                "listen is \(listen.host), which others can reach, and no identities are configured; customer data is personal data: configure identities, or listen on 127.0.0.1."
            )
        }
        cshims_keep_spare_descriptors()
        let logger = Logger(level: LogLevel(settings.text(.logLevel)) ?? .notice)
        let node = try Node(settings, listen: listen, demo: arguments.has("demo"), logger: logger)
        for name in SettingsCommand.unknownVariables {
            let remedy = "correct or remove it; docs/reference/settings.md has all variables"
            logger.log(.warning, "settings.variable_unknown", [("variable", name), ("remedy", remedy)])
        }
        let host = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
        TillMain.print("till \(TillMain.version) serves http://\(host):\(node.server.port) from \(node.directory)")
        let signal = cshims_wait_signal()
        TillMain.print("till drains after signal \(signal)")
        node.drain(deadlineMs: 10_000)
        TillMain.print("till stopped; everything acknowledged is durable")
        return .success
    }
}
