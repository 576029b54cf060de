#pragma once
#include <stddef.h>
#include <stdint.h>

/// The client's side of TLS on a connected socket (OpenSSL libssl 3); single owner.
typedef struct ctls_client ctls_client;

/// Shakes hands and checks the server's certificate against `host`, a name or an address: TLS 1.2 or later.
/// `ca_file`: PEM of the authorities that are trusted; NULL: those of the system.
/// NULL when it failed, with the reason in `error`. The socket stays the caller's.
ctls_client *ctls_connect(int fd, const char *host, const char *ca_file, char *error, size_t error_size);
/// Bytes received, 0 at the end of the stream, -EAGAIN when the socket's time limit passed, or -errno.
int64_t ctls_recv(ctls_client *client, void *bytes, size_t count);
/// Bytes sent, or as for receiving.
int64_t ctls_send(ctls_client *client, const void *bytes, size_t count);
/// Says goodbye as far as the socket takes it, and frees.
void ctls_free(ctls_client *client);
