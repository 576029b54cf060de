/// An ISO 4217 alphabetic code.
public struct Currency: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The three letters, first letter in the highest byte used: order is alphabetic.
    public let code: UInt32

    /// Nil unless the text is three letters A to Z.
    public init?(_ text: some Collection<UInt8>) {
        guard text.count == 3, text.allSatisfy({ $0 >= 0x41 && $0 <= 0x5A }) else { return nil }
        code = text.reduce(0) { $0 << 8 | UInt32($1) }
    }

    public init?(_ text: String) { self.init(Array(text.utf8)) }

    /// Reads back ``code``.
    public init?(code: Int64) {
        self.init([
            UInt8(truncatingIfNeeded: code >> 16), UInt8(truncatingIfNeeded: code >> 8),
            UInt8(truncatingIfNeeded: code),
        ])
    }

    public var description: String {
        String(decoding: [UInt8(code >> 16 & 0xFF), UInt8(code >> 8 & 0xFF), UInt8(code & 0xFF)], as: UTF8.self)
    }

    public static func < (a: Self, b: Self) -> Bool { a.code < b.code }
}

/// Amounts as decimal(19,5): Int64 units of 1e-5. Source: spec model 1.3.
public enum MoneyScale {
    /// Fraction digits of every amount.
    public static let digits = 5
    public static let unitsPerOne: Int64 = 100_000
    /// Limit of one line's amount: 10^9, in units.
    public static let lineUnitsMax: Int64 = 1_000_000_000 * unitsPerOne
    /// Limit of one line's quantity: 10^9, in thousandths. Nine million such lines of one product or hour fit 64 bits.
    public static let lineThousandthsMax: Int64 = 1_000_000_000 * 1_000

    /// The shortest exact text with at least two fraction digits: `35.64`, `-27.50`, `10169340.004`.
    public static func text(_ units: Int128) -> String {
        let full = Decimal.text(units, scale: digits, keepZeros: true)
        var text = full[...]
        var kept = digits
        while kept > 2, text.last == "0" {
            text.removeLast()
            kept -= 1
        }
        return String(text)
    }
}
