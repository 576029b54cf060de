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
/// Each profile has its file; the engine below is the same for all: judge, store, answer once it is durable. A refused
/// record is in the log and in quarantine, as everywhere.
package struct CompatibilityPath: Sendable {
    /// Why a request may not pass.
    package enum Denial: Sendable {
        case credentialsMissing
        case credentialsWrong
        /// With the sentence that says which scope is missing.
        case scopeMissing(String)
    }

    package let path: String
    /// Name of the profile, and of the built-in contract that judges the bodies unless a file does.
    package let profile: String
    /// The system's health path and its answer, open to everyone.
    package let health: (path: String, body: String)?
    /// Nil: the answers that every other path gives.
    package let denied: (@Sendable (Denial) -> HTTPResponse)?
    /// The answer to a body that is not even a record; nil: it is judged and stored.
    let unusable: @Sendable (HTTPRequest) -> HTTPResponse?
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
        if let refusal = path.unusable(request) { return exchange.respond(refusal) }
        let (batch, response, tally) = try bench.workspace.withLock { workspace throws(IngestProblem) in
            let envelope = try self.envelope(request, contract.name, contract, .json, &workspace.random)
            let body = request.body
            let verdict: Refiner.Verdict
            do throws(ContractMissing) {
                verdict = try workspace.refiner.refine(
                    body,
                    0..<body.count,
                    envelope,
                    recordID: envelope.recordIDBase,
                    hashes: false
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
            var tally = IngestTally()
            switch verdict {
            case .accepted(let event):
                tally.accept(event)
                return (batch, path.accepted(event, contract), tally)
            case .rejected(let reasons):
                if let problem = self.quarantineProblem() { throw problem }
                tally.rejected = 1
                return (batch, path.rejected(reasons, body, &workspace.tape), tally)
            }
        }
        try submit(batch, tally) { _ in
            exchange.respond(response)
        } failed: { problem in
            exchange.respond(path.problem(problem))
        }
    }
}
