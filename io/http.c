/* The opening handshake of WebSocket: RFC 6455, section 4, over HTTP/1.1 (RFC 9112). */
#include "io/http.h"

#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

enum {
    NONCE_TEXT_LEN = 24, /* 16 bytes in base64 */
    ACCEPT_LEN = 20,     /* SHA-1 */
};

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* ---- lines ---- */

/* The head up to and without its empty line, or HTTP_NEED_MORE, or the status of a refusal. */
static enum http_status find_head(signet_span in, signet_span *head_out, size_t *used_out)
{
    size_t len = in.len < HTTP_HEAD_MAX ? in.len : HTTP_HEAD_MAX;
    const uint8_t *end = len == 0 ? NULL : memmem(in.ptr, len, "\r\n\r\n", 4);

    if (end == NULL)
        return in.len < HTTP_HEAD_MAX ? HTTP_NEED_MORE : HTTP_HEAD_TOO_LARGE;
    /* Keep the line end of the last line. */
    *head_out = signet_span_of(in.ptr, (size_t)(end - in.ptr) + 2);
    *used_out = head_out->len + 2;
    return HTTP_SWITCHING;
}

/* Take the next line off the head, without its end. A line holds printable ASCII and tabs. */
static bool take_line(signet_span *head, signet_span *line_out)
{
    const uint8_t *end = memmem(head->ptr, head->len, "\r\n", 2);
    size_t len;

    if (end == NULL)
        return false;
    len = (size_t)(end - head->ptr);
    for (size_t i = 0; i < len; i++)
        if ((head->ptr[i] < 0x20 && head->ptr[i] != '\t') || head->ptr[i] >= 0x7f)
            return false;
    *line_out = signet_span_of(head->ptr, len);
    *head = signet_span_from(*head, len + 2);
    return true;
}

static bool equals_nocase(signet_span a, const char *b)
{
    return a.len == strlen(b) && strncasecmp((const char *)a.ptr, b, a.len) == 0;
}

static bool equals(signet_span a, const char *b)
{
    return signet_span_equal(a, signet_span_str(b));
}

static signet_span trim(signet_span text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = signet_span_from(text, 1);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Cut at the first `mark`: what is before it is returned, *text keeps what is behind. */
static bool cut(signet_span *text, char mark, signet_span *before_out)
{
    const uint8_t *at = text->len == 0 ? NULL : memchr(text->ptr, mark, text->len);

    if (at == NULL)
        return false;
    *before_out = signet_span_of(text->ptr, (size_t)(at - text->ptr));
    *text = signet_span_from(*text, before_out->len + 1);
    return true;
}

/* Does a comma-separated list name the token? `is_exact` minds the case. */
static bool list_has(signet_span list, const char *token, bool is_exact)
{
    signet_span item;
    bool is_last;

    do {
        is_last = !cut(&list, ',', &item);
        if (is_last)
            item = list;
        item = trim(item);
        if (is_exact ? equals(item, token) : equals_nocase(item, token))
            return true;
    } while (!is_last);
    return false;
}

/* ---- headers ---- */

enum header {
    HOST,
    UPGRADE,
    CONNECTION,
    ORIGIN,
    KEY,
    VERSION,
    PROTOCOL,
    ACCEPT,
    EXTENSIONS,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    HEADER_COUNT,
};

static const char *const header_names[HEADER_COUNT] = {
    [HOST] = "Host",
    [UPGRADE] = "Upgrade",
    [CONNECTION] = "Connection",
    [ORIGIN] = "Origin",
    [KEY] = "Sec-WebSocket-Key",
    [VERSION] = "Sec-WebSocket-Version",
    [PROTOCOL] = "Sec-WebSocket-Protocol",
    [ACCEPT] = "Sec-WebSocket-Accept",
    [EXTENSIONS] = "Sec-WebSocket-Extensions",
    [CONTENT_LENGTH] = "Content-Length",
    [TRANSFER_ENCODING] = "Transfer-Encoding",
};

/* What the headers say; an absent one is empty, and `is_present` tells it from an empty one. */
struct headers {
    signet_span value[HEADER_COUNT];
    bool is_present[HEADER_COUNT];
};

/* RFC 9110, section 5.6.2. */
static bool is_token(signet_span text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!is_alnum && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Every header we know may come once: two readers of two of them could disagree. */
static bool read_headers(signet_span head, struct headers *headers)
{
    signet_span line, name;

    memset(headers, 0, sizeof(*headers));
    while (head.len > 0) {
        if (!take_line(&head, &line) || !cut(&line, ':', &name) || !is_token(name))
            return false;
        for (size_t i = 0; i < HEADER_COUNT; i++) {
            if (!equals_nocase(name, header_names[i]))
                continue;
            if (headers->is_present[i])
                return false;
            headers->is_present[i] = true;
            headers->value[i] = trim(line);
        }
    }
    /* Neither a GET nor a 101 has a body. */
    return !headers->is_present[CONTENT_LENGTH] && !headers->is_present[TRANSFER_ENCODING];
}

/* ---- key and accept ---- */

/* Section 4.2.2, item 5.4: base64(SHA-1(key || guid)). SHA-1 secures nothing here. */
static bool compute_accept(signet_span key, char accept[HTTP_ACCEPT_SIZE])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[NONCE_TEXT_LEN + sizeof(guid)];
    size_t digest_len;

    if (key.len != NONCE_TEXT_LEN)
        return false;
    memcpy(text, key.ptr, NONCE_TEXT_LEN);
    memcpy(text + NONCE_TEXT_LEN, guid, sizeof(guid));
    if (EVP_Q_digest(NULL, "SHA1", NULL, text, sizeof(text) - 1, digest, &digest_len) != 1 ||
        digest_len != ACCEPT_LEN)
        return false;
    return EVP_EncodeBlock((unsigned char *)accept, digest, ACCEPT_LEN) == HTTP_ACCEPT_SIZE - 1;
}

/* Exactly the base64 of 16 bytes: encoding what it decodes to gives the same text. */
static bool is_key(signet_span key)
{
    uint8_t bytes[HTTP_NONCE_LEN + 2]; /* the decoder counts the padding in */
    unsigned char text[NONCE_TEXT_LEN + 1];

    if (key.len != NONCE_TEXT_LEN ||
        EVP_DecodeBlock(bytes, key.ptr, NONCE_TEXT_LEN) != (int)sizeof(bytes))
        return false;
    return EVP_EncodeBlock(text, bytes, HTTP_NONCE_LEN) == NONCE_TEXT_LEN &&
           memcmp(text, key.ptr, NONCE_TEXT_LEN) == 0;
}

/* ---- server ---- */

static enum http_status read_request_line(signet_span line)
{
    signet_span method, target;

    if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target) || !is_token(method) ||
        !equals(line, "HTTP/1.1"))
        return HTTP_BAD_REQUEST;
    if (!equals(method, "GET"))
        return HTTP_METHOD_NOT_ALLOWED;
    return equals(target, HTTP_PATH) ? HTTP_SWITCHING : HTTP_NOT_FOUND;
}

/* Section 4.2.1, in the order in which a refusal says most. */
static enum http_status check_request(const struct headers *headers, struct http_request *request)
{
    const signet_span *value = headers->value;

    if (value[HOST].len == 0)
        return HTTP_BAD_REQUEST;
    /* A page of any site can make a browser connect: section 10.2. */
    if (headers->is_present[ORIGIN])
        return HTTP_FORBIDDEN;
    if (!list_has(value[UPGRADE], "websocket", false) ||
        !list_has(value[CONNECTION], "upgrade", false) || !equals(value[VERSION], "13"))
        return HTTP_UPGRADE_REQUIRED;
    if (!is_key(value[KEY]) || !compute_accept(value[KEY], request->accept))
        return HTTP_BAD_REQUEST;
    request->names_protocol = list_has(value[PROTOCOL], HTTP_PROTOCOL, true);
    return HTTP_SWITCHING;
}

enum http_status http_read_request(
    signet_span in, struct http_request *request_out, size_t *used_out)
{
    struct http_request request = {0};
    struct headers headers;
    enum http_status status;
    signet_span head, line;
    size_t used;

    if ((status = find_head(in, &head, &used)) != HTTP_SWITCHING)
        return status;
    if (!take_line(&head, &line))
        return HTTP_BAD_REQUEST;
    if ((status = read_request_line(line)) != HTTP_SWITCHING)
        return status;
    if (!read_headers(head, &headers))
        return HTTP_BAD_REQUEST;
    if ((status = check_request(&headers, &request)) != HTTP_SWITCHING)
        return status;
    *request_out = request;
    *used_out = used;
    return HTTP_SWITCHING;
}

/* Append the strings up to NULL, all of them or none. */
static enum signet_err append_all(struct signet_buf *out, const char *const *parts)
{
    size_t start = out->len;
    enum signet_err err;

    for (; *parts != NULL; parts++) {
        if ((err = signet_buf_append(out, signet_span_str(*parts))) != SIGNET_OK) {
            signet_buf_truncate(out, start);
            return err;
        }
    }
    return SIGNET_OK;
}

static const char *refusal_line(enum http_status status)
{
    switch (status) {
    case HTTP_FORBIDDEN: return "403 Forbidden\r\n";
    case HTTP_NOT_FOUND: return "404 Not Found\r\n";
    case HTTP_METHOD_NOT_ALLOWED: return "405 Method Not Allowed\r\nAllow: GET\r\n";
    case HTTP_UPGRADE_REQUIRED:
        return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    case HTTP_HEAD_TOO_LARGE: return "431 Request Header Fields Too Large\r\n";
    default: return "400 Bad Request\r\n";
    }
}

enum signet_err http_write_response(
    enum http_status status, const struct http_request *request, struct signet_buf *out)
{
    if (status == HTTP_SWITCHING) {
        const char *const parts[] = {
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
            request->names_protocol ? "Sec-WebSocket-Protocol: " HTTP_PROTOCOL "\r\n" : "",
            "Sec-WebSocket-Accept: ", request->accept, "\r\n\r\n", NULL};

        return append_all(out, parts);
    }
    const char *const parts[] = {
        "HTTP/1.1 ", refusal_line(status), "Connection: close\r\nContent-Length: 0\r\n\r\n", NULL};

    return append_all(out, parts);
}

/* ---- client ---- */

static bool is_authority(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";

    return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

enum signet_err http_write_request(const char *authority, const uint8_t nonce[HTTP_NONCE_LEN],
    struct signet_buf *out, char accept_out[HTTP_ACCEPT_SIZE])
{
    char key[NONCE_TEXT_LEN + 1];
    char accept[HTTP_ACCEPT_SIZE];
    enum signet_err err;

    if (!is_authority(authority))
        return SIGNET_ERR_ARGUMENT;
    if (EVP_EncodeBlock((unsigned char *)key, nonce, HTTP_NONCE_LEN) != NONCE_TEXT_LEN ||
        !compute_accept(signet_span_str(key), accept))
        return SIGNET_ERR_CRYPTO;
    const char *const parts[] = {"GET " HTTP_PATH " HTTP/1.1\r\nHost: ", authority,
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: " HTTP_PROTOCOL "\r\nSec-WebSocket-Key: ",
        key, "\r\n\r\n", NULL};

    if ((err = append_all(out, parts)) != SIGNET_OK)
        return err;
    memcpy(accept_out, accept, sizeof(accept));
    return SIGNET_OK;
}

/* "HTTP/1.1 101 Switching Protocols" -> 101. */
static int read_status_line(signet_span line)
{
    signet_span version;
    int status = 0;

    if (!cut(&line, ' ', &version) || !equals(version, "HTTP/1.1") || line.len < 3)
        return HTTP_MALFORMED;
    for (size_t i = 0; i < 3; i++) {
        if (line.ptr[i] < '0' || line.ptr[i] > '9')
            return HTTP_MALFORMED;
        status = status * 10 + line.ptr[i] - '0';
    }
    if (status < 100 || (line.len > 3 && line.ptr[3] != ' '))
        return HTTP_MALFORMED;
    return status;
}

int http_read_response(signet_span in, const char *accept, size_t *used_out)
{
    struct headers headers;
    signet_span head, line;
    size_t used;
    int status;

    if ((status = (int)find_head(in, &head, &used)) != HTTP_SWITCHING)
        return status == HTTP_NEED_MORE ? HTTP_NEED_MORE : HTTP_MALFORMED;
    if (!take_line(&head, &line))
        return HTTP_MALFORMED;
    if ((status = read_status_line(line)) != HTTP_SWITCHING)
        return status;
    /* Section 4.1: an extension or a protocol that was not asked for fails the connection. */
    if (!read_headers(head, &headers) || !equals_nocase(headers.value[UPGRADE], "websocket") ||
        !list_has(headers.value[CONNECTION], "upgrade", false) ||
        !equals(headers.value[ACCEPT], accept) || headers.is_present[EXTENSIONS] ||
        (headers.is_present[PROTOCOL] && !equals(headers.value[PROTOCOL], HTTP_PROTOCOL)))
        return HTTP_MALFORMED;
    *used_out = used;
    return HTTP_SWITCHING;
}
