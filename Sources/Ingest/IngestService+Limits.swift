import Ports
import Telemetry

/// When nothing more is taken for now.
extension IngestService {
    /// Why senders have to wait for the tables; nil while they keep up.
    func lagProblem() -> IngestProblem? {
        guard lag.isBehind else { return nil }
        metrics.add(.ingest_saturated_total)
        return IngestProblem(
            status: 429,
            code: "tables_behind",
            message:
                "The tables are \(lag.records) records behind and may be \(lag.max) (tables.lag_max); send again after the time in Retry-After.",
            retryAfter: true
        )
    }

    /// Reserves room in quarantine for the rejected records of a request: why there is none, nil when there is.
    func quarantineProblem(_ bytes: Int64) -> IngestProblem? {
        guard bytes > 0, !quota.reserve(bytes) else { return nil }
        return IngestProblem(
            status: 507,
            code: "quarantine_full",
            message:
                "Quarantine holds \(quota.bytesUsed) bytes of open entries and may hold \(quota.bytesMax); the bad records of this "
                + "request would add \(bytes), so nothing of it was stored. See `till quarantine list`; correct the sender, redrive or discard "
                + "entries, or raise quarantine.mebibytes_max. Requests without bad records are still taken."
        )
    }
}
