/*
 * A SHA-256 value that names something: an account's address, a device, a key's fingerprint, a
 * device list, a bundle, an entry, a conversation.
 *
 * As text it is 64 lower-case hexadecimal digits. For people it is shown in groups of four joined
 * by '-', which parsing accepts too.
 */
#ifndef SIGNET_ID_H
#define SIGNET_ID_H

#include <signet/error.h>
#include <signet/span.h>

SIGNET_C_BEGIN

enum {
    SIGNET_ID_LEN = 32,       /* bytes */
    SIGNET_ID_TEXT_SIZE = 65, /* characters, with the terminating zero */
    SIGNET_ID_GROUPS_SIZE = 80,
    SIGNET_ID_SHORT_SIZE = 20, /* "3f9a-22c1-77b0-91de" and the zero */
};

struct signet_id {
    uint8_t b[SIGNET_ID_LEN];
};

static inline signet_span signet_id_span(const struct signet_id *id)
{
    return signet_span_of(id->b, sizeof(id->b));
}

SIGNET_API bool signet_id_equal(const struct signet_id *a, const struct signet_id *b);
/* As memcmp: the order in which addresses are sorted. */
SIGNET_API int signet_id_compare(const struct signet_id *a, const struct signet_id *b);
SIGNET_API bool signet_id_is_zero(const struct signet_id *id);

/* 64 hexadecimal digits. */
SIGNET_API void signet_id_text(const struct signet_id *id, char text[SIGNET_ID_TEXT_SIZE]);
/* All 16 groups of four digits, to compare in person. */
SIGNET_API void signet_id_groups(const struct signet_id *id, char text[SIGNET_ID_GROUPS_SIZE]);
/* The first four groups: enough to tell contacts apart at a glance, not to confirm one. */
SIGNET_API void signet_id_short(const struct signet_id *id, char text[SIGNET_ID_SHORT_SIZE]);

/* From 64 hexadecimal digits of either case; '-', ':' and spaces between them are passed over.
 * Errors: FORMAT; *id_out is unchanged then. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_id_parse(
    const char *text, struct signet_id *id_out);

/* From exactly 32 bytes. Errors: FORMAT; *id_out is unchanged then. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_id_read(
    signet_span bytes, struct signet_id *id_out);

SIGNET_C_END

#endif
