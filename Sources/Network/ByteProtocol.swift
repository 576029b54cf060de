/// What is spoken on a connection: bytes come in through these calls, answers go out through ``Connection``.
///
/// One object per connection. Thread: the loop's; no call may block.
package protocol ByteProtocol: AnyObject {
    /// Bytes came.
    ///
    /// - Returns: How many were taken. Fewer than all only after ``Connection/pauseReading()``; the rest is kept and
    ///   offered again after ``Connection/resumeReading()``.
    func receive(_ bytes: Span<UInt8>, on connection: Connection) -> Int

    /// The peer sends no more. It may still read: answer what is open, then ``Connection/finish()``.
    func peerFinished(_ connection: Connection)

    /// The time set with ``Connection/setDeadline(nanos:)`` has passed.
    func deadlinePassed(_ connection: Connection)

    /// The socket took bytes: there is room for more. Called after every successful flush.
    func outboundDrained(_ connection: Connection)

    /// Since when nothing is open and the connection may be closed for another; nil while it is in use.
    var idleSinceNanos: Int64? { get }

    /// The connection is gone; its token is never valid again.
    func closed(_ connection: Connection)
}
