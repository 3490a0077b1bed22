/*
 * TLS 1.3 over a non-blocking descriptor: contexts, and streams made with them.
 *
 * No earlier version, no early data, no tickets, no resumption, no compression. A client believes
 * in nothing but pins: a pin is SHA-256 of the SubjectPublicKeyInfo (DER) of the server's key. The
 * chain, names and dates of certificates are not consulted.
 *
 * The process must ignore SIGPIPE (io_loop_new sees to it).
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <signet/buffer.h>
#include <signet/id.h>

#include "io/result.h"

enum { TLS_PINS_MAX = 2, TLS_EXPORTER_LEN = 32 };

struct tls_context;
struct tls_stream;

/*
 * A server's context, from PEM files: certificate (or chain, leaf first) and its private key.
 * To reload, make another context and then free the old one: its streams live on.
 * Errors: IO (cannot be read, with errno), KEY (not PEM, or the two do not belong together),
 * NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err tls_server_new(
    const char *certificate_path, const char *key_path, struct tls_context **context_out);

/* Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err tls_client_new(struct tls_context **context_out);

/* NULL is fine; streams made with the context are not affected. */
void tls_context_free(struct tls_context *context);

/* The pin of a server context's own key. */
const struct signet_id *tls_context_pin(const struct tls_context *context);

/*
 * A stream over a connected, non-blocking descriptor. On success the stream owns the descriptor
 * and closes it when freed; after an error the caller still owns it.
 * Errors: NOMEM, ARGUMENT (a client needs 1..TLS_PINS_MAX pins).
 */
SIGNET_MUST_USE enum signet_err tls_stream_new_server(
    struct tls_context *context, int fd, struct tls_stream **stream_out);
SIGNET_MUST_USE enum signet_err tls_stream_new_client(struct tls_context *context, int fd,
    const struct signet_id *pins, size_t count, struct tls_stream **stream_out);

/* Free, and close the descriptor. NULL is fine. */
void tls_stream_free(struct tls_stream *stream);

/* IO_OK (done, and so in later calls), IO_AGAIN, IO_AGAIN_WRITE, IO_CLOSED, IO_FAILED, or
 * IO_WRONG_PIN, before any byte of the application was sent. */
SIGNET_MUST_USE enum io_result tls_handshake(struct tls_stream *stream);

/*
 * Append what has arrived to `in`, until `quota` bytes were appended (and at most one record, 16
 * KiB, beyond them).
 *
 * IO_OK: the quota was reached and there may be more; call again without waiting for the
 * descriptor. IO_AGAIN, IO_AGAIN_WRITE: wait for the descriptor, which may be ready already.
 * IO_CLOSED, IO_FAILED: no more will come. Whatever the result, bytes appended by the call are good.
 */
SIGNET_MUST_USE enum io_result tls_read(
    struct tls_stream *stream, struct signet_buf *in, size_t quota);

/*
 * Write as much of `bytes` as the descriptor takes now and set *written_out to how much that was.
 * The next call must begin with the first byte not written; the bytes may have moved in memory, and
 * more may follow them. IO_OK: all of it. Otherwise as tls_read.
 */
SIGNET_MUST_USE enum io_result tls_write(
    struct tls_stream *stream, signet_span bytes, size_t *written_out);

/* Say goodbye (close_notify), as far as that is possible without waiting. */
void tls_shutdown(struct tls_stream *stream);

/* RFC 9266: "EXPORTER-Channel-Binding", no context; equal on both sides of one connection and on
 * no other. Errors: STATE (handshake not done), CRYPTO. */
SIGNET_MUST_USE enum signet_err tls_exporter(
    struct tls_stream *stream, uint8_t out[TLS_EXPORTER_LEN]);

/* The cipher suite of the connection, "TLS_AES_256_GCM_SHA384"; never NULL. */
const char *tls_cipher_name(const struct tls_stream *stream);

/* The pin of the key that the peer proved to hold (client side), or of our own (server side).
 * Errors: STATE (there is no such key here), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err tls_peer_pin(
    const struct tls_stream *stream, struct signet_id *pin_out);
SIGNET_MUST_USE enum signet_err tls_local_pin(
    const struct tls_stream *stream, struct signet_id *pin_out);

#endif
