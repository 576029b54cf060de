import Synchronization

/// Numbers by label, for events that happen once a commit or less often: adding takes a lock. Thread: any.
package final class LabelledMetrics: Sendable {
    private enum Value: Sendable {
        case number(Int64)
        case histogram(Histogram)

        /// The initial value of a series.
        init(_ family: MetricFamily) {
            self = family.kind == .histogram ? .histogram(Histogram(boundsMillis: family.boundsMillis)) : .number(0)
        }
    }

    /// Maximum number of series of one family: labels come from data.
    private static var seriesMax: Int { 1_000 }
    private let families = Mutex<[MetricFamily: [[String]: Value]]>([:])

    init() {}

    /// Adds to a counter or gauge.
    package func add(_ family: MetricFamily, _ labels: [String], _ amount: Int64) {
        change(family, labels) { value in
            if case .number(let now) = value { value = .number(now + amount) }
        }
    }

    package func set(_ family: MetricFamily, _ labels: [String], _ value: Int64) {
        change(family, labels) { $0 = .number(value) }
    }

    /// - Parameter value: Seconds.
    package func observe(_ family: MetricFamily, _ labels: [String], _ value: Double) {
        change(family, labels) { old in
            guard case .histogram(var histogram) = old else { return }
            histogram.add(value)
            old = .histogram(histogram)
        }
    }

    /// Replaces all gauges at once: series that are not named disappear.
    package func replace(_ gauges: [MetricFamily: [[String]: Int64]]) {
        families.withLock { families in
            for (family, series) in gauges { families[family] = series.mapValues { .number($0) } }
        }
    }

    /// The number of one series; nil when it does not exist.
    package func value(_ family: MetricFamily, _ labels: [String]) -> Int64? {
        families.withLock { families in
            if case .number(let number) = families[family]?[labels] { number } else { nil }
        }
    }

    private func change(_ family: MetricFamily, _ labels: [String], _ body: (inout Value) -> Void) {
        families.withLock { families in
            let hasRoom =
                families[family, default: [:]].count < Self.seriesMax || families[family]?[labels] != nil
            let series = hasRoom ? labels : labels.map { _ in "other" }
            body(&families[family, default: [:]][series, default: Value(family)])
        }
    }

    func write(to text: inout String) {
        let families = families.withLock { $0 }
        for family in MetricFamily.allCases {
            // Without labels, the only series exists from the start.
            var all = families[family] ?? [:]
            if all.isEmpty, family.labels.isEmpty { all[[]] = Value(family) }
            if all.isEmpty { continue }
            PrometheusText.head(family.name, family.meaning, family.kind.rawValue, to: &text)
            for (values, value) in all.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let labels = PrometheusText.labels(family.labels, values)
                switch value {
                case .number(let number):
                    text += "till_\(family.name)\(labels.isEmpty ? "" : "{\(labels)}") \(number)\n"
                case .histogram(let histogram): histogram.write("till_" + family.name, labels, to: &text)
                }
            }
        }
    }
}

/// Text exposition format 0.0.4; every name begins with `till_`.
enum PrometheusText {
    static func head(_ name: String, _ meaning: String, _ kind: String, to text: inout String) {
        text += "# HELP till_\(name) \(meaning)\n# TYPE till_\(name) \(kind)\n"
    }

    /// `name="value",…`, escaped as the format requires.
    static func labels(_ names: [String], _ values: [String]) -> String {
        zip(names, values).map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var out = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
