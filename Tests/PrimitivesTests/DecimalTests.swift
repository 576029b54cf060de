import Primitives
import Testing

@Suite struct DecimalTests {
    static func number(_ text: String) throws -> Decimal { try #require(Decimal(Array(text.utf8)), "\(text)") }

    static let texts: [(String, String?)] = [
        ("0", "0"), ("-0", "0"), ("00", "0"), ("2.5", "2.5"), ("2.50", "2.5"), ("25e-1", "2.5"), ("0.25E+1", "2.5"),
        ("250E-2", "2.5"),
        ("-27.50", "-27.5"), ("1e3", "1000"), ("1.5e1", "15"), ("0e999999", "0"),
        ("0.000000000000000000000000000001", "0.000000000000000000000000000001"),
        ("1e-30", "0.000000000000000000000000000001"), ("1e-31", nil), ("10e-31", "0.000000000000000000000000000001"),
        ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ("999999999999999999999999999999999999999", nil),
        ("1e38", "100000000000000000000000000000000000000"), ("2e38", nil), ("1e39", nil), ("1e999999", nil),
        ("1e9999999", nil),
        ("", nil), ("-", nil), (".5", nil), ("e5", nil), ("1e", nil), ("1e+", nil), ("1.2.3", nil), ("1 ", nil),
        (" 1", nil), ("0x1", nil),
        ("NaN", nil), ("Infinity", nil), ("1,5", nil), ("--1", nil), ("1e1.5", nil), ("١", nil), ("007", "7"),
        ("1e-2147483648", nil),
    ]

    @Test(arguments: texts)
    func `a text is read exactly or not at all`(text: String, expected: String?) {
        #expect(Decimal(Array(text.utf8))?.description == expected)
    }

    @Test func `arithmetic is exact and overflow is nil`() throws {
        let a = try Self.number("0.1")
        let b = try Self.number("0.2")
        let greatest = try #require(Decimal(coefficient: .max, scale: 0))
        #expect(a.adding(b)?.description == "0.3" && a.subtracting(b)?.description == "-0.1")
        #expect(a.multiplied(by: b)?.description == "0.02" && a.negated?.description == "-0.1")
        #expect(greatest.adding(Decimal(1)) == nil && greatest.multiplied(by: Decimal(2)) == nil)
        #expect(greatest.adding(a) == nil, "it cannot be brought to one scale")
        #expect(greatest.subtracting(greatest) == Decimal(0))
        let least = try #require(Decimal(coefficient: .min, scale: 0))
        #expect(least.negated == nil && Decimal(0).subtracting(least) == nil && least.subtracting(Decimal(1)) == nil)
        let fine = try Self.number("1e-16")
        #expect(fine.multiplied(by: fine) == nil, "32 fraction digits")
        #expect(Decimal(coefficient: 1, scale: 31) == nil && Decimal(coefficient: 10, scale: 31)?.scale == 30)
        #expect(Decimal(coefficient: 1, scale: -1) == nil)
    }

    static let roundings: [(String, Int, String)] = [
        ("2.5", 0, "3"), ("-2.5", 0, "-3"), ("2.4999999", 0, "2"), ("0.5", 0, "1"), ("-0.5", 0, "-1"), ("0.49", 0, "0"),
        ("-0.49", 0, "0"),
        ("1.000005", 5, "1.00001"), ("1.000004999", 5, "1"), ("-1.000005", 5, "-1.00001"), ("9.999995", 5, "10"),
        ("1.5", 5, "1.5"),
        ("170141183460469231731687303715884105727", 0, "170141183460469231731687303715884105727"),
    ]

    @Test(arguments: roundings)
    func `rounding is half away from zero`(text: String, digits: Int, expected: String) throws {
        // The last row has 39 digits: more than a text may have, and still a number.
        let number = Decimal(Array(text.utf8)) ?? Decimal(coefficient: .max, scale: 0)
        #expect(number?.rounded(toScale: digits).description == expected)
    }

    @Test func `units are exact and within 64 bits`() throws {
        #expect(try Self.number("92233720368547.75807").units(scale: 5) == .max)
        #expect(try Self.number("92233720368547.75808").units(scale: 5) == nil)
        #expect(try Self.number("-92233720368547.75808").units(scale: 5) == .min)
        #expect(try Self.number("0.000001").units(scale: 5) == nil)
        #expect(try Self.number("1e38").units(scale: 5) == nil)
        #expect(try Self.number("7.00").integer == 7)
        #expect(try Self.number("7.5").integer == nil)
        #expect(try Self.number("9223372036854775808").integer == nil)
    }

    /// In ascending order.
    static let ordered = [
        "-1e38", "-170141184", "-170141183.5", "-170141183.460469231731687303715884105727", "-1.5", "-1", "-1e-30", "0",
        "1e-30", "0.1", "0.10000000001",
        "1", "1.5", "170141183.460469231731687303715884105727", "170141183.5", "170141184", "1e38",
    ]

    @Test func `comparison is exact, also where no common scale exists`() throws {
        func read(_ text: String) throws -> Decimal {
            guard text.contains("460469") else { return try Self.number(text) }
            return try #require(Decimal(coefficient: text.hasPrefix("-") ? -.max : .max, scale: 30))
        }
        let numbers = try Self.ordered.map(read)
        for (i, a) in numbers.enumerated() {
            for (j, b) in numbers.enumerated() { #expect((a < b) == (i < j) && (a == b) == (i == j), "\(a) and \(b)") }
        }
    }

    static let amounts: [(Int128, String)] = [
        (0, "0.00"), (3_564_000, "35.64"), (-2_750_000, "-27.50"), (1_016_934_000_400, "10169340.004"), (1, "0.00001"),
        (-1, "-0.00001"),
        (100_000, "1.00"), (110_000, "1.10"), (111_100, "1.111"), (Int128(Int64.max), "92233720368547.75807"),
        (-99_999, "-0.99999"),
        (.max, "1701411834604692317316873037158841.05727"), (.min, "-1701411834604692317316873037158841.05728"),
    ]

    @Test(arguments: amounts)
    func `an amount shows at least two fraction digits and all that count`(units: Int128, text: String) {
        #expect(MoneyScale.text(units) == text)
    }

    @Test func `currencies are three capital letters, in order of the alphabet`() throws {
        let gbp = try #require(Currency("GBP"))
        let eur = try #require(Currency("EUR"))
        #expect(eur < gbp && gbp.description == "GBP" && Currency(code: Int64(gbp.code)) == gbp)
        for wrong in ["", "GB", "GBPX", "gbp", "G1P", "ÄÖ"] { #expect(Currency(wrong) == nil) }
    }
}
