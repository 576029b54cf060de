import Primitives

/// What lines, documents and marts must agree on, by currency and day.
package enum MoneyFigure: Int, CaseIterable, Sendable {
    case gross, returns, adjustments
    /// Every line whose document's number does not begin with C.
    case reference
    /// −|amount| of the lines of C documents.
    case cancelled
    /// Gross of documents in turnover windows, by UTC day.
    case windows

    package var name: String { "\(self)" }
}

/// The figures of one currency and day.
package struct DayMoney: Sendable, Equatable {
    private var gross: Int128 = 0, returns: Int128 = 0, adjustments: Int128 = 0
    private var reference: Int128 = 0, cancelled: Int128 = 0, windows: Int128 = 0

    var isZero: Bool { self == DayMoney() }

    package subscript(figure: MoneyFigure) -> Int128 {
        get {
            switch figure {
            case .gross: gross
            case .returns: returns
            case .adjustments: adjustments
            case .reference: reference
            case .cancelled: cancelled
            case .windows: windows
            }
        }
        set {
            switch figure {
            case .gross: gross = newValue
            case .returns: returns = newValue
            case .adjustments: adjustments = newValue
            case .reference: reference = newValue
            case .cancelled: cancelled = newValue
            case .windows: windows = newValue
            }
        }
    }
}

/// Figures by currency and day. Memory: about 200 bytes for each pair, and contracts bound the years.
struct DaySums: Sendable {
    private struct Key: Hashable { var currency: Int64, day: Int64 }

    private var index: [Key: Int] = [:]
    private var values: [DayMoney] = []
    /// Rows of a table that follow each other are mostly of one day.
    private var last: (key: Key, index: Int)?
    private(set) var days: [Int64: [Int64]] = [:]

    mutating func add(_ currency: Int64, _ day: Int64, _ figure: MoneyFigure, _ value: Int128) {
        values[place(Key(currency: currency, day: day))][figure] += value
    }

    private mutating func place(_ key: Key) -> Int {
        if let last, last.key == key { return last.index }
        let number = index[key] ?? values.count
        if number == values.count {
            index[key] = number
            values.append(DayMoney())
            days[key.currency, default: []].append(key.day)
        }
        last = (key, number)
        return number
    }

    func money(_ currency: Int64, _ day: Int64) -> DayMoney {
        index[Key(currency: currency, day: day)].map { values[$0] } ?? DayMoney()
    }

    func total(_ currency: Int64, _ figure: MoneyFigure) -> Int128 {
        (days[currency] ?? []).reduce(0) { $0 + money(currency, $1)[figure] }
    }
}
