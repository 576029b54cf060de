import Primitives

/// Where a field is: its index, and for a nested one its column in the list at that index.
package struct FieldReference: Hashable, Sendable {
    package let field: Int
    package let column: Int?

    package init(field: Int, column: Int?) {
        self.field = field
        self.column = column
    }
}

extension FieldTable {
    enum Resolution {
        case found(FieldReference)
        /// With the sentence to report.
        case unknown(String)
    }

    package subscript(reference: FieldReference) -> Field {
        let field = fields[reference.field]
        return reference.column.map { field.fields.fields[$0] } ?? field
    }

    /// Finds `Quantity` or `lines.quantity` by its name in the contract (not by an alias).
    func resolve(_ path: String) -> Resolution {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let index = fields.firstIndex(where: { $0.name == parts[0] }) else {
            return .unknown(
                "Field \(path.quotedForMessage) is not declared; "
                    + NearestName.remedy(parts[0], among: fields.map(\.name), add: "fields")
            )
        }
        guard parts.count > 1 else { return .found(FieldReference(field: index, column: nil)) }
        let nested = fields[index].fields.fields
        guard fields[index].type == .list, parts.count == 2,
            let column = nested.firstIndex(where: { $0.name == parts[1] })
        else {
            let remedy =
                fields[index].type == .list
                ? NearestName.remedy(parts[1], among: nested.map(\.name), add: "the fields of \(parts[0])")
                : "\(parts[0]) is no list; write \(parts[0])"
            return .unknown("Field \(path.quotedForMessage) is not declared; \(remedy)")
        }
        return .found(FieldReference(field: index, column: column))
    }
}
