import Formats
import Network
import Primitives
import Refine
import RetailModel

/// Keeps `till ingest` from running far ahead of the tables: the command ends when they have everything, and a server
/// that folds what it just received need not read and refine it again (decision 27).
///
/// Single owner. Where the server cannot say when the tables have something, nothing is held back any more.
final class IngestPace {
    private struct Durable {
        var position: [UInt8]
        var bytes: Int
        var rows: Int
    }

    /// What may be durable and not in the tables, weighed as the server weighs what it keeps ready (`FreshRecords`: 48 MiB,
    /// 32,768 records), less eight batches on their way.
    private static let bytesMax = 32 << 20
    private static let rowsMax = 24_000

    private let connection: HTTPClientConnection
    private let headers: [(name: String, value: String)]
    private let path: String
    private var durable: [Durable] = []
    private var bytes = 0
    private var rows = 0
    private var isOn = true

    init(address: IngestCommand.Address, run: String, feed: String) throws {
        connection = try address.connect()
        headers = address.authorization.map { [("authorization", $0)] } ?? []
        // Of its own run, which a sender may ask for that may read nothing else.
        path = "/v1/runs/\(run)?feed=\(feed)&wait_ms=30000&after="
    }

    /// Takes note of a batch that became durable.
    ///
    /// - Parameter answer: `{"accepted": …, "position": "topic/partition:offset"}`.
    func note(_ answer: [UInt8], bytes: Int, rows: Int) {
        guard isOn else { return }
        var tape = JSONTape()
        guard (try? tape.parse(answer)) != nil, tape.kind(0) == .object,
            let node = tape.member(0, named: Array("position".utf8), in: answer)
        else { return isOn = false }
        let weight = RefinedRecord.weight(records: rows, originalBytes: bytes)
        durable.append(Durable(position: tape.text(node, in: answer).bytes, bytes: weight, rows: rows))
        self.bytes += weight
        self.rows += rows
    }

    /// Waits while too much is not in the tables.
    func hold() {
        guard isOn, bytes > Self.bytesMax || rows > Self.rowsMax else { return }
        var last: Durable?
        while bytes > Self.bytesMax || rows > Self.rowsMax, !durable.isEmpty {
            let first = durable.removeFirst()
            bytes -= first.bytes
            rows -= first.rows
            last = first
        }
        guard let last else { return }
        let target = path + String(decoding: last.position, as: UTF8.self)
        let answer = try? connection.exchange(method: "GET", path: target, headers: headers)
        isOn = answer?.status == 200
    }
}
