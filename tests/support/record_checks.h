/* What every record source must do, and helpers to fill one: shared by the tests of each. */
#ifndef TESTS_RECORD_CHECKS_H
#define TESTS_RECORD_CHECKS_H

#include "tests/support/unit.h"

#include <stdio.h>

#include "engine/records.h"

static inline struct record_key key_of(enum record_kind kind, const char *name, uint64_t number)
{
    return (struct record_key){kind, signet_span_str(name), number};
}

static inline void batch_put(
    struct record_batch *batch, const struct record_key *key, const char *value)
{
    CHECK_OK(record_batch_put(batch, key, signet_span_str(value)));
}

static inline void check_value(
    struct record_source source, const struct record_key *key, const char *wanted)
{
    struct signet_buf value = {0};

    CHECK_OK(source.get(source.ctx, key, &value));
    CHECK_SPAN(signet_buf_span(&value), wanted);
    signet_buf_free(&value);
}

static inline void check_no_value(
    struct record_source source, const struct record_key *key, enum signet_err wanted)
{
    struct signet_buf value = {0};

    CHECK_ERR(source.get(source.ctx, key, &value), wanted);
    CHECK(value.len == 0);
    signet_buf_free(&value);
}

/* Writes "NUMBER=VALUE " for each record; a buffer is the context. */
static inline enum signet_err visit_list(void *ctx, uint64_t number, signet_span value)
{
    struct signet_buf *list = (struct signet_buf *)ctx;
    char text[32];

    (void)snprintf(text, sizeof(text), "%u=", (unsigned)number);
    CHECK_OK(signet_buf_append(list, signet_span_str(text)));
    CHECK_OK(signet_buf_append(list, value));
    return signet_buf_append(list, signet_span_str(" "));
}

static inline void check_scan(
    struct record_source source, const struct record_key *key, const char *wanted)
{
    struct signet_buf list = {0};

    CHECK_OK(source.scan(source.ctx, key, visit_list, &list));
    CHECK_SPAN(signet_buf_span(&list), wanted);
    signet_buf_free(&list);
}

static inline enum signet_err visit_none(void *ctx, uint64_t number, signet_span value)
{
    (void)ctx;
    (void)number;
    (void)value;
    return SIGNET_ERR_STATE;
}

/* `source` must hold what this batch puts; the batch is cleared by the caller. */
static inline void source_fill(struct record_batch *batch)
{
    struct record_key key;

    for (uint64_t number = 12; number > 0; number -= 3) {
        char value[16];

        (void)snprintf(value, sizeof(value), "m%u", (unsigned)number);
        key = key_of(RECORD_MESSAGE, "bob", number);
        batch_put(batch, &key, value);
    }
    key = key_of(RECORD_MESSAGE, "bo", 7);
    batch_put(batch, &key, "other");
    key = key_of(RECORD_CONTACT, "alice", 0);
    batch_put(batch, &key, "Alice");
    key = key_of(RECORD_OUTBOX, "", 5);
    batch_put(batch, &key, "out");
    key = key_of(RECORD_COUNTERS, "", 0);
    batch_put(batch, &key, "first");
    batch_put(batch, &key, "second");
    key = key_of(RECORD_RELAY, "", 0);
    batch_put(batch, &key, "gone");
    CHECK_OK(record_batch_delete(batch, &key));
}

static inline void source_check(struct record_source source)
{
    struct record_key key = key_of(RECORD_MESSAGE, "bob", 0);

    check_scan(source, &key, "3=m3 6=m6 9=m9 12=m12 ");
    key.number = 6;
    check_scan(source, &key, "9=m9 12=m12 ");
    check_value(source, &key, "m6");
    key.number = 5;
    check_no_value(source, &key, SIGNET_ERR_UNKNOWN);
    key = key_of(RECORD_MESSAGE, "b", 0);
    check_scan(source, &key, "");
    key = key_of(RECORD_CONTACT, NULL, 0);
    check_scan(source, &key, "0=Alice ");
    key = key_of(RECORD_OUTBOX, "", 0);
    check_scan(source, &key, "5=out ");
    CHECK_ERR(source.scan(source.ctx, &key, visit_none, NULL), SIGNET_ERR_STATE);
    key = key_of(RECORD_COUNTERS, "", 0);
    check_value(source, &key, "second");
    key = key_of(RECORD_RELAY, "", 0);
    check_no_value(source, &key, SIGNET_ERR_UNKNOWN);
}

#endif
