import Contracts
import Formats
import Primitives

extension Refiner {
    mutating func readJSON(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        do throws(JSONError) {
            try tape.parse(bytes, in: range)
            if contract.json.isDoubleEncoded, tape.kind(0) == .string {
                let inner = tape.text(0, in: bytes).bytes
                try tape.parse(inner)
                return readRoot(inner, 0..<inner.count, contract, &reasons)
            }
        } catch {
            return reasons.append(
                Reason(
                    rule: "bad_json",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message: "\(error) Send one JSON object per event"
                )
            )
        }
        readRoot(bytes, range, contract, &reasons)
    }

    /// Values are taken out of self while they are read: a list of self's own, lent to a method of self, is copied.
    private mutating func readRoot(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ contract: Contract,
        _ reasons: inout [Reason]
    ) {
        guard tape.kind(0) == .object else {
            return reasons.append(
                Reason(
                    rule: "bad_json",
                    field: "",
                    value: Self.shown(bytes[range]),
                    message: "The event is no JSON object; send an object with the fields of the contract"
                )
            )
        }
        var found: [FieldValue] = []
        var space: [Int] = []
        swap(&found, &values)
        swap(&space, &nodes)
        readObject(0, bytes, contract.fields, contract.unknownFields, row: nil, &space, into: &found, &reasons)
        swap(&found, &values)
        swap(&space, &nodes)
    }

    /// Nodes of fields: found, not there, or inside something that is no object and has its reason already.
    private static let missing = -1
    private static let unreadable = -2

    /// Reads the members of an object, and of the objects in it that places lead through, in the order of the
    /// contract's fields.
    ///
    /// - Parameter nodes: Work space; what others put there stays.
    private func readObject(
        _ object: Int,
        _ bytes: [UInt8],
        _ table: FieldTable,
        _ unknown: UnknownFields,
        row: Int?,
        _ nodes: inout [Int],
        into values: inout [FieldValue],
        _ reasons: inout [Reason]
    ) {
        let first = nodes.count
        for _ in 0..<table.count { nodes.append(Self.missing) }
        defer { nodes.removeLast(nodes.count - first) }
        findMembers(object, 0, bytes, table, unknown, row, first, &nodes, &reasons)
        values.reserveCapacity(table.count)
        for index in 0..<table.count {
            let node = nodes[first + index]
            let reading: FieldReading
            if node == Self.unreadable {
                reading = .value(.null)
            } else if table.isList(index) {
                reading = readList(node, bytes, table.fields[index], unknown, &nodes, &reasons)
            } else {
                reading = table.read(index, node < 0 ? .missing : raw(node, bytes), row: row)
            }
            switch reading {
            case .value(let value): values.append(value)
            case .reason(let reason):
                reasons.append(reason)
                values.append(.null)
            }
        }
    }

    /// Notes the node of every field that an object holds.
    ///
    /// - Parameters:
    ///   - place: Index of the object in the table.
    ///   - first: Where the nodes of the table's fields begin in `nodes`.
    private func findMembers(
        _ object: Int,
        _ place: Int,
        _ bytes: [UInt8],
        _ table: FieldTable,
        _ unknown: UnknownFields,
        _ row: Int?,
        _ first: Int,
        _ nodes: inout [Int],
        _ reasons: inout [Reason]
    ) {
        let members = table.objects[place]
        tape.forEachMember(object) { key, value in
            let range = tape.raw(key)
            let member =
                tape.hasEscapes(key)
                ? members.member(tape.text(key, in: bytes).bytes[...]) : members.member(bytes[range])
            switch member {
            case nil:
                if unknown == .reject {
                    reasons.append(.unknownField(bytes[range], in: members.shownName(row)))
                }
            case .field(let index):
                if nodes[first + index] >= 0 {
                    let path = table.fields[index].path
                    reasons.append(
                        Reason(
                            rule: "given_twice",
                            field: path,
                            value: Self.shown(bytes[range]),
                            message: "\(path) is given twice, under its name and an alias; send it once"
                        )
                    )
                }
                nodes[first + index] = value
            case .object(let inner):
                switch tape.kind(value) {
                case .object: findMembers(value, inner, bytes, table, unknown, row, first, &nodes, &reasons)
                // As if it were missing: each required field in it says so.
                case .null: break
                case .true, .false, .number, .string, .array:
                    let path = table.objects[inner].shownName(row)
                    for index in table.objects[inner].fields { nodes[first + index] = Self.unreadable }
                    reasons.append(
                        Reason(
                            rule: "type",
                            field: path,
                            value: Self.shown(bytes[tape.raw(value)]),
                            message: "\(path) is not an object; send an object"
                        )
                    )
                }
            }
        }
    }

    private func readList(
        _ node: Int,
        _ bytes: [UInt8],
        _ field: Field,
        _ unknown: UnknownFields,
        _ nodes: inout [Int],
        _ reasons: inout [Reason]
    ) -> FieldReading {
        if node < 0 || tape.kind(node) == .null { return field.readList(nil) }
        guard tape.kind(node) == .array else {
            return .reason(
                Reason(
                    rule: "type",
                    field: field.path,
                    value: Self.shown(bytes[tape.raw(node)]),
                    message: "\(field.path) is not an array; send a list of objects"
                )
            )
        }
        if let reason = field.checkCount(tape.count(node)) { return .reason(reason) }
        var rows: [[FieldValue]] = []
        rows.reserveCapacity(tape.count(node))
        var child = tape.firstChild(node)
        while let element = child {
            if tape.kind(element) == .object {
                var row: [FieldValue] = []
                readObject(element, bytes, field.fields, unknown, row: rows.count, &nodes, into: &row, &reasons)
                rows.append(row)
            } else {
                reasons.append(
                    Reason(
                        rule: "type",
                        field: "\(field.path)[\(rows.count)]",
                        value: Self.shown(bytes[tape.raw(element)]),
                        message: "\(field.path)[\(rows.count)] is no object; send an object"
                    )
                )
                rows.append([FieldValue](repeating: .null, count: field.fields.count))
            }
            child = tape.next(after: element, in: node)
        }
        return field.readList(rows)
    }

    private func raw(_ node: Int, _ bytes: [UInt8]) -> RawValue {
        switch tape.kind(node) {
        case .null: .null
        case .true: .boolean(true)
        case .false: .boolean(false)
        case .number: .number(bytes[tape.raw(node)])
        case .string: .text(tape.hasEscapes(node) ? tape.text(node, in: bytes).bytes[...] : bytes[tape.raw(node)])
        case .array: .other("an array")
        case .object: .other("an object")
        }
    }
}
