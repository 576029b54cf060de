import Formats
import Primitives
import Testing

@testable import Simulation

/// A parsed record; paths name members by text and elements by number.
struct Reader {
    let bytes: [UInt8]
    private var tape = JSONTape()

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        try tape.parse(bytes)
    }

    private func node(_ path: [any Sendable]) throws -> Int {
        var node = 0
        for step in path {
            if let name = step as? String {
                node = try #require(tape.member(node, named: Array(name.utf8), in: bytes), "\(path)")
            } else if let index = step as? Int {
                var found: Int?
                var at = 0
                tape.forEachElement(node) { child in
                    if at == index { found = child }
                    at += 1
                }
                node = try #require(found, "\(path)")
            }
        }
        return node
    }

    func text(_ path: any Sendable...) throws -> String { tape.text(try node(path), in: bytes).description }

    func number(_ path: any Sendable...) throws -> Decimal {
        try #require(Decimal(bytes[tape.raw(try node(path))]), "\(path)")
    }

    func count(_ path: any Sendable...) throws -> Int { tape.count(try node(path)) }

    func time(_ path: any Sendable...) throws -> Int64 {
        let text = tape.text(try node(path), in: bytes)
        guard case .instant(let time) = TimeFormat("iso8601")?.read(text.bytes[...]) else {
            Issue.record("\(text) is no instant")
            return 0
        }
        return time.micros
    }
}

extension Traffic {
    /// Everything that is left.
    mutating func rest() -> [TrafficRecord] {
        var all: [TrafficRecord] = []
        while let record = next() { all.append(record) }
        return all
    }
}

enum Sample {
    /// 2025-02-22T09:43:14Z
    static let start: Int64 = 1_740_217_394_000_000

    static func plan(
        _ subject: SimulationPlan.Subject,
        count: Int,
        seed: UInt64 = 7,
        rate: Int = 100,
        senders: Int = 4,
        _ change: (inout SimulationPlan) -> Void = { _ in }
    ) -> SimulationPlan {
        var plan = SimulationPlan(
            subject: subject,
            count: count,
            seed: seed,
            start: start,
            clockRate: rate,
            senders: Senders(count: senders, skew: 0)
        )
        change(&plan)
        return plan
    }

    static func faulty(_ subject: SimulationPlan.Subject, count: Int, seed: UInt64 = 7) -> SimulationPlan {
        plan(subject, count: count, seed: seed) {
            $0.duplicates = Share(millionths: 50_000)
            $0.disorder = Share(millionths: 100_000)
            $0.late = Share(millionths: 20_000)
            $0.bad = Share(millionths: 30_000)
            $0.badTotals = Share(millionths: 40_000)
            if subject == .pos { $0.failures = Share(millionths: 10_000) }
            if subject == .orders {
                $0.versions = Share(millionths: 200_000)
                $0.double = Share(millionths: 100_000)
            }
        }
    }
}
