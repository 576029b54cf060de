/// A declared way to write a time: there is no guessing between formats.
///
/// `iso8601`, `epoch_seconds`, `epoch_millis`, or a pattern of `yyyy MM dd HH mm ss` and literal characters.
/// In a pattern a field of two letters takes one or two digits (`1/2/2010 8:5` in `dd/MM/yyyy HH:mm`), `yyyy` four.
public struct TimeFormat: Sendable, Equatable, CustomStringConvertible {
    enum Part: Sendable, Equatable { case year, month, day, hour, minute, second, literal(UInt8) }
    enum Kind: Sendable, Equatable { case iso8601, epochSeconds, epochMillis, pattern([Part]) }

    /// What a text says: a reading of a clock, with its offset from UTC when the text carries one.
    public enum Reading: Sendable, Equatable {
        case civil(CivilTime)
        case instant(Timestamp)
    }

    /// Readings that standards allow and no clock here shows.
    public enum ClockFault: Sendable, Equatable { case hour24, second60 }

    let kind: Kind
    public let description: String

    /// Nil when the pattern lacks year, month or day, or repeats a field.
    public init?(_ text: String) {
        description = text
        switch text {
        case "iso8601": kind = .iso8601
        case "epoch_seconds": kind = .epochSeconds
        case "epoch_millis": kind = .epochMillis
        default:
            var parts: [Part] = []
            var rest = Array(text.utf8)[...]
            let fields: [(String, Part)] = [
                ("yyyy", .year), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute), ("ss", .second),
            ]
            while let first = rest.first {
                if let (name, part) = fields.first(where: { rest.starts(with: $0.0.utf8) }) {
                    guard !parts.contains(part) else { return nil }
                    parts.append(part)
                    rest = rest.dropFirst(name.utf8.count)
                } else {
                    guard !(0x41...0x5A ~= first && first != 0x54 && first != 0x5A) else { return nil }
                    guard !(0x61...0x7A ~= first) else { return nil }
                    parts.append(.literal(first))
                    rest = rest.dropFirst()
                }
            }
            guard parts.contains(.year), parts.contains(.month), parts.contains(.day) else { return nil }
            kind = .pattern(parts)
        }
    }

    /// What the text says in this format, or nil when it is not in this format or names no real date.
    public func read(_ text: ArraySlice<UInt8>) -> Reading? {
        var fault: ClockFault?
        return read(text, &fault)
    }

    /// Why a text in this format names no time, where it is hour 24 or second 60 that is wrong.
    public func clockFault(of text: ArraySlice<UInt8>) -> ClockFault? {
        var fault: ClockFault?
        return read(text, &fault) == nil ? fault : nil
    }

    private func read(_ text: ArraySlice<UInt8>, _ fault: inout ClockFault?) -> Reading? {
        switch kind {
        case .iso8601: Self.iso(text, &fault)
        case .epochSeconds: Decimal(text)?.units(scale: 6).map { .instant(Timestamp(micros: $0)) }
        case .epochMillis: Decimal(text)?.units(scale: 3).map { .instant(Timestamp(micros: $0)) }
        case .pattern(let parts): Self.civil(text, parts, &fault).map { .civil($0) }
        }
    }

    private static func civil(_ text: ArraySlice<UInt8>, _ parts: [Part], _ fault: inout ClockFault?) -> CivilTime? {
        var cursor = Cursor(text)
        var year = 0
        var month = 0
        var day = 0
        var hour = 0
        var minute = 0
        var second = 0
        for part in parts {
            switch part {
            case .literal(let byte): guard cursor.skip(byte) else { return nil }
            case .year:
                guard let v = cursor.number(4...4) else { return nil }
                year = v
            case .month:
                guard let v = cursor.number(1...2) else { return nil }
                month = v
            case .day:
                guard let v = cursor.number(1...2) else { return nil }
                day = v
            case .hour:
                guard let v = cursor.number(1...2) else { return nil }
                hour = v
            case .minute:
                guard let v = cursor.number(1...2) else { return nil }
                minute = v
            case .second:
                guard let v = cursor.number(1...2) else { return nil }
                second = v
            }
        }
        guard cursor.atEnd else { return nil }
        if let civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second) {
            return civil
        }
        fault = clockFault(hour: hour, minute: minute, second: second)
        return nil
    }

    private static func clockFault(hour: Int, minute: Int, second: Int) -> ClockFault? {
        if hour == 24, minute == 0, second == 0 { return .hour24 }
        return hour < 24 && minute < 60 && second == 60 ? .second60 : nil
    }

    /// The basic form (`20091201T074500Z`) or the extended one, never a mixture; a fraction of a second behind `.` or
    /// `,` is cut to microseconds; one space may stand before an offset (`2009-12-01 07:45:00 +0100`).
    private static func iso(_ text: ArraySlice<UInt8>, _ fault: inout ClockFault?) -> Reading? {
        var cursor = Cursor(text)
        guard let year = cursor.number(4...4) else { return nil }
        let isExtended = cursor.skip(0x2D)
        guard let month = cursor.number(2...2), !isExtended || cursor.skip(0x2D), let day = cursor.number(2...2),
            cursor.skip(0x54) || cursor.skip(0x20) || cursor.skip(0x74),
            let hour = cursor.number(2...2), !isExtended || cursor.skip(0x3A), let minute = cursor.number(2...2)
        else { return nil }
        var second = 0
        var micro = 0
        if isExtended ? cursor.skip(0x3A) : cursor.isAtDigit {
            guard let value = cursor.number(2...2) else { return nil }
            second = value
            if cursor.skip(0x2E) || cursor.skip(0x2C) {
                guard let fraction = cursor.fraction() else { return nil }
                micro = fraction
            }
        }
        guard
            let civil = CivilTime(
                year: year,
                month: month,
                day: day,
                hour: hour,
                minute: minute,
                second: second,
                micro: micro
            )
        else {
            fault = clockFault(hour: hour, minute: minute, second: second)
            return nil
        }
        if cursor.atEnd { return .civil(civil) }
        guard let offset = cursor.offset() else { return nil }
        return .instant(Timestamp(micros: (civil.epochSeconds - Int64(offset)) * 1_000_000 + Int64(micro)))
    }
}

/// Reads digits and separators off a slice.
struct Cursor {
    private let text: ArraySlice<UInt8>
    private var at: Int

    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        at = text.startIndex
    }

    var atEnd: Bool { at == text.endIndex }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard at < text.endIndex, text[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func number(_ width: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < width.upperBound, at < text.endIndex, 0x30...0x39 ~= text[at] {
            value = value * 10 + Int(text[at] - 0x30)
            at += 1
            count += 1
        }
        return width.contains(count) ? value : nil
    }

    var isAtDigit: Bool { at < text.endIndex && 0x30...0x39 ~= text[at] }

    /// `Z`, `+02`, `+0200` or `+02:00` up to the end, in seconds.
    mutating func offset() -> Int? {
        if skip(0x5A) || skip(0x7A) { return atEnd ? 0 : nil }
        _ = skip(0x20)
        let sign = skip(0x2B) ? 1 : skip(0x2D) ? -1 : 0
        guard sign != 0, let hours = number(2...2), hours <= 23 else { return nil }
        let hasColon = skip(0x3A)
        let minutes = atEnd && !hasColon ? 0 : number(2...2) ?? 60
        guard minutes <= 59, atEnd else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    /// Fraction digits of a second as microseconds; digits after the sixth are cut off, 12 digits at most.
    mutating func fraction() -> Int? {
        var value = 0
        var count = 0
        while isAtDigit, count < 12 {
            if count < 6 { value = value * 10 + Int(text[at] - 0x30) }
            at += 1
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { value *= 10 }
        return value
    }
}
