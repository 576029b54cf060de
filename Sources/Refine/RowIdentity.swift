package import Contracts
package import Ports
package import Primitives

/// What makes two rows of files the same row: parameters of the feed's mapper, by name (spec model 1.7).
///
/// That of the first contract of a feed in the log, for ever: ids in the log depend on it.
package struct RowIdentity: Hashable, Sendable {
    /// `document`, `quantity`, …, or `field:NAME` for a field that no parameter takes; in order.
    package let parts: [String]

    package init(parts: [String]) { self.parts = parts }

    /// What the contract lists under `row_identity`, else everything that its mapper takes.
    package init(_ first: Contract) {
        let bindings = first.mapper.bindings
        guard let listed = first.rowIdentity else {
            parts = bindings.keys.sorted()
            return
        }
        parts = listed.map { index in
            let taken = bindings.filter { $0.value.field == index && $0.value.column == nil }.keys.min()
            return taken ?? "field:" + first.fields.fields[index].path
        }
    }

    /// Where a later contract has each part; nil where it has it no more.
    func places(in contract: Contract) -> [FieldReference?] {
        parts.map { part in
            if let bound = contract.mapper.bindings[part] { return bound }
            guard part.hasPrefix("field:") else { return nil }
            return contract.fields.index(of: String(part.dropFirst(6))).map { FieldReference(field: $0, column: nil) }
        }
    }
}

/// Digests of the canonical content of rows, for one contract. Work space is reused; single owner.
package struct RowHasher {
    private let contract: Contract
    private let parts: [(name: ByteString, place: FieldReference?)]
    private var refiner: Refiner
    private var canonical = ByteBuilder()

    package init(_ contract: Contract, _ identity: RowIdentity) {
        self.contract = contract
        parts = zip(identity.parts, identity.places(in: contract)).map { (ByteString($0), $1) }
        refiner = Refiner(book: ContractBook())
    }

    /// The same for a row in another format, column order, quoting, and spelling of numbers and times. Rules are not
    /// asked: a rule that is added later must not make another row of it.
    ///
    /// - Returns: The digest of the values, of the bytes when a value cannot be read.
    package mutating func digest(_ bytes: [UInt8], _ range: Range<Int>, _ format: PayloadFormat) -> Digest {
        guard refiner.readValues(bytes, range, format, contract) else { return .sha256(of: bytes[range]) }
        canonical.removeAll()
        canonical.append("till.row.1")
        for (name, place) in parts {
            canonical.appendBigEndian(UInt32(name.count))
            canonical.append(name)
            guard let place else {
                canonical.append(UInt8(0))
                continue
            }
            let value = refiner.values[place.field]
            guard let column = place.column else {
                Self.append(value, &canonical)
                continue
            }
            guard case .list(let rows) = value else {
                canonical.append(UInt8(0))
                continue
            }
            canonical.appendBigEndian(UInt32(rows.count))
            for row in rows { Self.append(row[column], &canonical) }
        }
        return .sha256(of: canonical.bytes)
    }

    private static func append(_ value: FieldValue, _ out: inout ByteBuilder) {
        switch value {
        case .null: out.append(UInt8(0))
        case .boolean(let truth):
            out.append(UInt8(1))
            out.append(UInt8(truth ? 1 : 0))
        case .decimal(let number):
            // Without trailing zeros: 2.50 is 2.5.
            out.append(UInt8(2))
            out.append(UInt8(number.scale))
            out.appendBigEndian(number.coefficient)
        case .text(let text):
            out.append(UInt8(3))
            out.appendBigEndian(UInt32(text.count))
            out.append(text)
        case .time(let time):
            out.append(UInt8(4))
            out.appendBigEndian(time.instant.micros)
        case .list(let rows):
            out.append(UInt8(5))
            out.appendBigEndian(UInt32(rows.count))
            for row in rows { for value in row { append(value, &out) } }
        }
    }
}
