/*
 * Invitations as one line of text: docs/protocol.md, section 9. base64url is that of RFC 4648,
 * section 5, without padding; of every invitation's data there is exactly one spelling.
 */
#include "wire/invitation.h"

#include <stdio.h>
#include <string.h>

enum {
    DATA_MAX = 256, /* bytes; the longest invitation has half of it */
    DATA_VERSION = 1,
};

static const char scheme[] = "signet://";

/* ---- base64url ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static enum signet_err base64url_write(signet_span bytes, struct signet_buf *out)
{
    enum signet_err err = signet_buf_reserve(out, bytes.len * 4 / 3 + 1);
    uint32_t bits = 0;
    unsigned bit_count = 0;

    for (size_t i = 0; i < bytes.len && err == SIGNET_OK; i++) {
        bits = bits << 8 | bytes.ptr[i];
        bit_count += 8;
        while (bit_count >= 6 && err == SIGNET_OK) {
            bit_count -= 6;
            err = signet_buf_append(out, signet_span_of(&alphabet[bits >> bit_count & 63], 1));
        }
    }
    if (bit_count > 0 && err == SIGNET_OK)
        err = signet_buf_append(out, signet_span_of(&alphabet[bits << (6 - bit_count) & 63], 1));
    return err;
}

static enum signet_err base64url_read(signet_span text, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    if (text.len % 4 == 1)
        return SIGNET_ERR_FORMAT;
    for (size_t i = 0; i < text.len && err == SIGNET_OK; i++) {
        const char *digit = memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1);

        if (digit == NULL)
            return SIGNET_ERR_FORMAT;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            err = signet_buf_fill(out, (uint8_t)(bits >> bit_count), 1);
        }
    }
    /* Unused bits are zero, or one token would have several spellings. */
    if (err == SIGNET_OK && (bits & ((1U << bit_count) - 1)) != 0)
        return SIGNET_ERR_FORMAT;
    return err;
}

/* ---- host and port ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
}

/* A host that has a colon is an IPv6 address, and stands in brackets (RFC 3986, section 3.2.2). */
static bool has_colon(signet_span host)
{
    return host.len > 0 && memchr(host.ptr, ':', host.len) != NULL;
}

static bool host_is_valid(signet_span host)
{
    bool is_ipv6 = has_colon(host);

    if (host.len == 0 || host.len > INVITATION_HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];

        if (is_ipv6 ? !is_hex(c) && c != ':' && c != '.' : !is_name(c))
            return false;
    }
    return true;
}

/* Cut what stands before the first `mark` off the text; false where there is none. */
static bool cut(signet_span *text, char mark, signet_span *before_out)
{
    const uint8_t *at = text->len > 0 ? memchr(text->ptr, mark, text->len) : NULL;

    if (at == NULL)
        return false;
    *before_out = signet_span_of(text->ptr, (size_t)(at - text->ptr));
    *text = signet_span_from(*text, before_out->len + 1);
    return true;
}

static bool read_host(signet_span *text, struct invitation *invitation)
{
    bool in_brackets = text->len > 0 && text->ptr[0] == '[';
    signet_span host, between;

    if (in_brackets) {
        *text = signet_span_from(*text, 1);
        if (!cut(text, ']', &host) || !cut(text, ':', &between) || between.len != 0)
            return false;
    } else if (!cut(text, ':', &host)) {
        return false;
    }
    if (!host_is_valid(host) || has_colon(host) != in_brackets)
        return false;
    memcpy(invitation->host, host.ptr, host.len);
    invitation->host[host.len] = '\0';
    return true;
}

static bool read_port(signet_span *text, struct invitation *invitation)
{
    signet_span digits;
    uint32_t port = 0;

    if (!cut(text, '/', &digits) || digits.len == 0 || digits.len > 5 || digits.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (!is_digit(digits.ptr[i]))
            return false;
        port = port * 10 + (uint32_t)(digits.ptr[i] - '0');
    }
    if (port > UINT16_MAX)
        return false;
    invitation->port = (uint16_t)port;
    return true;
}

/* ---- the data ---- */

static enum signet_err data_read(signet_span in, struct invitation *invitation)
{
    struct wire_reader r = wire_reader(in);
    signet_span token;

    wire_expect_array(&r, 4);
    wire_expect_uint(&r, DATA_VERSION);
    wire_expect_array(&r, 2);
    wire_get_id(&r, &invitation->pins[0]);
    wire_get_id(&r, &invitation->pins[1]);
    token = wire_get_bytes(&r, INVITATION_TOKEN_LEN, INVITATION_TOKEN_LEN);
    invitation->has_operator = !wire_get_null(&r);
    if (invitation->has_operator)
        wire_get_id(&r, &invitation->operator_address);
    if (wire_reader_finish(&r) != SIGNET_OK)
        return SIGNET_ERR_FORMAT;
    memcpy(invitation->token, token.ptr, token.len);
    return SIGNET_OK;
}

static enum signet_err data_write(const struct invitation *invitation, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, 4);
    wire_put_uint(&w, DATA_VERSION);
    wire_put_array(&w, 2);
    wire_put_id(&w, &invitation->pins[0]);
    wire_put_id(&w, &invitation->pins[1]);
    wire_put_bytes(&w, signet_span_of(invitation->token, sizeof(invitation->token)));
    if (invitation->has_operator)
        wire_put_id(&w, &invitation->operator_address);
    else
        wire_put_null(&w);
    return wire_writer_finish(&w);
}

/* ---- the line ---- */

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static signet_span trimmed(signet_span text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text = signet_span_from(text, 1);
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

enum signet_err invitation_read(const char *text, struct invitation *out)
{
    struct invitation invitation = {0};
    struct signet_buf data = {0};
    signet_span line = trimmed(signet_span_str(text)), start = line;
    enum signet_err err;

    if (line.len > INVITATION_TEXT_MAX)
        return SIGNET_ERR_FORMAT;
    if (start.len > strlen(scheme))
        start.len = strlen(scheme);
    if (!signet_span_equal(start, signet_span_str(scheme)))
        return SIGNET_ERR_FORMAT;
    line = signet_span_from(line, start.len);
    if (!read_host(&line, &invitation) || !read_port(&line, &invitation))
        return SIGNET_ERR_FORMAT;

    err = signet_buf_reserve(&data, DATA_MAX);
    if (err == SIGNET_OK)
        err = base64url_read(line, &data);
    if (err == SIGNET_OK)
        err = data_read(signet_buf_span(&data), &invitation);
    if (err == SIGNET_OK)
        *out = invitation;
    signet_buf_free(&data);
    return err;
}

enum signet_err invitation_write(const struct invitation *invitation, struct signet_buf *out)
{
    signet_span host =
        signet_span_of(invitation->host, strnlen(invitation->host, sizeof(invitation->host)));
    char start[sizeof(scheme) + INVITATION_HOST_MAX + sizeof("[]:65535/")];
    struct signet_buf data = {0};
    size_t before = out->len;
    enum signet_err err;

    if (!host_is_valid(host) || invitation->port == 0)
        return SIGNET_ERR_ARGUMENT;
    (void)snprintf(start, sizeof(start), has_colon(host) ? "%s[%s]:%u/" : "%s%s:%u/", scheme,
        invitation->host, (unsigned)invitation->port);
    err = data_write(invitation, &data);
    if (err == SIGNET_OK)
        err = signet_buf_append(out, signet_span_str(start));
    if (err == SIGNET_OK)
        err = base64url_write(signet_buf_span(&data), out);
    if (err != SIGNET_OK)
        signet_buf_truncate(out, before);
    signet_buf_free(&data);
    return err;
}
