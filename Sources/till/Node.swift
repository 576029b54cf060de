import CShims
import Console
import EmbeddedLog
import Executors
import HTTPServer
import Ingest
import Network
import Ports
import Primitives
import Processing
import Refine
import RetailModel
import SQLiteTables
import Settings
import Synchronization
import Telemetry

/// One running till: the composition root, the only place that knows which adapter serves which port.
final class Node {
    let directory: String
    let server: HTTPServer
    let log: EmbeddedLog
    let board = PositionBoard()
    private let lock: DirectoryLock
    private let ingest: IngestService
    private let processor: Processor
    private let processing: DedicatedThread
    private let live: LiveFeed
    private let liveThread: DedicatedThread
    private let pool: BlockingPool
    private let quick: BlockingPool
    /// Threads of the queries that take some milliseconds.
    private static let quickThreads = 2
    private let reader: SQLiteReader
    private let tablesPath: String
    private let logger: Logger

    /// Starts everything in order of dependency; when it returns, requests are answered.
    init(_ settings: TillSettings, listen: (host: String, port: Int), demo: Bool = false, logger: Logger) throws {
        let contracts = try ContractStartup.configured(settings)
        let time = SystemTime()
        let metrics = Metrics()
        directory = settings.text(.data)
        let disk = PosixDisk(addedSyncMicros: Int64(settings.integer(.logAddedSyncMilliseconds)) * 1_000)
        lock = try Self.lock(directory, disk)
        self.logger = logger
        let identity = try DataIdentity(directory, disk, demo: demo)
        let mended = try PrivateFiles.mend(directory, disk)
        if mended > 0 {
            let what = ("what", "others could read or write what is in the data directory; now only its owner can")
            logger.log(.notice, "data.made_private", [("files", "\(mended)"), what])
        }
        let tablesPath = directory + "/tables.sqlite"
        self.tablesPath = tablesPath
        var tableSettings = SQLiteTablesSettings()
        tableSettings.cacheKibibytes = settings.integer(.tablesCacheMebibytes) << 10
        let memory = MemoryBudget.ofGroup()
        memory.apply(to: &tableSettings, isChosen: settings[.tablesCacheMebibytes].origin != "default")
        if let limit = memory.limit {
            let cache = "\(tableSettings.cacheKibibytes >> 10)"
            logger.log(.notice, "memory.limit", [("mebibytes", "\(limit >> 20)"), ("tables_cache_mebibytes", cache)])
        }
        // Besides both lanes, the live feed and redrive read.
        tableSettings.readers = settings.integer(.tablesReaders) + Self.quickThreads + 2
        // Once, before anyone reads: makes tables and views, and says how far the log must reach.
        var stored = try SQLiteTables(
            path: tablesPath,
            tables: RetailTables.all,
            views: RetailViews.all,
            settings: tableSettings
        ).positions()
        let older = SQLitePredecessor.all(of: tablesPath)
        // Until the new tables have passed the old ones, the log must still reach as far as those did.
        for old in older { stored.advance(to: old.positions ?? PositionVector()) }

        var logSettings = EmbeddedLogSettings()
        logSettings.segmentBytes = settings.integer(.logSegmentMebibytes) << 20
        logSettings.waitingBytesMax = settings.integer(.logWaitingMebibytes) << 20
        log = try EmbeddedLog(
            directory: directory + "/log",
            disk: disk,
            settings: logSettings,
            time: time,
            stored: stored.offsets
        )
        for cut in log.cuts { logger.log(.warning, "log.tail_cut", [("what", cut.description)]) }
        try log.start()

        let book = ContractBook()
        try ContractStartup.load(log, book, contracts, now: time.now(), logger)

        let quota = QuarantineQuota(bytesMax: Int64(settings.integer(.quarantineMebibytesMax)) << 20)
        let fresh = FreshRecords()
        let lag = TablesLag(max: Int64(settings.integer(.tablesLagMax)))
        processor = Processor(
            log: log,
            book: book,
            board: board,
            quota: quota,
            fresh: fresh,
            lag: lag,
            metrics: metrics,
            logger: logger,
            time: time,
            makeStore: { [tableSettings] in
                try SQLiteTables(path: tablesPath, tables: RetailTables.all, views: [], settings: tableSettings)
            }
        )
        let reader = SQLiteReader(path: tablesPath, settings: tableSettings)
        self.reader = reader
        pool = try BlockingPool(name: "till-query", threads: settings.integer(.tablesReaders), queueMax: 1_000)
        quick = try BlockingPool(name: "till-look", threads: Self.quickThreads, queueMax: 1_000)
        let status = PipelineStatus(
            log: log,
            board: board,
            metrics: metrics,
            time: time,
            version: TillMain.version,
            data: (id: identity.id, isDemo: identity.isDemo, directory: directory),
            storage: StorageStatus(time: time) { [directory] in DataSpace.measure(directory, disk) },
            tablesFailure: { reader.failure() },
            feeds: { book.feeds }
        )
        live = LiveFeed(reader: reader, board: board, metrics: metrics, time: time, status: status)
        ingest = try IngestService(
            log: log,
            book: book,
            quota: quota,
            fresh: fresh,
            lag: lag,
            metrics: metrics,
            time: time,
            random: .fromKernel(),
            compatibility: contracts.compatible.map { (path: $0.path, contract: $0.contract.contract) }
        )
        let traffic = HTTPTraffic(handlers: Gate.handlers(ingest), methods: Gate.methods)
        let transport = Transport()
        let console = ConsoleService(
            reader: reader,
            resubmission: ingest,
            proof: { [directory] in try? WholeFile.read(directory + "/proof.json", bytesMax: 1 << 20) },
            traffic: traffic,
            connectionsOpen: { transport.connectionsOpen },
            board: board,
            pool: pool,
            quick: quick,
            queryNanosMax: Int64(settings.integer(.queriesMillisecondsMax)) * 1_000_000,
            metrics: metrics,
            time: time,
            status: status,
            live: live,
            answersReferenceClients: settings.text(.compatibilityInvoices) != "off",
            references: Set(contracts.compatible.flatMap { [$0.path.path, $0.path.health?.path].compactMap(\.self) }),
            rules: contracts.rules
        )
        let gate = Gate(
            ingest: ingest,
            console: console,
            traffic: traffic,
            logins: Logins(settings.identities, time: time, metrics: metrics, logger: logger),
            bodyBytesMax: settings.integer(.httpBodyMebibytesMax) << 20,
            checkReady: { console.checkReady($0) }
        )
        var serverSettings = HTTPServerSettings()
        serverSettings.connectionsMax = Self.connectionsMax(settings, logger)
        for old in older { Self.retire(old, board, logger) }
        processing = try processor.start()
        liveThread = try live.start()
        server = try HTTPServer.start(
            host: listen.host,
            port: listen.port,
            handler: gate,
            settings: serverSettings,
            time: time
        )
        transport.serve(server)
    }

    /// What is set, or what the descriptors of the process leave room for.
    private static func connectionsMax(_ settings: TillSettings, _ logger: Logger) -> Int {
        let descriptors = Int(clamping: cshims_raise_descriptors(Int64(NetworkLimits.descriptorsMax)))
        let wanted = settings.integer(.httpConnectionsMax)
        let most = NetworkLimits.connectionsMax(wanted: wanted, descriptors: descriptors)
        if most < wanted {
            let facts = [("setting", "\(wanted)"), ("used", "\(most)"), ("descriptors", "\(descriptors)")]
            let remedy = "raise the hard limit of open files (ulimit -Hn) or lower http.connections_max"
            logger.log(.warning, "http.connections_lowered", facts + [("remedy", remedy)])
        }
        return most
    }

    /// The server as its own handler sees it, which is there before it.
    private final class Transport: Sendable {
        private let server = Mutex<HTTPServer?>(nil)

        func serve(_ server: HTTPServer) { self.server.withLock { $0 = server } }

        var connectionsOpen: Int { server.withLock { $0 }?.counters.connectionsOpen ?? 0 }
    }

    /// Removes tables of an older schema once the new ones contain all that they did.
    private static func retire(_ old: SQLitePredecessor, _ board: PositionBoard, _ logger: Logger) {
        let facts = [("schema", "\(old.schema)"), ("file", old.path)]
        guard let positions = old.positions else {
            let advice = ("remedy", "nothing needs it: remove it when the new tables are complete")
            return logger.log(.warning, "tables.old_unreadable", facts + [advice])
        }
        logger.log(
            .notice,
            "tables.rebuild_started",
            facts + [("why", "the tables are folded again from the log"), ("until", positions.description)]
        )
        board.wait(for: positions, deadlineNanos: .max) { _ in
            do throws(TableStoreError) {
                try old.remove()
                logger.log(.notice, "tables.rebuild_finished", facts)
            } catch {
                logger.log(.warning, "tables.old_kept", facts + [("cause", "\(error)")])
            }
        }
    }

    private static func lock(_ directory: String, _ disk: PosixDisk) throws -> DirectoryLock {
        do throws(DiskError) {
            try disk.makeDirectory(directory)
            return try DirectoryLock(path: directory + "/LOCK")
        } catch {
            if error.errno == 11 { throw EventLogError.locked(path: directory) }
            throw EmbeddedLogFailures.translate(error)
        }
    }

    /// Stops in reverse: no new requests, running ones finish, what was acknowledged is durable.
    func drain(deadlineMs: Int) {
        live.stop()
        server.drain(deadlineMs: deadlineMs)
        ingest.shutdown()
        log.close()
        processor.stop()
        processing.join()
        liveThread.join()
        quick.shutdown()
        pool.shutdown()
        reader.close()
        do throws(TableStoreError) { try SQLiteTables.complete(path: tablesPath) } catch {
            logger.log(.warning, "tables.not_completed", [("cause", "\(error)")])
        }
    }
}

/// HOST:PORT, with IPv6 hosts in brackets.
enum ListenAddress {
    static func parse(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else {
            throw UsageError(
                "settings.listen_invalid",
                "listen is \(text.quotedForMessage); give HOST:PORT, for example 127.0.0.1:8080."
            )
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        return (host, port)
    }

    static func isLoopback(_ host: String) -> Bool { host == "::1" || host.hasPrefix("127.") }
}
