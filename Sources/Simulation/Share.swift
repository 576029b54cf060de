package import Primitives

/// A probability in millionths: exact, so that a plan means the same everywhere.
package struct Share: Sendable, Hashable {
    package static let never = Share(millionths: 0)
    package static let always = Share(millionths: 1_000_000)

    package let millionths: Int

    /// - Parameter millionths: 0 to 1,000,000; anything else is a bug of the caller.
    package init(millionths: Int) {
        precondition(0...1_000_000 ~= millionths, "a share lies between 0 and 1")
        self.millionths = millionths
    }

    /// Draws once: true in this share of the draws.
    package func hits(_ random: inout SeededRandom) -> Bool { random.hits(self) }

    /// Reads `0`, `0.05`, `1`; nil outside 0 to 1 and for more than six fraction digits.
    package init?(text: String) {
        guard let units = Decimal(Array(text.utf8))?.units(scale: 6), 0...1_000_000 ~= units else { return nil }
        millionths = Int(units)
    }
}

extension SeededRandom {
    /// Uniform in `0..<bound`; the bias is below bound / 2^64.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func one<Element>(of list: [Element]) -> Element { list[below(list.count)] }

    /// Always draws once, so that one share of a plan never moves what the others hit.
    mutating func hits(_ share: Share) -> Bool { below(1_000_000) < share.millionths }

    /// `count` different numbers of `0..<bound`, in the order they were drawn.
    mutating func distinct(_ count: Int, below bound: Int) -> [Int] {
        precondition(count <= bound, "no more different numbers than there are")
        var drawn: [Int] = []
        while drawn.count < count {
            let number = below(bound)
            if !drawn.contains(number) { drawn.append(number) }
        }
        return drawn
    }
}

/// Independent generators, one for each event of a series: event `index` is the same whatever came before it.
struct EventSeeds: Sendable {
    private let base: UInt64

    init(seed: UInt64, purpose: String, start: Int64 = 0) {
        let name = Identifier.uuid5("simulation:\(purpose):\(seed):\(start)")
        base = name.high ^ name.low
    }

    /// The mixing of the generator is a bijection, so no two events share a seed.
    func draws(at index: Int) -> SeededRandom {
        var mixed = SeededRandom(seed: base &+ UInt64(index))
        return SeededRandom(seed: mixed.next())
    }
}
