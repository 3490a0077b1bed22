/* TLS 1.3 (RFC 8446) with pinned keys; exporter as RFC 9266. */
#include "io/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls_pin.h"
#include "io/tls_records.h"

enum {
    RECORD_MAX = 16384,     /* RFC 8446, section 5.1 */
    READS_MAX = 256,        /* records per tls_read: tiny ones cost time, not bytes */
    READ_AGAIN = 8192,      /* bytes: from so many on it is likely that there are more */
    KEY_UPDATES_MAX = 1024, /* in the life of a stream */
};

struct tls_context {
    SSL_CTX *ssl;
    struct signet_id pin; /* servers: our key */
};

struct tls_stream {
    SSL *ssl;
    struct tls_records records; /* servers, during the handshake */
    bool is_broken;             /* a fatal error: OpenSSL must not be asked to write any more */
    bool has_wrong_pin;
    uint16_t key_update_count;
    uint8_t pin_count; /* clients */
    struct signet_id pins[TLS_PINS_MAX];
};

/* ---- contexts ---- */

/*
 * A KeyUpdate yields no data, so SSL_read_ex takes as many as come and does not return: a peer
 * that sends nothing else would hold the thread. Too many end the connection from below.
 */
static void watch_key_updates(
    int is_write, int version, int content_type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
    struct tls_stream *stream = SSL_get_app_data(ssl);

    (void)version;
    (void)arg;
    if (is_write || content_type != SSL3_RT_HANDSHAKE || len == 0 ||
        *(const uint8_t *)bytes != SSL3_MT_KEY_UPDATE)
        return;
    if (stream->key_update_count++ >= KEY_UPDATES_MAX)
        (void)shutdown(SSL_get_fd(ssl), SHUT_RDWR);
}

/* What both sides have in common. */
static bool configure(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    /* No chain is looked for at each handshake: what is to be sent is in the certificate's file. */
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                              SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_passwd_cb(ssl, tls_no_passphrase);
    SSL_CTX_set_msg_callback(ssl, watch_key_updates);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ssl, 0) == 1 && SSL_CTX_set_max_early_data(ssl, 0) == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1 &&
           SSL_CTX_set_ciphersuites(ssl, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
                                         "TLS_CHACHA20_POLY1305_SHA256") == 1;
}

static enum signet_err context_new(const SSL_METHOD *method, struct tls_context **context_out)
{
    struct tls_context *context = calloc(1, sizeof(*context));

    if (context == NULL)
        return SIGNET_ERR_NOMEM;
    ERR_clear_error();
    context->ssl = SSL_CTX_new(method);
    if (context->ssl == NULL || !configure(context->ssl)) {
        tls_context_free(context);
        ERR_clear_error();
        return SIGNET_ERR_CRYPTO;
    }
    *context_out = context;
    return SIGNET_OK;
}

static enum signet_err load_identity(
    struct tls_context *context, const char *certificate_path, const char *key_path)
{
    enum signet_err err = SIGNET_ERR_KEY;

    if (access(certificate_path, R_OK) != 0 || access(key_path, R_OK) != 0)
        return SIGNET_ERR_IO;
    if (SSL_CTX_use_certificate_chain_file(context->ssl, certificate_path) == 1 &&
        SSL_CTX_use_PrivateKey_file(context->ssl, key_path, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context->ssl) == 1)
        err = tls_pin_of_certificate(SSL_CTX_get0_certificate(context->ssl), &context->pin);
    ERR_clear_error();
    return err;
}

enum signet_err tls_server_new(
    const char *certificate_path, const char *key_path, struct tls_context **context_out)
{
    struct tls_context *context = NULL;
    enum signet_err err;

    if ((err = context_new(TLS_server_method(), &context)) != SIGNET_OK)
        return err;
    if ((err = load_identity(context, certificate_path, key_path)) != SIGNET_OK) {
        int kept = errno;

        tls_context_free(context);
        errno = kept;
        return err;
    }
    *context_out = context;
    return SIGNET_OK;
}

/* The whole of verification: the key is one of the pinned ones. */
static int verify_pin(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_stream *stream = SSL_get_app_data(ssl);
    struct signet_id pin;

    (void)arg;
    if (tls_pin_of_certificate(X509_STORE_CTX_get0_cert(store), &pin) == SIGNET_OK) {
        for (size_t i = 0; i < stream->pin_count; i++)
            if (signet_id_equal(&pin, &stream->pins[i])) {
                X509_STORE_CTX_set_error(store, X509_V_OK);
                return 1;
            }
        stream->has_wrong_pin = true;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
}

enum signet_err tls_client_new(struct tls_context **context_out)
{
    struct tls_context *context = NULL;
    enum signet_err err;

    if ((err = context_new(TLS_client_method(), &context)) != SIGNET_OK)
        return err;
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context->ssl, verify_pin, NULL);
    *context_out = context;
    return SIGNET_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    free(context);
}

const struct signet_id *tls_context_pin(const struct tls_context *context)
{
    return &context->pin;
}

/* ---- streams ---- */

static enum signet_err stream_new(
    struct tls_context *context, int fd, struct tls_stream **stream_out)
{
    struct tls_stream *stream = calloc(1, sizeof(*stream));
    BIO *bio = NULL;

    if (stream == NULL)
        return SIGNET_ERR_NOMEM;
    stream->ssl = SSL_new(context->ssl);
    if (stream->ssl == NULL || SSL_set_app_data(stream->ssl, stream) != 1 ||
        (bio = BIO_new_socket(fd, BIO_CLOSE)) == NULL) {
        SSL_free(stream->ssl);
        free(stream);
        ERR_clear_error();
        return SIGNET_ERR_NOMEM;
    }
    SSL_set_bio(stream->ssl, bio, bio);
    *stream_out = stream;
    return SIGNET_OK;
}

/* Looks at what was received before OpenSSL does: tls_records.h says why. */
static long watch_records(BIO *bio, int what, const char *bytes, size_t len, int number,
    long argument, int result, size_t *processed)
{
    struct tls_stream *stream = (void *)BIO_get_callback_arg(bio);

    (void)len;
    (void)number;
    (void)argument;
    if (what != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0)
        return result;
    return tls_records_take(&stream->records, bytes, *processed) ? result : -1;
}

enum signet_err tls_stream_new_server(
    struct tls_context *context, int fd, struct tls_stream **stream_out)
{
    enum signet_err err = stream_new(context, fd, stream_out);
    BIO *bio;

    if (err != SIGNET_OK)
        return err;
    SSL_set_accept_state((*stream_out)->ssl);
    bio = SSL_get_rbio((*stream_out)->ssl);
    BIO_set_callback_arg(bio, (char *)*stream_out);
    BIO_set_callback_ex(bio, watch_records);
    return SIGNET_OK;
}

enum signet_err tls_stream_new_client(struct tls_context *context, int fd,
    const struct signet_id *pins, size_t count, struct tls_stream **stream_out)
{
    enum signet_err err;

    if (count < 1 || count > TLS_PINS_MAX)
        return SIGNET_ERR_ARGUMENT;
    if ((err = stream_new(context, fd, stream_out)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        (*stream_out)->pins[i] = pins[i];
    (*stream_out)->pin_count = (uint8_t)count;
    SSL_set_connect_state((*stream_out)->ssl);
    return SIGNET_OK;
}

void tls_stream_free(struct tls_stream *stream)
{
    if (stream == NULL)
        return;
    SSL_free(stream->ssl);
    free(stream);
}

/* What a call of OpenSSL that gave `returned` means. */
static enum io_result result_of(struct tls_stream *stream, int returned)
{
    int error = SSL_get_error(stream->ssl, returned);

    switch (error) {
    case SSL_ERROR_NONE: return IO_OK;
    case SSL_ERROR_WANT_READ: return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE: return IO_AGAIN_WRITE;
    case SSL_ERROR_ZERO_RETURN: return IO_CLOSED;
    default:
        stream->is_broken = true;
        ERR_clear_error();
        return stream->has_wrong_pin ? IO_WRONG_PIN : IO_FAILED;
    }
}

enum io_result tls_handshake(struct tls_stream *stream)
{
    enum io_result result;

    if (stream->is_broken)
        return stream->has_wrong_pin ? IO_WRONG_PIN : IO_FAILED;
    /* What an earlier call left in the queue would be taken for the result of this one. */
    ERR_clear_error();
    result = result_of(stream, SSL_do_handshake(stream->ssl));
    if (result == IO_OK) /* what follows is sealed: it claims nothing that OpenSSL believes */
        BIO_set_callback_ex(SSL_get_rbio(stream->ssl), NULL);
    return result;
}

enum io_result tls_read(struct tls_stream *stream, struct signet_buf *in, size_t quota)
{
    size_t start = in->len;

    if (stream->is_broken)
        return IO_FAILED;
    for (size_t i = 0; i < READS_MAX && in->len - start < quota; i++) {
        size_t got = 0;
        int returned;

        if (signet_buf_reserve(in, RECORD_MAX) != SIGNET_OK)
            return IO_FAILED;
        ERR_clear_error();
        returned = SSL_read_ex(stream->ssl, in->ptr + in->len, RECORD_MAX, &got);
        if (returned != 1)
            return result_of(stream, returned);
        in->len += got;
        /* Little came and nothing is left: one more read would only be told to wait. If the
         * descriptor has more nevertheless, it says so by itself. */
        if (in->len - start < READ_AGAIN && SSL_has_pending(stream->ssl) == 0)
            return IO_AGAIN;
    }
    return IO_OK;
}

enum io_result tls_write(struct tls_stream *stream, signet_span bytes, size_t *written_out)
{
    *written_out = 0;
    if (stream->is_broken)
        return IO_FAILED;
    while (*written_out < bytes.len) {
        size_t len = bytes.len - *written_out, put = 0;
        int returned;

        /* Given more than a record, OpenSSL goes on with the next one where the rest of one that
         * had to wait is gone, and tells of none of them when that one has to wait, too. */
        if (len > SSL3_RT_MAX_PLAIN_LENGTH)
            len = SSL3_RT_MAX_PLAIN_LENGTH;
        ERR_clear_error();
        returned = SSL_write_ex(stream->ssl, bytes.ptr + *written_out, len, &put);
        if (returned != 1)
            return result_of(stream, returned);
        *written_out += put;
    }
    return IO_OK;
}

void tls_shutdown(struct tls_stream *stream)
{
    if (stream->is_broken || !SSL_is_init_finished(stream->ssl))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(stream->ssl); /* best effort: the peer may be gone */
    ERR_clear_error();
}

enum signet_err tls_exporter(struct tls_stream *stream, uint8_t out[TLS_EXPORTER_LEN])
{
    static const char label[] = "EXPORTER-Channel-Binding";

    if (!SSL_is_init_finished(stream->ssl))
        return SIGNET_ERR_STATE;
    if (SSL_export_keying_material(
            stream->ssl, out, TLS_EXPORTER_LEN, label, sizeof(label) - 1, NULL, 0, 0) == 1)
        return SIGNET_OK;
    ERR_clear_error();
    return SIGNET_ERR_CRYPTO;
}

const char *tls_cipher_name(const struct tls_stream *stream)
{
    return SSL_get_cipher_name(stream->ssl);
}

enum signet_err tls_peer_pin(const struct tls_stream *stream, struct signet_id *pin_out)
{
    const X509 *certificate = SSL_get0_peer_certificate(stream->ssl);

    /* Earlier the peer has shown a certificate, but not that it holds the key. */
    if (certificate == NULL || !SSL_is_init_finished(stream->ssl))
        return SIGNET_ERR_STATE;
    return tls_pin_of_certificate(certificate, pin_out);
}

enum signet_err tls_local_pin(const struct tls_stream *stream, struct signet_id *pin_out)
{
    const X509 *certificate = SSL_get_certificate(stream->ssl);

    return certificate == NULL ? SIGNET_ERR_STATE : tls_pin_of_certificate(certificate, pin_out);
}
