#define _GNU_SOURCE
#include "cshims.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int fail(int fd) { int e = errno; close(fd); return -e; }

int cshims_listen(const char *host, uint16_t port, int backlog, bool reuse_port) {
    struct sockaddr_storage address = {0};
    socklen_t length;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET; v4->sin_port = htons(port); length = sizeof *v4;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6; v6->sin6_port = htons(port); length = sizeof *v6;
    } else return -EINVAL;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return fail(fd);
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, backlog) < 0) return fail(fd);
    return fd;
}
int cshims_bound_port(int fd) {
    struct sockaddr_storage a; socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) < 0) return -errno;
    if (a.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)&a)->sin_port);
}
int cshims_accept(int fd) {
    int client, on = 1;
    do { client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); } while (client < 0 && errno == EINTR);
    if (client < 0) return -errno;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return client;
}
uint64_t cshims_peer_network(int fd) {
    struct sockaddr_storage peer; socklen_t size = sizeof peer; uint64_t high = 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) < 0) return 0;
    if (peer.ss_family == AF_INET) return ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr);
    if (peer.ss_family != AF_INET6) return 0;
    const unsigned char *bytes = ((struct sockaddr_in6 *)&peer)->sin6_addr.s6_addr;
    // An IPv4 address in IPv6 clothes is that address.
    if (IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&peer)->sin6_addr))
        return (uint64_t)bytes[12] << 24 | bytes[13] << 16 | bytes[14] << 8 | bytes[15];
    for (int i = 0; i < 8; i++) high = high << 8 | bytes[i];
    return high;
}
bool cshims_is_readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}
// Connects a non-blocking socket; 0 or -errno.
static int connect_one(int fd, const struct addrinfo *a, int millis) {
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS && errno != EINTR) return -errno;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n, error = 0; socklen_t size = sizeof error;
    do { n = poll(&p, 1, millis); } while (n < 0 && errno == EINTR);
    if (n == 0) return -ETIMEDOUT;
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
    return -error;
}
int cshims_connect(const char *host, uint16_t port) { return cshims_connect_within(host, port, -1); }
int cshims_connect_within(const char *host, uint16_t port, int millis) {
    char service[8]; snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (getaddrinfo(host, service, &hints, &list) != 0) return -EHOSTUNREACH;
    int result = -EHOSTUNREACH, on = 1;
    for (struct addrinfo *a = list; a; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) { result = -errno; continue; }
        result = connect_one(fd, a, millis);
        if (result == 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0) result = -errno;
        if (result == 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            result = fd; break;
        }
        close(fd);
    }
    freeaddrinfo(list);
    return result;
}
int cshims_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}
int cshims_set_timeouts(int fd, int millis) {
    struct timeval t = {millis / 1000, (millis % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) < 0) return -errno;
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) < 0 ? -errno : 0;
}
int64_t cshims_recv(int fd, void *bytes, size_t count) {
    for (;;) {
        ssize_t n = recv(fd, bytes, count, 0);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}
int64_t cshims_send(int fd, const void *bytes, size_t count) {
    for (;;) {
        ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}
int cshims_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int cshims_epoll_create(void) { int fd = epoll_create1(EPOLL_CLOEXEC); return fd < 0 ? -errno : fd; }
int cshims_epoll_set(int epoll, int fd, uint32_t events, uint64_t token, bool first) {
    struct epoll_event e = {.data.u64 = token};
    if (events & CSHIMS_READ) e.events |= EPOLLIN | EPOLLRDHUP;
    if (events & CSHIMS_WRITE) e.events |= EPOLLOUT;
    return epoll_ctl(epoll, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) < 0 ? -errno : 0;
}
int cshims_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0; }
int cshims_epoll_wait(int epoll, cshims_event *events, int capacity, int millis) {
    struct epoll_event raw[256];
    if (capacity > 256) capacity = 256;
    int n = epoll_wait(epoll, raw, capacity, millis);
    if (n < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        uint32_t out = 0;
        if (raw[i].events & (EPOLLIN | EPOLLRDHUP)) out |= CSHIMS_READ;
        if (raw[i].events & EPOLLOUT) out |= CSHIMS_WRITE;
        if (raw[i].events & (EPOLLHUP | EPOLLERR)) out |= CSHIMS_CLOSED;
        events[i] = (cshims_event){raw[i].data.u64, out, 0};
    }
    return n;
}
int cshims_eventfd(void) { int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); return fd < 0 ? -errno : fd; }
void cshims_eventfd_signal(int fd) { uint64_t one = 1; ssize_t n = write(fd, &one, 8); (void)n; }
void cshims_eventfd_drain(int fd) { uint64_t value; ssize_t n = read(fd, &value, 8); (void)n; }
