/// Order numbers: a permutation of `0..<10^7` that the seed chooses, so no two orders of a series collide.
///
/// A Feistel network over 3,125 × 3,200 with modular addition; every round can be undone, so it is a bijection.
package struct ObjectNumbers: Sendable {
    package static let count = 10_000_000
    private static let left = 3_125
    private static let right = 3_200

    private let seeds: EventSeeds

    package init(seed: UInt64) { seeds = EventSeeds(seed: seed, purpose: "object_id") }

    /// - Parameter index: 0 to 9,999,999.
    package func number(at index: Int) -> Int {
        precondition(0..<Self.count ~= index, "a series has at most 10^7 orders")
        var a = index / Self.right
        var b = index % Self.right
        for round in 0..<3 {
            a = (a + shift(round * 2, b, Self.left)) % Self.left
            b = (b + shift(round * 2 + 1, a, Self.right)) % Self.right
        }
        return a * Self.right + b
    }

    private func shift(_ round: Int, _ value: Int, _ bound: Int) -> Int {
        var random = seeds.draws(at: round << 16 | value)
        return random.below(bound)
    }
}
