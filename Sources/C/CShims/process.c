#define _GNU_SOURCE
#include <fcntl.h>
#include "cshims.h"
#include <malloc.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The C library hands the arguments to constructors too; other ways to them need /proc.
static int argument_count;
static char **arguments;
__attribute__((constructor)) static void keep_arguments(int count, char **all) {
    argument_count = count;
    arguments = all;
}
const char *cshims_argument_at(int index) { return index < argument_count ? arguments[index] : NULL; }

int64_t cshims_wall_micros(void) {
    struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
int64_t cshims_monotonic_nanos(void) {
    struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
void cshims_random(void *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t n = getrandom((char *)bytes + done, count - done, 0);
        if (n > 0) done += (size_t)n; else if (errno != EINTR) abort();
    }
}
void cshims_sleep_micros(int64_t micros) {
    struct timespec t = {micros / 1000000, (micros % 1000000) * 1000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}
int64_t cshims_resident_bytes(void) {
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    long total = 0, resident = 0;
    int n = fscanf(f, "%ld %ld", &total, &resident);
    fclose(f);
    return n == 2 ? (int64_t)resident * sysconf(_SC_PAGESIZE) : 0;
}
int64_t cshims_cpu_micros(void) {
    struct rusage u; getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}
int cshims_pid(void) { return getpid(); }
void cshims_exit(int code) { _exit(code); }
const char *cshims_getenv(const char *name) { return getenv(name); }
const char *cshims_environment_at(int index) { return environ ? environ[index] : NULL; }
const char *cshims_error_text(int error) { return strerror(error); }
static sigset_t stop_signals(void) {
    sigset_t s; sigemptyset(&s); sigaddset(&s, SIGINT); sigaddset(&s, SIGTERM);
    return s;
}
void cshims_block_signals(void) {
    sigset_t s = stop_signals(); sigaddset(&s, SIGPIPE); sigaddset(&s, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &s, NULL);
}
int cshims_wait_signal(void) {
    sigset_t s = stop_signals(); int signal = 0;
    while (sigwait(&s, &signal) != 0) {}
    return signal;
}
int cshims_wait_signal_for(int millis) {
    sigset_t s = stop_signals();
    struct timespec t = {millis / 1000, (millis % 1000) * 1000000L};
    int signal = sigtimedwait(&s, NULL, &t);
    return signal > 0 ? signal : 0;
}
void cshims_keep_memory(void) {
    // Arenas of threads grow by the pad and are cut above the threshold: without this each batch of some MB costs a
    // round of mprotect and page faults. Untouched pad is address space only.
    mallopt(M_TOP_PAD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}
void cshims_spare_memory(void) {
    mallopt(M_TOP_PAD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_ARENA_MAX, 2);
}
bool cshims_isatty(int fd) { return isatty(fd); }

struct cshims_monitor { pthread_mutex_t mutex; pthread_cond_t condition; };
cshims_monitor *cshims_monitor_make(void) {
    cshims_monitor *m = malloc(sizeof *m);
    if (!m) abort();
    pthread_mutex_init(&m->mutex, NULL);
    pthread_condattr_t a; pthread_condattr_init(&a); pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&m->condition, &a);
    pthread_condattr_destroy(&a);
    return m;
}
void cshims_monitor_free(cshims_monitor *m) {
    pthread_cond_destroy(&m->condition); pthread_mutex_destroy(&m->mutex); free(m);
}
void cshims_monitor_lock(cshims_monitor *m) { pthread_mutex_lock(&m->mutex); }
void cshims_monitor_unlock(cshims_monitor *m) { pthread_mutex_unlock(&m->mutex); }
void cshims_monitor_signal(cshims_monitor *m) { pthread_cond_signal(&m->condition); }
void cshims_monitor_broadcast(cshims_monitor *m) { pthread_cond_broadcast(&m->condition); }
bool cshims_monitor_wait(cshims_monitor *m, int64_t micros) {
    if (micros < 0) { pthread_cond_wait(&m->condition, &m->mutex); return true; }
    struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t nanos = t.tv_nsec + (micros % 1000000) * 1000;
    t.tv_sec += micros / 1000000 + nanos / 1000000000; t.tv_nsec = nanos % 1000000000;
    return pthread_cond_timedwait(&m->condition, &m->mutex, &t) == 0;
}
struct start { void *context; void (*body)(void *); char name[16]; };
static void *run(void *argument) {
    struct start s = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), s.name);
    s.body(s.context);
    return NULL;
}
int cshims_thread_start(const char *name, size_t stack_bytes, void *context, void (*body)(void *),
    unsigned long *handle) {
    struct start *s = malloc(sizeof *s);
    if (!s) return -ENOMEM;
    s->context = context; s->body = body;
    snprintf(s->name, sizeof s->name, "%s", name);
    pthread_attr_t a; pthread_attr_init(&a);
    if (stack_bytes) pthread_attr_setstacksize(&a, stack_bytes);
    pthread_t t;
    int error = pthread_create(&t, &a, run, s);
    pthread_attr_destroy(&a);
    if (error) { free(s); return -error; }
    *handle = (unsigned long)t;
    return 0;
}
void cshims_thread_join(unsigned long handle) { pthread_join((pthread_t)handle, NULL); }
void cshims_thread_detach(unsigned long handle) { pthread_detach((pthread_t)handle); }
void cshims_thread_nice(int nice_value) {
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice_value);
}
/* The first version of the kernel's struct sched_attr; libc has none. */
struct scheduling {
    uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct scheduling) == 48, "SCHED_ATTR_SIZE_VER0");
int cshims_thread_slice(uint32_t micros) {
    struct scheduling now = {0};
    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0) return -errno;
    now.runtime = (uint64_t)micros * 1000;
    return syscall(SYS_sched_setattr, 0, &now, 0) == 0 ? 0 : -errno;
}
int64_t cshims_thread_waited_nanos(void) {
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[96];
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    long long ran = 0, waited = 0;
    return sscanf(text, "%lld %lld", &ran, &waited) == 2 ? waited : 0;
}
int64_t cshims_raise_descriptors(int64_t most) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    rlim_t wanted = limit.rlim_max < (rlim_t)most ? limit.rlim_max : (rlim_t)most;
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = {.rlim_cur = wanted, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return (int64_t)wanted;
    }
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}
