#define _GNU_SOURCE
#include <stdatomic.h>
#include "cshims.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifdef CSHIMS_FAULTS
static _Thread_local int64_t fault_at = -1, fault_count = -1;
static _Thread_local int fault_error = 0;
static _Thread_local bool fault_forever = false, fault_hit = false;

void cshims_fault_arm(int64_t operation, int error, bool forever) {
    fault_at = operation; fault_error = error; fault_forever = forever; fault_count = 0; fault_hit = false;
}
int64_t cshims_fault_disarm(void) { int64_t n = fault_count; fault_count = -1; fault_at = -1; return n; }
bool cshims_fault_fired(void) { return fault_hit; }
static int fault(void) {
    if (fault_count < 0) return 0;
    int64_t n = fault_count++;
    bool due = fault_forever ? n >= fault_at : n == fault_at;
    if (due) fault_hit = true;
    return due ? fault_error : 0;
}
#else
void cshims_fault_arm(int64_t operation, int error, bool forever) { (void)operation; (void)error; (void)forever; }
int64_t cshims_fault_disarm(void) { return -1; }
bool cshims_fault_fired(void) { return false; }
static inline int fault(void) { return 0; }
#endif

// Descriptors that are given up one by one when the process has no other: what is durable must go on being written.
enum { spares_max = 8 };
static atomic_int spares[spares_max];
static atomic_int spares_wanted;

static void fill_spares(void) {
    for (int i = 0; i < atomic_load(&spares_wanted); i++) {
        if (atomic_load(&spares[i])) continue;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), none = 0;
        if (fd < 0) return;
        // 0 marks an empty place; a descriptor 0 is of no use here.
        if (fd == 0 || !atomic_compare_exchange_strong(&spares[i], &none, fd)) close(fd);
    }
}
static bool give_spare(void) {
    for (int i = 0; i < spares_max; i++) {
        int fd = atomic_exchange(&spares[i], 0);
        if (fd) { close(fd); return true; }
    }
    return false;
}
static int open_with_spare(const char *path, int flags, int mode) {
    for (;;) {
        int fd = open(path, flags, mode);
        if (fd >= 0) { if (atomic_load(&spares_wanted)) fill_spares(); return fd; }
        if (errno == EINTR) continue;
        if (errno != EMFILE || !give_spare()) return -1;
    }
}
int cshims_make_private(const char *path) {
    struct stat s;
    if (lstat(path, &s) < 0) return errno == ENOENT ? 0 : -errno;
    bool is_directory = S_ISDIR(s.st_mode);
    // A directory that many share (/tmp) and what another user owns are not ours to close.
    if ((!is_directory && !S_ISREG(s.st_mode)) || (s.st_mode & S_ISVTX) || s.st_uid != geteuid()) return 0;
    if (!(s.st_mode & 0077)) return 0;
    return chmod(path, is_directory ? 0700 : 0600) < 0 ? -errno : 1;
}
void cshims_private_files(void) { umask(0077); }
void cshims_keep_spare_descriptors(void) { atomic_store(&spares_wanted, spares_max); fill_spares(); }

int cshims_open(const char *path, int flags) {
    int error = fault(); if (error) return -error;
    int mode = O_CLOEXEC | ((flags & 1) ? O_RDWR : O_RDONLY);
    if (flags & 2) mode |= O_CREAT;
    if (flags & 4) mode |= O_EXCL;
    if (flags & 8) mode |= O_TRUNC;
    int fd = open_with_spare(path, mode, 0600);
    return fd < 0 ? -errno : fd;
}
int cshims_close(int fd) { return close(fd) < 0 ? -errno : 0; }

int cshims_pwrite_all(int fd, const void *bytes, size_t count, int64_t offset) {
    int error = fault();
    size_t wanted = error ? count / 2 : count, done = 0;
    while (done < wanted) {
        ssize_t n = pwrite(fd, (const char *)bytes + done, wanted - done, offset + (int64_t)done);
        if (n < 0) { if (errno == EINTR) continue; return -errno; }
        if (n == 0) return -ENOSPC;
        done += (size_t)n;
    }
    return -error;
}
int64_t cshims_pread_all(int fd, void *bytes, size_t count, int64_t offset) {
    size_t done = 0;
    while (done < count) {
        ssize_t n = pread(fd, (char *)bytes + done, count - done, offset + (int64_t)done);
        if (n < 0) { if (errno == EINTR) continue; return -errno; }
        if (n == 0) break;
        done += (size_t)n;
    }
    return (int64_t)done;
}
int64_t cshims_read(int fd, void *bytes, size_t count) {
    for (;;) {
        ssize_t n = read(fd, bytes, count);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}
int cshims_write_all(int fd, const void *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t n = write(fd, (const char *)bytes + done, count - done);
        if (n < 0) { if (errno == EINTR) continue; return -errno; }
        done += (size_t)n;
    }
    return 0;
}
int cshims_fdatasync(int fd) {
    int error = fault(); if (error) return -error;
    return fdatasync(fd) < 0 ? -errno : 0;
}
int cshims_fsync_directory(const char *path) {
    int error = fault(); if (error) return -error;
    int fd = open_with_spare(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}
int cshims_ftruncate(int fd, int64_t size) {
    int error = fault(); if (error) return -error;
    return ftruncate(fd, size) < 0 ? -errno : 0;
}
int64_t cshims_file_size(int fd) { struct stat s; return fstat(fd, &s) < 0 ? -errno : s.st_size; }
int64_t cshims_path_size(const char *path) { struct stat s; return stat(path, &s) < 0 ? -errno : s.st_size; }
int cshims_mkdir(const char *path) {
    int error = fault(); if (error) return -error;
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}
int cshims_rename(const char *from, const char *to) {
    int error = fault(); if (error) return -error;
    return rename(from, to) < 0 ? -errno : 0;
}
int cshims_unlink(const char *path) {
    int error = fault(); if (error) return -error;
    return unlink(path) < 0 ? -errno : 0;
}
int cshims_rmdir(const char *path) { return rmdir(path) < 0 ? -errno : 0; }
int64_t cshims_free_bytes(const char *path) {
    struct statvfs s;
    return statvfs(path, &s) < 0 ? -errno : (int64_t)(s.f_bavail * s.f_frsize);
}
int cshims_file_identity(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat s;
    if (stat(path, &s) < 0) return -errno;
    *device = (uint64_t)s.st_dev;
    *inode = (uint64_t)s.st_ino;
    return 0;
}
int cshims_list(const char *path, void *context, void (*each)(void *context, const char *name)) {
    DIR *directory = opendir(path);
    if (!directory) return -errno;
    struct dirent *entry;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) each(context, entry->d_name);
    closedir(directory);
    return 0;
}
int cshims_is_at(int fd, const char *path) {
    struct stat open, named;
    if (fstat(fd, &open) < 0) return -errno;
    if (stat(path, &named) < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    return open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}
int cshims_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0; }
