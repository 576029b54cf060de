#include "ctls.h"
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ctls_client { SSL_CTX *context; SSL *ssl; };

static void say(char *error, size_t size, const char *fallback, SSL *ssl) {
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (verdict != X509_V_OK) reason = X509_verify_cert_error_string(verdict);
    snprintf(error, size, "%s", reason ? reason : fallback);
    ERR_clear_error();
}

ctls_client *ctls_connect(int fd, const char *host, const char *ca_file, char *error, size_t error_size) {
    ERR_clear_error();
    ctls_client *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->context = SSL_CTX_new(TLS_client_method());
    if (!c->context || !SSL_CTX_set_min_proto_version(c->context, TLS1_2_VERSION)) goto failed;
    SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(c->context, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!(ca_file ? SSL_CTX_load_verify_file(c->context, ca_file) : SSL_CTX_set_default_verify_paths(c->context)))
        goto failed;
    c->ssl = SSL_new(c->context);
    if (!c->ssl || !SSL_set_fd(c->ssl, fd)) goto failed;
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    if (address) {
        ASN1_OCTET_STRING_free(address);
        if (!X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), host)) goto failed;
    } else {
        ERR_clear_error();
        if (!SSL_set_tlsext_host_name(c->ssl, host) || !SSL_set1_host(c->ssl, host)) goto failed;
    }
    if (SSL_connect(c->ssl) == 1) return c;
failed:
    say(error, error_size, "the server ended the handshake, or did not answer", c->ssl);
    ctls_free(c);
    return NULL;
}

// What a result of libssl means to the caller; `saved` is errno right after the call.
static int64_t outcome(ctls_client *c, int result, int saved) {
    int64_t meaning;
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN: meaning = 0; break;
    case SSL_ERROR_WANT_READ: case SSL_ERROR_WANT_WRITE: meaning = -EAGAIN; break;
    case SSL_ERROR_SYSCALL: meaning = saved ? -saved : -ECONNRESET; break;
    // The end of the stream without a goodbye among others: what was received is not known to be all.
    default: meaning = -ECONNRESET;
    }
    ERR_clear_error();
    return meaning;
}

int64_t ctls_recv(ctls_client *c, void *bytes, size_t count) {
    int n = SSL_read(c->ssl, bytes, count > INT_MAX ? INT_MAX : (int)count);
    return n > 0 ? n : outcome(c, n, errno);
}
int64_t ctls_send(ctls_client *c, const void *bytes, size_t count) {
    int n = SSL_write(c->ssl, bytes, count > INT_MAX ? INT_MAX : (int)count);
    return n > 0 ? n : outcome(c, n, errno);
}
void ctls_free(ctls_client *c) {
    if (c->ssl) { SSL_shutdown(c->ssl); ERR_clear_error(); SSL_free(c->ssl); }
    if (c->context) SSL_CTX_free(c->context);
    free(c);
}
