/* One envelope on its way through engine_unseal.c and engine_deliver.c. */
#ifndef ENGINE_INBOX_DELIVERY_H
#define ENGINE_INBOX_DELIVERY_H

#include "engine/engine_internal.h"

/* What opening one envelope works with. */
struct delivery {
    uint64_t now_ms;
    signet_span envelope;
    struct signet_id hash; /* of the envelope */
    struct signet_envelope_view view;
    struct signet_session *session; /* a copy, or a new one */
    bool is_new_session;
    uint64_t bundle_version; /* new session: of the own bundle used */
    struct signet_buf content;
    struct contact_slot *slot; /* NULL: the sender is not known yet */
    bool is_sender_lost;       /* there is a session, but no contact: our own loss */
    struct signet_card *card;  /* the newest of the sender that holds; a share */
    size_t list_count;         /* ids of the sender's lists that are good for this entry */
    struct signet_id lists[CONTACT_LISTS_MAX + 3];
    struct signet_entry entry;
    enum verdict verdict;
    uint64_t missing;
};

/*
 * Find or accept the session, and open the envelope: docs/protocol.md, section 8, steps 2 to 4.
 * Nothing is kept. Errors: verdicts, and machine errors.
 */
SIGNET_MUST_USE enum signet_err engine_open_seal(struct engine *e, struct delivery *d);
/* The one-time prekey that began the session is wiped in the transaction that stores it. */
SIGNET_MUST_USE enum signet_err engine_forget_one_time(struct engine *e, struct delivery *d);

/* SIGNET_KIND_HEADS: mark those of our texts in the history that its author has not got. */
SIGNET_MUST_USE enum signet_err engine_mark_missing(
    struct engine *e, const struct signet_entry *heads, uint64_t *missing_out);

/* Keep the envelope until its sender is known again. Errors: LIMIT (no room), and machine errors. */
SIGNET_MUST_USE enum signet_err engine_keep_pending(struct engine *e, const struct delivery *d);
/* Receive an envelope that was kept. NOMEM: nothing has changed. */
SIGNET_MUST_USE enum signet_err engine_open_pending(struct engine *e, signet_span envelope);

#endif
