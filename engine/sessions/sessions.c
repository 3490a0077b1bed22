/* Sessions in the engine: docs/protocol.md, section 5 (which one to use, how many live). */
#include <stdlib.h>
#include <string.h>

#include "engine/recovery.h"
#include "wire/cbor.h"

/* Sessions in memory: strangers decide how many there are, not how much they take. Those of one
 * device fit several times, so that none goes while it is looked at. */
enum { SESSION_SLOTS_MAX = 32 };

/* The transcripts of a device's live sessions: RECORD_SESSIONS. */
struct session_list {
    size_t count;
    struct signet_id transcripts[SIGNET_SESSIONS_MAX + 1];
};

static struct record_key key_of(enum record_kind kind, const struct signet_id *id)
{
    struct record_key key = {kind, signet_id_span(id), 0};

    return key;
}

static enum signet_err load_list(
    struct engine *e, const struct signet_id *device, struct session_list *list)
{
    struct record_key key = key_of(RECORD_SESSIONS, device);
    struct signet_buf value = {0};
    struct wire_reader r;
    enum signet_err err = engine_get(e, &key, &value);

    memset(list, 0, sizeof(*list));
    if (err == SIGNET_ERR_UNKNOWN)
        return SIGNET_OK;
    if (err == SIGNET_ERR_AUTH) /* the sessions are still found by their tags */
        return engine_note(e, "a list of sessions is damaged; a new session is needed");
    if (err != SIGNET_OK)
        return err;
    r = wire_reader(signet_buf_span(&value));
    list->count = wire_get_array(&r, 0, SIGNET_SESSIONS_MAX);
    for (size_t i = 0; i < list->count; i++)
        wire_get_id(&r, &list->transcripts[i]);
    err = wire_reader_finish(&r);
    signet_buf_free(&value);
    return err;
}

static enum signet_err save_list(
    struct engine *e, const struct signet_id *device, const struct session_list *list)
{
    struct record_key key = key_of(RECORD_SESSIONS, device);
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    enum signet_err err;

    wire_put_array(&w, list->count);
    for (size_t i = 0; i < list->count; i++)
        wire_put_id(&w, &list->transcripts[i]);
    if ((err = wire_writer_finish(&w)) == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err;
}

/* The slot of a session, which becomes the first of the list; NULL: it is not in memory. */
static struct session_slot *find_slot(struct engine *e, const struct signet_id *transcript)
{
    struct session_slot **link = &e->sessions;
    struct session_slot *slot;

    while (
        *link != NULL && !signet_id_equal(signet_session_transcript((*link)->session), transcript))
        link = &(*link)->next;
    slot = *link;
    if (slot == NULL)
        return NULL;
    *link = slot->next;
    slot->next = e->sessions;
    e->sessions = slot;
    return slot;
}

static void free_slot(struct session_slot *slot)
{
    signet_session_free(slot->session);
    free(slot);
}

/* Whatever has changed in a session is among the changes before its slot can be given up. */
static void link_slot(struct engine *e, struct session_slot *slot, struct signet_session *session)
{
    struct session_slot **link = &e->sessions;
    size_t count = 0;

    slot->session = session;
    slot->next = e->sessions;
    e->sessions = slot;
    while (*link != NULL && count++ < SESSION_SLOTS_MAX)
        link = &(*link)->next;
    slot = *link;
    *link = NULL;
    if (slot != NULL)
        free_slot(slot);
}

enum signet_err engine_load_session(
    struct engine *e, const struct signet_id *transcript, struct session_slot **slot_out)
{
    struct record_key key = key_of(RECORD_SESSION, transcript);
    struct session_slot *slot = find_slot(e, transcript);
    struct signet_session *session = NULL;
    struct signet_buf value = {0};
    enum signet_err err;

    if (slot != NULL) {
        *slot_out = slot;
        return SIGNET_OK;
    }
    err = engine_get(e, &key, &value);
    if (err == SIGNET_OK)
        err = signet_session_decode(e->library, signet_buf_span(&value), &session);
    signet_buf_free(&value);
    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT) {
        /* The loss is ours alone to know: a new session follows, the others go on. */
        e->has_lost_session = true;
        if ((err = engine_note(e, "a session's record is damaged; a new session is needed")) !=
            SIGNET_OK)
            return err;
        return SIGNET_ERR_UNKNOWN;
    }
    if (err != SIGNET_OK)
        return err;
    slot = calloc(1, sizeof(*slot));
    err = slot == NULL ? SIGNET_ERR_NOMEM
                       : signet_session_tags(session, slot->tags, &slot->tag_count);
    if (err != SIGNET_OK) {
        signet_session_free(session);
        free(slot);
        return err;
    }
    link_slot(e, slot, session);
    *slot_out = slot;
    return engine_check_tags(e, slot);
}

/* Forget a session; its transcript stays known, so that it is not begun again by a replay. */
static enum signet_err drop_session(struct engine *e, const struct signet_id *transcript)
{
    struct record_key key = key_of(RECORD_SESSION, transcript);
    struct session_slot *slot;
    enum signet_err err = engine_load_session(e, transcript, &slot);

    if (err == SIGNET_OK) {
        struct session_slot **link = &e->sessions;

        if ((err = engine_delete_tags(e, slot)) != SIGNET_OK)
            return err;
        while (*link != slot)
            link = &(*link)->next;
        *link = slot->next;
        free_slot(slot);
    } else if (err != SIGNET_ERR_UNKNOWN) {
        return err;
    }
    return engine_delete(e, &key);
}

/* A device's list with its sessions. What is lost goes off it, so that the loss is told once. */
static enum signet_err load_sessions(struct engine *e, const struct signet_id *device,
    struct session_list *list, struct session_slot *slots[SIGNET_SESSIONS_MAX])
{
    size_t live = 0;
    enum signet_err err = load_list(e, device, list);

    for (size_t i = 0; err == SIGNET_OK && i < list->count; i++) {
        struct record_key key = key_of(RECORD_SESSION, &list->transcripts[i]);

        err = engine_load_session(e, &list->transcripts[i], &slots[live]);
        if (err == SIGNET_ERR_UNKNOWN)
            err = engine_delete(e, &key);
        else if (err == SIGNET_OK)
            list->transcripts[live++] = list->transcripts[i];
    }
    if (err != SIGNET_OK || live == list->count)
        return err;
    list->count = live;
    if ((err = engine_note_loss(e, device)) != SIGNET_OK)
        return err;
    return save_list(e, device, list);
}

/* Any account may list any device; a session is with the account whose device proved to be its. */
static bool is_with(const struct session_slot *slot, const struct signet_id *address)
{
    return signet_id_equal(signet_session_peer_address(slot->session), address);
}

enum signet_err engine_drop_sessions(
    struct engine *e, const struct signet_id *address, const struct signet_id *device)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    size_t kept = 0;
    enum signet_err err = load_sessions(e, device, &list, slots);

    for (size_t i = 0; err == SIGNET_OK && i < list.count; i++) {
        if (is_with(slots[i], address))
            err = drop_session(e, &list.transcripts[i]);
        else
            list.transcripts[kept++] = list.transcripts[i];
    }
    list.count = kept;
    return err == SIGNET_OK ? save_list(e, device, &list) : err;
}

/* When a session was last of use: to find the one used longest ago. */
static uint64_t used_at(const struct signet_session *session)
{
    uint64_t received = signet_session_received_at(session);

    return received > 0 ? received : signet_session_created_at(session);
}

/* Put a new session on its device's list; the one used longest ago goes where there is no room. */
static enum signet_err list_session(struct engine *e, const struct signet_session *session)
{
    const struct signet_id *device = signet_session_peer_device(session);
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    size_t oldest = 0;
    enum signet_err err = load_sessions(e, device, &list, slots);

    if (err != SIGNET_OK)
        return err;
    if (list.count == SIGNET_SESSIONS_MAX) {
        for (size_t i = 1; i < list.count; i++) {
            if (used_at(slots[i]->session) < used_at(slots[oldest]->session))
                oldest = i;
        }
        if ((err = drop_session(e, &list.transcripts[oldest])) != SIGNET_OK)
            return err;
        list.transcripts[oldest] = list.transcripts[--list.count];
    }
    list.transcripts[list.count++] = *signet_session_transcript(session);
    return save_list(e, device, &list);
}

static enum signet_err put_session(
    struct engine *e, const struct signet_session *session, struct session_slot *slot)
{
    struct record_key key = key_of(RECORD_SESSION, signet_session_transcript(session));
    struct signet_buf value = {0};
    enum signet_err err = signet_session_encode(session, &value);

    if (err == SIGNET_OK)
        err = engine_put(e, &key, signet_buf_span(&value));
    signet_buf_free(&value);
    return err == SIGNET_OK ? engine_save_tags(e, slot, session) : err;
}

static enum signet_err save_new_session(struct engine *e, struct signet_session *session)
{
    struct session_slot *slot = calloc(1, sizeof(*slot));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (slot != NULL)
        err = list_session(e, session);
    if (err == SIGNET_OK)
        err = put_session(e, session, slot);
    if (err == SIGNET_OK)
        link_slot(e, slot, session);
    else
        free(slot);
    return err;
}

enum signet_err engine_save_session(struct engine *e, struct signet_session *session)
{
    struct session_slot *slot = find_slot(e, signet_session_transcript(session));
    enum signet_err err;

    if (slot == NULL)
        return save_new_session(e, session);
    if ((err = put_session(e, session, slot)) != SIGNET_OK)
        return err;
    if (slot->session != session) {
        signet_session_free(slot->session);
        slot->session = session;
    }
    return SIGNET_OK;
}

struct expiry {
    struct engine *engine;
    uint64_t now_ms;
};

static enum signet_err visit_session(void *ctx, uint64_t number, signet_span value)
{
    const struct expiry *expiry = ctx;
    struct engine *e = expiry->engine;
    struct signet_session *session = NULL;
    struct session_slot *slot;
    bool is_due;
    enum signet_err err = signet_session_decode(e->library, value, &session);

    (void)number;
    if (err != SIGNET_OK) /* a damaged one is noticed when it is used */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    is_due = signet_session_expire(session, expiry->now_ms);
    if (is_due)
        err = engine_load_session(e, signet_session_transcript(session), &slot);
    if (is_due && err == SIGNET_OK && signet_session_expire(slot->session, expiry->now_ms))
        err = put_session(e, slot->session, slot);
    signet_session_free(session);
    return err;
}

enum signet_err engine_expire_sessions(struct engine *e, uint64_t now_ms)
{
    struct expiry expiry = {e, now_ms};
    struct record_key all = {.kind = RECORD_SESSION};

    return e->records.scan(e->records.ctx, &all, visit_session, &expiry);
}

enum signet_err engine_next_time(struct engine *e, const struct signet_id *device, uint64_t *now_ms)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    enum signet_err err = load_sessions(e, device, &list, slots);

    for (size_t i = 0; err == SIGNET_OK && i < list.count; i++) {
        uint64_t received_at = signet_session_received_at(slots[i]->session);

        if (received_at >= *now_ms)
            *now_ms = received_at + 1;
    }
    return err;
}

/* Whether `a` is to be preferred for sending: the one last received on; before anything was
 * received, the one with the lowest transcript, so that both sides settle on the same. */
static bool is_better(const struct signet_session *a, const struct signet_session *b)
{
    uint64_t at_a = signet_session_received_at(a), at_b = signet_session_received_at(b);

    if (at_a != at_b)
        return at_a > at_b;
    return signet_id_compare(signet_session_transcript(a), signet_session_transcript(b)) < 0;
}

enum signet_err engine_pick_session(struct engine *e, const struct signet_id *address,
    const struct signet_id *device, uint64_t now_ms, struct session_slot **slot_out)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_slot *best = NULL;
    struct session_list list;
    enum signet_err err = load_sessions(e, device, &list, slots);

    if (err != SIGNET_OK)
        return err;
    for (size_t i = 0; i < list.count; i++) {
        if (is_with(slots[i], address) && !signet_session_is_worn(slots[i]->session, now_ms) &&
            (best == NULL || is_better(slots[i]->session, best->session)))
            best = slots[i];
    }
    if (best == NULL)
        return SIGNET_ERR_UNKNOWN;
    *slot_out = best;
    return SIGNET_OK;
}
