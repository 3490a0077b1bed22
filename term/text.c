/* Text from others, made safe for a terminal. */
#include "term/text.h"

#include <signet/entry.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/*
 * Characters that are no text by themselves: they control, reorder, join, or take no room, and so
 * can make two texts look alike (Unicode TR 36; trojansource.codes). Rising.
 */
static const struct range unsafe[] = {
    {0x0000, 0x001f},    /* C0: line feed, tab, escape and others */
    {0x007f, 0x009f},    /* delete, and C1 */
    {0x00ad, 0x00ad},    /* soft hyphen */
    {0x034f, 0x034f},    /* combining grapheme joiner */
    {0x061c, 0x061c},    /* Arabic letter mark (bidi) */
    {0x115f, 0x1160},    /* Hangul fillers */
    {0x17b4, 0x17b5},    /* Khmer inherent vowels */
    {0x180b, 0x180f},    /* Mongolian selectors and vowel separator */
    {0x200b, 0x200f},    /* zero width; left-to-right and right-to-left marks */
    {0x2028, 0x202e},    /* line and paragraph separators; bidi embeddings and overrides */
    {0x2060, 0x206f},    /* word joiner, invisible operators, bidi isolates, deprecated */
    {0x3164, 0x3164},    /* Hangul filler */
    {0xe000, 0xf8ff},    /* private use */
    {0xfdd0, 0xfdef},    /* noncharacters */
    {0xfeff, 0xfeff},    /* byte order mark */
    {0xffa0, 0xffa0},    /* half-width Hangul filler */
    {0xfff0, 0xfffb},    /* unassigned, and interlinear annotation */
    {0x1bca0, 0x1bca3},  /* shorthand format controls */
    {0x1d173, 0x1d17a},  /* musical format controls */
    {0xe0000, 0xe0fff},  /* tags, and variation selectors that carry hidden text */
    {0xf0000, 0x10ffff}, /* private use */
};

/* What joiners work on: Arabic, and the scripts of India and Sri Lanka, with their marks. Rising. */
static const struct range joined_letters[] = {
    {0x0620, 0x06ff}, {0x0750, 0x077f}, {0x08a0, 0x0dff}, {0xfb50, 0xfdcf}, {0xfe70, 0xfefc}};
static const struct range joined_pictures[] = {
    {0x2190, 0x21ff}, {0x2600, 0x27bf}, {0x2b00, 0x2bff}, {0x1f000, 0x1faff}};

static bool is_among(uint32_t code_point, const struct range *ranges, size_t count)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (code_point > ranges[middle].last)
            low = middle + 1;
        else if (code_point < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

#define IS_AMONG(code_point, ranges)                                                               \
    is_among(code_point, ranges, sizeof(ranges) / sizeof((ranges)[0]))

bool text_is_unsafe(uint32_t code_point)
{
    /* The last two of every plane are noncharacters. */
    return (code_point & 0xfffe) == 0xfffe || IS_AMONG(code_point, unsafe);
}

/* What a joiner finds beside it. */
enum neighbour { NEIGHBOUR_OTHER, NEIGHBOUR_LETTER, NEIGHBOUR_PICTURE };

static enum neighbour neighbour_of(uint32_t code_point)
{
    if (IS_AMONG(code_point, joined_letters))
        return NEIGHBOUR_LETTER;
    return IS_AMONG(code_point, joined_pictures) ? NEIGHBOUR_PICTURE : NEIGHBOUR_OTHER;
}

static bool is_joiner(uint32_t code_point)
{
    return code_point == 0x200c || code_point == 0x200d;
}

/* Whether a character of a message stays although names must not have it. */
static bool stays_in_body(uint32_t code_point, enum neighbour before, signet_span behind)
{
    uint32_t next = 0;

    if (code_point == '\n' || code_point == '\t')
        return true;
    return is_joiner(code_point) && before != NEIGHBOUR_OTHER && behind.len > 0 &&
           utf8_decode(behind, &next) != 0 && neighbour_of(next) == before;
}

static enum signet_err append_escape(uint32_t code_point, bool is_byte, struct signet_buf *out)
{
    char escape[sizeof("\\U0010ffff")];

    if (is_byte || code_point < 0x80)
        (void)snprintf(escape, sizeof(escape), "\\x%02x", (unsigned)code_point & 0xff);
    else if (code_point <= 0xffff)
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code_point & 0xffff);
    else
        (void)snprintf(escape, sizeof(escape), "\\U%08x", (unsigned)code_point & 0x1fffff);
    return signet_buf_append(out, signet_span_str(escape));
}

enum signet_err text_show(signet_span text, enum text_kind kind, struct signet_buf *out)
{
    enum neighbour before = NEIGHBOUR_OTHER;
    size_t start = out->len;

    while (text.len > 0) {
        uint32_t code_point = text.ptr[0];
        size_t len = utf8_decode(text, &code_point);
        bool is_byte = len == 0, stays;
        enum signet_err err;

        if (is_byte)
            len = 1;
        stays = kind == TEXT_BODY && stays_in_body(code_point, before, signet_span_from(text, len));
        if (is_byte || (text_is_unsafe(code_point) && !stays))
            err = append_escape(code_point, is_byte, out);
        else
            err = signet_buf_append(out, signet_span_of(text.ptr, len));
        if (err != SIGNET_OK) {
            signet_buf_truncate(out, start);
            return err;
        }
        if (code_point != 0xfe0f) /* the shape of the picture before it */
            before = neighbour_of(code_point);
        text = signet_span_from(text, len);
    }
    return SIGNET_OK;
}

/* Where a text ceases to be UTF-8; its length: nowhere. */
static size_t valid_length(signet_span text)
{
    signet_span rest = text;

    while (rest.len > 0) {
        uint32_t code_point = 0;
        size_t len = utf8_decode(rest, &code_point);

        if (len == 0)
            break;
        rest = signet_span_from(rest, len);
    }
    return text.len - rest.len;
}

bool text_has_flaw(signet_span text, bool is_whole, struct text_flaw *flaw)
{
    size_t valid;

    *flaw = (struct text_flaw){0};
    if (text.len == 0) {
        (void)snprintf(flaw->what, sizeof(flaw->what), "there is no text to send");
        return true;
    }
    if (text.len > SIGNET_TEXT_MAX) {
        flaw->hint = "send it in parts";
        (void)snprintf(
            flaw->what, sizeof(flaw->what), "the message is over %d bytes", (int)SIGNET_TEXT_MAX);
        if (is_whole)
            (void)snprintf(flaw->what, sizeof(flaw->what),
                "the message is over %d bytes: it has %zu", (int)SIGNET_TEXT_MAX, text.len);
        return true;
    }
    valid = valid_length(text);
    flaw->hint = "convert it to UTF-8";
    (void)snprintf(
        flaw->what, sizeof(flaw->what), "the message is not valid UTF-8 at byte %zu", valid + 1);
    return valid < text.len;
}

enum signet_err text_format(struct signet_buf *out, const char *format, ...)
{
    char *text = NULL;
    enum signet_err err;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        return SIGNET_ERR_NOMEM;
    err = signet_buf_append(out, signet_span_of(text, (size_t)len));
    free(text);
    return err;
}
