import Contracts
import Formats
import Ports
import Primitives

extension Refiner {
    mutating func readCSV(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ header: ByteString,
        _ separator: UInt8,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        let dialect = Formats.CSVDialect(separator: separator, quote: contract.csv.quote)
        let columns: [Int?]
        switch Result(catching: { () throws(CSVError) in try columnMap(header, dialect, contract) }) {
        case .success(let found): columns = found
        case .failure(let error):
            return reasons.append(
                Reason(
                    rule: "bad_csv",
                    field: "",
                    value: Self.shown(header.bytes[...]),
                    message: "The header row: \(error)"
                )
            )
        }
        do throws(CSVError) {
            try fields.parse(bytes, in: range, dialect: dialect)
        } catch {
            return reasons.append(
                Reason(rule: "bad_csv", field: "", value: Self.shown(bytes[range]), message: "\(error)")
            )
        }
        guard fields.count == columns.count else {
            return reasons.append(
                Reason(
                    rule: "bad_csv",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message:
                        "The row has \(fields.count) fields and the header \(columns.count); quote values that contain the separator"
                )
            )
        }
        var places = [Int](repeating: -1, count: contract.fields.count)
        for (column, index) in columns.enumerated() {
            guard let index else { continue }
            guard places[index] < 0 else {
                let path = contract.fields.fields[index].path
                return reasons.append(
                    Reason(
                        rule: "given_twice",
                        field: path,
                        value: Self.shown(header.bytes[...]),
                        message:
                            "Columns \(places[index] + 1) and \(column + 1) of the header row both give \(path); leave one out"
                    )
                )
            }
            places[index] = column
        }
        for index in 0..<contract.fields.count {
            let place = places[index]
            let reading: FieldReading
            if contract.fields.isList(index) {
                reading = contract.fields.fields[index].readList(nil)
            } else if place < 0 {
                reading = contract.fields.read(index, .missing)
            } else if fields.hasDoubledQuotes(place) {
                reading = contract.fields.read(index, .csv(fields.text(place, in: bytes).bytes[...]))
            } else {
                reading = contract.fields.read(index, .csv(bytes[fields.raw(place)]))
            }
            switch reading {
            case .value(let value): values.append(value)
            case .reason(let reason):
                reasons.append(reason)
                values.append(.null)
            }
        }
    }

    /// Which field each column of a header fills; nil for a column that the contract does not know.
    private mutating func columnMap(
        _ header: ByteString,
        _ dialect: Formats.CSVDialect,
        _ contract: Contract
    ) throws(CSVError) -> [Int?] {
        let key = HeaderKey(contract: contract.digest, header: header, separator: dialect.separator)
        if let lastHeader, lastHeader.key == key { return lastHeader.columns }
        if let known = headers[key] {
            lastHeader = (key, known)
            return known
        }
        try fields.parse(header.bytes, in: 0..<header.count, dialect: dialect)
        let map = (0..<fields.count).map { contract.fields.index(of: fields.text($0, in: header.bytes)) }
        if headers.count > 100 { headers.removeAll() }
        headers[key] = map
        return map
    }
}
