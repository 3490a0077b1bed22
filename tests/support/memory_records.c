/* Records in memory: one array, sorted by kind, name and number. */
#include "tests/support/memory_records.h"

#include <stdlib.h>
#include <string.h>

struct memory_record {
    enum record_kind kind;
    uint64_t number;
    size_t name_len;
    uint8_t name[RECORD_NAME_MAX];
    struct signet_buf value;
    bool is_damaged;
};

struct memory_records {
    struct memory_record *items;
    size_t count, capacity;
    size_t commits_left; /* before one fails; SIZE_MAX: none does */
    enum record_kind broken_kind;
    enum signet_err broken; /* how reading one of that kind fails; SIGNET_OK: it does not */
};

static int compare(const struct memory_record *record, const struct record_key *key)
{
    size_t shorter = record->name_len < key->name.len ? record->name_len : key->name.len;
    int order;

    if (record->kind != key->kind)
        return record->kind < key->kind ? -1 : 1;
    order = shorter == 0 ? 0 : memcmp(record->name, key->name.ptr, shorter);
    if (order != 0)
        return order;
    if (record->name_len != key->name.len)
        return record->name_len < key->name.len ? -1 : 1;
    if (record->number != key->number)
        return record->number < key->number ? -1 : 1;
    return 0;
}

/* The place of the first record that is not before the key. */
static size_t lower_bound(const struct memory_records *records, const struct record_key *key)
{
    size_t low = 0, high = records->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&records->items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct memory_records *records, size_t at, const struct record_key *key)
{
    return at < records->count && compare(&records->items[at], key) == 0;
}

struct memory_records *memory_records_new(void)
{
    struct memory_records *records = calloc(1, sizeof(*records));

    if (records != NULL)
        records->commits_left = SIZE_MAX;
    return records;
}

static enum signet_err reserve(struct memory_records *records, size_t more)
{
    size_t capacity = records->capacity;
    struct memory_record *items;

    if (more <= capacity - records->count)
        return SIGNET_OK;
    capacity = (records->count + more) * 2;
    items = reallocarray(records->items, capacity, sizeof(*items));
    if (items == NULL)
        return SIGNET_ERR_NOMEM;
    records->items = items;
    records->capacity = capacity;
    return SIGNET_OK;
}

struct memory_records *memory_records_copy(const struct memory_records *records)
{
    struct memory_records *copy = memory_records_new();

    if (copy == NULL || reserve(copy, records->count) != SIGNET_OK)
        goto failed;
    for (size_t i = 0; i < records->count; i++) {
        struct memory_record *to = &copy->items[copy->count++];

        *to = records->items[i];
        to->value = (struct signet_buf){0};
        if (signet_buf_append(&to->value, signet_buf_span(&records->items[i].value)) != SIGNET_OK)
            goto failed;
    }
    return copy;
failed:
    memory_records_free(copy);
    return NULL;
}

void memory_records_free(struct memory_records *records)
{
    if (records == NULL)
        return;
    for (size_t i = 0; i < records->count; i++)
        signet_buf_free(&records->items[i].value);
    free(records->items);
    free(records);
}

void memory_records_break(
    struct memory_records *records, enum record_kind kind, enum signet_err err)
{
    records->broken_kind = kind;
    records->broken = err;
}

static enum signet_err get(void *ctx, const struct record_key *key, struct signet_buf *out)
{
    const struct memory_records *records = ctx;
    size_t at = lower_bound(records, key);

    if (records->broken != SIGNET_OK && key->kind == records->broken_kind)
        return records->broken;
    if (!is_at(records, at, key))
        return SIGNET_ERR_UNKNOWN;
    if (records->items[at].is_damaged)
        return SIGNET_ERR_AUTH;
    return signet_buf_append(out, signet_buf_span(&records->items[at].value));
}

static enum signet_err scan(
    void *ctx, const struct record_key *key, record_visitor visit, void *visit_ctx)
{
    const struct memory_records *records = ctx;
    struct record_key from = *key;
    bool is_every_name = key->name.ptr == NULL;

    if (is_every_name)
        from.number = 0;
    for (size_t i = lower_bound(records, &from); i < records->count; i++) {
        const struct memory_record *record = &records->items[i];
        signet_span name = signet_span_of(record->name, record->name_len);
        signet_span value = {0};
        enum signet_err err;

        if (record->kind != key->kind)
            break;
        if (!is_every_name && !signet_span_equal(name, key->name))
            break;
        if (!is_every_name && record->number == key->number)
            continue;
        if (!record->is_damaged)
            value = signet_buf_span(&record->value);
        if ((err = visit(visit_ctx, record->number, value)) != SIGNET_OK)
            return err;
    }
    return SIGNET_OK;
}

struct record_source memory_records_source(struct memory_records *records)
{
    return (struct record_source){.ctx = records, .get = get, .scan = scan};
}

static void delete_at(struct memory_records *records, size_t at)
{
    signet_buf_free(&records->items[at].value);
    records->count--;
    memmove(&records->items[at], &records->items[at + 1],
        (records->count - at) * sizeof(records->items[0]));
}

/* Takes the value; the place has been reserved. */
static void put(struct memory_records *records, const struct record_change *change,
    const struct record_key *key, struct signet_buf *value)
{
    size_t at = lower_bound(records, key);
    struct memory_record *record = &records->items[at];

    if (is_at(records, at, key)) {
        signet_buf_free(&record->value);
    } else {
        memmove(record + 1, record, (records->count - at) * sizeof(*record));
        records->count++;
        *record = (struct memory_record){
            .kind = key->kind, .number = key->number, .name_len = change->name_len};
        memcpy(record->name, change->name, sizeof(record->name));
    }
    record->value = *value;
    record->is_damaged = false;
    *value = (struct signet_buf){0};
}

/* Copies of all values, so that nothing can fail once changes are made. */
static enum signet_err copy_values(const struct record_batch *batch, struct signet_buf *values)
{
    size_t i = 0;

    for (const struct record_change *c = batch->first; c != NULL; c = c->next) {
        if (signet_buf_append(&values[i++], signet_buf_span(&c->value)) != SIGNET_OK)
            return SIGNET_ERR_NOMEM;
    }
    return SIGNET_OK;
}

enum signet_err memory_records_commit(
    struct memory_records *records, const struct record_batch *batch)
{
    struct signet_buf *values = calloc(batch->count + 1, sizeof(*values));
    enum signet_err err = SIGNET_ERR_NOMEM;
    size_t i = 0;

    if (values == NULL)
        return SIGNET_ERR_NOMEM;
    if (records->commits_left != SIZE_MAX && records->commits_left-- == 0) {
        err = SIGNET_ERR_IO;
        goto out;
    }
    if ((err = reserve(records, batch->count)) != SIGNET_OK)
        goto out;
    if ((err = copy_values(batch, values)) != SIGNET_OK)
        goto out;
    for (const struct record_change *c = batch->first; c != NULL; c = c->next, i++) {
        struct record_key key = {c->kind, signet_span_of(c->name, c->name_len), c->number};
        size_t at = lower_bound(records, &key);

        if (!c->is_delete)
            put(records, c, &key, &values[i]);
        else if (is_at(records, at, &key))
            delete_at(records, at);
    }
out:
    for (i = 0; i < batch->count; i++)
        signet_buf_free(&values[i]);
    free(values);
    return err;
}

void memory_records_fail_after(struct memory_records *records, size_t count)
{
    records->commits_left = count;
}

size_t memory_records_damage(struct memory_records *records, enum record_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < records->count; i++) {
        if (records->items[i].kind == kind) {
            records->items[i].is_damaged = true;
            count++;
        }
    }
    return count;
}

size_t memory_records_remove(struct memory_records *records, enum record_kind kind)
{
    size_t count = 0;

    for (size_t i = records->count; i-- > 0;) {
        if (records->items[i].kind == kind) {
            delete_at(records, i);
            count++;
        }
    }
    return count;
}

size_t memory_records_count(const struct memory_records *records)
{
    return records->count;
}
