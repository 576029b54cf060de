/// Every single-valued setting: its path in the file is the raw value, its environment variable `TILL_` and the path in
/// capitals with `_` for `.`. The reference page is generated from this table.
package enum SettingName: String, CaseIterable, Sendable {
    case listen
    case data
    case logLevel = "log_level"
    case logSegmentMebibytes = "log.segment_mebibytes"
    case logWaitingMebibytes = "log.waiting_mebibytes"
    case logAddedSyncMilliseconds = "log.added_sync_milliseconds"
    case tablesCacheMebibytes = "tables.cache_mebibytes"
    case tablesReaders = "tables.readers"
    case tablesLagMax = "tables.lag_max"
    case queriesMillisecondsMax = "queries.milliseconds_max"
    case httpConnectionsMax = "http.connections_max"
    case httpBodyMebibytesMax = "http.body_mebibytes_max"
    case quarantineMebibytesMax = "quarantine.mebibytes_max"
    case compatibilityInvoices = "compatibility.invoices"
    case compatibilityPos = "compatibility.pos"

    package enum Kind: Sendable, Equatable {
        case text
        case integer(ClosedRange<Int>)
        case choice([String])
        /// On, off, or the path of a contract file.
        case contract
    }

    package var kind: Kind {
        switch self {
        case .listen, .data: .text
        case .logLevel: .choice(["debug", "info", "notice", "warning", "error"])
        case .logSegmentMebibytes: .integer(1...1_024)
        case .logWaitingMebibytes: .integer(1...1_024)
        case .logAddedSyncMilliseconds: .integer(0...1_000)
        case .tablesCacheMebibytes: .integer(1...4_096)
        case .tablesReaders: .integer(1...16)
        case .tablesLagMax: .integer(1_000...1_000_000_000)
        case .queriesMillisecondsMax: .integer(1...600_000)
        case .httpConnectionsMax: .integer(1...100_000)
        case .httpBodyMebibytesMax: .integer(1...16)
        case .quarantineMebibytesMax: .integer(1...1_048_576)
        case .compatibilityInvoices, .compatibilityPos: .contract
        }
    }

    package var defaultText: String {
        switch self {
        case .listen: "127.0.0.1:8080"
        case .data: "till-data"
        case .logLevel: "notice"
        case .logSegmentMebibytes: "64"
        case .logWaitingMebibytes: "64"
        case .logAddedSyncMilliseconds: "0"
        case .tablesCacheMebibytes: "64"
        case .tablesReaders: "2"
        // What the slowest tables measured under load (5,700 a second) fold in 35 s, and fast ones in 3 s.
        case .tablesLagMax: "200000"
        case .queriesMillisecondsMax: "10000"
        case .httpConnectionsMax: "2000"
        case .httpBodyMebibytesMax: "16"
        case .quarantineMebibytesMax: "1024"
        case .compatibilityInvoices, .compatibilityPos: "off"
        }
    }

    package var meaning: String {
        switch self {
        case .listen: "HOST:PORT to serve on; loopback only unless identities are configured; port 0 takes a free one."
        case .data: "Directory of the log and the tables."
        case .logLevel: "Least level that is written to standard error."
        case .logSegmentMebibytes: "A log segment is closed at this size; recovery scans one segment per partition."
        case .logWaitingMebibytes: "Bytes that may wait for the disk; beyond it senders get 429."
        case .logAddedSyncMilliseconds: "Added to each sync, to measure slower disks; 0 in production."
        case .tablesCacheMebibytes: "Page cache of the connection that writes the tables."
        case .tablesReaders: "Queries that run at the same time."
        case .tablesLagMax:
            "Stored records that the tables may be behind; beyond it senders get 429 until half of them are in the tables. A rebuild after an upgrade does not count."
        case .queriesMillisecondsMax:
            "Time that a query may take; a longer one is interrupted (503 query_over_budget). One that waited as long for its turn is answered 503 queries_saturated."
        case .httpConnectionsMax: "Open connections; more wait in the kernel's queue."
        case .httpBodyMebibytesMax: "Largest request body of an ingest request."
        case .quarantineMebibytesMax:
            "Bytes of open quarantine entries; beyond it requests with bad records are refused (507) and store nothing."
        case .compatibilityInvoices:
            "Serve POST /invoicedata and the reference answers of GET / and GET /health; a file refines its bodies instead of Contracts/invoices-compat.yaml."
        case .compatibilityPos:
            "Serve POST /validation-service/api/v1/pos/validate_transaction and GET /validation-service/api/v1/health; a file refines its bodies instead of Contracts/pos-compat.yaml."
        }
    }

    package var environmentName: String {
        "TILL_" + String(rawValue.uppercased().map { $0 == "." ? "_" : $0 })
    }
}
