/// A column of a table.
package struct Column: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// 64-bit signed integer.
        case integer
        case text
        case blob
        /// 128-bit sum, stored as two integer columns `NAME_hi` and `NAME_lo`: value = hi × 2^32 + lo, 0 ≤ lo < 2^32.
        case wide
    }

    package var name: String
    package var kind: Kind
    package var isNullable: Bool
    /// One sentence for the reference page, with the unit.
    package var meaning: String

    package init(_ name: String, _ kind: Kind, nullable: Bool = false, _ meaning: String) {
        self.name = name
        self.kind = kind
        isNullable = nullable
        self.meaning = meaning
    }
}

/// A table as data: schema, adapter statements and the reference page are derived from it.
package struct TableDeclaration: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// One row per natural key; the first column is the integer surrogate `id`, in arrival order.
        case state
        /// Key columns and summed columns only; a change adds to the stored values.
        case sum
    }

    package struct Index: Sendable, Equatable {
        package var name: String
        package var columns: [String]
        /// The index contains only rows in which this column is not null.
        package var present: String?
        package init(_ name: String, _ columns: [String], present: String? = nil) {
            self.name = name
            self.columns = columns
            self.present = present
        }
    }

    package var name: String
    package var kind: Kind
    package var columns: [Column]
    /// Names of the natural key's columns; all columns before the summed ones in a sum.
    package var key: [String]
    package var indexes: [Index]
    package var meaning: String

    package init(
        _ name: String,
        _ kind: Kind,
        key: [String],
        indexes: [Index] = [],
        meaning: String,
        columns: [Column]
    ) {
        let first = columns.first?.name
        precondition(kind == .sum || first == "id", "a state table begins with its surrogate column id")
        precondition(key.allSatisfy { k in columns.contains { $0.name == k } }, "key columns must be columns")
        self.name = name
        self.kind = kind
        self.columns = columns
        self.key = key
        self.indexes = indexes
        self.meaning = meaning
    }

    /// Columns of an index, or of the natural key for nil; a name that is not declared is a bug.
    package func columns(of index: String?) -> [String] {
        guard let index else { return key }
        guard let found = indexes.first(where: { $0.name == index }) else {
            preconditionFailure("table \(name) has no index \(index)")
        }
        return found.columns
    }

    /// Position of a column; a name that is not declared is a bug.
    package func index(of column: String) -> Int {
        guard let index = columns.firstIndex(where: { $0.name == column }) else {
            preconditionFailure("table \(name) has no column \(column)")
        }
        return index
    }
}
