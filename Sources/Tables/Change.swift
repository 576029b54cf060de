package import Primitives

/// One value of a row. 16 bytes, so a wide sum is in two parts: rows are created, copied and freed by the million.
package enum Cell: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(ByteString)
    case blob(ByteString)
    /// high × 2^32 + low; made by ``wide(_:)``.
    case wideParts(high: Int64, low: UInt32)
    /// A sum that does not fit the 96 bits that tables keep; every store refuses it.
    case tooWide

    /// A 96-bit sum.
    package static func wide(_ value: Int128) -> Self {
        guard let high = Int64(exactly: value >> 32) else { return .tooWide }
        return .wideParts(high: high, low: UInt32(truncatingIfNeeded: value))
    }

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
        case .wideParts(let high, let low): Int128(high) << 32 + Int128(low)
        case .integer(let value): Int128(value)
        default: preconditionFailure("a wide cell was expected")
        }
    }

    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(text value: ByteString?) { self = value.map { .text($0) } ?? .null }
}

/// Key of a row in a sum: up to four integers; unused ones are 0.
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
    /// Values to add per key, one per summed column (sum). Keys whose values are all 0 change nothing.
    package var additions: [SumKey: [Int128]] = [:]

    package init(upserts: [[Cell]] = [], deletes: [Int64] = [], additions: [SumKey: [Int128]] = [:]) {
        self.upserts = upserts
        self.deletes = deletes
        self.additions = additions
    }

    package var isEmpty: Bool { upserts.isEmpty && deletes.isEmpty && additions.isEmpty }
}

/// Everything one batch changes, by table name.
package typealias ChangeSet = [String: TableChanges]
