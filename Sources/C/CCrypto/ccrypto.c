// The low-level digest calls are deprecated in OpenSSL 3 in favour of EVP, whose one-shot call spends about 240 ns on
// fetching the algorithm, more than on hashing one event (decision 6); they stay supported throughout the 3.x series.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ccrypto.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct ccrypto_hash { SHA256_CTX context; };

void ccrypto_sha256(const void *bytes, size_t count, uint8_t *out) {
    SHA256_CTX c; SHA256_Init(&c); SHA256_Update(&c, bytes, count); SHA256_Final(out, &c);
}
void ccrypto_sha1(const void *bytes, size_t count, uint8_t *out) {
    SHA_CTX c; SHA1_Init(&c); SHA1_Update(&c, bytes, count); SHA1_Final(out, &c);
}
ccrypto_hash *ccrypto_hash_make(void) {
    ccrypto_hash *h = malloc(sizeof *h);
    if (!h) abort();
    SHA256_Init(&h->context);
    return h;
}
void ccrypto_hash_add(ccrypto_hash *h, const void *bytes, size_t count) { SHA256_Update(&h->context, bytes, count); }
void ccrypto_hash_finish(ccrypto_hash *h, uint8_t *out) { SHA256_Final(out, &h->context); free(h); }

int ccrypto_scrypt(const void *secret, size_t secret_count, const void *salt, size_t salt_count, uint64_t n, uint32_t r,
                   uint32_t p, uint8_t *out) {
    return EVP_PBE_scrypt(secret_count ? secret : "", secret_count, salt, salt_count, n, r, p, 64 << 20, out, 32);
}
