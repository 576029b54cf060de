/// Every limit of the network loop and of the HTTP codec, with its arithmetic. Settings may lower or raise some of
/// them per server; these are the defaults and the hard bounds.
package enum NetworkLimits {
    /// Bytes read from one socket in one turn: 64 KiB is a full loopback window, read in about 10 µs, so that 1,000
    /// ready connections share a turn of at most 10 ms. One buffer per loop.
    package static let readBytes = 64 * 1_024

    /// Bytes of an answer that a client must take each second, counted over the window of a server: 120 KiB in 30 s.
    package static let writeBytesPerSecondMin = 4 * 1_024

    /// Capacity that an empty outbound buffer keeps: 2,000 connections × 16 KiB = 32 MB at worst.
    package static let outboundKeepBytes = 16 * 1_024

    /// Events taken from epoll in one turn (the shim's own array has 256): few enough that requests of one turn are on
    /// their way to the disk while those of the next are refined, many enough that a turn shares one sync.
    package static let eventsPerTurn = 32

    /// Connections accepted from one listener in one turn: about 64 × 5 µs = 0.3 ms.
    package static let acceptsPerTurn = 64

    /// Connections above a listener's limit that are held at once only to be told so; more stay in the backlog.
    package static let overflowConnectionsMax = 64

    /// Slots of one loop: tokens carry the slot in 24 bits; 65,536 is the usual ceiling of descriptors.
    package static let slotsMax = 65_536

    /// Descriptors that a start asks for: two ceilings of slots, so connections are never why a file cannot be opened.
    package static let descriptorsMax = 2 * slotsMax
    /// Descriptors kept from connections: 64 of overflow, and 192 for log segments, tables, zone files and the loop.
    package static let descriptorsReserved = 256

    /// Connections that so many descriptors leave room for: the reserve is kept, or half of what there is.
    package static func connectionsMax(wanted: Int, descriptors: Int) -> Int {
        let slots = slotsMax - overflowConnectionsMax
        return max(1, min(wanted, slots, descriptors - min(descriptorsReserved, descriptors / 2)))
    }

    /// Timers of one loop that are not deadlines of connections (drain, accept pause): a handful is in use.
    package static let timersMax = 1_024

    /// The kernel's queue of connections that are not accepted yet: 1,024 at 64 per turn is 16 turns.
    package static let backlog: Int32 = 1_024

    /// Deadlines are looked at every 100 ms, so a time limit is kept to 0.1 s: 2,000 comparisons, about 2 µs.
    package static let tickMs = 100

    /// Pause of a listener after the process ran out of descriptors or memory.
    package static let acceptPauseMs = 200

    /// After the last answer, bytes of the client that are thrown away so that the close does not reset the answer.
    package static let lingerBytes = 1 << 20
    /// … and for how long.
    package static let lingerMs = 2_000

    /// Request line: 8,000 is what RFC 9112 §3 asks for at least; longer is answered 414.
    package static let requestLineBytes = 8 * 1_024
    /// Header section and trailers together; browsers send below 2 KiB without cookies. More is answered 431.
    package static let headerBytes = 16 * 1_024
    /// Header and trailer lines of one request; browsers send about 20. More is answered 431.
    package static let headerCount = 64
    /// A chunk size line: 8 hexadecimal digits, and room for extensions that are ignored.
    package static let chunkLineBytes = 128
    /// Digits of a chunk size: 8 are 4 GiB, more than any body limit.
    package static let chunkDigits = 8
    /// Digits of a Content-Length: 15 are 1 PB, which is far from overflow and above any body limit.
    package static let contentLengthDigits = 15
    /// Memory taken at once for a body before its bytes have come: 2,000 connections × 64 KiB = 128 MB, untouched.
    package static let bodyReserveBytes = 64 * 1_024

    /// Head of a response that the client reads: status line and headers, 64 KiB.
    package static let clientHeadBytes = 64 * 1_024
    /// Header lines of a response that the client reads.
    package static let clientHeaderCount = 256
    /// Interim answers (1xx) before a final one.
    package static let clientInterimMax = 16
}
