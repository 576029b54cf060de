import CShims

/// Owns one epoll descriptor and the eventfd that wakes it.
///
/// `unsafe` here: the array of events is lent to one call. Thread: the loop's, except ``wake()``: any.
final class Poller: Sendable {
    /// The token of a wake-up.
    static let wakeToken = UInt64.max

    private let epoll: Int32
    private let wakeFD: Int32

    init() throws(NetworkError) {
        epoll = cshims_epoll_create()
        guard epoll >= 0 else { throw .resourcesUnavailable(what: "epoll descriptor", cause: -epoll) }
        wakeFD = cshims_eventfd()
        guard wakeFD >= 0 else {
            _ = cshims_close(epoll)
            throw .resourcesUnavailable(what: "eventfd descriptor", cause: -wakeFD)
        }
        let result = cshims_epoll_set(epoll, wakeFD, UInt32(CSHIMS_READ), Self.wakeToken, true)
        guard result == 0 else {
            _ = cshims_close(epoll)
            _ = cshims_close(wakeFD)
            throw .resourcesUnavailable(what: "epoll entry", cause: -result)
        }
    }

    deinit {
        _ = cshims_close(epoll)
        _ = cshims_close(wakeFD)
    }

    func wake() { cshims_eventfd_signal(wakeFD) }
    func drainWakeUps() { cshims_eventfd_drain(wakeFD) }

    /// Adds or changes what is waited for; false when the kernel refuses.
    func set(_ socket: Socket, read: Bool, write: Bool, token: UInt64, first: Bool = false) -> Bool {
        let events = (read ? CSHIMS_READ : 0) | (write ? CSHIMS_WRITE : 0)
        return cshims_epoll_set(epoll, socket.fd, UInt32(events), token, first) == 0
    }

    func remove(_ socket: Socket) { _ = cshims_epoll_remove(epoll, socket.fd) }

    /// Waits at most `millis` (-1: for ever) and gives the number of events.
    func wait(_ events: inout [cshims_event], millis: Int32) -> Int {
        let capacity = Int32(events.count)
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe cshims_epoll_wait(epoll, $0.baseAddress, capacity, millis)
        }
        return max(0, Int(count))
    }
}
