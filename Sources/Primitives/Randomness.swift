import CShims

/// A small, fast generator for simulation and for ids inside tests: the same seed gives the same run (SplitMix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

extension SeededRandom {
    /// Seeded from the kernel's generator: for the composition root only.
    public static func fromKernel() -> SeededRandom {
        var seed: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &seed) { unsafe cshims_random($0.baseAddress, 8) }
        return SeededRandom(seed: seed)
    }
}
