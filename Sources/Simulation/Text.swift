import Primitives

/// Writing of records without a String on the way: a simulation writes hundreds of thousands of them a second.
extension [UInt8] {
    private static let hexDigits = [UInt8]("0123456789abcdef".utf8)

    mutating func add(_ text: String) { append(contentsOf: text.utf8) }

    /// A number without sign.
    mutating func add(_ value: Int) {
        precondition(value >= 0, "generated numbers are not negative")
        var divisor = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(0x30 + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// `1234` as `12.34`.
    mutating func addHundredths(_ value: Int) {
        add(value / 100)
        append(UInt8(ascii: "."))
        addPadded(value % 100, digits: 2)
    }

    mutating func addPadded(_ value: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(0x30 + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// `2024-12-19T18:42:24.008000` and the zone as it is given.
    mutating func addTime(_ micros: Int64, zone: String) {
        let (seconds, fraction) = micros.flooredDivision(by: 1_000_000)
        addClock(CivilTime(epochSeconds: seconds), between: UInt8(ascii: "T"))
        append(UInt8(ascii: "."))
        addPadded(Int(fraction), digits: 6)
        add(zone)
    }

    /// `2024-12-19 18:42:24`.
    mutating func addSeconds(_ micros: Int64) {
        addClock(CivilTime(epochSeconds: micros.flooredDivision(by: 1_000_000).quotient), between: 0x20)
    }

    private mutating func addClock(_ time: CivilTime, between: UInt8) {
        addPadded(time.year, digits: 4)
        append(0x2D)
        addPadded(time.month, digits: 2)
        append(0x2D)
        addPadded(time.day, digits: 2)
        append(between)
        addPadded(time.hour, digits: 2)
        append(0x3A)
        addPadded(time.minute, digits: 2)
        append(0x3A)
        addPadded(time.second, digits: 2)
    }

    /// The lowest `digits` hex digits of a number.
    mutating func addHex(_ value: UInt64, digits: Int) {
        for place in stride(from: digits - 1, through: 0, by: -1) {
            append(Self.hexDigits[Int(value >> UInt64(place * 4) & 15)])
        }
    }

    mutating func addIdentifier(_ id: Identifier) {
        addHex(id.high >> 32, digits: 8)
        append(0x2D)
        addHex(id.high >> 16, digits: 4)
        append(0x2D)
        addHex(id.high, digits: 4)
        append(0x2D)
        addHex(id.low >> 48, digits: 4)
        append(0x2D)
        addHex(id.low, digits: 12)
    }

    /// The text as a JSON string in which everything but printable ASCII is escaped: JSON inside JSON.
    func doubleEncoded() -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "\"")]
        out.reserveCapacity(count * 2)
        for unit in String(decoding: self, as: UTF8.self).utf16 {
            switch unit {
            case 0x22, 0x5C:
                out.append(0x5C)
                out.append(UInt8(unit))
            case 0x20...0x7E: out.append(UInt8(unit))
            default:
                out.add("\\u")
                out.addHex(UInt64(unit), digits: 4)
            }
        }
        out.append(UInt8(ascii: "\""))
        return out
    }
}
