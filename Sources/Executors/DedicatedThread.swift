import CShims
package import Primitives
import Synchronization

/// The kernel could not create a thread.
package struct ThreadError: OperationalError {
    package let name: String
    /// Positive errno of the attempt.
    package let errno: Int32

    package var code: String { "executors.thread_unavailable" }
    package var domain: ErrorDomain { .external }
    package var retry: RetryHint { .afterBackoff }
    package var description: String {
        let text = errorText(errno)
        return "Thread \(name.quotedForMessage) could not be started (\(text)); raise this process's thread limit."
    }
}

/// One operating system thread that runs one closure.
///
/// Thread: any. Letting go of the object does not stop the thread: its closure must end by itself.
package final class DedicatedThread: Sendable {
    /// Carries the closure to the new thread, which takes over the one retain that `passRetained` made.
    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    package let name: String
    private let handle: UInt
    private let joined = Mutex(false)

    /// Starts the thread.
    ///
    /// - Parameter name: Shown by `ps` and `top`; cut at 15 bytes.
    /// - Parameter stackBytes: Size of the stack; 0 takes the default of libc (8 MiB, reserved, not used).
    /// - Parameter nice: Added to the scheduling niceness of the thread, 0 to 19.
    /// - Parameter sliceMicros: For a thread that works little and often and that others wait for: it gives up long
    ///   turns on a processor, and gets one sooner when it wakes (Linux 6.12 and later). 100 to 100,000; 0 leaves it.
    /// - Throws: ``ThreadError`` when the kernel has no thread left.
    package init(
        name: String,
        stackBytes: Int = 0,
        nice: Int = 0,
        sliceMicros: Int = 0,
        _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        self.name = name
        let start = Start {
            if nice > 0 { cshims_thread_nice(Int32(clamping: nice)) }
            // Best effort: if the kernel refuses, the thread runs as any other.
            if sliceMicros > 0 { _ = cshims_thread_slice(UInt32(clamping: sliceMicros)) }
            body()
        }
        // Lifetime: retained here once, released by the thread's `takeRetainedValue`, or below when no thread came.
        let context = unsafe Unmanaged.passRetained(start)
        var handle: UInt = 0
        let result = unsafe cshims_thread_start(
            name,
            max(0, stackBytes),
            context.toOpaque(),
            { raw in
                guard let raw = unsafe raw else { return }
                unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue().body()
            },
            &handle
        )
        guard result == 0 else {
            unsafe context.release()
            throw ThreadError(name: name, errno: -result)
        }
        self.handle = handle
    }

    deinit { joined.withLock { if !$0 { cshims_thread_detach(handle) } } }

    /// Nanoseconds the calling thread has waited for a processor while ready to run, since its start; 0 when the
    /// kernel does not report it.
    package static var waitedNanos: Int64 { cshims_thread_waited_nanos() }

    /// Blocks until the closure has returned. May be called more than once and from several threads, but never from
    /// the thread itself.
    package func join() {
        joined.withLock { done in
            if !done { cshims_thread_join(handle) }
            done = true
        }
    }
}
