/* Bytes as hexadecimal text, and the textual forms of an id. */
#include "base/hex.h"

#include <string.h>

#include <signet/id.h>

static const char digits[] = "0123456789abcdef";

void hex_encode(signet_span bytes, char *text)
{
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.ptr[i] >> 4];
        text[2 * i + 1] = digits[bytes.ptr[i] & 15];
    }
    text[2 * bytes.len] = '\0';
}

/* The value of one digit, or -1. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum signet_err hex_decode(const char *text, struct signet_buf *out)
{
    size_t len = strlen(text);
    size_t start = out->len;
    enum signet_err err;

    if (len % 2 != 0)
        return SIGNET_ERR_FORMAT;
    if ((err = signet_buf_reserve(out, len / 2)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < len; i += 2) {
        int high = digit_value(text[i]);
        int low = digit_value(text[i + 1]);

        if (high < 0 || low < 0) {
            signet_buf_truncate(out, start);
            return SIGNET_ERR_FORMAT;
        }
        out->ptr[out->len++] = (uint8_t)(high * 16 + low);
    }
    return SIGNET_OK;
}

bool signet_id_equal(const struct signet_id *a, const struct signet_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int signet_id_compare(const struct signet_id *a, const struct signet_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

bool signet_id_is_zero(const struct signet_id *id)
{
    static const struct signet_id zero;

    return signet_id_equal(id, &zero);
}

void signet_id_text(const struct signet_id *id, char text[SIGNET_ID_TEXT_SIZE])
{
    hex_encode(signet_id_span(id), text);
}

/* `count` groups of two bytes, joined by '-'. */
static void id_groups(const struct signet_id *id, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        hex_encode(signet_span_of(id->b + 2 * i, 2), text + 5 * i);
        text[5 * i + 4] = i + 1 < count ? '-' : '\0';
    }
}

void signet_id_groups(const struct signet_id *id, char text[SIGNET_ID_GROUPS_SIZE])
{
    id_groups(id, SIGNET_ID_LEN / 2, text);
}

void signet_id_short(const struct signet_id *id, char text[SIGNET_ID_SHORT_SIZE])
{
    id_groups(id, 4, text);
}

enum signet_err signet_id_parse(const char *text, struct signet_id *id_out)
{
    struct signet_id id;
    size_t count = 0;

    for (const char *c = text; *c != '\0'; c++) {
        int value = digit_value(*c);

        if (*c == '-' || *c == ':' || *c == ' ')
            continue;
        if (value < 0 || count == 2 * sizeof(id.b))
            return SIGNET_ERR_FORMAT;
        if (count % 2 == 0)
            id.b[count / 2] = (uint8_t)(value << 4);
        else
            id.b[count / 2] = (uint8_t)(id.b[count / 2] | value);
        count++;
    }
    if (count != 2 * sizeof(id.b))
        return SIGNET_ERR_FORMAT;
    *id_out = id;
    return SIGNET_OK;
}

enum signet_err signet_id_read(signet_span bytes, struct signet_id *id_out)
{
    if (bytes.len != sizeof(id_out->b))
        return SIGNET_ERR_FORMAT;
    memcpy(id_out->b, bytes.ptr, sizeof(id_out->b));
    return SIGNET_OK;
}
