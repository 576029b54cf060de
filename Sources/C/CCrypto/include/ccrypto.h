#pragma once
#include <stddef.h>
#include <stdint.h>

/// SHA-256 of `count` bytes into 32 bytes at `out` (OpenSSL libcrypto).
void ccrypto_sha256(const void *bytes, size_t count, uint8_t *out);
/// SHA-1 of `count` bytes into 20 bytes at `out`: only for uuid5 (RFC 9562), never for integrity.
void ccrypto_sha1(const void *bytes, size_t count, uint8_t *out);

/// Incremental SHA-256; the state is owned by the caller between make and finish.
typedef struct ccrypto_hash ccrypto_hash;
ccrypto_hash *ccrypto_hash_make(void);
void ccrypto_hash_add(ccrypto_hash *h, const void *bytes, size_t count);
/// Writes 32 bytes and frees the state.
void ccrypto_hash_finish(ccrypto_hash *h, uint8_t *out);

/// scrypt (RFC 7914) of a secret into 32 bytes at `out`; 1 when done, 0 when the parameters are refused or ask for more
/// than 64 MiB.
int ccrypto_scrypt(const void *secret, size_t secret_count, const void *salt, size_t salt_count, uint64_t n, uint32_t r,
                   uint32_t p, uint8_t *out);
