import Primitives
import Testing

@Suite struct CalendarTests {
    @Test(arguments: CalendarTables.weeks)
    func `week, weekday and day number are those of the calendar`(
        text: String,
        year: Int,
        week: Int,
        weekday: Int,
        day: Int
    ) throws {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        let civil = try #require(CivilTime(year: parts[0], month: parts[1], day: parts[2]))
        #expect(civil.epochDay == day && civil.dateText == text)
        #expect(CivilTime.weekday(epochDay: day) == weekday)
        #expect(CivilTime.isoWeek(epochDay: day) == (year, week))
        #expect(CivilTime.date(epochDay: day) == (parts[0], parts[1], parts[2]))
    }

    @Test(arguments: CalendarTables.readings)
    func `an instant shows as its reading in UTC`(seconds: Int64, text: String) {
        #expect(Timestamp(micros: seconds * 1_000_000).description == text)
        #expect(CivilTime(epochSeconds: seconds).epochSeconds == seconds)
    }

    @Test func `every day of the years 1 to 9999 comes back, one after the other`() {
        var day = CivilTime.epochDay(year: 1, month: 1, day: 1)
        var weekday = CivilTime.weekday(epochDay: day)
        for year in 1...9999 {
            for month in 1...12 {
                // The first and the last day of each month; their distance is the month's length.
                #expect(CivilTime.epochDay(year: year, month: month, day: 1) == day)
                let last = day + CivilTime.days(in: month, of: year) - 1
                if CivilTime.date(epochDay: last) != (year, month, last - day + 1) { Issue.record("\(year)-\(month)") }
                weekday = (weekday - 1 + last + 1 - day) % 7 + 1
                day = last + 1
                if CivilTime.weekday(epochDay: day) != weekday { Issue.record("weekday of \(day)") }
            }
        }
    }

    @Test func `fractions of a second show without trailing zeros, before 1970 too`() {
        #expect(Timestamp(micros: 1_500_000).description == "1970-01-01T00:00:01.5Z")
        #expect(Timestamp(micros: 1).description == "1970-01-01T00:00:00.000001Z")
        #expect(Timestamp(micros: -1).description == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp(micros: 1) < Timestamp(micros: 2))
    }

    @Test func `there is no such date or reading`() {
        for (y, m, d) in [
            (2010, 2, 29), (1900, 2, 29), (2010, 4, 31), (2010, 0, 1), (2010, 13, 1), (2010, 1, 0), (0, 1, 1),
            (10_000, 1, 1),
        ] {
            #expect(CivilTime(year: y, month: m, day: d) == nil, "\(y)-\(m)-\(d)")
        }
        #expect(CivilTime(year: 2000, month: 2, day: 29) != nil)
        #expect(
            CivilTime(year: 2010, month: 1, day: 1, hour: 24) == nil
                && CivilTime(year: 2010, month: 1, day: 1, minute: 60) == nil
        )
        #expect(CivilTime(year: 2010, month: 1, day: 1, second: 60) == nil)
    }
}

@Suite struct ZoneRulesTests {
    @Test(arguments: CalendarTables.offsets)
    func `the offset is that of the tz database, and of the rule after its last year`(
        zone: String,
        seconds: Int64,
        offset: Int
    ) throws {
        let rules = try #require(ZoneRules(named: zone))
        #expect(rules.offset(at: Timestamp(micros: seconds * 1_000_000)) == offset)
        #expect(rules.offset(at: Timestamp(micros: seconds * 1_000_000 + 999_999)) == offset)
    }

    static func civil(_ y: Int, _ m: Int, _ d: Int, _ h: Int, _ min: Int) throws -> CivilTime {
        try #require(CivilTime(year: y, month: m, day: d, hour: h, minute: min))
    }

    @Test func `London skips an hour in March and shows one twice in October`() throws {
        let london = try #require(ZoneRules(named: "Europe/London"))
        func instant(_ text: Int64) -> Timestamp { Timestamp(micros: text * 1_000_000) }
        #expect(try london.instant(of: Self.civil(2010, 3, 28, 0, 59)) == .one(instant(1_269_737_940)))
        #expect(try london.instant(of: Self.civil(2010, 3, 28, 1, 0)) == .nonexistent)
        #expect(try london.instant(of: Self.civil(2010, 3, 28, 1, 59)) == .nonexistent)
        #expect(try london.instant(of: Self.civil(2010, 3, 28, 2, 0)) == .one(instant(1_269_738_000)))
        #expect(try london.instant(of: Self.civil(2010, 10, 31, 0, 59)) == .one(instant(1_288_483_140)))
        #expect(try london.instant(of: Self.civil(2010, 10, 31, 1, 0)) == .ambiguous(first: instant(1_288_483_200)))
        #expect(try london.instant(of: Self.civil(2010, 10, 31, 1, 59)) == .ambiguous(first: instant(1_288_486_740)))
        #expect(try london.instant(of: Self.civil(2010, 10, 31, 2, 0)) == .one(instant(1_288_490_400)))
        #expect(try london.instant(of: Self.civil(2060, 3, 28, 1, 30)) == .nonexistent)
    }

    @Test func `Lord Howe moves its clock by half an hour`() throws {
        let zone = try #require(ZoneRules(named: "Australia/Lord_Howe"))
        #expect(try zone.instant(of: Self.civil(2010, 10, 3, 2, 15)) == .nonexistent)
        #expect(try zone.instant(of: Self.civil(2010, 10, 3, 2, 30)) == .one(Timestamp(micros: 1_286_033_400_000_000)))
    }

    @Test(arguments: [
        "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/Dublin", "America/Nuuk",
    ])
    func `a reading at an instant leads back to it, or to its first`(name: String) throws {
        let zone = try #require(ZoneRules(named: name))
        for hour in 0..<(24 * 800) {
            let instant = Timestamp(micros: 1_262_300_000_000_000 + Int64(hour) * 1_800_000_000)
            let civil = zone.civil(at: instant)
            #expect(zone.epochDay(at: instant) == civil.epochDay)
            switch zone.instant(of: civil) {
            case .one(let found): if found != instant { Issue.record("\(name) \(instant)") }
            case .ambiguous(let first):
                if first != instant, zone.civil(at: first) != civil || first > instant {
                    Issue.record("\(name) \(instant)")
                }
            case .nonexistent: Issue.record("\(name) \(instant) does not exist")
            }
        }
    }

    @Test func `names that are no zone are refused, and no path leaves the directory`() {
        for name in [
            "", "Nowhere/Town", "/etc/passwd", "../../etc/passwd", ".", "Europe/../Europe/London", "Europe",
            "Europe/London\0",
        ] {
            #expect(ZoneRules(named: name) == nil, "\(name)")
        }
        #expect(ZoneRules(named: "UTC")?.offset(at: Timestamp(micros: 0)) == 0)
    }
}

@Suite struct TimeFormatTests {
    /// Format, text, what it reads as: a reading without zone, an instant with Z, or nil.
    static let cases: [(String, String, String?)] = [
        ("dd/MM/yyyy HH:mm", "01/12/2010 08:26", "2010-12-01 08:26:00"),
        ("dd/MM/yyyy HH:mm", "1/2/2010 8:5", "2010-02-01 08:05:00"),
        ("dd/MM/yyyy HH:mm", "12/31/2010 08:26", nil), ("dd/MM/yyyy HH:mm", "01/12/2010 08:26:00", nil),
        ("dd/MM/yyyy HH:mm", "", nil), ("dd/MM/yyyy HH:mm", "01/12/10 08:26", nil),
        ("dd/MM/yyyy HH:mm", " 01/12/2010 08:26", nil),
        ("dd/MM/yyyy HH:mm", "01/12/2010 08:26 ", nil), ("dd/MM/yyyy HH:mm", "001/12/2010 08:26", nil),
        ("dd/MM/yyyy HH:mm", "29/02/2010 08:26", nil), ("dd/MM/yyyy HH:mm", "01/12/2010 24:00", nil),
        ("yyyy-MM-dd HH:mm:ss", "2009-12-01 07:45:00", "2009-12-01 07:45:00"),
        ("yyyy-MM-dd", "2009-12-01", "2009-12-01 00:00:00"),
        ("yyyyMMdd", "20091201", "2009-12-01 00:00:00"), ("iso8601", "2009-12-01T07:45", "2009-12-01 07:45:00"),
        ("iso8601", "2009-12-01T07:45:00Z", "2009-12-01T07:45:00Z"),
        ("iso8601", "2009-12-01T07:45:00+02:00", "2009-12-01T05:45:00Z"),
        ("iso8601", "2009-12-01t07:45:00.5z", "2009-12-01T07:45:00.5Z"),
        ("iso8601", "2009-12-01T07:45:00-0530", "2009-12-01T13:15:00Z"),
        ("iso8601", "2009-12-01T07:45:00+02", "2009-12-01T05:45:00Z"),
        ("iso8601", "2009-12-01T07:45:00.1234560Z", "2009-12-01T07:45:00.123456Z"),
        ("iso8601", "2009-12-01T07:45:00.1234567Z", "2009-12-01T07:45:00.123456Z"),
        ("iso8601", "2009-12-01T07:45:00.123456789Z", "2009-12-01T07:45:00.123456Z"),
        ("iso8601", "1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("iso8601", "2009-12-01T07:45:00,5Z", "2009-12-01T07:45:00.5Z"),
        ("iso8601", "20091201T074500Z", "2009-12-01T07:45:00Z"),
        ("iso8601", "20091201T074500.25+0200", "2009-12-01T05:45:00.25Z"),
        ("iso8601", "20091201T0745", "2009-12-01 07:45:00"),
        ("iso8601", "2009-12-01 07:45:00+02", "2009-12-01T05:45:00Z"),
        ("iso8601", "2009-12-01 07:45:00 +0200", "2009-12-01T05:45:00Z"),
        ("iso8601", "20091201T07:45:00Z", nil), ("iso8601", "2009-12-01T074500Z", nil),
        ("iso8601", "20091201T07450Z", nil), ("iso8601", "2009-12-01T24:00:00Z", nil),
        ("iso8601", "2009-W49-2T07:45:00Z", nil), ("iso8601", "2009-335T07:45:00Z", nil),
        ("iso8601", "2009335T074500Z", nil), ("iso8601", "2009-12-01T07:45:00,Z", nil),
        ("iso8601", "2009-12-01T07:45:00 Z", nil), ("iso8601", "2009-12-01T07:45:00.Z", nil),
        ("iso8601", "2009-12-01", nil),
        ("iso8601", "2009-12-01T07:45:60Z", nil), ("iso8601", "2009-12-01T07:45:00+24:00", nil),
        ("iso8601", "2009-12-01T07:45:00+02:60", nil),
        ("iso8601", "2009-12-01T07:45:00+02:00x", nil), ("iso8601", "2009-12-01T07:45:00+02:", nil),
        ("epoch_seconds", "1259653500", "2009-12-01T07:45:00Z"),
        ("epoch_seconds", "1259653500.25", "2009-12-01T07:45:00.25Z"),
        ("epoch_seconds", "1259653500.1234567", nil), ("epoch_seconds", "x", nil), ("epoch_seconds", "1e30", nil),
        ("epoch_millis", "1259653500125", "2009-12-01T07:45:00.125Z"),
        ("epoch_millis", "-1", "1969-12-31T23:59:59.999Z"),
    ]

    @Test(arguments: cases)
    func `a text is read in its declared format only`(format: String, text: String, expected: String?) throws {
        let found: String? =
            switch try #require(TimeFormat(format)).read(Array(text.utf8)[...]) {
            case .civil(let civil): civil.dateText + " " + civil.clockText
            case .instant(let instant): instant.description
            case nil: nil
            }
        #expect(found == expected)
    }

    @Test(arguments: ["dd/MM HH:mm", "", "yyyy", "yyyy-MM-dd yyyy", "yyyy-MM-dd hh:mm", "yyyy-MM-ddX", "ISO8601"])
    func `a pattern without a date, with a field twice or with other letters is refused`(text: String) {
        #expect(TimeFormat(text) == nil)
    }

    @Test func `T and Z may stand in a pattern`() {
        #expect(TimeFormat("yyyy-MM-ddTHH:mm:ssZ")?.read(Array("2009-12-01T07:45:00Z".utf8)[...]) != nil)
    }
}
