/* Sessions in the engine: docs/protocol.md, section 5 (which one to use, how many live). */
#include "engine/sessions/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "engine/sessions/loss.h"
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

static enum signet_err encode_list(const void *object, struct signet_buf *out)
{
    const struct session_list *list = object;
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, list->count);
    for (size_t i = 0; i < list->count; i++)
        wire_put_id(&w, &list->transcripts[i]);
    return wire_writer_finish(&w);
}

static enum signet_err decode_list(struct txn *t, signet_span value, void *object)
{
    struct session_list *list = object;
    struct wire_reader r = wire_reader(value);

    (void)t;
    list->count = wire_get_array(&r, 0, SIGNET_SESSIONS_MAX);
    for (size_t i = 0; i < list->count; i++)
        wire_get_id(&r, &list->transcripts[i]);
    return wire_reader_finish(&r);
}

static enum signet_err load_list(
    struct txn *t, const struct signet_id *device, struct session_list *list)
{
    struct record_key key = key_of(RECORD_SESSIONS, device);
    enum signet_err err;

    memset(list, 0, sizeof(*list));
    err = txn_read(t, &key, decode_list, list);
    if (err == SIGNET_ERR_UNKNOWN)
        return SIGNET_OK;
    if (err == SIGNET_ERR_AUTH) /* the sessions are still found by their tags */
        return txn_note(t, "a list of sessions is damaged; a new session is needed");
    return err;
}

static enum signet_err save_list(
    struct txn *t, const struct signet_id *device, const struct session_list *list)
{
    struct record_key key = key_of(RECORD_SESSIONS, device);

    return txn_write(t, &key, encode_list, list);
}

/* The slot of a session, which becomes the first of the list; NULL: it is not in memory. */
static struct session_slot *find_slot(struct txn *t, const struct signet_id *transcript)
{
    struct session_slot **link = &t->sessions->first;
    struct session_slot *slot;

    while (
        *link != NULL && !signet_id_equal(signet_session_transcript((*link)->session), transcript))
        link = &(*link)->next;
    slot = *link;
    if (slot == NULL)
        return NULL;
    *link = slot->next;
    slot->next = t->sessions->first;
    t->sessions->first = slot;
    return slot;
}

static void free_slot(struct session_slot *slot)
{
    signet_session_free(slot->session);
    free(slot);
}

/* Whatever has changed in a session is among the changes before its slot can be given up. */
static void link_slot(struct txn *t, struct session_slot *slot, struct signet_session *session)
{
    struct session_slot **link = &t->sessions->first;
    size_t count = 0;

    slot->session = session;
    slot->next = t->sessions->first;
    t->sessions->first = slot;
    while (*link != NULL && count++ < SESSION_SLOTS_MAX)
        link = &(*link)->next;
    slot = *link;
    *link = NULL;
    if (slot != NULL)
        free_slot(slot);
}

static enum signet_err encode_session(const void *object, struct signet_buf *out)
{
    return signet_session_encode(object, out);
}

static enum signet_err decode_session(struct txn *t, signet_span value, void *object)
{
    return signet_session_decode(t->library, value, object);
}

/* A slot for a session that was read. Takes the session over on success. */
static enum signet_err add_slot(
    struct txn *t, struct signet_session *session, struct session_slot **slot_out)
{
    struct session_slot *slot = calloc(1, sizeof(*slot));
    enum signet_err err = slot == NULL
                              ? SIGNET_ERR_NOMEM
                              : signet_session_tags(session, slot->tags.tags, &slot->tags.count);

    if (err != SIGNET_OK) {
        free(slot);
        return err;
    }
    link_slot(t, slot, session);
    *slot_out = slot;
    return SIGNET_OK;
}

enum signet_err sessions_load(
    struct txn *t, const struct signet_id *transcript, struct session_slot **slot_out)
{
    struct record_key key = key_of(RECORD_SESSION, transcript);
    struct session_slot *slot = find_slot(t, transcript);
    struct signet_session *session = NULL;
    enum signet_err err;

    if (slot != NULL) {
        *slot_out = slot;
        return SIGNET_OK;
    }
    err = txn_read(t, &key, decode_session, &session);
    if (err == SIGNET_ERR_AUTH || err == SIGNET_ERR_FORMAT) {
        /* The loss is ours alone to know: a new session follows, the others go on. */
        t->sessions->has_lost_one = true;
        err = txn_note(t, "a session's record is damaged; a new session is needed");
        return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
    }
    if (err != SIGNET_OK)
        return err;
    if ((err = add_slot(t, session, &slot)) != SIGNET_OK) {
        signet_session_free(session);
        return err;
    }
    *slot_out = slot;
    return tags_check(t, &slot->tags, transcript);
}

enum signet_err sessions_forget(struct txn *t, const struct signet_id *transcript)
{
    struct record_key key = key_of(RECORD_SESSION, transcript);

    return txn_delete(t, &key);
}

/* Forget a session; its transcript stays known, so that it is not begun again by a replay. */
static enum signet_err drop_session(struct txn *t, const struct signet_id *transcript)
{
    struct session_slot *slot;
    enum signet_err err = sessions_load(t, transcript, &slot);

    if (err == SIGNET_OK) {
        struct session_slot **link = &t->sessions->first;

        if ((err = tags_delete(t, &slot->tags)) != SIGNET_OK)
            return err;
        while (*link != slot)
            link = &(*link)->next;
        *link = slot->next;
        free_slot(slot);
    } else if (err != SIGNET_ERR_UNKNOWN) {
        return err;
    }
    return sessions_forget(t, transcript);
}

/* A device's list with its sessions. What is lost goes off it, so that the loss is told once. */
static enum signet_err load_sessions(struct txn *t, const struct signet_id *device,
    struct session_list *list, struct session_slot *slots[SIGNET_SESSIONS_MAX])
{
    size_t live = 0;
    enum signet_err err = load_list(t, device, list);

    for (size_t i = 0; err == SIGNET_OK && i < list->count; i++) {
        err = sessions_load(t, &list->transcripts[i], &slots[live]);
        if (err == SIGNET_ERR_UNKNOWN)
            err = sessions_forget(t, &list->transcripts[i]);
        else if (err == SIGNET_OK)
            list->transcripts[live++] = list->transcripts[i];
    }
    if (err != SIGNET_OK || live == list->count)
        return err;
    list->count = live;
    if ((err = loss_note(t, device)) != SIGNET_OK)
        return err;
    return save_list(t, device, list);
}

/* Any account may list any device; a session is with the account whose device proved to be its. */
static bool is_with(const struct session_slot *slot, const struct signet_id *address)
{
    return signet_id_equal(signet_session_peer_address(slot->session), address);
}

enum signet_err sessions_drop(
    struct txn *t, const struct signet_id *address, const struct signet_id *device)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    size_t kept = 0;
    enum signet_err err = load_sessions(t, device, &list, slots);

    for (size_t i = 0; err == SIGNET_OK && i < list.count; i++) {
        if (is_with(slots[i], address))
            err = drop_session(t, &list.transcripts[i]);
        else
            list.transcripts[kept++] = list.transcripts[i];
    }
    list.count = kept;
    return err == SIGNET_OK ? save_list(t, device, &list) : err;
}

/* When a session was last of use: to find the one used longest ago. */
static uint64_t used_at(const struct signet_session *session)
{
    uint64_t received = signet_session_received_at(session);

    return received > 0 ? received : signet_session_created_at(session);
}

/* Put a new session on its device's list; the one used longest ago goes where there is no room. */
static enum signet_err list_session(struct txn *t, const struct signet_session *session)
{
    const struct signet_id *device = signet_session_peer_device(session);
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    size_t oldest = 0;
    enum signet_err err = load_sessions(t, device, &list, slots);

    if (err != SIGNET_OK)
        return err;
    if (list.count == SIGNET_SESSIONS_MAX) {
        for (size_t i = 1; i < list.count; i++) {
            if (used_at(slots[i]->session) < used_at(slots[oldest]->session))
                oldest = i;
        }
        if ((err = drop_session(t, &list.transcripts[oldest])) != SIGNET_OK)
            return err;
        list.transcripts[oldest] = list.transcripts[--list.count];
    }
    list.transcripts[list.count++] = *signet_session_transcript(session);
    return save_list(t, device, &list);
}

static enum signet_err put_session(
    struct txn *t, const struct signet_session *session, struct session_slot *slot)
{
    struct record_key key = key_of(RECORD_SESSION, signet_session_transcript(session));
    enum signet_err err = txn_write(t, &key, encode_session, session);

    return err == SIGNET_OK ? tags_save(t, &slot->tags, session) : err;
}

static enum signet_err save_new_session(struct txn *t, struct signet_session *session)
{
    struct session_slot *slot = calloc(1, sizeof(*slot));
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (slot != NULL)
        err = list_session(t, session);
    if (err == SIGNET_OK)
        err = put_session(t, session, slot);
    if (err == SIGNET_OK)
        link_slot(t, slot, session);
    else
        free(slot);
    return err;
}

enum signet_err sessions_save(struct txn *t, struct signet_session *session)
{
    struct session_slot *slot = find_slot(t, signet_session_transcript(session));
    enum signet_err err;

    if (slot == NULL)
        return save_new_session(t, session);
    if ((err = put_session(t, session, slot)) != SIGNET_OK)
        return err;
    if (slot->session != session) {
        signet_session_free(slot->session);
        slot->session = session;
    }
    return SIGNET_OK;
}

static enum signet_err visit_session(void *ctx, uint64_t number, signet_span value)
{
    struct txn *t = ctx;
    struct signet_session *session = NULL;
    struct session_slot *slot;
    bool is_due;
    enum signet_err err = signet_session_decode(t->library, value, &session);

    (void)number;
    if (err != SIGNET_OK) /* a damaged one is noticed when it is used */
        return err == SIGNET_ERR_NOMEM ? err : SIGNET_OK;
    is_due = signet_session_expire(session, t->now_ms);
    if (is_due)
        err = sessions_load(t, signet_session_transcript(session), &slot);
    if (is_due && err == SIGNET_OK && signet_session_expire(slot->session, t->now_ms))
        err = put_session(t, slot->session, slot);
    signet_session_free(session);
    return err;
}

enum signet_err sessions_expire(struct txn *t)
{
    struct record_key all = {.kind = RECORD_SESSION};

    return txn_scan(t, &all, visit_session, t);
}

enum signet_err sessions_next_time(struct txn *t, const struct signet_id *device, uint64_t *at_ms)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_list list;
    enum signet_err err = load_sessions(t, device, &list, slots);

    for (size_t i = 0; err == SIGNET_OK && i < list.count; i++) {
        uint64_t received_at = signet_session_received_at(slots[i]->session);

        if (received_at >= *at_ms)
            *at_ms = received_at + 1;
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

enum signet_err sessions_pick(struct txn *t, const struct signet_id *address,
    const struct signet_id *device, struct session_slot **slot_out)
{
    struct session_slot *slots[SIGNET_SESSIONS_MAX];
    struct session_slot *best = NULL;
    struct session_list list;
    enum signet_err err = load_sessions(t, device, &list, slots);

    if (err != SIGNET_OK)
        return err;
    for (size_t i = 0; i < list.count; i++) {
        if (is_with(slots[i], address) && !signet_session_is_worn(slots[i]->session, t->now_ms) &&
            (best == NULL || is_better(slots[i]->session, best->session)))
            best = slots[i];
    }
    if (best == NULL)
        return SIGNET_ERR_UNKNOWN;
    *slot_out = best;
    return SIGNET_OK;
}

void sessions_free(struct sessions *sessions)
{
    while (sessions->first != NULL) {
        struct session_slot *slot = sessions->first;

        sessions->first = slot->next;
        free_slot(slot);
    }
}
