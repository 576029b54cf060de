package import Contracts
import Formats
package import Ports
import Primitives

/// Rows of one contract as line-delimited JSON: every field of the contract in its order, numbers exact, absent values
/// null, times as `dd/MM/yyyy HH:mm` in the contract's zone (spec invoices.md 4). Work space is reused; single owner.
package struct RowTransform {
    private let contract: Contract
    private let zone: ZoneRules
    private let envelope: RecordEnvelope
    private var refiner: Refiner

    /// Nil when the contract has lists, which rows of files do not.
    package init?(_ contract: Contract) {
        guard (0..<contract.fields.count).allSatisfy({ !contract.fields.isList($0) }) else { return nil }
        self.contract = contract
        zone = contract.zone ?? .utc
        let book = ContractBook()
        book.add(contract, isCurrent: true)
        refiner = Refiner(book: book)
        envelope = RecordEnvelope(
            feed: contract.name,
            contract: contract.digest,
            receivedAt: Timestamp(micros: 0),
            format: .json,
            recordIDBase: .zero
        )
    }

    /// - Returns: One line without its line feed, or why the contract rejects the row.
    package mutating func line(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ format: PayloadFormat
    ) throws -> Result<[UInt8], Rejected> {
        var envelope = envelope
        envelope.format = format
        if case .rejected(let reasons) = try refiner.refine(bytes, range, envelope, recordID: .zero, hashes: false) {
            return .failure(Rejected(reasons: reasons))
        }
        // As read: what a rule corrects is corrected again where the line is loaded.
        guard refiner.readValues(bytes, range, format, contract) else {
            preconditionFailure("an accepted row has values")
        }
        return .success(json())
    }

    package struct Rejected: Error { package let reasons: [Reason] }

    private func json() -> [UInt8] {
        var json = JSONWriter(reservingBytes: 256)
        json.beginObject()
        for (field, value) in zip(contract.fields.fields, refiner.values) {
            json.key(field.path)
            switch value {
            case .null, .list: json.null()
            case .boolean(let truth): json.bool(truth)
            case .decimal(let number): json.raw(Array(number.description.utf8))
            case .text(let text): json.string(text)
            case .time(let time): json.string(written(time.instant))
            }
        }
        json.endObject()
        return json.bytes
    }

    /// With seconds, and in ISO order, only where there are any: the reference format has none.
    private func written(_ instant: Timestamp) -> String {
        let civil = zone.civil(at: instant)
        let micros = instant.micros.flooredDivision(by: 60_000_000).remainder
        guard micros != 0 else {
            let clock = "\(padded(civil.hour, 2)):\(padded(civil.minute, 2))"
            return "\(padded(civil.day, 2))/\(padded(civil.month, 2))/\(padded(civil.year, 4)) \(clock)"
        }
        return micros % 1_000_000 == 0 ? "\(civil.dateText) \(civil.clockText)" : instant.description
    }
}
