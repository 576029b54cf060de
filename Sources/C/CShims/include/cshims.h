#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

// The wall between Swift and the kernel. Every function returns a value or -errno; EINTR and short writes are
// retried here, so errno never crosses into Swift.

// --- Files (fault injection in debug builds: see cshims_fault_arm) ---
/// Opens `path`; flags: 1 = read-write (else read-only), 2 = create, 4 = exclusive, 8 = truncate. Returns fd or -errno.
int cshims_open(const char *path, int flags);
int cshims_close(int fd);
/// Writes all bytes at `offset`; returns 0 or -errno. After an error part of the bytes may have been written.
int cshims_pwrite_all(int fd, const void *bytes, size_t count, int64_t offset);
/// Reads up to `count` bytes at `offset`; returns the bytes read (short only at end of file) or -errno.
int64_t cshims_pread_all(int fd, void *bytes, size_t count, int64_t offset);
/// Reads from a stream; returns bytes (0 = end) or -errno.
int64_t cshims_read(int fd, void *bytes, size_t count);
/// Writes all bytes to a stream (a blocking descriptor); returns 0 or -errno.
int cshims_write_all(int fd, const void *bytes, size_t count);
int cshims_fdatasync(int fd);
int cshims_fsync_directory(const char *path);
int cshims_ftruncate(int fd, int64_t size);
int64_t cshims_file_size(int fd);
/// Modification time in nanoseconds since 1970, or -errno.
int64_t cshims_path_size(const char *path);
int cshims_mkdir(const char *path);
int cshims_rename(const char *from, const char *to);
int cshims_unlink(const char *path);
/// Removes an empty directory.
int cshims_rmdir(const char *path);
/// Free bytes of the file system that holds `path`, or -errno.
int64_t cshims_free_bytes(const char *path);
/// Device and inode of what a path names; 0 or -errno.
int cshims_file_identity(const char *path, uint64_t *device, uint64_t *inode);
/// Calls `each` for every entry except . and ..; returns 0 or -errno.
int cshims_list(const char *path, void *context, void (*each)(void *context, const char *name));
/// Takes the rights of group and others from a file or directory of this user: 1 when it had any, 0, or -errno.
int cshims_make_private(const char *path);
/// Files that this process makes are its user's alone, whatever the umask was.
void cshims_private_files(void);
/// Keeps eight descriptors, given up one by one when an open of a file finds none (EMFILE).
void cshims_keep_spare_descriptors(void);
/// 1 when `path` names the open file, 0 when it names another or nothing, or -errno.
int cshims_is_at(int fd, const char *path);
/// Takes an exclusive advisory lock without waiting; 0, -EWOULDBLOCK when another process holds it, or -errno.
int cshims_lock(int fd);

/// Debug builds only: on this thread, the n-th counted file operation from now (0 = the next) fails with `error`;
/// `forever` keeps failing. A failed write leaves the first half of its bytes. In release builds this does nothing.
void cshims_fault_arm(int64_t operation, int error, bool forever);
/// Disarms; returns how many operations were counted since arming, or -1 when not armed.
int64_t cshims_fault_disarm(void);
/// True when the armed fault was hit.
bool cshims_fault_fired(void);

// --- Time, chance, process ---
/// Microseconds since 1970-01-01T00:00:00Z.
int64_t cshims_wall_micros(void);
int64_t cshims_monotonic_nanos(void);
void cshims_random(void *bytes, size_t count);
void cshims_sleep_micros(int64_t micros);
int64_t cshims_resident_bytes(void);
/// User plus system CPU time of this process in microseconds.
int64_t cshims_cpu_micros(void);
int cshims_pid(void);
void cshims_exit(int code) __attribute__((noreturn));
const char *cshims_getenv(const char *name);
/// NAME=VALUE of a place of the environment, from 0 on; null behind the last. Valid while nobody changes it.
const char *cshims_environment_at(int index);
/// The text of an errno value; static storage of libc.
const char *cshims_error_text(int error);
/// A word of the command line, 0 is the program; NULL behind the last.
const char *cshims_argument_at(int index);
/// Blocks SIGINT, SIGTERM, SIGPIPE and SIGXFSZ (then EFBIG is returned) in this thread and all threads made after it.
void cshims_block_signals(void);
/// Waits for SIGINT or SIGTERM (blocked before); returns the signal number.
int cshims_wait_signal(void);
/// Calls cshims_wait_signal with a limit; returns the signal or 0 after `millis`.
int cshims_wait_signal_for(int millis);
bool cshims_isatty(int fd);

/// Keeps freed memory for the next request instead of giving it back to the kernel page by page.
void cshims_keep_memory(void);
// The other way round, for a process with a memory limit: give back early, few arenas. Before threads are made.
void cshims_spare_memory(void);

// --- Threads: a mutex with a condition, and a named thread ---
typedef struct cshims_monitor cshims_monitor;
cshims_monitor *cshims_monitor_make(void);
void cshims_monitor_free(cshims_monitor *m);
void cshims_monitor_lock(cshims_monitor *m);
void cshims_monitor_unlock(cshims_monitor *m);
void cshims_monitor_signal(cshims_monitor *m);
void cshims_monitor_broadcast(cshims_monitor *m);
/// Waits (the lock is held before and after); `micros` < 0 waits for ever. False when the time ran out.
bool cshims_monitor_wait(cshims_monitor *m, int64_t micros);
/// Starts a joinable thread with a name of at most 15 bytes; returns 0 or -errno.
int cshims_thread_start(const char *name, size_t stack_bytes, void *context, void (*body)(void *context),
    unsigned long *handle);
void cshims_thread_join(unsigned long handle);
/// Gives up the right to join; the thread frees itself at its end.
void cshims_thread_detach(unsigned long handle);
/// Lowers the scheduling priority of the calling thread (nice value added).
void cshims_thread_nice(int nice_value);
/// Asks the scheduler for slices of that many microseconds for the calling thread, which then runs sooner after it
/// wakes. Kernels before 6.12 take it and do nothing. 0 or a negative errno.
int cshims_thread_slice(uint32_t micros);
/// Nanoseconds that the calling thread was ready to run and waited for a processor; 0 where the kernel does not say.
int64_t cshims_thread_waited_nanos(void);

// --- Sockets ---
/// Listens on an IPv4 or IPv6 literal; returns fd (non-blocking, close-on-exec) or -errno.
int cshims_listen(const char *host, uint16_t port, int backlog, bool reuse_port);
/// Port that a socket is bound to, or -errno.
int cshims_bound_port(int fd);
/// Accepts one connection (non-blocking, TCP_NODELAY); fd or -errno (-EAGAIN: none).
int cshims_accept(int fd);
// The peer's network in 8 bytes: an IPv4 address, or the first 64 bits of an IPv6 address. 0 when there is none.
uint64_t cshims_peer_network(int fd);
/// Whether a descriptor has something to read or to accept now.
bool cshims_is_readable(int fd);
/// Raises the soft limit of open descriptors to the hard one, `most` at most, never lowers it; the soft limit after.
int64_t cshims_raise_descriptors(int64_t most);
/// Connects (blocking) to an IPv4 or IPv6 literal or a name; fd or -errno.
int cshims_connect(const char *host, uint16_t port);
/// Like cshims_connect, but each address of the name is given at most `millis`; looking the name up has no limit.
int cshims_connect_within(const char *host, uint16_t port, int millis);
int cshims_set_nonblocking(int fd);
/// Limits how long a blocking receive or send waits.
int cshims_set_timeouts(int fd, int millis);
int64_t cshims_recv(int fd, void *bytes, size_t count);
/// Sends what the socket takes; bytes sent or -errno (-EAGAIN: none). Never raises SIGPIPE.
int64_t cshims_send(int fd, const void *bytes, size_t count);
int cshims_shutdown_write(int fd);

#define CSHIMS_READ 1
#define CSHIMS_WRITE 2
#define CSHIMS_CLOSED 4
typedef struct { uint64_t token; uint32_t events; uint32_t reserved; } cshims_event;
int cshims_epoll_create(void);
/// Adds (first = true) or changes interest; events is a set of CSHIMS_READ and CSHIMS_WRITE, level-triggered.
int cshims_epoll_set(int epoll, int fd, uint32_t events, uint64_t token, bool first);
int cshims_epoll_remove(int epoll, int fd);
/// Waits at most `millis` (-1: for ever); returns the number of events or -errno.
int cshims_epoll_wait(int epoll, cshims_event *events, int capacity, int millis);
int cshims_eventfd(void);
void cshims_eventfd_signal(int fd);
void cshims_eventfd_drain(int fd);

// --- Checksums and scanning ---
/// CRC-32C (Castagnoli), continuing from `crc` (0 to start), as Kafka uses it.
uint32_t cshims_crc32c(uint32_t crc, const void *bytes, size_t count);
/// Index of the first byte at or after `from` that ends a run of plain JSON string bytes: a quote, a backslash or a
/// control byte; sets *high to true when a byte >= 0x80 was passed. Returns `count` when there is none.
size_t cshims_json_string_end(const uint8_t *bytes, size_t from, size_t count, bool *high);
/// Index of the first byte equal to `a`, `b` or `c` at or after `from`, or `count`.
size_t cshims_find3(const uint8_t *bytes, size_t from, size_t count, uint8_t a, uint8_t b, uint8_t c);
/// True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool cshims_utf8_valid(const uint8_t *bytes, size_t count);
