package import Primitives

/// One value of a row.
package enum Cell: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(ByteString)
    case blob(ByteString)
    case wide(Int128)

    /// The integer, or nil for null; another kind is a bug of the declaration.
    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .null: nil
        default: preconditionFailure("an integer cell was expected")
        }
    }

    /// The bytes of a text or blob, or nil for null.
    package var bytes: ByteString? {
        switch self {
        case .text(let value), .blob(let value): value
        case .null: nil
        default: preconditionFailure("a text or blob cell was expected")
        }
    }

    package var wide: Int128 {
        switch self {
        case .wide(let value): value
        case .integer(let value): Int128(value)
        default: preconditionFailure("a wide cell was expected")
        }
    }

    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(text value: ByteString?) { self = value.map { .text($0) } ?? .null }
}

/// Key of a row in a sum: up to four integers; what the table does not use is 0.
package struct SumKey: Hashable, Sendable, Comparable {
    package var a: Int64, b: Int64, c: Int64, d: Int64

    package init(_ a: Int64, _ b: Int64 = 0, _ c: Int64 = 0, _ d: Int64 = 0) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
    }

    package static func < (x: Self, y: Self) -> Bool {
        if x.a != y.a { return x.a < y.a }
        if x.b != y.b { return x.b < y.b }
        return x.c != y.c ? x.c < y.c : x.d < y.d
    }

    package subscript(index: Int) -> Int64 {
        switch index {
        case 0: a
        case 1: b
        case 2: c
        default: d
        }
    }
}

/// What one batch does to one table.
package struct TableChanges: Sendable {
    /// Whole rows to insert or replace by id (state).
    package var upserts: [[Cell]] = []
    /// Ids of rows to delete (state); applied before the upserts.
    package var deletes: [Int64] = []
    /// What is added per key, one value per summed column (sum). Keys whose values are all 0 change nothing.
    package var additions: [SumKey: [Int128]] = [:]

    package init() {}

    package var isEmpty: Bool { upserts.isEmpty && deletes.isEmpty && additions.isEmpty }
}

/// Everything one batch changes, by table name.
package typealias ChangeSet = [String: TableChanges]
