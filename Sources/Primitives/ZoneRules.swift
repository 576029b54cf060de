import CShims

/// The offsets of one named time zone, read from the system's tz database (TZif, RFC 8536).
///
/// Foundation's named zones pull in ICU (docs/decisions); this reader keeps the binary small. Immutable after init.
public struct ZoneRules: Sendable, Equatable {
    public let name: String
    /// Instants (epoch seconds) at which an offset starts, ascending, and the offsets in seconds east of UTC.
    private var starts: [Int64] = []
    private var offsets: [Int] = []
    private var firstOffset = 0
    private var tail: PosixZone?

    public enum LocalResult: Equatable, Sendable {
        case one(Timestamp)
        /// The clock showed this reading twice; the first instant is the one used (spec model 1.10).
        case ambiguous(first: Timestamp)
        /// The clock never showed this reading.
        case nonexistent
    }

    public static let utc = ZoneRules(fixedNamed: "UTC")

    private init(fixedNamed name: String) { self.name = name }

    /// Loads `/usr/share/zoneinfo/NAME`; nil when there is no such zone or its file is damaged.
    public init?(named name: String, directory: String = "/usr/share/zoneinfo") {
        if name == "UTC" {
            self = .utc
            return
        }
        let legal = name.utf8.allSatisfy {
            0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || [0x2B, 0x2D, 0x5F, 0x2F].contains($0)
        }
        guard legal, !name.isEmpty, name.utf8.first != 0x2F, !name.utf8.elementsEqual(".".utf8),
            let bytes = Self.load(directory + "/" + name), let zone = Self(name: name, tzif: bytes)
        else { return nil }
        self = zone
    }

    private static func load(_ path: String) -> [UInt8]? {
        let descriptor = unsafe cshims_open(path, 0)
        guard descriptor >= 0 else { return nil }
        defer { _ = cshims_close(descriptor) }
        let size = cshims_file_size(descriptor)
        guard size > 44, size < 1 << 20 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let read = unsafe bytes.withUnsafeMutableBytes {
            unsafe cshims_pread_all(descriptor, $0.baseAddress, $0.count, 0)
        }
        return read == size ? bytes : nil
    }

    init?(name: String, tzif bytes: [UInt8]) {
        self.name = name
        guard let first = Header(bytes, at: 0), first.version >= 2,
            let header = Header(bytes, at: 44 + first.bodySize(timeSize: 4))
        else { return nil }
        var reader = WireReader(bytes, at: header.start)
        guard reader.remaining >= header.bodySize(timeSize: 8) else { return nil }
        for _ in 0..<header.timeCount { starts.append(reader.integer() ?? 0) }
        let kinds = (0..<header.timeCount).map { _ in Int(reader.integer(UInt8.self) ?? 0) }
        var table: [Int] = []
        for _ in 0..<header.typeCount {
            table.append(Int(reader.integer(Int32.self) ?? 0))
            _ = reader.take(2)
        }
        guard !table.isEmpty, kinds.allSatisfy({ $0 < table.count }) else { return nil }
        offsets = kinds.map { table[$0] }
        firstOffset = table[0]
        let footer = bytes[(header.start + header.bodySize(timeSize: 8))...]
        guard footer.first == 0x0A, let end = footer.dropFirst().firstIndex(of: 0x0A) else { return nil }
        tail = PosixZone(String(decoding: footer[(footer.startIndex + 1)..<end], as: UTF8.self))
    }

    private struct Header {
        var version = 0, start = 0, isUTCCount = 0, isStandardCount = 0, leapCount = 0
        var timeCount = 0, typeCount = 0, charCount = 0

        init?(_ bytes: [UInt8], at offset: Int) {
            var reader = WireReader(bytes, at: min(offset, bytes.count))
            guard let magic = reader.take(4), magic.elementsEqual("TZif".utf8), let v = reader.integer(UInt8.self),
                reader.take(15) != nil
            else { return nil }
            version = v == 0 ? 1 : Int(v) - 0x30
            let counts = (0..<6).compactMap { _ in reader.integer(UInt32.self).map { Int($0) } }
            guard counts.count == 6, counts.allSatisfy({ $0 < 1 << 16 }) else { return nil }
            isUTCCount = counts[0]
            isStandardCount = counts[1]
            leapCount = counts[2]
            timeCount = counts[3]
            typeCount = counts[4]
            charCount = counts[5]
            start = offset + 44
        }

        func bodySize(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + charCount + leapCount * (timeSize + 4) + isStandardCount
                + isUTCCount
        }
    }

    /// Seconds east of UTC at an instant.
    public func offset(at instant: Timestamp) -> Int {
        offset(atSeconds: instant.micros.flooredDivision(by: 1_000_000).quotient)
    }

    private func offset(atSeconds seconds: Int64) -> Int {
        guard let last = starts.last else { return tail?.offset(at: seconds) ?? firstOffset }
        if seconds >= last { return tail?.offset(at: seconds) ?? offsets[offsets.count - 1] }
        // The first start after `seconds`; the offset before it holds.
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? firstOffset : offsets[low - 1]
    }

    /// The clock reading at an instant.
    public func civil(at instant: Timestamp) -> CivilTime {
        let (seconds, micro) = instant.micros.flooredDivision(by: 1_000_000)
        var civil = CivilTime(epochSeconds: seconds + Int64(offset(atSeconds: seconds)))
        civil.micro = Int(micro)
        return civil
    }

    /// Days since 1970-01-01 of the local date at an instant.
    public func epochDay(at instant: Timestamp) -> Int {
        let seconds = instant.micros.flooredDivision(by: 1_000_000).quotient
        return Int((seconds + Int64(offset(atSeconds: seconds))).flooredDivision(by: 86_400).quotient)
    }

    /// The instant of a clock reading in this zone.
    public func instant(of civil: CivilTime) -> LocalResult {
        let local = civil.epochSeconds
        let early = offset(atSeconds: local - 86_400)
        let late = offset(atSeconds: local + 86_400)
        /// The instant that an offset gives, when the offset holds there.
        func instant(_ offset: Int) -> Timestamp? {
            let seconds = local - Int64(offset)
            guard self.offset(atSeconds: seconds) == offset else { return nil }
            return Timestamp(micros: seconds * 1_000_000 + Int64(civil.micro))
        }
        switch (instant(early), early == late ? nil : instant(late)) {
        case (let one?, let other?): return .ambiguous(first: min(one, other))
        case (let one?, nil), (nil, let one?): return .one(one)
        case (nil, nil): return .nonexistent
        }
    }
}

/// The rule after the last listed transition: a POSIX TZ string such as `GMT0BST,M3.5.0/1,M10.5.0`.
struct PosixZone: Sendable, Equatable {
    struct Rule: Sendable, Equatable { var month = 0, week = 0, weekday = 0, seconds = 7_200 }

    var standard = 0
    var daylight: Int?
    var start = Rule(), end = Rule()

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard Self.name(&rest), let standardOffset = Self.time(&rest) else { return nil }
        standard = -standardOffset
        if rest.isEmpty { return }
        guard Self.name(&rest) else { return nil }
        daylight = standard + 3_600
        if rest.first != 0x2C {
            guard let offset = Self.time(&rest) else { return nil }
            daylight = -offset
        }
        guard let first = Self.rule(&rest), let second = Self.rule(&rest), rest.isEmpty else { return nil }
        start = first
        end = second
    }

    private static func name(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if rest.first == 0x3C, let close = rest.firstIndex(of: 0x3E) {
            rest = rest[(close + 1)...]
            return true
        }
        let letters = rest.prefix { 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix { 0x30...0x39 ~= $0 }.prefix(4)
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func time(_ rest: inout ArraySlice<UInt8>) -> Int? {
        var sign = 1
        if rest.first == 0x2D || rest.first == 0x2B { sign = rest.removeFirst() == 0x2D ? -1 : 1 }
        guard let hours = number(&rest) else { return nil }
        var seconds = hours * 3_600
        for unit in [60, 1] where rest.first == 0x3A {
            rest = rest.dropFirst()
            guard let value = number(&rest) else { return nil }
            seconds += value * unit
        }
        return sign * seconds
    }

    private static func rule(_ rest: inout ArraySlice<UInt8>) -> Rule? {
        guard rest.starts(with: ",M".utf8) else { return nil }
        rest = rest.dropFirst(2)
        guard let month = number(&rest), rest.popFirst() == 0x2E, let week = number(&rest), rest.popFirst() == 0x2E,
            let weekday = number(&rest), 1...12 ~= month, 1...5 ~= week, 0...6 ~= weekday
        else { return nil }
        var rule = Rule(month: month, week: week, weekday: weekday)
        if rest.first == 0x2F {
            rest = rest.dropFirst()
            guard let seconds = time(&rest) else { return nil }
            rule.seconds = seconds
        }
        return rule
    }

    /// Local seconds since the epoch at which `rule` falls in `year`.
    private func local(_ rule: Rule, year: Int) -> Int64 {
        let first = CivilTime.epochDay(year: year, month: rule.month, day: 1)
        let shift = (rule.weekday - CivilTime.weekday(epochDay: first) % 7 + 7) % 7
        var day = 1 + shift + (rule.week - 1) * 7
        while day > CivilTime.days(in: rule.month, of: year) { day -= 7 }
        return Int64(first + day - 1) * 86_400 + Int64(rule.seconds)
    }

    func offset(at seconds: Int64) -> Int {
        guard let daylight else { return standard }
        let year = CivilTime(epochSeconds: seconds + Int64(standard)).year
        let from = local(start, year: year) - Int64(standard)
        let to = local(end, year: year) - Int64(daylight)
        let inside = from < to ? seconds >= from && seconds < to : seconds >= from || seconds < to
        return inside ? daylight : standard
    }
}
