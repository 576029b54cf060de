/// An instant: microseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let micros: Int64

    @inlinable public init(micros: Int64) { self.micros = micros }

    @inlinable public static func < (a: Self, b: Self) -> Bool { a.micros < b.micros }

    /// ISO 8601 in UTC; fraction digits only when there are any: `2009-12-01T07:45:00Z`.
    public var description: String {
        let (seconds, fraction) = micros.flooredDivision(by: 1_000_000)
        let civil = CivilTime(epochSeconds: seconds)
        var text = civil.dateText + "T" + civil.clockText
        if fraction != 0 {
            var digits = padded(fraction, 6)
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }
}

extension Int64 {
    /// Quotient rounded towards minus infinity and the remainder, 0 or more.
    @inlinable public func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let q = self / divisor
        let r = self % divisor
        return r < 0 ? (q - 1, r + divisor) : (q, r)
    }
}

/// `value` with leading zeros to `width` digits.
public func padded(_ value: some BinaryInteger, _ width: Int) -> String {
    let text = String(value)
    return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
}

/// A date and a clock reading without a zone, in the proleptic Gregorian calendar.
public struct CivilTime: Hashable, Sendable {
    public var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, micro: Int

    /// Nil when there is no such date or clock reading; years 1 to 9999, no leap seconds.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, micro: Int = 0) {
        guard 1...9999 ~= year, 1...12 ~= month, 1...Self.days(in: month, of: year) ~= day, 0...23 ~= hour,
            0...59 ~= minute, 0...59 ~= second, 0...999_999 ~= micro
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.micro = micro
    }

    public init(epochSeconds: Int64) {
        let (days, rest) = epochSeconds.flooredDivision(by: 86_400)
        let date = Self.date(epochDay: Int(days))
        year = date.year
        month = date.month
        day = date.day
        hour = Int(rest) / 3_600
        minute = Int(rest) / 60 % 60
        second = Int(rest) % 60
        micro = 0
    }

    /// The reading as if the zone were UTC.
    public var epochSeconds: Int64 {
        Int64(epochDay) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// Days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    public var epochDay: Int { Self.epochDay(year: year, month: month, day: day) }

    public static func epochDay(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    public static func date(epochDay: Int) -> (year: Int, month: Int, day: Int) {
        let z = epochDay + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    public static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// ISO weekday of an epoch day, 1 (Monday) to 7.
    public static func weekday(epochDay: Int) -> Int {
        let rest = (epochDay + 3) % 7
        return (rest < 0 ? rest + 7 : rest) + 1
    }

    /// ISO 8601 week number and the year it belongs to.
    public static func isoWeek(epochDay: Int) -> (year: Int, week: Int) {
        let thursday = epochDay - weekday(epochDay: epochDay) + 4
        let year = date(epochDay: thursday).year
        return (year, (thursday - Self.epochDay(year: year, month: 1, day: 1)) / 7 + 1)
    }

    /// `yyyy-MM-dd`.
    public var dateText: String { padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) }
    /// `HH:mm:ss`.
    public var clockText: String { padded(hour, 2) + ":" + padded(minute, 2) + ":" + padded(second, 2) }
}
