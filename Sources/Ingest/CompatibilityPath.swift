import Contracts
import Formats
package import Ports
import Primitives
import RecordBatch
import Refine
import RetailModel
import Synchronization

/// A path of a reference system that takes one record per request and answers with that system's codes and bodies.
///
/// Each profile has its file; the engine below is the same for all: refine, store, answer once it is durable. A refused
/// record is in the log and in quarantine, as everywhere.
package struct CompatibilityPath: Sendable {
    /// Why a request may not pass.
    package enum Denial: Sendable {
        case credentialsMissing
        case credentialsWrong
        /// With the sentence that says which scope is missing.
        case scopeMissing(String)
    }

    package typealias Refusal = @Sendable (Denial) -> HTTPResponse

    package let path: String
    /// Name of the profile, and of the built-in contract that refines the bodies unless a file does.
    package let profile: String
    /// The system's health path and its answer, open to everyone.
    package let health: (path: String, body: String)?
    /// Nil: the answers that every other path gives.
    package let denied: Refusal?
    /// The answer to a body without a byte: there is nothing to keep. Every other body is refined and stored.
    let empty: @Sendable () -> HTTPResponse
    let accepted: @Sendable (RetailEvent, Contract) -> HTTPResponse
    let rejected: @Sendable ([Reason], _ body: [UInt8], inout JSONTape) -> HTTPResponse
    let problem: @Sendable (IngestProblem) -> HTTPResponse

    static func json(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("content-type", "application/json")], body: body)
    }
}

extension IngestService {
    func receive(
        _ request: HTTPRequest,
        _ exchange: any HTTPExchange,
        _ path: CompatibilityPath,
        _ contract: Contract,
        on bench: Workbench
    ) throws(IngestProblem) {
        guard !request.body.isEmpty else { return exchange.respond(path.empty()) }
        let type = RequestRecords.mediaType(request)
        let format =
            type == "application/json"
            ? PayloadFormat.json : .unknown(mediaType: ByteString(Array(type.utf8.prefix(IngestLimits.headerBytesMax))))
        let (batch, records, response, tally, quarantine) = try bench.workspace.withLock {
            workspace throws(IngestProblem) in
            let envelope = try self.envelope(request, contract.name, contract, format, &workspace.random)
            let body = request.body
            let received: (verdict: Refiner.Verdict, record: RefinedRecord?)
            do throws(ContractMissing) {
                received = try workspace.refiner.receive(
                    body,
                    0..<body.count,
                    envelope,
                    recordID: envelope.recordIDBase,
                    isKept: self.fresh.hasRoom
                )
            } catch {
                throw IngestProblem(status: 503, code: error.code, message: error.description)
            }
            var builder = RecordBatchBuilder(
                baseTimestamp: envelope.receivedAt.micros / 1_000,
                reserving: body.count + 32
            )
            builder.append(body[...])
            let batch = LogBatch(
                partition: TopicPartition(feed: contract.name),
                envelope: envelope,
                bytes: builder.finish(),
                recordCount: 1
            )
            let records = received.record.map { [$0] } ?? []
            var tally = IngestTally()
            switch received.verdict {
            case .accepted(let event):
                tally.accept(event)
                return (batch, records, path.accepted(event, contract), tally, Int64.zero)
            case .rejected(let reasons):
                let bytes =
                    received.record?.quarantineBytes
                    ?? QuarantineSize.bytes(record: body.count, reasons: Refiner.json(reasons).count, header: 0)
                if let problem = self.quarantineProblem(bytes) { throw problem }
                tally.reject(reasons)
                return (batch, records, path.rejected(reasons, body, &workspace.tape), tally, bytes)
            }
        }
        try submit(
            batch,
            records,
            weight: records.first?.weight(originalBytes: request.body.count) ?? 0,
            quarantine: quarantine,
            tally,
            moreFollows: bench === smallBench
        ) { result in
            switch result {
            case .success: exchange.respond(response)
            case .failure(let problem): exchange.respond(path.problem(problem))
            }
        }
    }
}
