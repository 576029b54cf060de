import CCrypto
import CShims

/// A salted hash of a secret that is slow to compute (scrypt): who steals it cannot try many secrets.
public struct SlowHash: Sendable, Equatable, CustomStringConvertible {
    /// 2^11 × 128 × 8 bytes = 2 MiB and some 5 ms: the network thread computes it, within the budget of `Logins`.
    private static let costLog = 11
    /// 2^14 × 128 × 8 = 16 MiB and some 40 ms: what a file may ask for.
    private static let costLogMax = 14
    private static let saltBytes = 16

    private let costLog: Int
    private let salt: [UInt8]
    private let hash: Digest

    /// The hash of a secret with a new salt.
    public init(of secret: [UInt8]) {
        var salt = [UInt8](repeating: 0, count: Self.saltBytes)
        // Lifetime: the bytes are lent to the call.
        unsafe salt.withUnsafeMutableBytes { unsafe cshims_random($0.baseAddress, $0.count) }
        self.init(costLog: Self.costLog, salt: salt, hash: Self.scrypt(secret, salt, Self.costLog))
    }

    /// Reads what ``description`` wrote; nil when it is something else, or its cost is out of bounds.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "scrypt", let cost = Int(parts[1]),
            10...Self.costLogMax ~= cost, let salt = Hex.bytes(Array(parts[2].utf8)), salt.count == Self.saltBytes,
            let hash = Hex.bytes(Array(parts[3].utf8)).flatMap({ Digest($0) })
        else { return nil }
        self.init(costLog: cost, salt: salt, hash: hash)
    }

    private init(costLog: Int, salt: [UInt8], hash: Digest) {
        (self.costLog, self.salt, self.hash) = (costLog, salt, hash)
    }

    /// `scrypt:COST:SALT:HASH`, the cost as a power of two, the rest in hex.
    public var description: String { "scrypt:\(costLog):\(Hex.text(salt)):\(hash)" }

    /// Whether it is the hash of that secret. Takes milliseconds.
    public func matches(_ secret: [UInt8]) -> Bool {
        Self.scrypt(secret, salt, costLog).equalsInConstantTime(hash)
    }

    private static func scrypt(_ secret: [UInt8], _ salt: [UInt8], _ costLog: Int) -> Digest {
        var out = [UInt8](repeating: 0, count: 32)
        // Lifetime: all bytes are lent to the call, which writes 32.
        let done = unsafe secret.withUnsafeBytes { secret in
            unsafe salt.withUnsafeBytes { salt in
                unsafe out.withUnsafeMutableBufferPointer { out in
                    unsafe ccrypto_scrypt(
                        secret.baseAddress,
                        secret.count,
                        salt.baseAddress,
                        salt.count,
                        1 << UInt64(costLog),
                        8,
                        1,
                        out.baseAddress
                    )
                }
            }
        }
        guard done == 1, let digest = Digest(out) else { preconditionFailure("scrypt takes these parameters") }
        return digest
    }
}
