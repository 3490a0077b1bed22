/*
 * The client's state as records: what the engine reads, and the changes it wants committed.
 *
 * A record is named by its kind, a name of up to 64 bytes (an address, a conversation; may be
 * empty) and a number (0 where a kind does not need one); its value is up to RECORD_MAX bytes. The
 * engine never writes: it reads through a source, and hands out batches of changes, which are
 * committed in one durable transaction before any byte that depends on them is sent. The sealed
 * SQLite store (agent/store/store.h) is one source; the simulation's memory is another.
 */
#ifndef ENGINE_RECORDS_H
#define ENGINE_RECORDS_H

#include <signet/buffer.h>

enum { RECORD_NAME_MAX = 64, RECORD_MAX = 1048576 };

/* The numbers are stored: never change one, never use one again. */
enum record_kind {
    RECORD_ACCOUNT = 1,     /* the account's secret form */
    RECORD_RELAY = 2,       /* invitation data, own name */
    RECORD_COUNTERS = 3,    /* running numbers and times of upkeep */
    RECORD_BUNDLE = 4,      /* number: version. An own bundle's secret form */
    RECORD_CONTACT = 5,     /* name: address */
    RECORD_NAME = 6,        /* name: a contact's name. Its address */
    RECORD_SESSION = 7,     /* name: transcript T1. A session's secret form */
    RECORD_SESSIONS = 8,    /* name: peer device. The transcripts of its live sessions */
    RECORD_TAG = 9,         /* name: lookup tag. The transcript of its session */
    RECORD_TRANSCRIPT = 10, /* name: transcript. Its session was begun by a peer, and may be gone */
    RECORD_SEEN = 11,       /* name: hash of an envelope. It was received */
    RECORD_HEAD = 12,       /* name: conversation and device. Where its chain stands */
    RECORD_MESSAGE = 13,    /* name: conversation; number: place. One line of the history */
    RECORD_UNSHOWN = 14,    /* number: arrival. A message that has not been shown yet */
    RECORD_OUTBOX = 15,     /* number: order. What is still to be accepted by the relay */
    RECORD_BEGUN = 16,   /* name: own bundle; number: arrival. Transcript of a session it began */
    RECORD_UPLOAD = 17,  /* number: version. A bundle that the relay has not confirmed yet */
    RECORD_ARRIVAL = 18, /* number: place. Time and hash of the envelope that arrived then */
    RECORD_LOSS = 20, /* name: peer device. A session with it was lost here; what was said of it */
    RECORD_PENDING = 19, /* number: place. An envelope whose sender's record is lost */
};

struct record_key {
    enum record_kind kind;
    signet_span name;
    uint64_t number;
};

/* Called for each record found; another result than SIGNET_OK ends the scan with it. */
typedef enum signet_err (*record_visitor)(void *ctx, uint64_t number, signet_span value);

struct record_source {
    void *ctx;
    /*
     * Append the value. Errors: UNKNOWN (there is none), AUTH (it was damaged or exchanged), IO,
     * NOMEM; `out` is unchanged then.
     */
    enum signet_err (*get)(void *ctx, const struct record_key *key, struct signet_buf *out);
    /*
     * Visit the records of a kind and name whose number is above key->number, in rising order, or
     * with key->name.ptr NULL those of every name, in no order. A damaged record is visited with
     * an empty value, so that the others stay readable.
     */
    enum signet_err (*scan)(
        void *ctx, const struct record_key *key, record_visitor visit, void *visit_ctx);
};

/* One change; owned by its batch. */
struct record_change {
    struct record_change *next;
    enum record_kind kind;
    uint64_t number;
    bool is_delete;
    size_t name_len;
    uint8_t name[RECORD_NAME_MAX];
    struct signet_buf value; /* a put's */
};

/* Changes in the order in which they were asked for; a later one to the same key wins. */
struct record_batch {
    struct record_change *first, *last;
    size_t count;
};

/* Errors: ARGUMENT (name or value too long), NOMEM; the batch is unchanged then. */
SIGNET_MUST_USE enum signet_err record_batch_put(
    struct record_batch *batch, const struct record_key *key, signet_span value);
SIGNET_MUST_USE enum signet_err record_batch_delete(
    struct record_batch *batch, const struct record_key *key);
/* The last change to a key, or NULL. */
const struct record_change *record_batch_find(
    const struct record_batch *batch, const struct record_key *key);
/* Wipe and free the changes; the batch is empty then. */
void record_batch_clear(struct record_batch *batch);
/* Move all of `from` behind what is in `to`. */
void record_batch_append(struct record_batch *to, struct record_batch *from);

#endif
