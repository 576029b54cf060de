package import Primitives

/// The simulated registers. Each belongs to one of ten places, or to several if there are fewer registers than places.
package struct Senders: Sendable {
    package static let places = 10

    package let count: Int
    /// Microseconds by which the clocks of two thirds of the registers are off.
    package let skew: Int64

    package init(count: Int, skew: Int64) {
        precondition(count > 0, "there is at least one sender")
        self.count = count
        self.skew = skew
    }

    /// 1 to ``count``: the one register of the place, or one of its registers.
    package func sender(ofPlace place: Int, _ random: inout SeededRandom) -> Int {
        let choices = place < count ? (count - place - 1) / Self.places + 1 : 0
        let choice = random.below(max(1, choices))
        return choices == 0 ? place % count + 1 : place + choice * Self.places + 1
    }

    /// Every third register from the second on is ahead by the skew; every third from the third on is behind.
    package func clockOffset(of sender: Int) -> Int64 {
        switch sender % 3 {
        case 2: skew
        case 0: -skew
        default: 0
        }
    }
}
