#include <sqlite3.h>
#include <stdint.h>
#include <time.h>

/// Interrupts what runs once the monotonic clock has passed *deadline, in nanoseconds.
static int csqlite_is_late(void *deadline) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec > *(int64_t *)deadline;
}

/// Every 10,000 steps of SQLite's machine, about a tenth of a millisecond. Lifetime: deadline outlives the connection.
static inline void csqlite_watch(sqlite3 *database, int64_t *deadline) {
    sqlite3_progress_handler(database, 10000, csqlite_is_late, deadline);
}

/// SQLITE_TRANSIENT is a cast macro, which Swift cannot import.
static inline sqlite3_destructor_type csqlite_transient(void) { return SQLITE_TRANSIENT; }
/// sqlite3_config is variadic, which Swift cannot call. Before the first connection of the process.
static inline int csqlite_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
/// SQLITE_STATIC is a cast macro, which Swift cannot import.
static inline sqlite3_destructor_type csqlite_static(void) { return SQLITE_STATIC; }
