/*
 * Just enough HTTP/1.1 for the opening handshake of WebSocket (RFC 6455, sections 4.1 and 4.2),
 * strict, and bounded by HTTP_HEAD_MAX. Bytes in, bytes out; cookies are not looked at.
 */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <signet/buffer.h>

#define HTTP_PATH     "/signet"
#define HTTP_PROTOCOL "signet.v1" /* Sec-WebSocket-Protocol */

enum { HTTP_HEAD_MAX = 4096, HTTP_NONCE_LEN = 16, HTTP_ACCEPT_SIZE = 29 };

enum http_status {
    HTTP_MALFORMED = -1, /* a response that is none */
    HTTP_NEED_MORE = 0,
    HTTP_SWITCHING = 101,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403, /* an Origin */
    HTTP_NOT_FOUND = 404, /* another path */
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_UPGRADE_REQUIRED = 426, /* no WebSocket, or another version of it */
    HTTP_HEAD_TOO_LARGE = 431,
};

struct http_request {
    char accept[HTTP_ACCEPT_SIZE]; /* Sec-WebSocket-Accept of the answer */
    bool names_protocol;           /* HTTP_PROTOCOL was offered */
};

/*
 * Server: read a request from the start of `in`. One with an Origin comes from a page in a browser,
 * of any site, and is refused.
 *
 * HTTP_NEED_MORE: call again with more bytes. HTTP_SWITCHING: acceptable; *request_out and
 * *used_out (bytes of the head) are set. Otherwise: the status to refuse with.
 */
SIGNET_MUST_USE enum http_status http_read_request(
    signet_span in, struct http_request *request_out, size_t *used_out);

/* Server: append the answer; `request` is needed for HTTP_SWITCHING only. A refusal closes the
 * connection after it. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err http_write_response(
    enum http_status status, const struct http_request *request, struct signet_buf *out);

/* Client: append the request. `authority` is HOST:PORT as the user knows it; the nonce is fresh
 * and random; accept_out is what the answer must say.
 * Errors: ARGUMENT (characters that no authority has), NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err http_write_request(const char *authority,
    const uint8_t nonce[HTTP_NONCE_LEN], struct signet_buf *out, char accept_out[HTTP_ACCEPT_SIZE]);

/* Client: HTTP_NEED_MORE, HTTP_SWITCHING (*used_out set), HTTP_MALFORMED, or the status with which
 * the server refused. */
SIGNET_MUST_USE int http_read_response(signet_span in, const char *accept, size_t *used_out);

#endif
