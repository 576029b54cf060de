import Network

/// Whose body a connection receives.
enum BodyShare: Hashable {
    case identity(String)
    case network(UInt64)
}

/// Memory of bodies that are being received: bounded over all connections, and shared by who sends them.
extension HTTPConnection {
    /// Bodies below this are in nobody's way.
    static var smallBodyBytes: Int { 64 << 10 }

    /// Follows the body of this connection, and makes room when all bodies together are too many: of those who send,
    /// the one with most bytes loses the body that came for longest.
    func followBody() {
        let key = ObjectIdentifier(self)
        if bodyBytesCounted > Self.smallBodyBytes {
            shared.largeBodies[key] = self
        } else if shared.largeBodies[key] != nil {
            shared.largeBodies[key] = nil
        }
        while shared.bodyBytes > shared.settings.bodyBytesTotalMax, bodyBytesCounted > 0, !isClosing {
            (shared.greediest() ?? self).fail(.tooManyBodyBytes)
        }
    }
}

extension HTTPLoop {
    /// Of whoever has most bytes of bodies, the connection whose body began first; nil without a large body.
    ///
    /// - Complexity: O(large bodies), at most the limit of all divided by ``HTTPConnection/smallBodyBytes``.
    fileprivate func greediest() -> HTTPConnection? {
        var bytes: [BodyShare: Int] = [:]
        for one in largeBodies.values { bytes[one.bodyShare, default: 0] += one.bodyBytesCounted }
        guard let most = bytes.max(by: { $0.value < $1.value })?.key else { return nil }
        return largeBodies.values.filter { $0.bodyShare == most }.min { $0.bodyBegan < $1.bodyBegan }
    }
}
