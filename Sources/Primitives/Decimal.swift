/// An exact decimal number: `coefficient` × 10^-`scale`, scale 0 to 30.
///
/// Operations return nil when a result needs more than 127 bits or 30 fraction digits; they never round, wrap or
/// saturate. Source: spec model 1.3.
public struct Decimal: Sendable, Hashable, Comparable, CustomStringConvertible {
    public static let scaleMax = 30

    public let coefficient: Int128
    public let scale: Int

    /// Trailing zeros of the fraction are removed, so equal numbers have equal parts.
    public init?(coefficient: Int128, scale: Int) {
        var c = coefficient
        var s = scale
        if s > 0, var small = Int64(exactly: c) {
            // Nearly all numbers fit 64 bits, which are divided in a tenth of the time.
            while s > 0, small % 10 == 0 {
                small /= 10
                s -= 1
            }
            c = Int128(small)
        }
        while s > 0, c % 10 == 0 {
            c /= 10
            s -= 1
        }
        guard s >= 0, s <= Self.scaleMax else { return nil }
        self.coefficient = c
        self.scale = s
    }

    @inlinable public init(_ value: Int) { self.init(whole: Int128(value)) }

    @usableFromInline init(whole: Int128) {
        coefficient = whole
        scale = 0
    }

    /// Reads `-?digits[.digits][(e|E)[+-]digits]` completely; leading zeros are allowed (the JSON grammar is the
    /// tape's business). Nil when the text is not a number, has more than 38 digits or too fine a fraction.
    public init?(_ text: some Collection<UInt8>) {
        var negative = false
        var digits = 0
        var fraction = 0
        var exponent = 0
        var value: Int128 = 0
        var seenPoint = false
        var seenDigit = false
        var at = text.startIndex
        if at < text.endIndex, text[at] == 0x2D || text[at] == 0x2B {
            negative = text[at] == 0x2D
            at = text.index(after: at)
        }
        while at < text.endIndex {
            let byte = text[at]
            if byte >= 0x30, byte <= 0x39 {
                seenDigit = true
                if value != 0 || byte != 0x30 { digits += 1 }
                if digits > 38 { return nil }
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow2) = product.addingReportingOverflow(Int128(byte - 0x30))
                if overflow || overflow2 { return nil }
                value = sum
                if seenPoint { fraction += 1 }
            } else if byte == 0x2E, !seenPoint, seenDigit {
                seenPoint = true
            } else if byte == 0x65 || byte == 0x45, seenDigit {
                guard let parsed = Self.exponent(text[text.index(after: at)...]) else { return nil }
                exponent = parsed
                at = text.endIndex
                break
            } else {
                return nil
            }
            at = text.index(after: at)
        }
        guard seenDigit else { return nil }
        var scale = fraction - exponent
        while scale > Self.scaleMax, value % 10 == 0, value != 0 {
            value /= 10
            scale -= 1
        }
        if value == 0 { scale = 0 }
        while scale < 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
            scale += 1
        }
        self.init(coefficient: negative ? -value : value, scale: scale)
    }

    private static func exponent(_ text: some Collection<UInt8>) -> Int? {
        var negative = false
        var value = 0
        var count = 0
        for (index, byte) in text.enumerated() {
            if index == 0, byte == 0x2D || byte == 0x2B {
                negative = byte == 0x2D
                continue
            }
            guard byte >= 0x30, byte <= 0x39, count < 6 else { return nil }
            value = value * 10 + Int(byte - 0x30)
            count += 1
        }
        guard count > 0 else { return nil }
        return negative ? -value : value
    }

    /// The same number as `units` × 10^-`scale`; nil when it has more fraction digits or does not fit.
    public func units(scale wanted: Int) -> Int64? {
        guard wanted >= scale, var units = Int64(exactly: coefficient) else { return nil }
        var missing = wanted - scale
        while missing > 0 {
            let (product, overflow) = units.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            units = product
            missing -= 1
        }
        return units
    }

    /// The value when it is a whole number that fits 64 bits.
    public var integer: Int64? { scale == 0 ? Int64(exactly: coefficient) : nil }

    private static func aligned(_ a: Self, _ b: Self) -> (Int128, Int128, Int)? {
        let scale = max(a.scale, b.scale)
        guard let x = a.scaled(to: scale), let y = b.scaled(to: scale) else { return nil }
        return (x, y, scale)
    }

    private func scaled(to wanted: Int) -> Int128? {
        var c = coefficient
        for _ in scale..<wanted {
            let (product, overflow) = c.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            c = product
        }
        return c
    }

    public func adding(_ other: Self) -> Self? {
        guard let (x, y, scale) = Self.aligned(self, other) else { return nil }
        let (sum, overflow) = x.addingReportingOverflow(y)
        return overflow ? nil : Self(coefficient: sum, scale: scale)
    }

    public func subtracting(_ other: Self) -> Self? { other.negated.flatMap(adding) }

    public var negated: Self? { coefficient == .min ? nil : Self(coefficient: -coefficient, scale: scale) }

    public func multiplied(by other: Self) -> Self? {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
        return overflow ? nil : Self(coefficient: product, scale: scale + other.scale)
    }

    /// Rounded to `digits` fraction digits, half away from zero.
    public func rounded(toScale digits: Int) -> Self {
        guard scale > digits else { return self }
        var divisor: Int128 = 1
        for _ in digits..<scale { divisor *= 10 }
        var quotient = coefficient / divisor
        let rest = coefficient % divisor
        if rest.magnitude * 2 >= divisor.magnitude { quotient += coefficient < 0 ? -1 : 1 }
        return Self(coefficient: quotient, scale: digits) ?? self
    }

    /// Exact comparison, also of numbers that cannot be brought to one scale.
    public static func < (a: Self, b: Self) -> Bool {
        // Many numbers are compared with zero, which needs no scale.
        if a.coefficient == 0 { return b.coefficient > 0 }
        if b.coefficient == 0 { return a.coefficient < 0 }
        if let (x, y, _) = aligned(a, b) { return x < y }
        // The side with the smaller scale does not fit when it is scaled up, so it has the greater magnitude.
        return a.scale < b.scale ? a.coefficient < 0 : b.coefficient > 0
    }

    public var description: String { Self.text(coefficient, scale: scale, keepZeros: false) }

    /// `value` × 10^-`scale` in plain notation; `keepZeros` shows all `scale` fraction digits.
    public static func text(_ value: Int128, scale: Int, keepZeros: Bool) -> String {
        var digits = String(value.magnitude)
        if digits.count <= scale { digits = String(repeating: "0", count: scale - digits.count + 1) + digits }
        let whole = digits.dropLast(scale)
        var fraction = digits.suffix(scale)
        if !keepZeros { while fraction.last == "0" { fraction.removeLast() } }
        return (value < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }
}
